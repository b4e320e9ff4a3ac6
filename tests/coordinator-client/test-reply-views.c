/* SPDX-License-Identifier: Apache-2.0 */

/* The coordinator's objects to views: what is required, what may be missing, what must not be
 * believed. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "coordinator/reply.h"

static json_t *json(const char *text) {
        json_t *value = json_loads(text, 0, NULL);

        assert_non_null(value);
        return value;
}

static void test_platform(void **state) {
        static const struct {
                const char *text, *version; /* NULL: refused */
        } cases[] = {
                { "{\"version\":\"3.8.0\",\"regions\":[]}", "3.8.0" },
                { "{\"version\":\"4.0.3-SNAPSHOT\"}", "4.0.3-SNAPSHOT" },
                { "{}", NULL },
                { "{\"version\":null}", NULL },
                { "{\"version\":380}", NULL },
                { "{\"version\":\"\"}", NULL },
                { "{\"version\":\"3.8\"}", NULL },
                { "{\"version\":\"3.8.0;reboot\"}", NULL }, /* it goes into a script that evaluates it */
                { "{\"version\":\"3.8.0'\"}", NULL },
                { "{\"version\":\"--help\"}", NULL },
                { "{\"version\":\"3.8.0-"
                  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}",
                  NULL },
        };

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                _cleanup_json_ json_t *object = json(cases[i].text);
                char version[64] = "untouched";
                assert_int_equal(reply_read_platform(object, version), cases[i].version != NULL);
                assert_string_equal(version, cases[i].version ? cases[i].version : "untouched");
        }
}

#define RUNNER_HEAD "{\"runner_id\":\"r1\",\"host_ip\":\"192.0.2.7\",\"connected\":true,\"healthy\":false,"

static void test_runner(void **state) {
        _cleanup_json_ json_t *object =
                json(RUNNER_HEAD
                     "\"public_hostname\":\"h\",\"zone\":\"z1\",\"build_info\":{\"version\":\"4.0.3\"},"
                     "\"roles\":[{\"role_name\":\"beats-runner\"},{\"role_name\":\"allocator\"},7,{}],"
                     "\"health_checks\":{\"is_docker_healthy\":false,\"is_connected_to_zk\":false,"
                     "\"has_containers\":true},\"unknown\":{}}");
        RunnerView v = { .allocator_zone = "old" };

        assert_true(reply_read_runner(object, &v));
        assert_true(v.found && v.connected && !v.healthy);
        assert_string_equal(v.runner_id, "r1");
        assert_string_equal(v.host_ip, "192.0.2.7");
        assert_string_equal(v.public_hostname, "h");
        assert_string_equal(v.zone, "z1");
        assert_string_equal(v.version, "4.0.3");
        assert_string_equal(v.allocator_zone, "");
        assert_string_equal(v.health_detail, "docker unhealthy, not connected to ZooKeeper");
        assert_int_equal(v.listed_roles, role_bit(ROLE_ALLOCATOR));
        assert_true(v.role[ROLE_ALLOCATOR].listed);
        assert_false(v.role[ROLE_PROXY].listed);
        assert_int_equal(v.role[ROLE_ALLOCATOR].blessed, UNKNOWN);
        assert_int_equal(v.role[ROLE_ALLOCATOR].pending, UNKNOWN);
        assert_int_equal(v.role[ROLE_ALLOCATOR].effect, UNKNOWN);
}

/* Each member that the verdict needs, taken away or made of another type; and the least that is
 * enough. */
