/* SPDX-License-Identifier: Apache-2.0 */

/* The keeper and the engine: image, and the proof that nothing is left. Invariants: a
 * container that is not provably ours is not touched while it is alive; `settled` is said only
 * after a look that found none; every question gets an answer. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <sys/stat.h>

#include "base/text.h"
#include "installer/container-engine.h"

#define BENCH_ATTEMPT "00112233445566778899aabbccddeef2"
#include "keeper-bench.h"

#define ID64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define WORLD(containers) "{\"images\": [], \"containers\": [" containers "]}"
#define CONTAINER(status, created, config) \
        "{\"Id\": \"" ID64 "\", \"Name\": \"" INSTALLER_CONTAINER "\", \"State\": {\"Status\": \"" status "\"}," \
        " \"Created\": \"" created "\", \"Config\": {" config "}}"
#define OURS "\"Labels\": {\"" ATTEMPT_LABEL "\": \"" BENCH_ATTEMPT "\"}, \"Cmd\": [\"" INSTALLER_CONTAINER "\"]"
#define LONG_AGO "2020-01-01T00:00:00Z"

static void assert_refused(Origin origin, const char *code) {
        Message m = bench_wait(MESSAGE_REFUSED);

        assert_int_equal(m.seen.origin, origin);
        assert_string_equal(m.seen.code, code);
}

static void assert_log(const char *needle, bool wanted) {
        _cleanup_free_ char *log = bench_read("engine.log");

        if ((strstr(log, needle) != NULL) != wanted)
                fail_msg("'%s' %s in\n%s", needle, wanted ? "is missing" : "is there", log);
}

/* An attempt that has failed and is acknowledged: the record knows it, nothing runs. */
static void after_an_attempt(const char *script) {
        bench_script(script);
        bench_keeper();
        bench_connect();
        bench_install(BENCH_ATTEMPT);
        (void) bench_wait(MESSAGE_STATE);
        (void) bench_wait(MESSAGE_EXITED);
        bench_ask(MESSAGE_ACKNOWLEDGE);
        (void) bench_wait(MESSAGE_STATE);
}

/* --- Image --- */

static void image_that_is_there_is_not_pulled(void **state) {
        bench_engine("{\"images\": [\"" BENCH_IMAGE "\"], \"containers\": []}");
        bench_keeper();
        bench_connect();
        bench_ask(MESSAGE_PREPARE);
        (void) bench_wait(MESSAGE_PREPARED);
        assert_string_equal(bench_stages(), "");
}

static void without_prepull_nobody_is_asked(void **state) {
        bench_spec("  prepull: false\n");
        bench_keeper();
        bench_connect();
        bench_ask(MESSAGE_PREPARE);
        (void) bench_wait(MESSAGE_PREPARED);
}

static void missing_image_is_pulled(void **state) {
        bench_engine(WORLD(""));
        bench_client("echo \"$@\"; echo progress >&2; echo \"$HOME $DOCKER_HOST\"");
        bench_keeper();
        bench_connect();
        bench_ask(MESSAGE_PREPARE);
        (void) bench_wait(MESSAGE_PREPARED);
        assert_non_null(strstr(bench_lines(), "/engine.sock pull " BENCH_IMAGE "|"));
        assert_non_null(strstr(bench_lines(), "-H unix://"));
        assert_non_null(strstr(bench_lines(), "progress|"));
        assert_string_equal(bench_stages(), "pulling|");
}

static void failed_pull_says_why(void **state) {
        Message m;

        bench_engine(WORLD(""));
        bench_client("echo 'Error response from daemon: pull access denied for x' >&2; exit 1");
        bench_keeper();
        bench_connect();
        bench_ask(MESSAGE_PREPARE);
        m = bench_wait(MESSAGE_REFUSED);
        assert_int_equal(m.seen.origin, ORIGIN_ENGINE);
        assert_string_equal(m.seen.code, "pull-failed");
        assert_non_null(strstr(m.seen.detail, "pull access denied"));
        bench_client("exit 0"); /* and it can be tried again */
        bench_ask(MESSAGE_PREPARE);
        (void) bench_wait(MESSAGE_PREPARED);
}

static bool stage_is_pulling(void *userdata) {
        return strstr(bench_stages(), "pulling|") != NULL;
}

/* The agent restarts while it pulls: the second request waits for the same pull. */
static void pull_outlives_the_agent(void **state) {
        bench_engine(WORLD(""));
        bench_client("echo start >> $0.starts; while [ ! -e $0.go ]; do sleep 0.05; done");
        bench_keeper();
        bench_connect();
        bench_ask(MESSAGE_PREPARE);
        bench_until(stage_is_pulling, NULL);
        bench_install(BENCH_ATTEMPT);
        assert_refused(ORIGIN_KEEPER, "busy");
        bench_disconnect();
        bench_connect();
        bench_ask(MESSAGE_PREPARE);
        bench_write("bin/docker.go", "", 0600);
        (void) bench_wait(MESSAGE_PREPARED);
        {
                _cleanup_free_ char *starts = bench_read("bin/docker.starts");

                assert_string_equal(starts, "start\n");
        }
        (void) unlink(bench_path("bin/docker.starts"));
        (void) unlink(bench_path("bin/docker.go"));
}

