/* SPDX-License-Identifier: Apache-2.0 */

/* Whatever the machine has or lacks: 32 hex digits, the same ones each time. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "host/host-facts.h"

static void test_machine_id(void **state) {
        char id[MACHINE_ID_SIZE], again[MACHINE_ID_SIZE];

        host_machine_id(id);
        host_machine_id(again);
        assert_int_equal(strlen(id), 32);
        assert_int_equal(strspn(id, "0123456789abcdef"), 32);
        assert_string_equal(id, again);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_machine_id),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
