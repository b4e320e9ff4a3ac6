/* SPDX-License-Identifier: Apache-2.0 */

/* Which host is another one, and for want of what nobody is called so. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "model/host-identity.h"

static const struct {
        HostIdentity then, now;
        const char *difference;
} rows[] = {
        { { "m", "u", "a,b" }, { "m", "u", "a,b" }, NULL },
        { { "m", "u", "a,b" }, { "n", "u", "a,b" }, "its machine-id is another one" },
        { { "m", "u", "a,b" }, { "m", "v", "a,b" }, "its DMI product UUID is another one" },
        /* The UUID is the same: all cards were replaced. */
        { { "m", "u", "a,b" }, { "m", "u", "c" }, NULL },
        /* Nobody could read one of the UUIDs. */
        { { "m", "u", "a,b" }, { "m", "", "a,b" }, NULL },
        { { "m", "", "a,b" }, { "m", "v", "b,c" }, NULL },
        { { "m", "", "a,b" }, { "m", "", "b" }, NULL },
        { { "m", "", "a,b" }, { "m", "", "c,d" }, "none of its network cards is the same" },
        { { "m", "u", "ab" }, { "m", "", "a,b" }, "none of its network cards is the same" },
        { { "m", "u", "a" }, { "m", "", "ab,aa" }, "none of its network cards is the same" },
        /* What is not known proves nothing. */
        { { "", "", "" }, { "m", "u", "a" }, NULL },
        { { "m", "u", "a" }, { "", "", "" }, NULL },
        { { "", "", "a" }, { "m", "", "" }, NULL },
        { { "m", "", "" }, { "m", "", "a" }, NULL },
        { { "m", "", ",," }, { "m", "", "," }, "none of its network cards is the same" },
};

static void each_row(void **state) {
        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                const char *seen = host_identity_difference(&rows[i].then, &rows[i].now);

                print_message("# %zu\n", i);
                if (rows[i].difference)
                        assert_string_equal(seen, rows[i].difference);
                else
                        assert_null(seen);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(each_row),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
