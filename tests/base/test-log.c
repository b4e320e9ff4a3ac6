/* SPDX-License-Identifier: Apache-2.0 */

/* A record is one line on standard error, or fields in the journal; never both, never two lines. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define SD_JOURNAL_SUPPRESS_LOCATION /* before sd-journal.h: its name for the function, not its macro */
#include <systemd/sd-journal.h>

#include "base/buffer.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log-ecs.h"
#include "base/log.h"
#include "base/text.h"

/* Stands in for libsystemd's: each record as "NAME=value|", each record ended by a newline. */
static Buffer journal = BUFFER_INIT(256 * 1024);
static int journal_answer;

int sd_journal_sendv(const struct iovec *fields, int n) {
        for (int i = 0; i < n; i++) {
                assert_int_equal(buffer_append(&journal, fields[i].iov_base, fields[i].iov_len), 0);
                assert_int_equal(buffer_append_string(&journal, "|"), 0);
        }
        assert_int_equal(buffer_append_string(&journal, "\n"), 0);
        errno = EBADF; /* whatever it does to errno, the caller of log_*() doesn't see it */
        return journal_answer;
}

static int saved_stderr = -1;

/* Standard error becomes a memory file for the length of a test. */
static int setup(void **state) {
        _cleanup_close_ int fd = memfd_create("stderr", MFD_CLOEXEC | MFD_ALLOW_SEALING);

        journal_answer = 0;
        saved_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
        if (fd < 0 || saved_stderr < 0 || dup2(fd, STDERR_FILENO) < 0 || unsetenv("JOURNAL_STREAM") < 0)
                return -1;

        log_quiet_stderr(false);
        log_open("test-log", LOG_INFO);
        return 0;
}

static int teardown(void **state) {
        buffer_done(&journal);
        if (dup2(saved_stderr, STDERR_FILENO) < 0)
                return -1;
        return close(saved_stderr);
}

/* What arrived on standard error since the last call. */
static const char *taken_stderr(Buffer *b) {
        buffer_clear(b);
        assert_int_equal(lseek(STDERR_FILENO, 0, SEEK_SET), 0);
        assert_int_equal(file_read_fd(STDERR_FILENO, b), 0);
        assert_int_equal(ftruncate(STDERR_FILENO, 0), 0);
        assert_int_equal(lseek(STDERR_FILENO, 0, SEEK_SET), 0);
        return buffer_string(b);
}

/* JOURNAL_STREAM as the service manager sets it, moved by these amounts. */
static void open_as_service(unsigned device_off, unsigned inode_off) {
        struct stat status;
        char stream[64];

        assert_int_equal(fstat(STDERR_FILENO, &status), 0);
        (void) snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t) status.st_dev + device_off,
                        (uintmax_t) status.st_ino + inode_off);
        assert_int_equal(setenv("JOURNAL_STREAM", stream, 1), 0);
        log_open("test-log", LOG_INFO);
}

static void test_plain_lines(void **state) {
        _cleanup_buffer_ Buffer b = BUFFER_INIT(10000);

        assert_false(log_to_journal());
        log_info("hello %d", 42);
        log_error("second");
        assert_string_equal(taken_stderr(&b), "test-log: hello 42\ntest-log: second\n");
        assert_int_equal(journal.size, 0);
}

static void test_level(void **state) {
        _cleanup_buffer_ Buffer b = BUFFER_INIT(10000);

        log_debug("no");
        log_info("yes");
        log_set_level(LOG_WARNING);
        log_notice("no");
        log_warning("yes");
        log_set_level(LOG_DEBUG);
        log_debug("yes");
        assert_string_equal(taken_stderr(&b), "test-log: yes\ntest-log: yes\ntest-log: yes\n");
}

static void test_one_line(void **state) {
        static const struct {
                const char *message, *expected;
        } cases[] = {
                { "two\nlines", "test-log: two lines\n" },
                { "ends\n", "test-log: ends\n" },
                { "ends\r\n\n", "test-log: ends\n" },
                { "a\tb\rc", "test-log: a b c\n" },
                { "\x1b[2Jcleared", "test-log: ?[2Jcleared\n" },
                { "not \xff UTF-8", "test-log: not ? UTF-8\n" },
                { "", "test-log: \n" },
                { "\n", "test-log: \n" },
        };
        _cleanup_buffer_ Buffer b = BUFFER_INIT(10000);

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                log_info("%s", cases[i].message);
                assert_string_equal(taken_stderr(&b), cases[i].expected);
        }
}