static void test_runner_required(void **state) {
        static const char *const refused[] = {
                "{}",
                "{\"runner_id\":\"r\",\"host_ip\":\"i\",\"connected\":true,\"healthy\":true}",
                "{\"runner_id\":\"r\",\"host_ip\":\"i\",\"connected\":true,\"healthy\":true,\"roles\":{}}",
                "{\"runner_id\":\"r\",\"host_ip\":\"i\",\"connected\":true,\"roles\":[]}",
                "{\"runner_id\":\"r\",\"host_ip\":\"i\",\"connected\":\"true\",\"healthy\":true,\"roles\":[]}",
                "{\"runner_id\":\"r\",\"connected\":true,\"healthy\":true,\"roles\":[]}",
                "{\"host_ip\":\"i\",\"connected\":true,\"healthy\":true,\"roles\":[]}",
                "{\"runner_id\":1,\"host_ip\":\"i\",\"connected\":true,\"healthy\":true,\"roles\":[]}",
        };
        RunnerView v = { .zone = "untouched" };

        for (size_t i = 0; i < ELEMENTS(refused); i++) {
                _cleanup_json_ json_t *object = json(refused[i]);
                assert_false(reply_read_runner(object, &v));
                assert_string_equal(v.zone, "untouched");
        }
        _cleanup_json_ json_t *least = json(RUNNER_HEAD "\"roles\":[]}");
        assert_true(reply_read_runner(least, &v));
        assert_string_equal(v.zone, "");
        assert_string_equal(v.version, "");
        assert_string_equal(v.health_detail, "");
}

#define ROLE(automatic)                                                                                      \
        "{\"id\":\"allocator\",\"role\":{\"value\":{\"auto_blessed\":" automatic ",\"containers\":[]}}"
#define BLESSED(id, value)                                                                                   \
        ",\"blessings\":{\"value\":{\"runner_ids_to_blessing\":{\"" id "\":{\"value\":" value "}}}}"
#define PENDING(id, value)                                                                                   \
        ",\"pending\":{\"value\":{\"runner_ids_to_pending_state\":{\"" id "\":{\"value\":" value "}}}}"

static void test_role(void **state) {
        static const struct {
                const char *text;
                bool readable;
                Tristate blessed, pending;
        } cases[] = {
                { ROLE("false") BLESSED("r1", "true") PENDING("r1", "false") "}", true, YES, NO },
                { ROLE("false") BLESSED("r1", "false") PENDING("r1", "true") "}", true, NO, YES },
                { ROLE("false") BLESSED("r2", "true") PENDING("r2", "true") "}", true, NO,
                  NO }, /* another's */
                { ROLE("false") BLESSED("r1", "\"true\"") "}", true, UNKNOWN, UNKNOWN },
                { ROLE("true") "}", true, YES, UNKNOWN },
                { ROLE("true") BLESSED("r1", "false") "}", true, YES, UNKNOWN },
                { ROLE("false") "}", true, UNKNOWN, UNKNOWN },
                { ROLE("\"no\"") "}", false, UNKNOWN, UNKNOWN },
                { "{\"id\":\"allocator\"}", false, UNKNOWN, UNKNOWN },
        };

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                _cleanup_json_ json_t *object = json(cases[i].text);
                RoleView v = { .blessed = UNKNOWN, .pending = UNKNOWN };
                assert_int_equal(reply_read_role(object, "r1", &v), cases[i].readable);
                assert_int_equal(v.blessed, cases[i].blessed);
                assert_int_equal(v.pending, cases[i].pending);
        }
}

#define ALLOCATOR(ip, connected, maintenance)                                                                \
        "{\"allocator_id\":\"a\",\"zone_id\":\"z-" ip "\",\"host_ip\":\"" ip                                 \
        "\",\"public_hostname\":\"H." ip "\",\"status\":{\"healthy\":true,\"connected\":" connected          \
        ",\"maintenance_mode\":" maintenance "}}"

