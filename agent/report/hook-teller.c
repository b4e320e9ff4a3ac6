/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Deciding what hooks are told. Pure but for the memory of the names; what may fail is that.
 */

#include "report/hook-teller.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "model/role-json.h"

static bool is_same(const HookNews *a, const HookNews *b) {
        return a->event == b->event && streq(a->reason, b->reason) && streq(a->runner_id, b->runner_id) && a->roles == b->roles;
}

void hook_teller_clear(HookTeller *t) {
        buffer_done(&t->through);
}

static HookEvent progress_next(const HookTeller *t, const HookNews *news, usec_t now_us, usec_t *ret_wait_us) {
        usec_t due_us = usec_add(t->progress_at_us, HOOK_PROGRESS_EVERY_US);

        if (!t->progress_told || !streq(t->progress_state, news->state))
                return HOOK_PROGRESS;
        if (news->left_us == 0)
                return HOOK_NOTHING;
        *ret_wait_us = usec_sub(due_us, now_us);
        return *ret_wait_us == 0 ? HOOK_PROGRESS : HOOK_NOTHING;
}

static HookEvent final_next(const HookTeller *t, const HookNews *news, usec_t now_us, usec_t *ret_wait_us) {
        if (t->joined_since || !is_same(&t->final, news))
                return news->event;
        if (!t->again)
                return HOOK_NOTHING;
        *ret_wait_us = usec_sub(t->again_at_us, now_us);
        return *ret_wait_us == 0 ? news->event : HOOK_NOTHING;
}

HookEvent hook_teller_next(HookTeller *t, const HookNews *news, usec_t now_us, usec_t *ret_wait_us) {
        *ret_wait_us = USEC_INFINITY;
        if (news->joining)
                t->joined_since = true;
        if (hook_news_is_final(news))
                return final_next(t, news, now_us, ret_wait_us);
        return news->event == HOOK_PROGRESS ? progress_next(t, news, now_us, ret_wait_us) : HOOK_NOTHING;
}

void hook_teller_begin(HookTeller *t, const HookNews *news, usec_t now_us) {
        if (news->event == HOOK_PROGRESS) {
                t->progress_told = true;
                t->progress_at_us = now_us;
                (void) snprintf(t->progress_state, sizeof(t->progress_state), "%s", news->state);
                return;
        }
        if (t->joined_since || !is_same(&t->final, news)) {
                buffer_clear(&t->through);
                t->tries = 0;
        }
        t->final = *news;
        t->joined_since = false;
        t->progress_told = false;
}

void hook_teller_end(HookTeller *t, bool again, usec_t now_us) {
        usec_t pause_us = HOOK_AGAIN_MIN_US << (t->tries < 8 ? t->tries : 8);

        t->again = again;
        if (!again)
                return;
        t->tries++;
        t->again_at_us = usec_add(now_us, pause_us < HOOK_AGAIN_MAX_US ? pause_us : HOOK_AGAIN_MAX_US);
}

json_t *hook_teller_to_json(const HookTeller *t) {
        return json_pack("{s:s, s:s, s:s, s:o, s:s, s:b}", "event", hook_event_to_string(t->final.event) ?: "", "reason",
                         t->final.reason, "runner_id", t->final.runner_id, "roles", role_set_to_json(t->final.roles), "through",
                         buffer_string(&t->through), "again", t->again);
}

int hook_teller_from_json(HookTeller *t, const json_t *object) {
        const char *event = json_member_string(object, "event"), *reason = json_member_string(object, "reason");
        const char *id = json_member_string(object, "runner_id"), *through = json_member_string(object, "through");
        HookNews final = { .event = event ? hook_event_from_string(event) : HOOK_NOTHING };

        if (!hook_news_is_final(&final) || !reason || !id || !through || strlen(reason) >= sizeof(final.reason) ||
            strlen(id) >= sizeof(final.runner_id) || role_set_from_json(json_member_array(object, "roles"), &final.roles) < 0)
                return -EBADMSG;
        (void) snprintf(final.reason, sizeof(final.reason), "%s", reason);
        (void) snprintf(final.runner_id, sizeof(final.runner_id), "%s", id);
        buffer_clear(&t->through);
        if (buffer_append_string(&t->through, through) < 0)
                return -ENOMEM;
        t->final = final;
        t->again = json_member_bool(object, "again", false);
        return 0;
}