static void test_long_message(void **state) {
        static char message[10000];
        _cleanup_buffer_ Buffer b = BUFFER_INIT(10000);
        const char *line;

        memset(message, 'm', sizeof(message) - 1);
        log_info("%s", message);
        line = taken_stderr(&b);
        assert_true(b.size > 2000 && b.size < 2100);
        assert_string_equal(line + b.size - 5, "m...\n");
}

static void test_quiet(void **state) {
        _cleanup_buffer_ Buffer b = BUFFER_INIT(10000);

        log_quiet_stderr(true);
        log_error("unseen");
        assert_string_equal(taken_stderr(&b), "");
        log_quiet_stderr(false);
        log_error("seen");
        assert_string_equal(taken_stderr(&b), "test-log: seen\n");
}

static void test_journal_stream(void **state) {
        static const char *const others[] = { "", ":", "1", "x:y", "1:2:3" };

        open_as_service(0, 0);
        assert_true(log_to_journal());
        /* Inherited from somebody else's service, standard error is another file by now. */
        open_as_service(1, 0);
        assert_false(log_to_journal());
        open_as_service(0, 1);
        assert_false(log_to_journal());

        for (size_t i = 0; i < ELEMENTS(others); i++) {
                assert_int_equal(setenv("JOURNAL_STREAM", others[i], 1), 0);
                log_open("test-log", LOG_INFO);
                assert_false(log_to_journal());
        }
}

static void test_journal_fields(void **state) {
        const LogField fields[] = {
                { "ECE_ENROLL_STATE", "BACKOFF" },
                { "ECE_ENROLL_REASON", NULL },
                { "ECE_ENROLL_ROLES", "" },
        };
        _cleanup_buffer_ Buffer b = BUFFER_INIT(10000);

        open_as_service(0, 0);
        log_record(LOG_WARNING, "file.c", 12, "function", fields, ELEMENTS(fields), "two\nlines %d", 1);
        assert_string_equal(buffer_string(&journal),
                            "MESSAGE=two lines 1|PRIORITY=4|SYSLOG_IDENTIFIER=test-log|"
                            "CODE_FILE=file.c|CODE_LINE=12|CODE_FUNC=function|"
                            "ECE_ENROLL_STATE=BACKOFF|ECE_ENROLL_ROLES=|\n");
        assert_string_equal(taken_stderr(&b), "");

        /* A story on the terminal silences lines, never the journal. */
        buffer_clear(&journal);
        log_quiet_stderr(true);
        log_info("still told");
        assert_true(text_starts_with(buffer_string(&journal), "MESSAGE=still told|PRIORITY=6|"));
}

static void test_journal_gone(void **state) {
        _cleanup_buffer_ Buffer b = BUFFER_INIT(10000);

        open_as_service(0, 0);
        journal_answer = -ENOENT;
        log_info("not lost");
        assert_string_equal(taken_stderr(&b), "test-log: not lost\n");
}

/* More than fits: the first fields are whole, the last is cut, and nothing is written past the end. */
static void test_journal_too_much(void **state) {
        static char value[3000];
        LogField fields[LOG_FIELDS_MAX];

        memset(value, 'v', sizeof(value) - 1);
        for (size_t i = 0; i < ELEMENTS(fields); i++)
                fields[i] = (LogField) { "FIELD", value };

        open_as_service(0, 0);
        log_record(LOG_INFO, "file.c", 1, "function", fields, ELEMENTS(fields), "message");
        assert_true(text_starts_with(buffer_string(&journal), "MESSAGE=message|"));
        assert_non_null(strstr(buffer_string(&journal), value));
        assert_true(journal.size > 16000 && journal.size < 17000);
}

