/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One verdict, one event. Durations are those of the agent that came to it: ECS wants nanoseconds. Pure; what may fail is memory.
 */

#include "report/cloud-event.h"

#include <errno.h>
#include <stdio.h>

#include "base/json.h"
#include "base/secret.h"
#include "base/text.h"
#include "model/role-json.h"

#define ECS_VERSION "8.11.0"

static usec_t spent(const Report *r) {
        usec_t sum_us = 0;

        for (size_t i = 0; i < r->n_phases; i++)
                sum_us = usec_add(sum_us, r->phases[i].spent_us);
        return sum_us;
}

static json_t *phases(const Report *r) {
        json_t *object = json_object();

        for (size_t i = 0; object && i < r->n_phases; i++)
                (void) json_object_set_new(object, r->phases[i].state,
                                           json_real((double) r->phases[i].spent_us / (double) USEC_PER_SEC));
        return object;
}

static json_t *event_fields(const Report *r, bool enrolled, const char *id) {
        return json_pack("{s:s, s:s, s:[s], s:[s], s:s, s:s, s:s, s:s, s:I}", "id", id, "kind", "event", "category", "host", "type",
                         enrolled ? "change" : "error", "action", enrolled ? "host-enrolled" : "host-enrollment-failed", "outcome",
                         enrolled ? "success" : "failure", "module", "ece_enroll", "dataset", "ece_enroll.verdict", "duration",
                         (json_int_t) spent(r) * 1000);
}

static json_t *host_fields(const EventHost *host) {
        json_t *object = json_pack("{s:s, s:s}", "id", host->id, "hostname", host->hostname);

        if (object && host->ip)
                (void) json_object_set_new(object, "ip", json_pack("[s]", host->ip));
        return object;
}

static json_t *own_fields(const Report *r) {
        json_t *object = json_pack("{s:s, s:s, s:o, s:i, s:i, s:o}", "state", r->state, "runner_id", r->runner_id, "roles",
                                   role_set_to_json(r->roles), "attempt", (int) r->attempt, "window", (int) r->window,
                                   "phase_seconds", phases(r));

        if (object && r->verified)
                (void) json_object_set_new(object, "verified_by", json_string(r->verified_by));
        return object;
}

static json_t *error_fields(const Report *r) {
        return json_pack("{s:s, s:s, s:s}", "code", r->reason.reason, "type", outcome_class_to_string(r->reason.class), "message",
                         r->reason.text);
}

static json_t *data(const Report *r, const EventHost *host, bool enrolled, const char *id, const char *time) {
        char message[OUTCOME_TEXT_SIZE + 160];
        json_t *object;

        if (enrolled)
                (void) snprintf(message, sizeof(message), "host %s is enrolled as runner %s", host->hostname, r->runner_id);
        else
                (void) snprintf(message, sizeof(message), "host %s is not enrolled: %s", host->hostname, r->reason.text);
        object = json_pack("{s:s, s:{s:s}, s:s, s:s, s:o, s:o, s:{s:s, s:s, s:s}, s:o}", "@timestamp", time, "ecs", "version",
                           ECS_VERSION, "message", message, "log.level", enrolled ? "info" : "error", "event",
                           event_fields(r, enrolled, id), "host", host_fields(host), "service", "name", "ece-enroll", "type",
                           "ece-enroll", "version", PACKAGE_VERSION, "ece_enroll", own_fields(r));
        if (object && !enrolled)
                (void) json_object_set_new(object, "error", error_fields(r));
        return object;
}

int cloud_event_write(const Report *r, const EventHost *host, const char *id, usec_t now_realtime_us, Buffer *ret) {
        const size_t failures = wiping_allocator_failures();
        bool enrolled = streq(r->state, "ENROLLED");
        _cleanup_json_ json_t *event = NULL;
        char time[RFC3339_SIZE], source[96];

        (void) clock_format_rfc3339(now_realtime_us, time);
        (void) snprintf(source, sizeof(source), "/ece-enroll/hosts/%s", host->id);
        event = json_pack("{s:s, s:s, s:s, s:s, s:s*, s:s, s:s, s:o}", "specversion", "1.0", "id", id, "source", source, "type",
                          enrolled ? "ece-enroll.host.enrolled" : "ece-enroll.host.failed", "subject", *r->runner_id ? r->runner_id : NULL, "time", time,
                          "datacontenttype", "application/json", "data", data(r, host, enrolled, id, time));
        if (!event || wiping_allocator_failures() != failures)
                return -ENOMEM;
        return json_write(event, JSON_COMPACT, ret);
}
