/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Writing metrics. What is not known has no sample, rather than a zero that looks like one. Times are absolute ("timestamp") as
 * Prometheus advises, so that a file that nobody replaces grows old in a graph by itself.
 *
 * Labels hold words of ours (states, reasons, gates, roles) and a runner id of the allow-list; what is in quotes is escaped all
 * the same. What may fail: memory, and the file's directory, which belongs to somebody else.
 */

#include "report/metrics.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "model/key-expiration.h"

#define PREFIX "ece_enroll_"

typedef struct Page {
        Buffer *to;
        int error; /* the first one */
} Page;

static __attribute__((format(printf, 2, 3))) void put(Page *p, const char *format, ...) {
        char line[512];
        va_list arguments;

        va_start(arguments, format);
        (void) vsnprintf(line, sizeof(line), format, arguments);
        va_end(arguments);
        if (p->error >= 0)
                p->error = buffer_append_string(p->to, line);
}

static void head(Page *p, const char *name, const char *type, const char *help) {
        put(p, "# HELP " PREFIX "%s %s\n# TYPE " PREFIX "%s %s\n", name, help, name, type);
}

/* A label's value: backslash, quote and line feed have an escape, and nothing else needs one. */
static const char *escaped(const char *value, char buffer[static 300]) {
        size_t n = 0;

        for (; *value && n < 296; value++) {
                if (*value == '\\' || *value == '"' || *value == '\n')
                        buffer[n++] = '\\';
                buffer[n++] = *value == '\n' ? 'n' : *value;
        }
        buffer[n] = 0;
        return buffer;
}

static void labelled(Page *p, const char *name, const char *label, const char *value, double number) {
        char text[300];

        put(p, PREFIX "%s{%s=\"%s\"} %.17g\n", name, label, escaped(value, text), number);
}

static void single(Page *p, const char *name, const char *type, const char *help, double number) {
        head(p, name, type, help);
        put(p, PREFIX "%s %.17g\n", name, number);
}

static double seconds(usec_t us) {
        return (double) us / (double) USEC_PER_SEC;
}

static void put_info(Page *p, const Report *r) {
        char id[300];

        head(p, "info", "gauge", "Version of the agent, and who this host is meant to be.");
        put(p, PREFIX "info{version=\"" PACKAGE_VERSION "\",runner_id=\"%s\"} 1\n", escaped(r->runner_id, id));
}

static void put_state(Page *p, const Report *r) {
        static const char *const states[] = { "LOADING",    "UNCONFIGURED", "PREFLIGHT", "PROBING", "PREPARING",
                                              "MINTING",    "INSTALLING",   "TERMINATING", "SETTLING", "VERIFYING",
                                              "BACKOFF",    "ENROLLED",     "FAILED",    "STOPPING" };
        char id[300];

        head(p, "state", "gauge", "1 for the state of the enrollment, 0 for all others.");
        for (size_t i = 0; i < ELEMENTS(states); i++)
                labelled(p, "state", "state", states[i], streq(states[i], r->state));
        single(p, "state_since_timestamp_seconds", "gauge", "When the state was entered.", seconds(r->since_realtime_us));
        if (r->reason.class == CLASS_OK)
                return;
        head(p, "reason", "gauge", "1 for the reason of the state, if it has one; see ece-enroll-reasons(7).");
        put(p, PREFIX "reason{reason=\"%s\",class=\"%s\"} 1\n", escaped(r->reason.reason, id),
            outcome_class_to_string(r->reason.class));
}

static void put_progress(Page *p, const Report *r) {
        single(p, "attempts", "gauge", "Installers started in this enrollment.", r->attempt);
        single(p, "tokens_requested", "gauge", "Roles tokens asked for in this enrollment.", r->window);
        if (r->token_age_at_start_us)
                single(p, "token_age_at_start_seconds", "gauge", "Age of the roles token when the last installer was started.",
                       seconds(r->token_age_at_start_us));
        if (r->deadline_known)
                single(p, "deadline_timestamp_seconds", "gauge", "When the enrollment gives up.", seconds(r->deadline_at_realtime_us));
}

static void put_tallies(Page *p, const Report *r) {
        if (r->n_phases > 0)
                head(p, "phase_seconds_total", "counter", "Time spent in each state since the agent was started, the present one excluded.");
        for (size_t i = 0; i < r->n_phases; i++)
                labelled(p, "phase_seconds_total", "phase", r->phases[i].state, seconds(r->phases[i].spent_us));
        if (r->n_retries > 0)
                head(p, "retries_total", "counter", "Pauses before another try since the agent was started, by reason.");
        for (size_t i = 0; i < r->n_retries; i++)
                labelled(p, "retries_total", "reason", r->retries[i].reason, r->retries[i].n);
}

static void put_verdict(Page *p, const Report *r) {
        single(p, "verified", "gauge", "1 while this host is verified as a member, else 0.", r->verified);
        if (!r->verified)
                return;
        single(p, "verified_timestamp_seconds", "gauge", "When it was verified last.", seconds(r->verified_at_realtime_us));
        head(p, "verified_role", "gauge", "1 for each role that it was verified with.");
        for (Role role = 0; role < _ROLE_MAX; role++)
                if (role_set_has(r->roles, role))
                        labelled(p, "verified_role", "role", role_to_string(role), 1);
}

static void put_gates(Page *p, const Report *r) {
        if (r->n_gates > 0)
                head(p, "gate_open", "gauge", "Whether a gate of PREFLIGHT was open when it was last looked at.");
        for (size_t i = 0; i < r->n_gates; i++)
                if (r->gates[i].state != GATE_UNTRIED)
                        labelled(p, "gate_open", "gate", r->gates[i].name, r->gates[i].state == GATE_OPEN);
}

int metrics_write(const Report *r, usec_t now_realtime_us, Buffer *ret) {
        Page p = { .to = ret };
        int64_t key_ends_s;

        put_info(&p, r);
        put_state(&p, r);
        put_progress(&p, r);
        put_tallies(&p, r);
        put_verdict(&p, r);
        if (key_expiration_parse(r->key_expiration, &key_ends_s) >= 0)
                single(&p, "api_key_expiration_timestamp_seconds", "gauge", "When the platform's API key ends.", (double) key_ends_s);
        put_gates(&p, r);
        single(&p, "report_timestamp_seconds", "gauge", "When the agent wrote this.", seconds(now_realtime_us));
        if (r->due_at_realtime_us != 0)
                single(&p, "report_due_timestamp_seconds", "gauge",
                       "By when the agent, if it lives, writes it again; none while it waits for a person.",
                       seconds(r->due_at_realtime_us));
        return p.error;
}

int metrics_file_publish(const char *path, const Report *report, usec_t now_realtime_us) {
        _cleanup_buffer_ Buffer text = BUFFER_INIT(METRICS_SIZE_MAX);
        _cleanup_close_ int directory = -1;
        const char *name = strrchr(path, '/');
        char folder[PATH_MAX];
        int error;

        if (!name || (size_t) snprintf(folder, sizeof(folder), "%.*s/", (int) (name - path), path) >= sizeof(folder))
                return -EINVAL;
        error = metrics_write(report, now_realtime_us, &text);
        if (error < 0)
                return error;
        directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (directory < 0)
                return -errno;
        return file_replace(directory, name + 1, buffer_string(&text), text.size, 0644, FILE_VOLATILE);
}