static void test_errno_record(void **state) {
        _cleanup_buffer_ Buffer b = BUFFER_INIT(10000);

        assert_int_equal(log_error_errno(-ENOENT, "cannot read %s", "x"), -ENOENT);
        assert_string_equal(taken_stderr(&b), "test-log: cannot read x: No such file or directory\n");
        assert_int_equal(log_warning_errno(EACCES, "cannot"), -EACCES);
        assert_string_equal(taken_stderr(&b), "test-log: cannot: Permission denied\n");
        assert_int_equal(log_error_errno(-54321, "cannot"), -54321);
        assert_string_equal(taken_stderr(&b), "test-log: cannot: unknown error\n");

        open_as_service(0, 0);
        assert_int_equal(log_error_errno(-ENOENT, "cannot"), -ENOENT);
        assert_non_null(strstr(buffer_string(&journal), "|ERRNO=2|"));
}

static void test_errno_is_kept(void **state) {
        errno = ERANGE;
        log_info("x");
        assert_int_equal(errno, ERANGE);
        (void) log_error_errno(-ENOENT, "x");
        assert_int_equal(errno, ERANGE);

        open_as_service(0, 0);
        errno = ERANGE;
        log_info("x");
        assert_int_equal(errno, ERANGE);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

/* Of standard error, as JSON, one line after the other. */
static json_t *line_as_json(const char *text) {
        json_t *line = NULL;

        assert_int_equal(json_read(text, strcspn(text, "\n"), &line, NULL), 0);
        return line;
}

static void test_ecs(void **state) {
        const LogField fields[] = { { "MESSAGE_ID", "0123" }, { "ECE_ENROLL_STATE", "BACKOFF" }, { "ECE_ENROLL_REASON", NULL },
                                    { "SYSLOG_IDENTIFIER", "ece-installer" }, { "OTHER", "x" } };
        _cleanup_buffer_ Buffer b = BUFFER_INIT(10000);
        char text[64];
        const char *said;

        assert_int_equal(log_set_format("json"), -EINVAL);
        assert_int_equal(log_set_format("ecs"), 0);
        log_quiet_stderr(true); /* is about plain lines */
        (void) snprintf(text, sizeof(text), "a \"quoted\" back\\slash %c and\ntwo lines", 1);
        log_record(LOG_WARNING, "file.c", 7, "function", fields, ELEMENTS(fields), "%s", text);
        said = taken_stderr(&b);
        assert_true(text_starts_with(said, "{\"@timestamp\":\"20"));
        assert_string_equal(said + strlen(said) - 2, "}\n");
        assert_ptr_equal(strchr(said, '\n'), said + strlen(said) - 1);

        _cleanup_json_ json_t *line = line_as_json(said);
        assert_string_equal(json_member_string(line, "log.level"), "warning");
        assert_string_equal(json_member_string(line, "message"), "a \"quoted\" back\\slash ? and two lines");
        assert_string_equal(json_member_string(line, "service.name"), "ece-installer");
        assert_string_equal(json_member_string(line, "event.code"), "0123");
        assert_string_equal(json_member_string(line, "ece_enroll.state"), "BACKOFF");
        assert_null(json_object_get(line, "ece_enroll.reason"));
        assert_int_equal(json_member_integer(line, "process.pid", 0), getpid());
        assert_int_equal(json_member_integer(line, "log.origin.file.line", 0), 7);
        assert_int_equal(log_set_format("plain"), 0);
}

/* Whatever does not fit is left out, and it stays JSON. */
static void test_ecs_in_little_room(void **state) {
        const LogField fields[] = { { "ECE_ENROLL_REMEDY", "\"do\" this" } };
        char text[700];

        for (size_t size = 4; size <= sizeof(text); size++) {
                size_t n = log_ecs_line(0, LOG_ERR, "id", &(LogPlace) { "f", "g", 1 }, fields, 1, "what \\ happened", text, size);
                _cleanup_json_ json_t *line = NULL;

                assert_true(n <= size && n >= 3);
                assert_int_equal(json_read(text, n, &line, NULL), 0);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_plain_lines),
                TEST(test_level),
                TEST(test_one_line),
                TEST(test_long_message),
                TEST(test_quiet),
                TEST(test_journal_stream),
                TEST(test_journal_fields),
                TEST(test_journal_gone),
                TEST(test_journal_too_much),
                TEST(test_errno_record),
                TEST(test_errno_is_kept),
                TEST(test_ecs),
                TEST(test_ecs_in_little_room),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
