/* SPDX-License-Identifier: Apache-2.0 */

/* The verdict: a perfect view of an allocator and proxy, broken in one place at a time, must
 * lose its enrollment for exactly that reason; and what a platform can't show must not cost it. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "model/verdict.h"
#include "plan-fixture.h"

static void set_text(char *dst, size_t size, const char *text) {
        assert_true((size_t) snprintf(dst, size, "%s", text) < size);
}

static RunnerView perfect_view(void) {
        RunnerView view = {
                .found = true,
                .runner_id = "192.0.2.7",
                .connected = true,
                .healthy = true,
                .host_ip = "192.0.2.7",
                .public_hostname = "host.example.com",
                .zone = "ece-zone-1b",
                .version = "4.0.3",
                .listed_roles = (RoleSet) (role_bit(ROLE_ALLOCATOR) | role_bit(ROLE_PROXY)),
                .role = {
                        [ROLE_ALLOCATOR] = { .listed = true, .blessed = YES, .pending = NO, .effect = YES },
                        [ROLE_PROXY] = { .listed = true, .blessed = YES, .pending = NO, .effect = YES },
                },
                .allocator_zone = "ece-zone-1b",
        };

        return view;
}

static Spec zoned_spec(void) {
        Spec spec = fixture_spec();

        spec.host.availability_zone = lend("ece-zone-1b");
        return spec;
}

static void test_perfect_is_enrolled(void **state) {
        const Spec spec = zoned_spec();
        const Plan plan = fixture_plan(&spec);
        const RunnerView view = perfect_view();
        Observation o;
        Verdict verdict;

        verdict_judge(&plan, &view, &verdict);
        assert_true(verdict.enrolled);
        assert_int_equal(verdict.n, 0);
        o = verdict_observation(&verdict, plan.runner_id);
        assert_true(observation_is_none(&o));
}

/* --- One thing wrong --------------------------------------------------------------------------- */

static void lose_runner(RunnerView *v) { *v = (RunnerView) { 0 }; }
static void other_id(RunnerView *v) { set_text(v->runner_id, sizeof(v->runner_id), "192.0.2.70"); }
static void other_address(RunnerView *v) { set_text(v->host_ip, sizeof(v->host_ip), "192.0.2.70"); }
static void no_address(RunnerView *v) { v->host_ip[0] = '\0'; }
static void bad_address(RunnerView *v) { set_text(v->host_ip, sizeof(v->host_ip), "192.0.2.7 "); }
static void disconnect(RunnerView *v) { v->connected = false; }
static void sicken(RunnerView *v) {
        v->healthy = false;
        set_text(v->health_detail, sizeof(v->health_detail), "not connected to ZooKeeper");
}
static void unlist(RunnerView *v) {
        v->role[ROLE_PROXY].listed = false;
        v->listed_roles = role_bit(ROLE_ALLOCATOR);
}
static void unbless(RunnerView *v) { v->role[ROLE_ALLOCATOR].blessed = NO; }
static void forget_blessing(RunnerView *v) { v->role[ROLE_ALLOCATOR].blessed = UNKNOWN; }
static void suspend(RunnerView *v) { v->role[ROLE_PROXY].pending = YES; }
static void disable(RunnerView *v) {
        v->role[ROLE_ALLOCATOR].effect = NO;
        set_text(v->role[ROLE_ALLOCATOR].effect_detail,
                 sizeof(v->role[ROLE_ALLOCATOR].effect_detail), "the allocator is not connected");
}
static void add_role(RunnerView *v) { v->listed_roles |= role_bit(ROLE_DIRECTOR); }
static void move_runner(RunnerView *v) { set_text(v->zone, sizeof(v->zone), "ece-zone-2"); }
static void move_allocator(RunnerView *v) { set_text(v->allocator_zone, sizeof(v->allocator_zone), "ece-zone-2"); }
static void age(RunnerView *v) { set_text(v->version, sizeof(v->version), "4.0.2"); }

