/* SPDX-License-Identifier: Apache-2.0 */

/* The install user's rights, as that user and, when the tests run as root, seen from there. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "base/cleanup.h"
#include "host/access.h"
#include "scratch.h"
#include "../skip.h"

#define OTHER_ID 54321

static HostFacts facts_of(uid_t uid, gid_t gid) {
        return (HostFacts) {
                .user_known = true,
                .user_name = "no-such-user-here",
                .uid = uid,
                .gid = gid,
        };
}

static void test_as_oneself(void **state) {
        const Scratch *s = *state;
        const HostFacts facts = facts_of(geteuid(), getegid());
        char *directory = scratch_directory(s, "d", 0700);

        assert_true(access_is_known(&facts));
        assert_int_equal(access_for_user(&facts, directory, R_OK | W_OK | X_OK), 0);
        assert_int_equal(access_for_user(&facts, scratch_path(s, "absent"), R_OK), -ENOENT);
        assert_int_equal(access_for_user(&facts, scratch_file(s, "f", 0600, "x"), X_OK), -EACCES);
        if (geteuid() != 0) {
                assert_int_equal(chmod(directory, 0500), 0);
                assert_int_equal(access_for_user(&facts, directory, W_OK), -EACCES);
        }
}

static const struct {
        uid_t uid;
        gid_t gid;
        mode_t mode;
        int wanted, answer;
} seen_by_root[] = {
        { OTHER_ID, OTHER_ID, 0700, R_OK | W_OK | X_OK, 0 },       /* owner */
        { OTHER_ID, OTHER_ID, 0500, W_OK, -EACCES },
        { OTHER_ID, 0, 0077, R_OK, -EACCES },                      /* the owner's bits alone count */
        { 0, OTHER_ID, 0070, R_OK | W_OK | X_OK, 0 },              /* group */
        { 0, OTHER_ID, 0707, R_OK, -EACCES },
        { 0, 0, 0770, R_OK, -EACCES },                             /* others */
        { 0, 0, 0007, R_OK | W_OK | X_OK, 0 },
        { 0, 0, 0004, W_OK, -EACCES },
};

static void test_as_root_about_somebody(void **state) {
        const Scratch *s = *state;
        const HostFacts facts = facts_of(OTHER_ID, OTHER_ID);
        char *path = scratch_file(s, "f", 0600, "x");

        if (geteuid() != 0) {
                assert_false(access_is_known(&facts));
                skip_for_want_of("root");
        }
        assert_true(access_is_known(&facts));
        for (size_t i = 0; i < ELEMENTS(seen_by_root); i++) {
                print_message("# %zu\n", i);
                assert_int_equal(chown(path, seen_by_root[i].uid, seen_by_root[i].gid), 0);
                assert_int_equal(chmod(path, seen_by_root[i].mode), 0);
                assert_int_equal(access_for_user(&facts, path, seen_by_root[i].wanted),
                                 seen_by_root[i].answer);
        }
        assert_int_equal(access_for_user(&facts, scratch_path(s, "absent"), R_OK), -ENOENT);
}

/* Of a user that does not exist nothing is known, but whether the thing is there. */
static void test_about_nobody(void **state) {
        const Scratch *s = *state;
        const HostFacts facts = { .user_known = false };

        assert_false(access_is_known(&facts));
        assert_int_equal(access_for_user(&facts, scratch_file(s, "f", 0, ""), R_OK | W_OK), 0);
        assert_int_equal(access_for_user(&facts, scratch_path(s, "absent"), R_OK), -ENOENT);
}

static void test_sockets(void **state) {
        const Scratch *s = *state;
        _cleanup_close_ int listening = -1, bound = -1;
        char longest[200];

        listening = scratch_socket(s, "listening", 1);
        bound = scratch_socket(s, "bound", 0);
        /* More probes than the queue has places: a full one is an answer, too, and nobody waits. */
        for (size_t i = 0; i < 8; i++)
                assert_int_equal(unix_socket_probe(scratch_path(s, "listening")), 0);
        assert_int_equal(unix_socket_probe(scratch_path(s, "bound")), -ECONNREFUSED);
        assert_int_equal(unix_socket_probe(scratch_path(s, "absent")), -ENOENT);
        (void) memset(longest, 'x', sizeof(longest) - 1);
        longest[sizeof(longest) - 1] = '\0';
        assert_int_equal(unix_socket_probe(longest), -ENAMETOOLONG);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_as_oneself, scratch_setup, scratch_teardown),
                cmocka_unit_test_setup_teardown(test_as_root_about_somebody, scratch_setup,
                                                scratch_teardown),
                cmocka_unit_test_setup_teardown(test_about_nobody, scratch_setup, scratch_teardown),
                cmocka_unit_test_setup_teardown(test_sockets, scratch_setup, scratch_teardown),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
