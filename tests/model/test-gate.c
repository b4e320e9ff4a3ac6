/* SPDX-License-Identifier: Apache-2.0 */

/* A gate is shut exactly when something was seen; a list holds each name once, in the order in which they came. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/cleanup.h"
#include "model/gate.h"

static void test_words(void **state) {
        for (GateState s = 0; s < _GATE_STATE_MAX; s++)
                assert_int_equal(gate_state_from_string(gate_state_to_string(s)), s);
        assert_int_equal(gate_state_from_string("ajar"), _GATE_STATE_INVALID);
}

static void test_judging(void **state) {
        const Observation busy = observe(ORIGIN_HOST, 0, "ports", NULL, "busy");
        Gate gate = gate_named("ports");

        assert_int_equal(gate.state, GATE_UNTRIED);
        gate_judge(&gate, &busy);
        assert_int_equal(gate.state, GATE_SHUT);
        assert_string_equal(gate.seen.detail, "busy");
        gate_judge(&gate, &OBSERVATION_NONE);
        assert_int_equal(gate.state, GATE_OPEN);
        gate_judge(&gate, &busy);
        gate_leave_untried(&gate, "nobody can tell");
        assert_int_equal(gate.state, GATE_UNTRIED);
        assert_true(observation_is_none(&gate.seen));
        assert_string_equal(gate.found, "nobody can tell");
}

static void test_found_is_printable(void **state) {
        char text[2 * GATE_FOUND_SIZE];
        Gate gate = gate_named("script");

        gate_found(&gate, "%s", "a\x1b[2Jb");
        assert_null(strchr(gate.found, '\x1b'));
        (void) memset(text, 'x', sizeof(text) - 1);
        text[sizeof(text) - 1] = '\0';
        gate_found(&gate, "%s", text);
        assert_int_equal(strlen(gate.found), GATE_FOUND_SIZE - 1);
}

static void test_list(void **state) {
        const Observation busy = observe(ORIGIN_HOST, 0, "ports", NULL, "busy");
        Gate user = gate_named("user"), ports = gate_named("ports");
        Gates gates = { 0 };

        assert_null(gates_first_shut(&gates));
        (void) gates_put(&gates, &user);
        gate_judge(&ports, &busy);
        assert_ptr_equal(gates_put(&gates, &ports), &gates.items[1]);
        assert_string_equal(gates_first_shut(&gates)->name, "ports");
        gate_judge(&ports, &OBSERVATION_NONE);
        assert_ptr_equal(gates_put(&gates, &ports), &gates.items[1]);
        assert_int_equal(gates.n, 2);
        assert_null(gates_first_shut(&gates));
        assert_null(gates_find(&gates, "moat"));
        assert_int_equal(gates_find(&gates, "ports")->state, GATE_OPEN);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_words),
                cmocka_unit_test(test_judging),
                cmocka_unit_test(test_found_is_printable),
                cmocka_unit_test(test_list),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
