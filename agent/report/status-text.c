/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The answer to "what is with this host?", in the order in which it is asked at three in the morning:
 * which state, since when, why, what to do, what happens next and until when; then the particulars. It is
 * read from status.json and from nothing else, so everybody who looks sees the same.
 */

#include "report/status-text.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "report/gates-page.h"
#include "report/paint.h"

/* The digits of form's letter at its places in text as a number; every other byte must be form's own. */
static int read_field(const char *text, const char *form, char letter) {
        int value = 0;

        for (size_t i = 0; form[i]; i++) {
                bool is_digit = form[i] >= 'a' && form[i] <= 'z';

                if (is_digit ? text[i] < '0' || text[i] > '9' : text[i] != form[i])
                        return -EINVAL;
                if (form[i] == letter)
                        value = value * 10 + (text[i] - '0');
        }
        return value;
}

int status_parse_time(const char *text, usec_t *ret_realtime_us) {
        static const char form[] = "yyyy-mm-ddThh:nn:ssZ";
        struct tm tm = {};
        time_t t;

        if (!text || strlen(text) != strlen(form) || read_field(text, form, 'y') < 0)
                return -EINVAL;
        tm.tm_year = read_field(text, form, 'y') - 1900;
        tm.tm_mon = read_field(text, form, 'm') - 1;
        tm.tm_mday = read_field(text, form, 'd');
        tm.tm_hour = read_field(text, form, 'h');
        tm.tm_min = read_field(text, form, 'n');
        tm.tm_sec = read_field(text, form, 's');
        t = timegm(&tm);
        if (t < 0)
                return -EINVAL;
        *ret_realtime_us = (usec_t) t * USEC_PER_SEC;
        return 0;
}

static void put(Buffer *page, const char *label, const char *text) {
        (void) buffer_append_format(page, "%13s: %s\n", label, text);
}

static void put_words(const json_t *array, const char *otherwise, char *ret, size_t size) {
        size_t used = 0, i;
        json_t *word;

        (void) snprintf(ret, size, "%s", otherwise);
        json_array_foreach(array, i, word) {
                const char *s = json_string_value(word);
                int n = snprintf(ret + used, size - used, "%s%s", used ? "," : "", s ?: "?");

                if (n < 0 || (size_t) n >= size - used)
                        return;
                used += (size_t) n;
        }
}

static void put_head(const json_t *status, usec_t now, bool colour, Buffer *page) {
        const char *state = json_member_string(status, "state") ?: "?";
        const char *since = json_member_string(status, "since");
        char ago[DURATION_SIZE] = "";
        usec_t since_us;

        (void) buffer_append_format(page, "%sece-enroll: %s%s", paint_start(paint_of_state(state), colour),
                                    state, paint_end(colour));
        if (status_parse_time(since, &since_us) == 0)
                (void) buffer_append_format(page, " since %s (%s ago)", since,
                                            duration_format(usec_sub(now, since_us), ago));
        (void) buffer_append_string(page, "\n");
}

static void put_reason(const json_t *status, bool colour, Buffer *page) {
        const json_t *reason = json_member_object(status, "reason");
        const char *remedy = json_member_string(reason, "remedy");
        bool final = streq(json_member_string(status, "state") ?: "", "FAILED");

        if (!reason)
                return;
        (void) buffer_append_format(page, "%13s: %s%s%s [%s, %s]\n", "why",
                                    paint_start(final ? PAINT_BAD : PAINT_WAIT, colour),
                                    json_member_string(reason, "text") ?: "?", paint_end(colour),
                                    json_member_string(reason, "id") ?: "?",
                                    json_member_string(reason, "class") ?: "?");
        if (remedy && remedy[0])
                put(page, "what to do", remedy);
}

/* A number of seconds that has been running down since the status was written. */
static const char *left(const json_t *object, const char *name, usec_t age, char text[static DURATION_SIZE]) {
        json_int_t s = json_member_integer(object, name, 0);
        usec_t us = s < 0 ? 0 : usec_sub((usec_t) s * USEC_PER_SEC, age);

        return duration_format(us, text);
}

static void put_times(const json_t *status, usec_t age, Buffer *page) {
        const json_t *next = json_member_object(status, "next");
        const json_t *token = json_member_object(status, "token");
        char in[DURATION_SIZE], roles[128];

        if (next)
                (void) buffer_append_format(page, "%13s: %s in %s\n", "next",
                                            json_member_string(next, "state") ?: "?",
                                            left(next, "in_s", age, in));
        if (json_is_integer(json_object_get(status, "deadline_in_s")))
                (void) buffer_append_format(page, "%13s: in %s\n", "deadline",
                                            left(status, "deadline_in_s", age, in));
        if (token) {
                put_words(json_member_array(token, "roles"), "no roles", roles, sizeof(roles));
                (void) buffer_append_format(page, "%13s: for %s, %s left\n", "token", roles,
                                            left(token, "remaining_s", age, in));
        }
}