static void dead_engine_is_told(void **state) {
        bench_keeper();
        bench_connect();
        bench_ask(MESSAGE_PREPARE);
        assert_refused(ORIGIN_ENGINE, "not-answering");
        bench_ask(MESSAGE_SETTLE);
        assert_refused(ORIGIN_ENGINE, "not-answering");
}

/* --- Settling --- */

static void nothing_left_is_settled_at_once(void **state) {
        bench_engine(WORLD(""));
        bench_keeper();
        bench_connect();
        bench_ask(MESSAGE_SETTLE);
        assert_string_equal(bench_wait(MESSAGE_SETTLED).text, "nothing was left");
        assert_log("GET /containers/json?all=true&filters={\"name\":[\"" INSTALLER_CONTAINER "\"]}", true);
        assert_log("DELETE", false);
}

static void running_one_of_ours_is_stopped_and_removed(void **state) {
        bench_engine(WORLD(CONTAINER("running", LONG_AGO, OURS)));
        after_an_attempt("exit 1");
        bench_ask(MESSAGE_SETTLE);
        assert_string_equal(bench_wait(MESSAGE_SETTLED).text, "stopped and removed container 0123456789ab");
        assert_log("POST /containers/" ID64 "/stop?t=", true);
        assert_log("DELETE /containers/" ID64, true);
}

static void running_one_of_others_is_not_touched(void **state) {
        bench_engine(WORLD(CONTAINER("running", LONG_AGO, "\"Cmd\": [\"" UPGRADER_COMMAND "\"]")));
        after_an_attempt("exit 1");
        bench_ask(MESSAGE_SETTLE);
        assert_refused(ORIGIN_ENGINE, "foreign-installer");
        assert_log("POST", false);
        assert_log("DELETE", false);
}

static void dead_one_that_blocks_the_name_is_removed(void **state) {
        bench_engine(WORLD(CONTAINER("exited", LONG_AGO, "\"Cmd\": [\"" UPGRADER_COMMAND "\"]")));
        bench_keeper();
        bench_connect();
        bench_ask(MESSAGE_SETTLE);
        assert_string_equal(bench_wait(MESSAGE_SETTLED).text, "removed container 0123456789ab");
        assert_log("POST", false);
}

/* The engine says yes and does nothing: there is an end to it, and it is not `settled`. */
static void stubborn_engine_ends_as_refusal(void **state) {
        bench_engine("{\"images\": [], \"stubborn\": true, \"containers\": [" CONTAINER("exited", LONG_AGO, OURS) "]}");
        bench_keeper();
        bench_connect();
        bench_ask(MESSAGE_SETTLE);
        assert_refused(ORIGIN_ENGINE, "not-settled");
}

static void strange_reply_is_told(void **state) {
        bench_engine(WORLD("{\"Id\": \"" ID64 "\", \"Name\": \"" INSTALLER_CONTAINER "\", \"State\": {}}"));
        bench_keeper();
        bench_connect();
        bench_ask(MESSAGE_SETTLE);
        assert_refused(ORIGIN_ENGINE, "unexpected-reply");
}

/* What an attempt left behind, in a session of its own, is gone afterwards. */
static void leftover_processes_are_killed(void **state) {
        char *text;
        unsigned n = 0;

        bench_options()->drain_us = 50 * USEC_PER_MSEC;
        bench_engine(WORLD(""));
        after_an_attempt("setsid sleep 1000 & exit 0");
        bench_ask(MESSAGE_SETTLE);
        (void) bench_wait(MESSAGE_SETTLED);
        text = strdup(bench_notices());
        for (char *at = text; (at = strstr(at, "killed 1 processes")); at++)
                n++;
        free(text);
        assert_int_equal(n, 1);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, bench_setup, bench_teardown)

int main(void) {
        static const struct CMUnitTest tests[] = {
                TEST(image_that_is_there_is_not_pulled),
                TEST(without_prepull_nobody_is_asked),
                TEST(missing_image_is_pulled),
                TEST(failed_pull_says_why),
                TEST(pull_outlives_the_agent),
                TEST(dead_engine_is_told),
                TEST(nothing_left_is_settled_at_once),
                TEST(running_one_of_ours_is_stopped_and_removed),
                TEST(running_one_of_others_is_not_touched),
                TEST(dead_one_that_blocks_the_name_is_removed),
                TEST(stubborn_engine_ends_as_refusal),
                TEST(strange_reply_is_told),
                TEST(leftover_processes_are_killed),
        };
        int failed;

        if (!bench_open())
                return 0;
        cmocka_set_message_output(CM_OUTPUT_TAP);
        failed = cmocka_run_group_tests(tests, NULL, NULL);
        bench_close();
        return failed;
}
