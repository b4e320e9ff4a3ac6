/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One call, two sinks: the journal with fields, or a line on standard error, plain or as JSON.
 *
 * Logging must work when nothing else does, so it allocates nothing and never fails: a record is put
 * together on the stack, what does not fit is cut, and a record that no sink takes is lost. errno is the
 * same afterwards. A message is always one line; what it quotes can't start a second one.
 *
 * sd_journal_sendv() would add the place of its own call; we pass the caller's on ourselves.
 */

#define SD_JOURNAL_SUPPRESS_LOCATION

#include "base/log.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log-ecs.h"
#include "base/text.h"

#define MESSAGE_SIZE 2048U
#define JOURNAL_TEXT_SIZE 16384U
#define IDENTIFIER "SYSLOG_IDENTIFIER"
#define ECS_LINE_SIZE 8192U
#define JOURNAL_FIELDS_OWN 6U /* MESSAGE, PRIORITY, SYSLOG_IDENTIFIER, CODE_FILE, CODE_LINE, CODE_FUNC */

static struct {
        const char *identifier;
        int level;
        bool journal;
        bool quiet_stderr;
        bool ecs;
} log_state = { .level = LOG_INFO };

/* JOURNAL_STREAM is "DEVICE:INODE" of what the service manager gave us as standard error. It is inherited
 * by everybody below, so it counts only while our standard error still is that file. */
static bool stderr_is_journal(void) {
        const char *stream = getenv("JOURNAL_STREAM");
        char actual[2 * 20 + 2];
        struct stat status;

        if (!stream || fstat(STDERR_FILENO, &status) < 0)
                return false;

        (void) snprintf(actual, sizeof(actual), "%ju:%ju", (uintmax_t) status.st_dev,
                        (uintmax_t) status.st_ino);
        return streq(stream, actual);
}

void log_open(const char *identifier, int level) {
        assert(identifier);

        log_state.identifier = identifier;
        log_state.level = level;
        log_state.journal = stderr_is_journal();
}

void log_set_level(int level) {
        log_state.level = level;
}

bool log_to_journal(void) {
        return log_state.journal;
}

void log_quiet_stderr(bool quiet) {
        log_state.quiet_stderr = quiet;
}

int log_set_format(const char *word) {
        if (!streq(word, "plain") && !streq(word, "ecs"))
                return -EINVAL;
        log_state.ecs = streq(word, "ecs");
        log_state.journal = !log_state.ecs && stderr_is_journal();
        return 0;
}

static const char *log_identifier(const LogField fields[], size_t n_fields) {
        for (size_t i = 0; i < n_fields; i++)
                if (streq(fields[i].name, IDENTIFIER) && fields[i].value)
                        return fields[i].value;
        return log_state.identifier ? log_state.identifier : program_invocation_short_name;
}

/* The fields of one record: "NAME=value" behind each other in one array, an iovec for each. */
typedef struct JournalRecord {
        char text[JOURNAL_TEXT_SIZE];
        size_t used;
        struct iovec fields[JOURNAL_FIELDS_OWN + LOG_FIELDS_MAX];
        int n_fields;
} JournalRecord;

static void record_add(JournalRecord *record, const char *name, const char *value) {
        char *start = record->text + record->used;
        size_t room = sizeof(record->text) - record->used;
        size_t length;
        int n;

        n = snprintf(start, room, "%s=%s", name, value);
        if (n < 0)
                return;

        length = (size_t) n < room ? (size_t) n : room - 1;
        if (length <= strlen(name))
                return; /* no room for as much as the name */

        record->fields[record->n_fields++] = (struct iovec) { .iov_base = start, .iov_len = length };
        record->used += length;
}

static void record_add_number(JournalRecord *record, const char *name, int number) {
        char digits[16];

        (void) snprintf(digits, sizeof(digits), "%d", number);
        record_add(record, name, digits);
}