/*
 * How far the installer is, by the lines it prints on its way: a bar where they tell, and the bare word where they don't. Some are
 * left out by some installations (an image that is there is not pulled), so it jumps; and the last one lasts, for what goes on inside
 * the container is told by nobody.
 */
static void put_stage(const char *stage, Buffer *page) {
        static const char *const ranks[][2] = {
                { "started", NULL },     { "validating", NULL },      { "os-verified", "os-unchecked" }, { "pulling", NULL },
                { "run-reached", NULL }, { "runner-starting", NULL }, { "runner-started", NULL },        { "runner-waiting", NULL },
        };
        static const char full[] = "########", empty[] = "........";

        _Static_assert(sizeof(full) == ELEMENTS(ranks) + 1, "one mark for each");
        for (size_t i = 0; i < ELEMENTS(ranks); i++)
                if (streq(stage, ranks[i][0]) || streq_ptr(stage, ranks[i][1])) {
                        (void) buffer_append_format(page, "%13s: %s [%.*s%s] %zu of %zu\n", "stage", stage, (int) i + 1, full,
                                                    empty + i + 1, i + 1, ELEMENTS(ranks));
                        return;
                }
        put(page, "stage", stage);
}

static void put_host(const json_t *status, Buffer *page) {
        const char *runner = json_member_string(status, "runner_id");
        const json_t *verified = json_member_object(status, "verified");
        const char *stage = json_member_string(status, "stage");
        const char *handoff = json_member_string(status, "handoff");
        char roles[128];

        put_words(json_member_array(status, "roles"), "none", roles, sizeof(roles));
        if (runner && runner[0])
                put(page, "runner", runner);
        put(page, "roles", roles);
        if (verified)
                (void) buffer_append_format(page, "%13s: by %s at %s\n", "verified",
                                            json_member_string(verified, "by") ?: "?",
                                            json_member_string(verified, "at") ?: "?");
        (void) buffer_append_format(page, "%13s: window %lld, attempt %lld\n", "attempts",
                                    (long long) json_member_integer(status, "window", 0),
                                    (long long) json_member_integer(status, "attempt", 0));
        if (stage && stage[0])
                put_stage(stage, page);
        if (handoff && streq(handoff, "argv"))
                put(page, "hand-off", "argv: local users can see the token while the installer runs");
        if (json_member_string(status, "api_key_expiration"))
                put(page, "API key until", json_member_string(status, "api_key_expiration"));
}

/* Where they are waited for, and wherever one was found shut since. */
static void put_gates(const json_t *status, bool colour, Buffer *page) {
        const json_t *gates = json_member_array(status, "gates");
        const char *state = json_member_string(status, "state") ?: "";

        if (json_array_size(gates) == 0 || (!streq(state, "PREFLIGHT") && !gates_have_shut(gates)))
                return;
        (void) buffer_append_format(page, "%13s:\n", "gates");
        gates_write_lines(gates, "               ", colour, page);
}

static void put_lists(const json_t *status, Buffer *page) {
        json_t *item;
        size_t i;

        json_array_foreach(json_member_array(status, "notes"), i, item)
                put(page, "note", json_string_value(item) ?: "?");
        json_array_foreach(json_member_array(status, "coordinators"), i, item)
                (void) buffer_append_format(page, "%13s%s %s  %s  %s\n", i ? "" : "coordinators", i ? " " : ":",
                                            json_member_string(item, "url") ?: "?",
                                            json_member_string(item, "state") ?: "?",
                                            json_member_string(item, "last") ?: "");
        json_array_foreach(json_member_array(status, "history"), i, item) {
                const char *text = json_member_string(item, "text") ?: "";

                (void) buffer_append_format(page, "%13s%s %s  %-*s%s\n", i ? "" : "history", i ? " " : ":",
                                            json_member_string(item, "at") ?: "?", text[0] ? 13 : 0,
                                            json_member_string(item, "state") ?: "?", text);
        }
}

int status_text_write(const json_t *status, usec_t now, bool colour, Buffer *page) {
        usec_t written = now;
        usec_t age;

        (void) status_parse_time(json_member_string(status, "written"), &written);
        age = usec_sub(now, written);

        put_head(status, now, colour, page);
        put_reason(status, colour, page);
        put_times(status, age, page);
        put_host(status, page);
        put_gates(status, colour, page);
        put_lists(status, page);
        /* An append that did not fit was dropped whole; a page that is not full has them all but memory. */
        return page->size < page->maximum ? 0 : -EMSGSIZE;
}