static const struct {
        void (*break_it)(RunnerView *v);
        const char *code;
        Role role;
        const char *says;
} breakages[] = {
        { lose_runner, "runner-not-found", _ROLE_INVALID, "no runner 192.0.2.7" },
        { other_id, "foreign-host", _ROLE_INVALID, "answered with 192.0.2.70" },
        { other_address, "foreign-host", _ROLE_INVALID, "this host is 192.0.2.7" },
        { no_address, "foreign-host", _ROLE_INVALID, "no address" },
        { bad_address, "foreign-host", _ROLE_INVALID, "192.0.2.7 " },
        { disconnect, "runner-not-connected", _ROLE_INVALID, "not connected" },
        { sicken, "runner-not-healthy", _ROLE_INVALID, "not connected to ZooKeeper" },
        { unlist, "role-missing", ROLE_PROXY, "role proxy" },
        { unbless, "role-not-blessed", ROLE_ALLOCATOR, "not blessed by the platform" },
        { forget_blessing, "role-not-blessed", ROLE_ALLOCATOR, "unknown" },
        { suspend, "role-pending", ROLE_PROXY, "role proxy" },
        { disable, "role-not-effective", ROLE_ALLOCATOR, "the allocator is not connected" },
        { add_role, "role-extra", ROLE_DIRECTOR, "role director" },
        { move_runner, "zone-differs", _ROLE_INVALID, "ece-zone-2, wanted ece-zone-1b" },
        { move_allocator, "zone-differs", ROLE_ALLOCATOR, "ece-zone-2, wanted ece-zone-1b" },
        { age, "version-differs", _ROLE_INVALID, "4.0.2" },
};

static void test_one_thing_wrong(void **state) {
        for (size_t i = 0; i < ELEMENTS(breakages); i++) {
                const Spec spec = zoned_spec();
                const Plan plan = fixture_plan(&spec);
                RunnerView view = perfect_view();
                Observation o;
                Verdict verdict;

                print_message("# %zu %s\n", i, breakages[i].code);
                breakages[i].break_it(&view);
                verdict_judge(&plan, &view, &verdict);
                assert_false(verdict.enrolled);
                assert_int_equal(verdict.n, 1);
                assert_string_equal(difference_kind_to_string(verdict.items[0].kind),
                                    breakages[i].code);
                assert_int_equal(verdict.items[0].role, breakages[i].role);
                assert_non_null(strstr(verdict.items[0].text, breakages[i].says));

                o = verdict_observation(&verdict, plan.runner_id);
                assert_int_equal(o.origin, ORIGIN_VERIFY);
                assert_string_equal(o.code, breakages[i].code);
                assert_string_equal(o.where, "192.0.2.7");
                assert_string_equal(o.detail, verdict.items[0].text);
        }
}

/* --- Nothing wrong ----------------------------------------------------------------------------- */

static void say_less(RunnerView *v) {
        v->zone[0] = v->version[0] = v->allocator_zone[0] = v->public_hostname[0] =
                v->runner_id[0] = '\0';
}
static void cannot_show_effect(RunnerView *v) {
        v->role[ROLE_ALLOCATOR].effect = v->role[ROLE_PROXY].effect = UNKNOWN;
        v->role[ROLE_ALLOCATOR].pending = v->role[ROLE_PROXY].pending = UNKNOWN;
}
static void map_address(RunnerView *v) { set_text(v->host_ip, sizeof(v->host_ip), "::ffff:192.0.2.7"); }
static void odd_views_of_unwanted(RunnerView *v) {
        v->role[ROLE_DIRECTOR] = (RoleView) { .blessed = NO, .pending = YES, .effect = NO };
}

static void test_nothing_wrong(void **state) {
        static void (*const variations[])(RunnerView *v) = {
                say_less, cannot_show_effect, map_address, odd_views_of_unwanted,
        };

        for (size_t i = 0; i < ELEMENTS(variations); i++) {
                const Spec spec = zoned_spec();
                const Plan plan = fixture_plan(&spec);
                RunnerView view = perfect_view();
                Verdict verdict;

                print_message("# %zu\n", i);
                variations[i](&view);
                verdict_judge(&plan, &view, &verdict);
                assert_true(verdict.enrolled);
                assert_int_equal(verdict.n, 0);
        }
}

static void test_an_unnamed_zone_is_any(void **state) {
        const Spec spec = fixture_spec();
        Plan plan = fixture_plan(&spec);
        const RunnerView view = perfect_view();
        Verdict verdict;

        plan.version[0] = '\0';
        verdict_judge(&plan, &view, &verdict);
        assert_true(verdict.enrolled);
}

