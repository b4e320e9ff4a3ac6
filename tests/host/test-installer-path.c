/* SPDX-License-Identifier: Apache-2.0 */

/* PATH for the installer, and programs found in it. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "base/cleanup.h"
#include "host/gates.h"
#include "model/allow-list.h"
#include "scratch.h"

#define SYSTEM "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static const struct {
        const char *given, *made;
} paths[] = {
        { NULL, SYSTEM },
        { "", SYSTEM },
        { ":::", SYSTEM },
        { "/opt/docker/bin", "/opt/docker/bin:" SYSTEM },
        { "/bin:/usr/bin", "/bin:/usr/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/sbin" },
        { "/a:/b:/a", "/a:/b:" SYSTEM },
        { ".:bin:./x:/a", "/a:" SYSTEM },
        { "/a b:/a'b:/a$b:/a;b:/c", "/c:" SYSTEM },
        { "/a/../b:/a//b:/", SYSTEM },
        { "/usr/bi", "/usr/bi:" SYSTEM }, /* the beginning of another is not the other */
};

static void test_path_make(void **state) {
        for (size_t i = 0; i < ELEMENTS(paths); i++) {
                _cleanup_free_ char *made = installer_path_make(paths[i].given);

                assert_non_null(made);
                assert_string_equal(made, paths[i].made);
                assert_int_equal(allow_list_check(VALUE_PLAIN, made, NULL), 0);
        }
}

/* However long the inherited one is: the installer gets one that passes, with the system's
 * directories in it. */
static void test_path_is_bounded(void **state) {
        _cleanup_free_ char *made = NULL;
        static char given[20000];
        size_t n = 0;

        for (unsigned i = 0; n + 16 < sizeof(given); i++)
                n += (size_t) snprintf(given + n, sizeof(given) - n, "/dir%u:", i);
        made = installer_path_make(given);
        assert_non_null(made);
        assert_int_equal(allow_list_check(VALUE_PLAIN, made, NULL), 0);
        assert_non_null(strstr(made, ":" SYSTEM));
}

static void test_path_find(void **state) {
        const Scratch *s = *state;
        char path[512], found[SCRATCH_PATH_SIZE];
        char *first = scratch_directory(s, "first", 0755),
             *second = scratch_directory(s, "second", 0755);

        (void) scratch_file(s, "first/docker", 0644, ""); /* not executable */
        (void) scratch_directory(s, "first/podman-remote", 0755);
        (void) scratch_file(s, "second/docker", 0755, "");
        (void) snprintf(path, sizeof(path), ":.:relative:/nonexistent:%s:%s", first, second);

        assert_int_equal(path_find(path, "docker", found, sizeof(found)), 0);
        assert_string_equal(found, scratch_path(s, "second/docker"));
        assert_int_equal(path_find(path, "podman-remote", found, sizeof(found)), -ENOENT);
        assert_int_equal(path_find("", "docker", found, sizeof(found)), -ENOENT);
        assert_int_equal(path_find(path, "docker", found, 8), -ENOENT);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_path_make),
                cmocka_unit_test(test_path_is_bounded),
                cmocka_unit_test_setup_teardown(test_path_find, scratch_setup, scratch_teardown),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
