/* SPDX-License-Identifier: Apache-2.0 */

/* The verdict by what runs on this host: an allocator and proxy as they should be, changed in one place at a time. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "model/local-view.h"
#include "plan-fixture.h"

#define R LOCAL_RUNNING
#define S LOCAL_STOPPED
#define NONE LOCAL_ABSENT

static const LocalView as_planned = {
        .state = { [LOCAL_RUNNER] = R, [LOCAL_ALLOCATOR] = R, [LOCAL_PROXY] = R, [LOCAL_ROUTE_SERVER] = R },
        .version = "4.0.3",
};

static const struct {
        const char *why;
        LocalPart part;
        LocalState state;
        const char *version;
        const char *code; /* NULL: enrolled */
        const char *text; /* a part of the first difference */
} changes[] = {
        { "nothing", LOCAL_RUNNER, R, "4.0.3", NULL, NULL },
        { "no runner", LOCAL_RUNNER, NONE, "", "local-runner", "no container frc-runners-runner" },
        { "the runner is down", LOCAL_RUNNER, S, "4.0.3", "local-runner", "does not run" },
        { "the allocator is missing", LOCAL_ALLOCATOR, NONE, "4.0.3", "local-role", "role allocator" },
        { "the allocator is down", LOCAL_ALLOCATOR, S, "4.0.3", "local-role", "frc-allocators-allocator" },
        { "the proxy is missing", LOCAL_PROXY, NONE, "4.0.3", "local-role", "role proxy" },
        { "a part of the proxy is down", LOCAL_ROUTE_SERVER, S, "4.0.3", "local-role", "frc-proxies-route-server" },
        { "a release without that part", LOCAL_ROUTE_SERVER, NONE, "4.0.3", NULL, NULL },
        { "a director nobody wants", LOCAL_DIRECTOR, R, "4.0.3", "role-extra", "role director" },
        { "what is left of one", LOCAL_DIRECTOR, S, "4.0.3", NULL, NULL },
        { "ZooKeeper alone makes no director", LOCAL_ZOOKEEPER, R, "4.0.3", NULL, NULL },
        { "another version", LOCAL_RUNNER, R, "3.8.0", "version-differs", "3.8.0, wanted 4.0.3" },
        { "an image without a version", LOCAL_RUNNER, R, "", NULL, NULL },
};

static Plan plan_of(const Spec *spec) {
        Plan plan = fixture_plan(spec);

        plan.roles = (RoleSet) (role_bit(ROLE_ALLOCATOR) | role_bit(ROLE_PROXY));
        return plan;
}

static void test_one_change_at_a_time(void **state) {
        const Spec spec = fixture_spec();
        const Plan plan = plan_of(&spec);

        for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
                LocalView view = as_planned;
                Verdict verdict;

                print_message("# %s\n", changes[i].why);
                view.state[changes[i].part] = changes[i].state;
                (void) snprintf(view.version, sizeof(view.version), "%s", changes[i].version);
                local_view_judge(&plan, &view, &verdict);
                assert_int_equal(verdict.enrolled, changes[i].code == NULL);
                if (!changes[i].code)
                        continue;
                assert_string_equal(difference_kind_to_string(verdict.items[0].kind), changes[i].code);
                assert_non_null(strstr(verdict.items[0].text, changes[i].text));
        }
}

/* What is missing weighs more than what is too much, wherever it stands in the table. */
static void test_order_of_weight(void **state) {
        const Spec spec = fixture_spec();
        const Plan plan = plan_of(&spec);
        LocalView view = as_planned;
        Verdict verdict;

        view.state[LOCAL_COORDINATOR] = R;
        view.state[LOCAL_PROXY] = NONE;
        local_view_judge(&plan, &view, &verdict);
        assert_int_equal(verdict.n, 2);
        assert_int_equal(verdict.items[0].kind, DIFFERENCE_LOCAL_ROLE);
        assert_int_equal(verdict.items[1].kind, DIFFERENCE_ROLE_EXTRA);
}

static void test_unknown_version_is_no_objection(void **state) {
        const Spec spec = fixture_spec();
        Plan plan = plan_of(&spec);
        Verdict verdict;

        plan.version[0] = '\0';
        local_view_judge(&plan, &as_planned, &verdict);
        assert_true(verdict.enrolled);
}

/* Every difference at once has its place. */
static void test_the_worst_host(void **state) {
        const Spec spec = fixture_spec();
        Plan plan = plan_of(&spec);
        LocalView view = { .version = "1.0.0" };
        Verdict verdict;

        for (unsigned roles = 0; roles <= 0x0f; roles++)
                for (LocalState s = 0; s < _LOCAL_STATE_MAX; s++) {
                        plan.roles = (RoleSet) roles;
                        for (LocalPart part = 0; part < _LOCAL_PART_MAX; part++)
                                view.state[part] = s;
                        local_view_judge(&plan, &view, &verdict);
                        assert_in_range(verdict.n, 0, DIFFERENCES_MAX);
                        assert_false(verdict.enrolled); /* the version, if nothing else */
                }
}

static void test_words(void **state) {
        for (LocalState s = 0; s < _LOCAL_STATE_MAX; s++)
                assert_int_equal(local_state_from_string(local_state_to_string(s)), s);
        assert_int_equal(local_state_from_string("paused"), _LOCAL_STATE_INVALID);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_one_change_at_a_time),
                cmocka_unit_test(test_order_of_weight),
                cmocka_unit_test(test_unknown_version_is_no_objection),
                cmocka_unit_test(test_the_worst_host),
                cmocka_unit_test(test_words),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
