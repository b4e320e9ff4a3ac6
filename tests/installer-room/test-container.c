/* SPDX-License-Identifier: Apache-2.0 */

/* Invariants: a container that is alive is ours only by our label, or, without a shim, by
 * everything an install of ours would show; replies of the engine that say less than that make
 * nothing ours. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "base/buffer.h"
#include "installer/keeper-private.h"

#define NAME "elastic-cloud-enterprise-installer"
#define ID64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct {
        const char *text;
        int error;
        bool found;
} lists[] = {
        { "[]", 0, false },
        { "[{\"Id\":\"" ID64 "\",\"Names\":[\"/" NAME "\"]}]", 0, true },
        { "[{\"Id\":\"" ID64 "\",\"Names\":[\"" NAME "\"]}]", 0, true },
        { "[{\"Id\":\"" ID64 "\",\"Names\":[\"/x\",\"/" NAME "\"]}]", 0, true },
        { "[{\"Id\":\"" ID64 "\",\"Names\":[\"/my-" NAME "\"]}]", 0, false }, /* the filter matches parts */
        { "[{\"Id\":\"" ID64 "\",\"Names\":[\"/" NAME "-2\"]}]", 0, false },
        { "[{\"Id\":\"../../images\",\"Names\":[\"/" NAME "\"]}]", -EBADMSG, false },
        { "[{\"Names\":[\"/" NAME "\"]}]", -EBADMSG, false },
        { "[17,null,{\"Names\":null}]", 0, false },
        { "{}", -EBADMSG, false },
        { "", -EBADMSG, false },
};

static void lists_are_read(void **state) {
        for (size_t i = 0; i < ELEMENTS(lists); i++) {
                bool found = !lists[i].found;
                char id[65] = "";

                assert_int_equal(engine_parse_list(lists[i].text, strlen(lists[i].text), &found, id), lists[i].error);
                if (lists[i].error == 0)
                        assert_true(found == lists[i].found);
                assert_string_equal(id, lists[i].error == 0 && lists[i].found ? ID64 : "");
        }
}

#define INSPECT(status, created, config) \
        "{\"Id\":\"" ID64 "\",\"State\":{\"Status\":\"" status "\"},\"Created\":\"" created "\",\"Config\":{" config "}}"

static void inspection_is_read(void **state) {
        static const char text[] = INSPECT("running", "2026-01-01T00:00:10.123456789Z",
                                           "\"Labels\":{\"ece-enroll.attempt\":\"00112233445566778899aabbccddeeff\"},"
                                           "\"Cmd\":[\"/opt/elastic-cloud-enterprise-installer\"],"
                                           "\"Env\":[\"A=b\",\"RUNNER_ID=192.0.2.20\"]");
        Container c;

        assert_int_equal(engine_parse_inspect(text, strlen(text), &c), 0);
        assert_string_equal(c.id, ID64);
        assert_int_equal(c.state, CONTAINER_ALIVE);
        assert_string_equal(c.label, "00112233445566778899aabbccddeeff");
        assert_string_equal(c.command, NAME);
        assert_string_equal(c.runner_id, "192.0.2.20");
        assert_int_equal(c.created_s, 1767225610);
}

static void less_is_read_as_not_told(void **state) {
        static const char bare[] = INSPECT("exited", "yesterday", "\"Labels\":null,\"Cmd\":null,\"Env\":null");
        static const char offset[] = INSPECT("created", "2026-01-01T01:00:10.5+01:00", "");
        static const char *const bad[] = { "{}", "[]", INSPECT("sleeping", "", ""), "{\"Id\":\"" ID64 "\"}" };
        Container c;

        assert_int_equal(engine_parse_inspect(bare, strlen(bare), &c), 0);
        assert_int_equal(c.state, CONTAINER_DEAD);
        assert_string_equal(c.label, "");
        assert_string_equal(c.command, "");
        assert_string_equal(c.runner_id, "");
        assert_int_equal(c.created_s, 0);
        assert_int_equal(engine_parse_inspect(offset, strlen(offset), &c), 0);
        assert_int_equal(c.created_s, 1767225610);
        for (size_t i = 0; i < ELEMENTS(bad); i++)
                assert_int_equal(engine_parse_inspect(bad[i], strlen(bad[i]), &c), -EBADMSG);
}

