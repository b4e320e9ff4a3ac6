/* SPDX-License-Identifier: Apache-2.0 */

/* What hooks are told of a status, and which words never reach them. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "report/hook-news.h"

#define A (1U << ROLE_ALLOCATOR)
#define P (1U << ROLE_PROXY)
#define REST "\"runner_id\":\"r-1\",\"roles\":[\"allocator\"]"

static int read_text(const char *text, HookNews *ret) {
        _cleanup_json_ json_t *status = NULL;

        assert_int_equal(json_read(text, strlen(text), &status, NULL), 0);
        return hook_news_read(status, ret);
}

static void test_states(void **state) {
        static const struct {
                const char *state;
                HookEvent event;
                bool joining;
        } rows[] = {
                { "LOADING", HOOK_PROGRESS, false },    { "UNCONFIGURED", HOOK_NOTHING, false },
                { "PREFLIGHT", HOOK_PROGRESS, false },  { "PROBING", HOOK_PROGRESS, false },
                { "PREPARING", HOOK_PROGRESS, false },  { "MINTING", HOOK_PROGRESS, true },
                { "INSTALLING", HOOK_PROGRESS, true },  { "TERMINATING", HOOK_PROGRESS, true },
                { "SETTLING", HOOK_PROGRESS, true },    { "VERIFYING", HOOK_PROGRESS, false },
                { "BACKOFF", HOOK_PROGRESS, false },    { "ENROLLED", HOOK_ENROLLED, false },
                { "FAILED", HOOK_FAILED, false },       { "STOPPING", HOOK_NOTHING, false },
        };

        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                char text[256];
                HookNews news;

                (void) snprintf(text, sizeof(text), "{\"state\":\"%s\"," REST "}", rows[i].state);
                assert_int_equal(read_text(text, &news), 0);
                assert_int_equal(news.event, rows[i].event);
                assert_int_equal(news.joining, rows[i].joining);
                assert_string_equal(news.state, rows[i].state);
        }
}

static void test_all_of_it(void **state) {
        HookNews news;

        assert_int_equal(read_text("{\"state\":\"FAILED\",\"reason\":{\"id\":\"verify.foreign-host\",\"text\":\"$(id)\"},"
                                   "\"runner_id\":\"192.0.2.21\",\"roles\":[\"proxy\",\"allocator\"],\"deadline_in_s\":90}",
                                   &news),
                         0);
        assert_string_equal(news.reason, "verify.foreign-host");
        assert_string_equal(news.runner_id, "192.0.2.21");
        assert_int_equal(news.roles, A | P);
        assert_int_equal(news.left_us, 90 * USEC_PER_SEC);

        assert_int_equal(read_text("{\"state\":\"LOADING\",\"reason\":null,\"runner_id\":\"\",\"roles\":[],\"deadline_in_s\":null}", &news), 0);
        assert_string_equal(news.reason, "");
        assert_string_equal(news.runner_id, "");
        assert_int_equal(news.roles, 0);
        assert_int_equal(news.left_us, USEC_INFINITY);
}

static void test_words_without_their_form(void **state) {
        static const char *const texts[] = {
                "{}",
                "[]",
                "{\"state\":\"\"," REST "}",
                "{\"state\":\"enrolled\"," REST "}",
                "{\"state\":\"ENROLLED;\"," REST "}",
                "{\"state\":\"ABCDEFGHIJKLMNOP\"," REST "}", /* one letter too many */
                "{\"state\":7," REST "}",
                "{\"state\":\"ENROLLED\",\"runner_id\":\"r-1\"}",
                "{\"state\":\"ENROLLED\",\"roles\":[]}",
                "{\"state\":\"ENROLLED\",\"runner_id\":\"..\",\"roles\":[]}",
                "{\"state\":\"ENROLLED\",\"runner_id\":\"a b\",\"roles\":[]}",
                "{\"state\":\"ENROLLED\",\"runner_id\":\"r\",\"roles\":[\"root\"]}",
                "{\"state\":\"ENROLLED\",\"runner_id\":\"r\",\"roles\":[1]}",
                "{\"state\":\"ENROLLED\",\"runner_id\":\"r\",\"roles\":[\"proxy\",\"proxy\"]}",
                "{\"state\":\"FAILED\",\"reason\":{}," REST "}",
                "{\"state\":\"FAILED\",\"reason\":{\"id\":\"a b\"}," REST "}",
                "{\"state\":\"FAILED\",\"reason\":{\"id\":\"a\\n\"}," REST "}",
                "{\"state\":\"FAILED\",\"reason\":{\"id\":\"Agent\"}," REST "}",
        };

        for (size_t i = 0; i < ELEMENTS(texts); i++) {
                HookNews news = { .state = "untouched" };

                print_message("# %s\n", texts[i]);
                assert_int_equal(read_text(texts[i], &news), -EBADMSG);
                assert_string_equal(news.state, "untouched");
        }
        assert_int_equal(hook_news_read(NULL, &(HookNews){ 0 }), -EBADMSG);
}

static void test_names_of_events(void **state) {
        for (HookEvent e = HOOK_NOTHING + 1; e < _HOOK_EVENT_MAX; e++)
                assert_int_equal(hook_event_from_string(hook_event_to_string(e)), e);
        assert_null(hook_event_to_string(HOOK_NOTHING));
        assert_int_equal(hook_event_from_string("leaving"), HOOK_NOTHING);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_states),
                cmocka_unit_test(test_all_of_it),
                cmocka_unit_test(test_words_without_their_form),
                cmocka_unit_test(test_names_of_events),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests_name("hook-news", tests, NULL, NULL);
}
