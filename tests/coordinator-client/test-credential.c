/* SPDX-License-Identifier: Apache-2.0 */

/* Each source of a credential and each refusal. Invariant: a secret or a refusal, never both, never
 * neither; and nothing of the secret in the refusal. */

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <cmocka.h>

#include "coordinator/credential-private.h"
#include "coordinator/credential.h"
#include "../skip.h"

static char scratch[] = "/tmp/ece-enroll-credential-XXXXXX";

static char *path_of(const char *name) {
        static char path[256];

        (void) snprintf(path, sizeof(path), "%s/%s", scratch, name);
        return path;
}

static void write_file(const char *name, const void *bytes, size_t n, mode_t mode) {
        _cleanup_close_ int fd = open(path_of(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        assert_true(fd >= 0);
        assert_int_equal(write(fd, bytes, n), n);
        assert_int_equal(fchmod(fd, mode), 0);
}

/* Reads and compares: content, or NULL and the code of the refusal. */
static void expect(const SecretSource *source, bool allow_env, const char *content, const char *code) {
        _cleanup_(secret_freep) Secret *secret = NULL;
        Observation refusal = OBSERVATION_NONE;

        assert_int_equal(credential_read(source, allow_env, &secret, &refusal), 0);
        if (content) {
                assert_non_null(secret);
                assert_string_equal(secret_bytes(secret), content);
                assert_int_equal(refusal.origin, ORIGIN_NONE);
                return;
        }
        assert_null(secret);
        assert_int_equal(refusal.origin, ORIGIN_CREDENTIAL);
        assert_string_equal(refusal.code, code);
        assert_null(strstr(refusal.detail, "s3cret"));
        assert_true(refusal.where[0] != '\0');
}

static void expect_file(const char *name, const char *content, const char *code) {
        expect(&(SecretSource) { .kind = SECRET_FROM_FILE, .path = path_of(name) }, false, content, code);
}

static void test_file(void **state) {
        static char large[SECRET_SIZE_MAX + 2];

        memset(large, 'x', sizeof(large));
        write_file("plain", "s3cret", 6, 0600);
        expect_file("plain", "s3cret", NULL);
        write_file("line", "s3cret\r\n", 8, 0400);
        expect_file("line", "s3cret", NULL);
        write_file("group", "s3 cret\n", 8, 0640);
        expect_file("group", "s3 cret", NULL);
        write_file("others", "s3cret", 6, 0604);
        expect_file("others", NULL, "permissions");
        write_file("others", "s3cret", 6, 0602);
        expect_file("others", NULL, "permissions");
        write_file("empty", "\n", 1, 0600);
        expect_file("empty", NULL, "empty");
        write_file("large", large, sizeof(large), 0600);
        expect_file("large", NULL, "too-large");
        write_file("lines", "s3cret\nmore\n", 12, 0600);
        expect_file("lines", NULL, "not-printable");
        write_file("nul", "s3cret\0x", 8, 0600);
        expect_file("nul", NULL, "not-printable");
        write_file("utf8", "s3cret\xc3\xa9", 8, 0600);
        expect_file("utf8", NULL, "not-printable");
        expect_file("absent", NULL, "missing");
}

static void test_file_kinds(void **state) {
        write_file("target", "s3cret", 6, 0600);
        assert_int_equal(symlink("target", path_of("link")), 0);
        expect_file("link", NULL, "unreadable");
        assert_int_equal(mkfifo(path_of("fifo"), 0600), 0);
        expect_file("fifo", NULL, "unreadable"); /* and does not wait for a writer */
        assert_int_equal(mkdir(path_of("directory"), 0700), 0);
        expect_file("directory", NULL, "unreadable");
}

/* Whoever may write to a directory can put a link to another secret file into it, and have that one sent. */
static void test_file_directories(void **state) {
        static const struct {
                mode_t mode;
                const char *code;
        } rows[] = { { 0700, NULL }, { 0755, NULL }, { 0757, "permissions" }, { 0777, "permissions" }, { 01777, NULL } };

        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                write_file("directory/inside", "s3cret", 6, 0600);
                assert_int_equal(chmod(path_of("directory"), rows[i].mode), 0);
                /* A sticky directory keeps names only when it is root's. */
                bool refused = rows[i].code || (rows[i].mode == 01777 && geteuid() != 0);
                expect_file("directory/inside", refused ? NULL : "s3cret", refused ? "permissions" : NULL);
        }
        assert_int_equal(chmod(path_of("directory"), 0700), 0);
        assert_int_equal(remove(path_of("directory/inside")), 0);
}

static void test_systemd(void **state) {
        SecretSource source = { .kind = SECRET_FROM_CREDENTIAL, .name = (char[]) { "ece-api-key" } };
        static const char *const bad_names[] = { "../plain", "a/b", ".", "..", "" };

        (void) unsetenv("CREDENTIALS_DIRECTORY");
        expect(&source, false, NULL, "missing");
        (void) setenv("CREDENTIALS_DIRECTORY", "/nonexistent", 1);
        expect(&source, false, NULL, "unreadable");
        (void) setenv("CREDENTIALS_DIRECTORY", scratch, 1);
        expect(&source, false, NULL, "missing");
        write_file("ece-api-key", "s3cret", 6, 0400);
        expect(&source, false, "s3cret", NULL);

        for (size_t i = 0; i < ELEMENTS(bad_names); i++) {
                _cleanup_(secret_freep) Secret *secret = NULL;
                _cleanup_free_ char *name = strdup(bad_names[i]);
                Observation refusal;
                source.name = name;
                assert_int_equal(credential_read(&source, false, &secret, &refusal), 0);
                assert_null(secret);
                assert_string_equal(refusal.code, "unreadable");
        }
}

static void test_environment(void **state) {
        SecretSource source = { .kind = SECRET_FROM_ENV, .name = (char[]) { "ECE_TEST_KEY" } };

        (void) setenv("ECE_TEST_KEY", "s3cret", 1);
        expect(&source, false, NULL, "environment");
        expect(&source, true, "s3cret", NULL);
        expect(&source, true, "s3cret", NULL); /* a refused credential is read again */
        (void) setenv("ECE_TEST_KEY", "", 1);
        expect(&source, true, NULL, "empty");
        (void) setenv("ECE_TEST_KEY", "s3cret\n", 1);
        expect(&source, true, NULL, "not-printable");
        (void) unsetenv("ECE_TEST_KEY");
        expect(&source, true, NULL, "missing");
        expect(&(SecretSource) { .kind = SECRET_FROM_NOWHERE }, true, NULL, "missing");
}

/* Some tools that run programs (valgrind before 3.21 is one) know no pidfds. */
static void need_pidfd(void) {
        _cleanup_close_ int fd = (int) syscall(SYS_pidfd_open, getpid(), 0);

        if (fd < 0 && errno == ENOSYS)
                skip_for_want_of("pidfd_open()");
}

static void expect_command(const char *script, const char *content, const char *code) {
        char *argv[] = { (char[]) { "/bin/sh" }, (char[]) { "-c" }, strdup(script), NULL };

        expect(&(SecretSource) { .kind = SECRET_FROM_COMMAND, .argv = argv }, false, content, code);
        free(argv[2]);
}

static void test_command(void **state) {
        static const struct {
                const char *script, *content, *code;
        } cases[] = {
                { "echo s3cret", "s3cret", NULL },
                { "printf 's3 cret\\r\\n'", "s3 cret", NULL },
                { "printf 'two\\nlines\\n'", NULL, "not-printable" },
                { "true", NULL, "empty" },
                { "echo", NULL, "empty" },
                { "echo s3cret; exit 3", NULL, "command-failed" },
                { "echo s3cret; kill -9 $$", NULL, "command-failed" },
                { "echo s3cret complains >&2; echo ok", "ok", NULL },
                { "read line && echo \"got $line\" || echo eof", "eof",
                  NULL }, /* standard input is /dev/null */
                { "while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done", NULL, "too-large" },
                { "pwd", "/", NULL },
                { "exec /nonexistent/program", NULL, "command-failed" },
                { "exec >&-; sh -c : ; exit 0", NULL, "empty" },
                { "sleep 1000 & echo s3cret", "s3cret",
                  NULL }, /* a grandchild that holds the pipe holds up nobody */
                { "echo $PATH | tr -d '\\n'; env | grep -v -e ^PATH= -e ^LC_ALL= -e ^PWD= -e ^SHLVL= -e ^_= "
                  "-e ^OLDPWD=",
                  NULL, "command-failed" }, /* grep finds nothing else in the environment */
                { "ls /proc/self/fd | tr '\\n' ' '", "0 1 2 3 ", NULL }, /* 3 is ls's own */
        };

        need_pidfd();
        _cleanup_close_ int leak = open("/dev/null", O_RDONLY); /* without O_CLOEXEC, and still not inherited */
        assert_true(leak > STDERR_FILENO);
        (void) setenv("ECE_TEST_LEAK", "s3cret", 1);
        for (size_t i = 0; i < ELEMENTS(cases); i++)
                expect_command(cases[i].script, cases[i].content, cases[i].code);
        (void) unsetenv("ECE_TEST_LEAK");

        char *argv[] = { (char[]) { "/nonexistent/program" }, NULL };
        expect(&(SecretSource) { .kind = SECRET_FROM_COMMAND, .argv = argv }, false, NULL, "command-failed");
}

/* Past its time the whole group is gone, also a child that ignores TERM. */
static void test_command_time(void **state) {
        _cleanup_(secret_freep) Secret *secret = NULL;
        char script[512], pid_text[32] = "";
        char *argv[] = { (char[]) { "/bin/sh" }, (char[]) { "-c" }, script, NULL };
        Observation refusal = OBSERVATION_NONE;

        need_pidfd();
        (void) snprintf(script, sizeof(script),
                        "trap '' TERM; echo $$ > %s; echo s3cret; while :; do :; done",
                        path_of("pid"));
        assert_int_equal(credential_run(argv, 300 * USEC_PER_MSEC, &secret, &refusal), 0);
        assert_null(secret);
        assert_string_equal(refusal.code, "command-failed");
        assert_non_null(strstr(refusal.detail, "in time"));

        _cleanup_close_ int fd = open(path_of("pid"), O_RDONLY | O_CLOEXEC);
        assert_true(read(fd, pid_text, sizeof(pid_text) - 1) > 0);
        pid_t pid = 0;
        for (const char *digit = pid_text; *digit >= '0' && *digit <= '9'; digit++)
                pid = pid * 10 + (*digit - '0');
        assert_true(pid > 1);
        assert_int_equal(kill(pid, 0), -1);
        assert_int_equal(errno, ESRCH);
}

static void test_basic(void **state) {
        static char large[SECRET_SIZE_MAX];
        _cleanup_(secret_freep) Secret *password = NULL, *big = NULL, *basic = NULL, *none = NULL;

        /* RFC 7617's own example */
        assert_int_equal(secret_new("open sesame", 11, &password), 0);
        assert_int_equal(credential_basic("Aladdin", password, &basic), 0);
        assert_string_equal(secret_bytes(basic), "QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        assert_int_equal(credential_basic("a:b", password, &none), -EINVAL);
        memset(large, 'x', sizeof(large));
        assert_int_equal(secret_new(large, sizeof(large), &big), 0);
        assert_int_equal(credential_basic("a", big, &none), -EINVAL);
        assert_null(none);
}

static void remove_scratch(void) {
        static const char *const names[] = { "plain",  "line",        "group", "others", "empty",
                                             "large",  "lines",       "nul",   "utf8",   "link",
                                             "target", "ece-api-key", "pid",   "fifo",   "directory" };

        for (size_t i = 0; i < ELEMENTS(names); i++)
                (void) remove(path_of(names[i]));
        (void) rmdir(scratch);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_file),
                cmocka_unit_test(test_file_kinds),
                cmocka_unit_test(test_file_directories),
                cmocka_unit_test(test_systemd),
                cmocka_unit_test(test_environment),
                cmocka_unit_test(test_command),
                cmocka_unit_test(test_command_time),
                cmocka_unit_test(test_basic),
        };

        if (!mkdtemp(scratch))
                return 1;
        cmocka_set_message_output(CM_OUTPUT_TAP);
        int failed = cmocka_run_group_tests(tests, NULL, NULL);
        remove_scratch();
        return failed;
}