#define LISTED(name, state, image) "{\"Id\":\"x\",\"Names\":[\"" name "\"],\"State\":\"" state "\",\"Image\":\"" image "\"}"

static void local_view_is_read(void **state) {
        static const char docker[] = "[" LISTED("/frc-runners-runner", "running", "r:5000/e/elastic-cloud-enterprise:4.0.3")
                "," LISTED("/frc-allocators-allocator", "exited", "i:1") "," LISTED("/frc-proxies-proxyv2", "restarting", "i:1")
                "," LISTED("/frc-directors-director-old", "running", "i:1") "," LISTED("/my-frc-runners-runner", "exited", "i:9.9.9") "]";
        static const char podman[] = "[" LISTED("frc-runners-runner", "running", "sha256:0123456789abcdef") "]";
        static const char *const bad[] = { "", "{}", "[", "{\"message\":\"no\"}" };
        LocalView v = { .version = "?" };

        for (size_t i = 0; i < ELEMENTS(bad); i++)
                assert_int_equal(engine_parse_local(bad[i], strlen(bad[i]), &v), -EBADMSG);
        assert_string_equal(v.version, "?");
        assert_int_equal(engine_parse_local(docker, strlen(docker), &v), 0);
        assert_int_equal(v.state[LOCAL_RUNNER], LOCAL_RUNNING);
        assert_int_equal(v.state[LOCAL_ALLOCATOR], LOCAL_STOPPED);
        assert_int_equal(v.state[LOCAL_PROXY], LOCAL_STOPPED);
        assert_int_equal(v.state[LOCAL_DIRECTOR], LOCAL_ABSENT);
        assert_string_equal(v.version, "4.0.3");
        assert_int_equal(engine_parse_local(podman, strlen(podman), &v), 0);
        assert_int_equal(v.state[LOCAL_RUNNER], LOCAL_RUNNING);
        assert_string_equal(v.version, "");
        assert_int_equal(engine_parse_local("[7,null,{}]", 11, &v), 0);
        assert_int_equal(v.state[LOCAL_RUNNER], LOCAL_ABSENT);
}

static void engine_is_read(void **state) {
        static const char info[] = "{\"ServerVersion\":\"27.0.3\",\"Driver\":\"overlay2\",\"DockerRootDir\":\"/mnt/data/docker\"}";
        static const char bridge[] = "{\"Options\":{\"com.docker.network.bridge.enable_icc\":\"false\"}}";
        static const char *const less[] = { "{}", "{\"Version\":7,\"Driver\":null,\"Options\":[]}" };
        static const char *const bad[] = { "", "[]", "{", "no" };
        EngineFacts e = { .driver = "?" };

        assert_int_equal(engine_parse_about(TOPIC_VERSION, "{\"Version\":\"5.2.2\"}", 19, &e), 0);
        assert_string_equal(e.version, "5.2.2");
        assert_string_equal(e.driver, "");
        assert_int_equal(engine_parse_about(TOPIC_INFO, info, strlen(info), &e), 0);
        assert_string_equal(e.version, "");
        assert_string_equal(e.driver, "overlay2");
        assert_string_equal(e.data_root, "/mnt/data/docker");
        assert_int_equal(engine_parse_about(TOPIC_BRIDGE, bridge, strlen(bridge), &e), 0);
        assert_string_equal(e.bridge_icc, "false");
        for (EngineTopic topic = 0; topic < _ENGINE_TOPIC_MAX; topic++) {
                for (size_t i = 0; i < ELEMENTS(less); i++) {
                        assert_int_equal(engine_parse_about(topic, less[i], strlen(less[i]), &e), 0);
                        assert_true(e.version[0] == '\0' && e.driver[0] == '\0' && e.bridge_icc[0] == '\0');
                }
                for (size_t i = 0; i < ELEMENTS(bad); i++)
                        assert_int_equal(engine_parse_about(topic, bad[i], strlen(bad[i]), &e), -EBADMSG);
        }
}

#define START_S 1767225600
#define MINE "00112233445566778899aabbccddeeff"
#define OTHER "ffeeddccbbaa99887766554433221100"