static void test_allocator(void **state) {
        RunnerView v = { 0 };
        _cleanup_json_ json_t *good = json(ALLOCATOR("192.0.2.7", "true", "true"));
        _cleanup_json_ json_t *lost = json(ALLOCATOR("192.0.2.7", "false", "false"));
        _cleanup_json_ json_t *bare = json("{\"allocator_id\":\"a\",\"status\":{\"healthy\":true}}");

        assert_true(reply_read_allocator(good, &v));
        assert_int_equal(v.role[ROLE_ALLOCATOR].effect, YES);
        assert_true(v.role[ROLE_ALLOCATOR].maintenance);
        assert_string_equal(v.allocator_zone, "z-192.0.2.7");
        /* "healthy" all the same: the trap of this interface */
        assert_true(reply_read_allocator(lost, &v));
        assert_int_equal(v.role[ROLE_ALLOCATOR].effect, NO);
        assert_false(v.role[ROLE_ALLOCATOR].maintenance);
        assert_string_equal(v.role[ROLE_ALLOCATOR].effect_detail, "the allocator is not connected");
        assert_false(reply_read_allocator(bare, &v));
}

static void test_find_allocator(void **state) {
        _cleanup_json_ json_t *list = json("{\"zones\":[{\"zone_id\":\"1\",\"allocators\":[" ALLOCATOR(
                "192.0.2.1", "true", "false") "]},7,{\"zone_id\":\"2\",\"allocators\":["
                ALLOCATOR("192.0.2.2", "true", "false") "," ALLOCATOR("2001:db8::1", "true", "false") "]}]}");
        static const struct {
                const char *ip, *name, *zone; /* NULL: not there */
        } cases[] = {
                { "192.0.2.2", "", "z-192.0.2.2" },
                { "192.0.2.22", "", NULL },
                { "192.0.2.22", "h.192.0.2.1", "z-192.0.2.1" },
                { "2001:DB8:0::1", "", "z-2001:db8::1" },
                { "", "", NULL },
        };

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                RunnerView v = { 0 };
                assert_int_equal(reply_find_allocator(list, cases[i].ip, cases[i].name, &v),
                                 cases[i].zone != NULL);
                assert_string_equal(v.allocator_zone, cases[i].zone ? cases[i].zone : "");
        }
        _cleanup_json_ json_t *empty = json("{}");
        RunnerView v;
        assert_false(reply_find_allocator(empty, "192.0.2.2", "h", &v));
}

static void test_proxies(void **state) {
        static const struct {
                const char *text;
                bool readable;
                Tristate effect;
        } cases[] = {
                { "{\"proxies\":[{\"runner_id\":\"r0\",\"healthy\":true},{\"runner_id\":\"r1\",\"healthy\":"
                  "true}]}",
                  true, YES },
                { "{\"proxies\":[{\"runner_id\":\"r1\",\"healthy\":false}]}", true, NO },
                { "{\"proxies\":[{\"runner_id\":\"r1\",\"healthy\":false},{\"runner_id\":\"r1\",\"healthy\":"
                  "true}]}",
                  true, YES },
                { "{\"proxies\":[{\"host_ip\":\"192.0.2.7\",\"healthy\":true}]}", true, YES },
                { "{\"proxies\":[{\"runner_id\":\"r2\",\"host_ip\":\"192.0.2.7\",\"healthy\":true}]}", true,
                  NO },
                { "{\"proxies\":[{\"runner_id\":\"r1\"},9]}", true, NO },
                { "{\"proxies\":[]}", true, NO },
                { "{}", false, UNKNOWN },
        };

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                _cleanup_json_ json_t *object = json(cases[i].text);
                RoleView v = { .effect = UNKNOWN };
                assert_int_equal(reply_read_proxies(object, "r1", "192.0.2.7", &v), cases[i].readable);
                assert_int_equal(v.effect, cases[i].effect);
                assert_int_equal(v.effect_detail[0] != '\0', v.effect == NO);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_platform),
                cmocka_unit_test(test_runner),
                cmocka_unit_test(test_runner_required),
                cmocka_unit_test(test_role),
                cmocka_unit_test(test_allocator),
                cmocka_unit_test(test_find_allocator),
                cmocka_unit_test(test_proxies),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