static bool send_to_journal(int level, const char *file, int line, const char *function,
                            const LogField fields[], size_t n_fields, const char *message) {
        JournalRecord record;

        record.used = 0;
        record.n_fields = 0;
        record_add(&record, "MESSAGE", message);
        record_add_number(&record, "PRIORITY", level);
        record_add(&record, IDENTIFIER, log_identifier(fields, n_fields));
        record_add(&record, "CODE_FILE", file);
        record_add_number(&record, "CODE_LINE", line);
        record_add(&record, "CODE_FUNC", function);
        for (size_t i = 0; i < n_fields; i++)
                if (fields[i].value && !streq(fields[i].name, IDENTIFIER))
                        record_add(&record, fields[i].name, fields[i].value);

        return sd_journal_sendv(record.fields, record.n_fields) >= 0;
}

static void send_as_ecs(int level, const LogPlace *place, const LogField fields[], size_t n_fields, const char *message) {
        char line[ECS_LINE_SIZE];
        size_t n = log_ecs_line(clock_realtime_us(), level, log_identifier(fields, n_fields), place, fields, n_fields, message, line,
                                sizeof(line));

        if (write(STDERR_FILENO, line, n) < 0)
                return;
}

/* One write, so that lines of several processes never mix. */
static void send_to_stderr(const char *identifier, const char *message) {
        char line[MESSAGE_SIZE + 128];
        int n;

        n = snprintf(line, sizeof(line) - 1, "%s: %s", identifier, message);
        if (n < 0)
                return;
        if ((size_t) n > sizeof(line) - 2)
                n = sizeof(line) - 2;

        line[n] = '\n';
        if (write(STDERR_FILENO, line, (size_t) n + 1) < 0)
                return; /* there is nobody left to tell */
}

static void make_one_line(char *message) {
        size_t n = strlen(message);

        while (n > 0 && (message[n - 1] == '\n' || message[n - 1] == '\r'))
                message[--n] = '\0';
        for (; *message; message++)
                if (*message == '\n' || *message == '\r' || *message == '\t')
                        *message = ' ';
}

static void log_deliver(int level, const char *file, int line, const char *function,
                        const LogField fields[], size_t n_fields, char raw[static MESSAGE_SIZE + 8]) {
        char message[MESSAGE_SIZE];

        make_one_line(raw);
        text_copy_printable(message, sizeof(message), raw);

        if (log_state.journal && send_to_journal(level, file, line, function, fields, n_fields, message))
                return;
        if (log_state.ecs)
                send_as_ecs(level, &(LogPlace) { file, function, line }, fields, n_fields, message);
        else if (!log_state.quiet_stderr)
                send_to_stderr(log_identifier(fields, n_fields), message);
}

void log_record(int level, const char *file, int line, const char *function, const LogField fields[],
                size_t n_fields, const char *format, ...) {
        char raw[MESSAGE_SIZE + 8]; /* a little longer, so that the copy sees that something is cut */
        int saved_errno = errno;
        va_list arguments;

        assert(fields || n_fields == 0);
        assert(n_fields <= LOG_FIELDS_MAX);

        if (level > log_state.level)
                return;

        va_start(arguments, format);
        if (vsnprintf(raw, sizeof(raw), format, arguments) >= 0)
                log_deliver(level, file, line, function, fields, n_fields, raw);
        va_end(arguments);

        errno = saved_errno;
}

int log_errno_record(int level, int error, const char *file, int line, const char *function,
                     const char *format, ...) {
        const int number = error < 0 ? -error : error;
        const char *description = strerrordesc_np(number);
        char message[MESSAGE_SIZE], digits[16];
        int saved_errno = errno;
        va_list arguments;

        (void) snprintf(digits, sizeof(digits), "%d", number);
        const LogField fields[] = { { "ERRNO", digits } };

        va_start(arguments, format);
        if (vsnprintf(message, sizeof(message), format, arguments) >= 0)
                log_record(level, file, line, function, fields, ELEMENTS(fields), "%s: %s", message,
                           description ? description : "unknown error");
        va_end(arguments);

        errno = saved_errno;
        return -number;
}
