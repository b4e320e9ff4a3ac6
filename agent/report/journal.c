/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What the journal gets. A record's fields carry everything a filter may want (state, reason, class,
 * window, attempt, runner id); the message is the sentence for people, with the remedy where one is
 * needed. Logging has nowhere to report its own failure to, so it has none.
 */

#include "report/journal.h"

#include <stdio.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"

typedef struct Numbers {
        char window[16], attempt[16], exit_code[16], token_age_ms[24];
        char roles[ROLE_SET_STRING_SIZE];
} Numbers;

static size_t fill_fields(const Report *r, const char *message_id, Numbers *n, LogField fields[]) {
        bool trouble = r->reason.class != CLASS_OK;
        size_t i = 0;

        (void) snprintf(n->window, sizeof(n->window), "%u", r->window);
        (void) snprintf(n->attempt, sizeof(n->attempt), "%u", r->attempt);
        (void) snprintf(n->token_age_ms, sizeof(n->token_age_ms), "%llu",
                        (unsigned long long) (r->token_age_at_start_us / USEC_PER_MSEC));
        (void) snprintf(n->exit_code, sizeof(n->exit_code), "%d", r->reason.exit_code);
        (void) role_set_format(r->roles, ",", n->roles);

        fields[i++] = (LogField) { "MESSAGE_ID", message_id };
        fields[i++] = (LogField) { "ECE_ENROLL_STATE", r->state };
        fields[i++] = (LogField) { "ECE_ENROLL_WINDOW", n->window };
        fields[i++] = (LogField) { "ECE_ENROLL_ATTEMPT", n->attempt };
        fields[i++] = (LogField) { "ECE_ENROLL_TOKEN_AGE_MS", r->token_age_at_start_us > 0 ? n->token_age_ms : NULL };
        fields[i++] = (LogField) { "ECE_ENROLL_RUNNER_ID", r->runner_id[0] ? r->runner_id : NULL };
        fields[i++] = (LogField) { "ECE_ENROLL_ROLES", r->roles_known ? n->roles : NULL };
        fields[i++] = (LogField) { "ECE_ENROLL_REASON", trouble ? r->reason.reason : NULL };
        fields[i++] = (LogField) { "ECE_ENROLL_CLASS",
                                   trouble ? outcome_class_to_string(r->reason.class) : NULL };
        fields[i++] = (LogField) { "ECE_ENROLL_REMEDY",
                                   trouble && r->reason.remedy && r->reason.remedy[0]
                                           ? r->reason.remedy
                                           : NULL };
        fields[i++] = (LogField) { "ECE_ENROLL_EXIT_CODE", trouble ? n->exit_code : NULL };
        return i;
}

static void record(int level, const Report *r, const char *message_id) {
        LogField fields[LOG_FIELDS_MAX];
        Numbers numbers;
        size_t n = fill_fields(r, message_id, &numbers, fields);
        const char *remedy = r->reason.remedy ?: "";

        if (r->reason.class == CLASS_OK)
                log_record(level, __FILE__, __LINE__, __func__, fields, n, "%s", r->state);
        else
                log_record(level, __FILE__, __LINE__, __func__, fields, n, "%s: %s [%s]%s%s", r->state,
                           r->reason.text, r->reason.reason, remedy[0] ? " " : "", remedy);
}

void journal_transition(const Report *r) {
        if (streq(r->state, "ENROLLED"))
                record(LOG_NOTICE, r, MESSAGE_ID_ENROLLED);
        else if (streq(r->state, "FAILED"))
                record(LOG_ERR, r, MESSAGE_ID_FAILED);
        else
                record(r->reason.class == CLASS_OK ? LOG_INFO : LOG_WARNING, r, MESSAGE_ID_TRANSITION);
}

void journal_trouble(const Report *r) {
        record(LOG_WARNING, r, MESSAGE_ID_TROUBLE);
}

void journal_installer_line(const char *line, const char *runner_id) {
        LogField fields[] = {
                { "MESSAGE_ID", MESSAGE_ID_INSTALLER_LINE },
                { "SYSLOG_IDENTIFIER", "ece-installer" }, /* journalctl -t ece-installer: its words alone */
                { "ECE_ENROLL_RUNNER_ID", runner_id[0] ? runner_id : NULL },
        };

        log_record(LOG_INFO, __FILE__, __LINE__, __func__, fields, ELEMENTS(fields), "%s", line);
}
