/* SPDX-License-Identifier: Apache-2.0 */

/*
 * status.json: what a person, a script or a monitoring system reads when it asks "what is with this
 * host?". Everything relative (remaining life, next step, deadline) is relative to "written", so a
 * reader can age it; a reader that does not still sees numbers that were true when they were written.
 *
 * Only memory can fail here: then there is no status rather than one that lacks what there was no memory for. Nothing secret
 * can get in: a Report holds no secret.
 */

#include "report/status-json.h"

#include <errno.h>

#include "base/json.h"
#include "base/secret.h"
#include "base/text.h"
#include "model/role-json.h"
#include "report/gates-page.h"

static json_int_t seconds(usec_t us) {
        return (json_int_t) (us / USEC_PER_SEC);
}

static json_t *time_or_null(usec_t realtime_us) {
        char text[RFC3339_SIZE];

        return realtime_us == 0 ? json_null() : json_string(clock_format_rfc3339(realtime_us, text));
}

static json_t *reason_object(const Outcome *reason) {
        if (reason->class == CLASS_OK)
                return json_null();
        return json_pack("{s:s, s:s, s:s, s:s}", "id", reason->reason, "class",
                         outcome_class_to_string(reason->class), "text", reason->text, "remedy",
                         reason->remedy ?: "");
}

static json_t *token_object(const Report *r) {
        json_t *token;

        if (!r->token_held)
                return json_null();
        token = json_pack("{s:o, s:I}", "roles", role_set_to_json(r->token_roles), "remaining_s",
                          seconds(r->token_remaining_us));
        if (token && r->token_extra_roles)
                (void) json_object_set_new(token, "extra_roles", role_set_to_json(r->token_extra_roles));
        return token;
}

static json_t *next_object(const Report *r) {
        if (!r->next_known)
                return json_null();
        /* Rounded up: "in 0 s" would say that it has happened. */
        return json_pack("{s:s, s:I}", "state", r->next_state, "in_s",
                         seconds(usec_add(r->next_in_us, USEC_PER_SEC - 1)));
}

static json_t *verified_object(const Report *r) {
        if (!r->verified)
                return json_null();
        return json_pack("{s:s, s:o}", "by", r->verified_by, "at",
                         time_or_null(r->verified_at_realtime_us));
}

static json_t *coordinators_array(const Report *r) {
        json_t *array = json_array();

        for (size_t i = 0; array && i < r->n_coordinators; i++)
                (void) json_array_append_new(
                        array, json_pack("{s:s, s:s, s:s}", "url", r->coordinators[i].url, "state",
                                         r->coordinators[i].state, "last", r->coordinators[i].last));
        return array;
}

static json_t *history_array(const Report *r) {
        json_t *array = json_array();

        for (size_t i = 0; array && i < r->n_history; i++) {
                const ReportTransition *t = &r->history[i];

                (void) json_array_append_new(
                        array, json_pack("{s:o, s:s, s:s, s:s}", "at", time_or_null(t->at_realtime_us),
                                         "state", t->state, "reason", t->reason, "text", t->text));
        }
        return array;
}

static json_t *notes_array(const Report *r) {
        json_t *array = json_array();

        for (size_t i = 0; array && i < r->n_notes; i++)
                (void) json_array_append_new(array, json_string(r->notes[i]));
        return array;
}

/* Members that later readers may do without; the ones of the contract are in status_json_write(). */
static int add_details(json_t *status, const Report *r, usec_t now_realtime_us) {
        int bad = 0;

        bad |= json_object_set_new(status, "written", time_or_null(now_realtime_us));
        bad |= json_object_set_new(status, "exit_code",
                                   streq(r->state, "FAILED") ? json_integer(r->reason.exit_code) : json_null());
        bad |= json_object_set_new(status, "stage", r->stage[0] ? json_string(r->stage) : json_null());
        bad |= json_object_set_new(status, "handoff",
                                   r->handoff[0] ? json_string(r->handoff) : json_null());
        bad |= json_object_set_new(status, "tokens_asked_for", json_integer((json_int_t) r->window));
        bad |= json_object_set_new(status, "token_age_at_start_s",
                                   r->token_age_at_start_us == 0
                                           ? json_null()
                                           : json_real((double) r->token_age_at_start_us /
                                                       (double) USEC_PER_SEC));
        bad |= json_object_set_new(status, "api_key_expiration",
                                   r->key_expiration[0] ? json_string(r->key_expiration) : json_null());
        bad |= json_object_set_new(status, "webhook",
                                   json_pack("{s:I, s:s}", "pending", (json_int_t) r->webhook_pending, "last", r->webhook_last));
        bad |= json_object_set_new(status, "gates", gates_to_json(r->gates, r->n_gates));
        bad |= json_object_set_new(status, "notes", notes_array(r));
        return bad ? -ENOMEM : 0;
}

int status_json_write(const Report *r, usec_t now_realtime_us, Buffer *ret) {
        const size_t failures = wiping_allocator_failures();
        _cleanup_json_ json_t *status = NULL;
        int error;

        status = json_pack("{s:i, s:s, s:o, s:o, s:s, s:o, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o}",
                           "schema", 1, "state", r->state, "since", time_or_null(r->since_realtime_us),
                           "reason", reason_object(&r->reason), "runner_id", r->runner_id, "roles",
                           r->roles_known ? role_set_to_json(r->roles) : json_array(), "window",
                           (json_int_t) r->window, "attempt", (json_int_t) r->attempt, "token",
                           token_object(r), "next", next_object(r), "deadline_in_s",
                           r->deadline_known ? json_integer(seconds(r->deadline_in_us)) : json_null(),
                           "verified", verified_object(r), "coordinators", coordinators_array(r),
                           "history", history_array(r));
        if (!status)
                return -ENOMEM;
        error = add_details(status, r, now_realtime_us);
        if (error < 0)
                return error;
        if (wiping_allocator_failures() != failures)
                return -ENOMEM;

        error = json_write(status, JSON_INDENT(1), ret);
        return error < 0 ? error : buffer_append_string(ret, "\n");
}
