/* SPDX-License-Identifier: Apache-2.0 */

/*
 * From a status to what hooks are told of it. Pure; what may fail is the status.
 */

#include "report/hook-news.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "model/allow-list.h"
#include "model/role-json.h"

#define CAPITALS "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define REASON_LETTERS "abcdefghijklmnopqrstuvwxyz0123456789.-"

static const char *const event_words[_HOOK_EVENT_MAX] = {
        [HOOK_PROGRESS] = "progress",
        [HOOK_ENROLLED] = "enrolled",
        [HOOK_FAILED] = "failed",
};

const char *hook_event_to_string(HookEvent event) {
        return event_words[event];
}

HookEvent hook_event_from_string(const char *word) {
        for (HookEvent e = HOOK_NOTHING + 1; e < _HOOK_EVENT_MAX; e++)
                if (streq(word, event_words[e]))
                        return e;
        return HOOK_NOTHING;
}

bool hook_news_is_final(const HookNews *news) {
        return news->event == HOOK_ENROLLED || news->event == HOOK_FAILED;
}

static HookEvent event_of(const char *state) {
        if (streq(state, "ENROLLED"))
                return HOOK_ENROLLED;
        if (streq(state, "FAILED"))
                return HOOK_FAILED;
        return streq(state, "UNCONFIGURED") || streq(state, "STOPPING") ? HOOK_NOTHING : HOOK_PROGRESS;
}

static bool is_joining(const char *state) {
        static const char *const states[] = { "MINTING", "INSTALLING", "TERMINATING", "SETTLING" };

        for (size_t i = 0; i < ELEMENTS(states); i++)
                if (streq(state, states[i]))
                        return true;
        return false;
}

/* Copies a word that may be empty and else has its form. */
static bool take(const char *word, const char *letters, char *ret, size_t ret_size) {
        if (!word || strlen(word) >= ret_size || (*word && !text_consists_of(word, letters)))
                return false;
        (void) snprintf(ret, ret_size, "%s", word);
        return true;
}

static bool take_runner_id(const json_t *status, HookNews *news) {
        const char *id = json_member_string(status, "runner_id");

        if (!id || strlen(id) >= sizeof(news->runner_id) || (*id && allow_list_check(VALUE_RUNNER_ID, id, NULL) < 0))
                return false;
        (void) snprintf(news->runner_id, sizeof(news->runner_id), "%s", id);
        return true;
}

static void take_deadline(const json_t *status, HookNews *news) {
        json_int_t seconds = json_member_integer(status, "deadline_in_s", -1);

        news->left_us = USEC_INFINITY;
        if (seconds >= 0 && (usec_t) seconds < USEC_INFINITY / USEC_PER_SEC)
                news->left_us = (usec_t) seconds * USEC_PER_SEC;
}

int hook_news_read(const json_t *status, HookNews *ret) {
        const json_t *reason = json_member_object(status, "reason");
        const char *state = json_member_string(status, "state");
        HookNews news = { 0 };

        if (!state || !*state || !take(state, CAPITALS, news.state, sizeof(news.state)))
                return -EBADMSG;
        if (reason && !take(json_member_string(reason, "id"), REASON_LETTERS, news.reason, sizeof(news.reason)))
                return -EBADMSG;
        if (!take_runner_id(status, &news) ||
            role_set_from_json(json_member_array(status, "roles"), &news.roles) < 0)
                return -EBADMSG;
        take_deadline(status, &news);
        news.event = event_of(news.state);
        news.joining = is_joining(news.state);
        *ret = news;
        return 0;
}