static const struct {
        RecordState state;
        HandOff handoff;
        Container c;
        Ownership ownership;
} judgements[] = {
        /* by label */
        { RECORD_ENDED, HANDOFF_SHIM, { .state = CONTAINER_ALIVE, .label = MINE, .command = NAME }, CONTAINER_OURS },
        { RECORD_ACKNOWLEDGED, HANDOFF_SHIM, { .state = CONTAINER_ALIVE, .label = MINE }, CONTAINER_OURS },
        { RECORD_NONE, HANDOFF_SHIM, { .state = CONTAINER_ALIVE, .label = MINE }, CONTAINER_FOREIGN },
        { RECORD_ENDED, HANDOFF_SHIM, { .state = CONTAINER_ALIVE, .label = OTHER, .command = NAME }, CONTAINER_FOREIGN },
        { RECORD_ENDED, HANDOFF_SHIM, { .state = CONTAINER_ALIVE, .command = NAME, .runner_id = "r", .created_s = START_S },
          CONTAINER_FOREIGN },
        /* an operator's upgrade is nobody's of ours, whatever it bears */
        { RECORD_ENDED, HANDOFF_SHIM, { .state = CONTAINER_ALIVE, .label = MINE, .command = UPGRADER_COMMAND },
          CONTAINER_FOREIGN },
        { RECORD_ENDED, HANDOFF_ARGV,
          { .state = CONTAINER_ALIVE, .command = UPGRADER_COMMAND, .runner_id = "r", .created_s = START_S },
          CONTAINER_FOREIGN },
        /* without a shim: command, runner id and time, all three */
        { RECORD_ENDED, HANDOFF_ARGV, { .state = CONTAINER_ALIVE, .command = NAME, .runner_id = "r", .created_s = START_S },
          CONTAINER_OURS },
        { RECORD_ENDED, HANDOFF_ARGV, { .state = CONTAINER_ALIVE, .runner_id = "r", .created_s = START_S },
          CONTAINER_FOREIGN },
        { RECORD_ENDED, HANDOFF_ARGV, { .state = CONTAINER_ALIVE, .command = NAME, .created_s = START_S },
          CONTAINER_FOREIGN },
        { RECORD_ENDED, HANDOFF_ARGV, { .state = CONTAINER_ALIVE, .command = NAME, .runner_id = "x", .created_s = START_S },
          CONTAINER_FOREIGN },
        { RECORD_ENDED, HANDOFF_ARGV,
          { .state = CONTAINER_ALIVE, .command = NAME, .runner_id = "r", .created_s = START_S - 60 },
          CONTAINER_FOREIGN },
        /* the dead only block the name */
        { RECORD_NONE, HANDOFF_SHIM, { .state = CONTAINER_DEAD }, CONTAINER_BLOCKING },
        { RECORD_ENDED, HANDOFF_SHIM, { .state = CONTAINER_DEAD, .command = UPGRADER_COMMAND }, CONTAINER_BLOCKING },
        { RECORD_ENDED, HANDOFF_SHIM, { .state = CONTAINER_DEAD, .label = MINE }, CONTAINER_BLOCKING },
        /* made and not started: ours at once, somebody else's when it is old */
        { RECORD_ENDED, HANDOFF_SHIM, { .state = CONTAINER_CREATED, .label = MINE, .created_s = START_S + 999 },
          CONTAINER_BLOCKING },
        { RECORD_ENDED, HANDOFF_SHIM, { .state = CONTAINER_CREATED, .created_s = START_S + 999 }, CONTAINER_FOREIGN },
        { RECORD_ENDED, HANDOFF_SHIM, { .state = CONTAINER_CREATED, .created_s = START_S }, CONTAINER_BLOCKING },
        { RECORD_ENDED, HANDOFF_SHIM, { .state = CONTAINER_CREATED }, CONTAINER_FOREIGN },
};

static void ownership_is_proved(void **state) {
        for (size_t i = 0; i < ELEMENTS(judgements); i++) {
                AttemptRecord r = {
                        .state = judgements[i].state,
                        .handoff = judgements[i].handoff,
                        .id = MINE,
                        .runner_id = "r",
                        .started_realtime_us = START_S * USEC_PER_SEC,
                };
                Ownership got = container_judge(&judgements[i].c, &r, (START_S + 1000) * USEC_PER_SEC);

                if (got != judgements[i].ownership)
                        fail_msg("row %zu: %d", i, (int) got);
        }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(lists_are_read),
                cmocka_unit_test(inspection_is_read),
                cmocka_unit_test(less_is_read_as_not_told),
                cmocka_unit_test(local_view_is_read),
                cmocka_unit_test(engine_is_read),
                cmocka_unit_test(ownership_is_proved),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