static void test_ipv6_addresses_compare_as_addresses(void **state) {
        const Spec spec = zoned_spec();
        Plan plan = fixture_plan(&spec);
        RunnerView view = perfect_view();
        Verdict verdict;

        set_text(plan.host_ip, sizeof(plan.host_ip), "2001:db8::7");
        set_text(view.host_ip, sizeof(view.host_ip), "2001:0DB8:0:0::0007");
        verdict_judge(&plan, &view, &verdict);
        assert_true(verdict.enrolled);
}

/* Maintenance is somebody's decision, not a failure to join: told, and enrolled all the same. */
static void test_maintenance_is_a_warning(void **state) {
        const Spec spec = zoned_spec();
        const Plan plan = fixture_plan(&spec);
        RunnerView view = perfect_view();
        Observation o;
        Verdict verdict;

        view.role[ROLE_ALLOCATOR].maintenance = true;
        verdict_judge(&plan, &view, &verdict);
        assert_true(verdict.enrolled);
        assert_int_equal(verdict.n, 1);
        assert_int_equal(verdict.items[0].kind, DIFFERENCE_MAINTENANCE);
        o = verdict_observation(&verdict, plan.runner_id);
        assert_true(observation_is_none(&o));
}

/* A host without roles is whole without roles. */
static void test_no_roles_wanted(void **state) {
        const Spec spec = zoned_spec();
        Plan plan = fixture_plan(&spec);
        RunnerView view = perfect_view();
        Verdict verdict;

        plan.roles = view.listed_roles = 0;
        (void) memset(view.role, 0, sizeof(view.role));
        verdict_judge(&plan, &view, &verdict);
        assert_true(verdict.enrolled);
}

/* --- Everything wrong -------------------------------------------------------------------------- */

static void test_everything_wrong_in_order_of_weight(void **state) {
        const Spec spec = zoned_spec();
        Plan plan = fixture_plan(&spec);
        RunnerView view = {
                .found = true,
                .runner_id = "x",
                .zone = "z",
                .version = "1.0.0",
                .allocator_zone = "z",
                .role = {
                        [ROLE_ALLOCATOR] = { .listed = true, .blessed = YES, .pending = YES, .maintenance = true },
                        [ROLE_COORDINATOR] = { .listed = true, .blessed = NO },
                        [ROLE_DIRECTOR] = { .listed = true, .blessed = YES, .effect = NO },
                },
        };
        Observation o;
        Verdict verdict;

        plan.roles = 0xf;
        verdict_judge(&plan, &view, &verdict);
        assert_int_equal(verdict.n, 7); /* nobody has asked for the roles of one that is not connected */
        view.connected = true;
        verdict_judge(&plan, &view, &verdict);
        assert_false(verdict.enrolled);
        assert_int_equal(verdict.n, 10);
        for (size_t i = 1; i < verdict.n; i++)
                assert_true(verdict.items[i - 1].kind <= verdict.items[i].kind);
        o = verdict_observation(&verdict, plan.runner_id);
        assert_string_equal(o.code, "foreign-host");
        assert_true(strlen(o.detail) > strlen(verdict.items[0].text));
}

/* The platform's text reaches a terminal: as text. */
static void test_texts_are_printable(void **state) {
        const Spec spec = zoned_spec();
        const Plan plan = fixture_plan(&spec);
        RunnerView view = perfect_view();
        Verdict verdict;

        set_text(view.zone, sizeof(view.zone), "\033[2Jece\nzone");
        verdict_judge(&plan, &view, &verdict);
        assert_int_equal(verdict.n, 1);
        for (const char *c = verdict.items[0].text; *c; c++)
                assert_true(*c >= ' ' && *c <= '~');
}

static void test_words(void **state) {
        for (DifferenceKind a = 0; a < _DIFFERENCE_MAX; a++) {
                assert_non_null(difference_kind_to_string(a));
                for (DifferenceKind b = 0; b < a; b++)
                        assert_string_not_equal(difference_kind_to_string(a),
                                                difference_kind_to_string(b));
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_perfect_is_enrolled),
                cmocka_unit_test(test_one_thing_wrong),
                cmocka_unit_test(test_nothing_wrong),
                cmocka_unit_test(test_an_unnamed_zone_is_any),
                cmocka_unit_test(test_ipv6_addresses_compare_as_addresses),
                cmocka_unit_test(test_maintenance_is_a_warning),
                cmocka_unit_test(test_no_roles_wanted),
                cmocka_unit_test(test_everything_wrong_in_order_of_weight),
                cmocka_unit_test(test_texts_are_printable),
                cmocka_unit_test(test_words),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
