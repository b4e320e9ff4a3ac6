/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Logging: one call, two sinks. When standard error is the journal (JOURNAL_STREAM of systemd.exec(5)
 * names it) each record goes there with its fields; otherwise it is a plain line on standard error.
 *
 * Only the outer rooms log (report, enrolld, installd, cli); below them functions return what happened.
 * A record never holds a secret: secrets have no printable form (base/secret.h), and foreign text is
 * redacted before it gets here (installer/lines.h).
 */

#include <stdbool.h>
#include <stddef.h>
#include <syslog.h>

typedef struct LogField {
        const char *name;  /* journal field, e.g. "ECE_ENROLL_STATE"; "SYSLOG_IDENTIFIER": another one than log_open()'s */
        const char *value; /* NULL: the field is left out */
} LogField;

#define LOG_FIELDS_MAX 24

/* identifier: what SYSLOG_IDENTIFIER says; must outlive the program. level: least important one shown. */
void log_open(const char *identifier, int level);

/* "plain": as above. "ecs": each record is a line of JSON by the Elastic Common Schema on standard error (base/log-ecs.h), also under
 * the journal, for whoever collects lines and not journals. -EINVAL for any other word. */
int log_set_format(const char *word);
void log_set_level(int level);
bool log_to_journal(void);

/* No plain lines on standard error (a terminal story tells instead); the journal still gets all. */
void log_quiet_stderr(bool quiet);

void log_record(int level, const char *file, int line, const char *function, const LogField fields[],
                size_t n_fields, const char *format, ...) __attribute__((format(printf, 7, 8)));

#define log_full(level, ...) log_record((level), __FILE__, __LINE__, __func__, NULL, 0, __VA_ARGS__)
#define log_debug(...) log_full(LOG_DEBUG, __VA_ARGS__)
#define log_info(...) log_full(LOG_INFO, __VA_ARGS__)
#define log_notice(...) log_full(LOG_NOTICE, __VA_ARGS__)
#define log_warning(...) log_full(LOG_WARNING, __VA_ARGS__)
#define log_error(...) log_full(LOG_ERR, __VA_ARGS__)

/* "MESSAGE: strerror" and the (negative) errno back, so that log and return are one expression. */
int log_errno_record(int level, int error, const char *file, int line, const char *function,
                     const char *format, ...) __attribute__((format(printf, 6, 7)));
#define log_error_errno(error, ...) \
        log_errno_record(LOG_ERR, (error), __FILE__, __LINE__, __func__, __VA_ARGS__)
#define log_warning_errno(error, ...) \
        log_errno_record(LOG_WARNING, (error), __FILE__, __LINE__, __func__, __VA_ARGS__)
