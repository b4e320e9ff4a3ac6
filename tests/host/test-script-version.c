/* SPDX-License-Identifier: Apache-2.0 */

/* The version line of a script: found in every plain form, and in nothing else. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "host/host-facts.h"

#define V "CLOUD_ENTERPRISE_VERSION"

static const struct {
        const char *text;
        const char *version; /* NULL: not found */
} scripts[] = {
        { V "=4.0.3\n", "4.0.3" },
        { V "=4.0.3", "4.0.3" },
        { "#!/bin/bash\n\n" V "=4.0.3\nexit\n", "4.0.3" },
        { "  \t" V "=4.0.3\n", "4.0.3" },
        { V "=\"4.0.3\"\n", "4.0.3" },
        { V "='4.0.3'\n", "4.0.3" },
        { V "=4.0.3-SNAPSHOT\n", "4.0.3-SNAPSHOT" },
        { V "=4.0.3  # the version\n", "4.0.3" },
        { V "=4.0.3;\n", "4.0.3" },
        { V "=4.0.3; readonly " V "\n", "4.0.3" },
        { "readonly " V "=4.0.3\n", "4.0.3" },
        { "declare -r " V "=4.0.3\n", "4.0.3" },
        { "declare -r -x " V "=\"4.0.3\"\n", "4.0.3" },
        { "export\t" V "=4.0.3\n", "4.0.3" },
        { "    local " V "=4.0.3\n", "4.0.3" },
        { V "=${" V ":-4.0.3}\n", "4.0.3" },
        { V "=\"${" V ":-4.0.3}\"\n", "4.0.3" },
        { V "=${" V "-4.0.3}\n", "4.0.3" },
        { V "=${" V ":-\"4.0.3\"}\n", "4.0.3" },
        { "readonly " V "=\"${" V ":-4.0.3}\" # default\n", "4.0.3" },
        { V "=$2\n" V "=4.0.3\n", "4.0.3" }, /* an option's value is passed by */
        { V "=\"\"\n" V "=4.0.3\n", "4.0.3" },
        { V "=4.0.3\n" V "=3.9.0\n", "4.0.3" }, /* the first counts */

        { "", NULL },
        { "\n\n\n", NULL },
        { V, NULL },
        { V "=", NULL },
        { V "=\n4.0.3\n", NULL },
        { V " = 4.0.3\n", NULL },
        { "# " V "=4.0.3\n", NULL },
        { "#" V "=4.0.3\n", NULL },
        { "echo " V "=4.0.3\n", NULL },
        { "MY_" V "=4.0.3\n", NULL },
        { V "_OLD=4.0.3\n", NULL },
        { V "+=4.0.3\n", NULL },
        { V "=4.0\n", NULL },
        { V "=4.0.3 rm -rf\n", NULL }, /* the environment of another command */
        { V "=4.0.3#x\n", NULL },
        { V "=4.0.3$(id)\n", NULL },
        { V "=`id`\n", NULL },
        { V "=\"4.0.3\n", NULL },
        { V "=4.0.3\"\n", NULL },
        { V "=\"4.0.3'\n", NULL },
        { V "='${" V ":-4.0.3}'\n", NULL }, /* in single quotes it is no default */
        { V "=${OTHER:-4.0.3}\n", NULL },
        { V "=${" V ":-4.0.3\n", NULL },
        { V "=${" V ":+4.0.3}\n", NULL },
        { V "=\"${" V ":-4.0.3}\n", NULL },
        { V "=4.0.3\r\n", NULL },
        { "readonly" V "=4.0.3\n", NULL },
        { V "=4.0.3-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n", NULL },
};

/* The text is given without a byte behind it, so that reading past its end is seen. */
static int find(const char *text, size_t n, char version[static 64]) {
        char *exact = malloc(n > 0 ? n : 1);
        int r;

        assert_non_null(exact);
        (void) memcpy(exact, text, n);
        r = script_version_find(exact, n, version);
        free(exact);
        return r;
}

static void test_scripts(void **state) {
        for (size_t i = 0; i < ELEMENTS(scripts); i++) {
                char version[64] = "untouched";

                print_message("# %zu\n", i);
                if (scripts[i].version) {
                        assert_int_equal(find(scripts[i].text, strlen(scripts[i].text), version),
                                         0);
                        assert_string_equal(version, scripts[i].version);
                } else {
                        assert_int_equal(find(scripts[i].text, strlen(scripts[i].text), version),
                                         -ENOENT);
                        assert_string_equal(version, "untouched");
                }
        }
}

static void test_nul_bytes(void **state) {
        static const char inside[] = V "=4.0\0.3\n", before[] = "\0\0\n" V "=4.0.3\n";
        char version[64] = "";

        assert_int_equal(find(inside, sizeof(inside) - 1, version), -ENOENT);
        assert_int_equal(find(before, sizeof(before) - 1, version), 0);
        assert_string_equal(version, "4.0.3");
}

static void test_every_cut(void **state) {
        static const char text[] = "x\nreadonly " V "=\"${" V ":-4.0.3}\" # end\n";
        char version[64];

        for (size_t n = 0; n < sizeof(text); n++)
                (void) find(text, n, version);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_scripts),
                cmocka_unit_test(test_nul_bytes),
                cmocka_unit_test(test_every_cut),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
