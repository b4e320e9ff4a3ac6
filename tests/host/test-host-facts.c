/* SPDX-License-Identifier: Apache-2.0 */

/* Facts are gathered as they are; what is not there stays empty, what is odd neither hangs nor
 * fails. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pwd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "host/host-facts.h"
#include "scratch.h"
#include "../skip.h"

#define SCRIPT "#!/bin/bash\nCLOUD_ENTERPRISE_VERSION=4.0.3\n"

static HostFacts gather(const Spec *spec) {
        HostFacts facts;

        (void) memset(&facts, 0xaa, sizeof(facts)); /* every field is written */
        assert_int_equal(host_facts_gather(spec, &facts), 0);
        return facts;
}

static void test_everything_there(void **state) {
        const Scratch *s = *state;
        const struct passwd *me = getpwuid(geteuid());
        char sha256[SHA256_HEX_SIZE], *name;
        _cleanup_close_ int fd = -1;
        Spec spec = { 0 };
        HostFacts facts;

        if (!me)
                skip_for_want_of("a name for our uid"); /* there is none in some containers */
        name = strdup(me->pw_name);
        assert_non_null(name);
        fd = scratch_socket(s, "socket", 1);
        spec.installer.user = name;
        spec.installer.script = scratch_file(s, "script", 0755, SCRIPT);
        spec.installer.engine_socket = scratch_path(s, "socket");
        spec.installer.storage_path = scratch_directory(s, "storage", 0700);

        facts = gather(&spec);
        assert_int_equal(bytes_sha256(SCRIPT, strlen(SCRIPT), sha256), 0);
        assert_string_equal(facts.script_sha256, sha256);
        assert_string_equal(facts.script_version, "4.0.3");
        assert_true(facts.script_executable);
        assert_true(facts.user_known);
        assert_string_equal(facts.user_name, name);
        assert_int_equal(facts.uid, geteuid());
        assert_true(facts.home[0] == '/');
        assert_true(facts.engine_socket_present);
        assert_true(facts.storage_present);
        free(name);
}

static void assert_no_script(const HostFacts *facts) {
        assert_string_equal(facts->script_sha256, "");
        assert_string_equal(facts->script_version, "");
        assert_false(facts->script_executable);
}

static void test_nothing_there(void **state) {
        const Scratch *s = *state;
        Spec spec = { 0 };
        HostFacts facts;

        spec.installer.user = scratch_path(s, "no user is called so");
        spec.installer.script = scratch_path(s, "a");
        spec.installer.engine_socket = scratch_path(s, "b");
        spec.installer.storage_path = scratch_path(s, "c");
        facts = gather(&spec);
        assert_no_script(&facts);
        assert_false(facts.user_known);
        assert_string_equal(facts.user_name, "");
        assert_string_equal(facts.home, "");
        assert_false(facts.engine_socket_present);
        assert_false(facts.storage_present);

        spec = (Spec) { 0 };
        facts = gather(&spec);
        assert_no_script(&facts);
        assert_false(facts.user_known);
}

/* A fifo has no end and nobody writes to it; a directory is no file; a file is no socket. */
static void test_the_wrong_kinds(void **state) {
        const Scratch *s = *state;
        Spec spec = { 0 };
        HostFacts facts;

        spec.installer.script = scratch_path(s, "fifo");
        assert_int_equal(mkfifo(spec.installer.script, 0700), 0);
        spec.installer.engine_socket = spec.installer.storage_path =
                scratch_file(s, "file", 0600, "");
        facts = gather(&spec);
        assert_no_script(&facts);
        assert_false(facts.engine_socket_present);
        assert_false(facts.storage_present);

        spec.installer.script = scratch_directory(s, "directory", 0700);
        facts = gather(&spec);
        assert_no_script(&facts);
}

static void test_a_script_without_a_version(void **state) {
        const Scratch *s = *state;
        Spec spec = { 0 };
        HostFacts facts;

        spec.installer.script = scratch_file(s, "script", 0644, "echo 4.0.3\n");
        facts = gather(&spec);
        assert_int_equal(strlen(facts.script_sha256), SHA256_HEX_SIZE - 1);
        assert_string_equal(facts.script_version, "");
        assert_false(facts.script_executable);
}

#define HEAD_SIZE (256 * 1024)

/* The version line lies so that the searched part ends within it, or right behind it. */
static void test_the_search_ends_with_a_whole_line(void **state) {
        static const char line[] = "CLOUD_ENTERPRISE_VERSION=4.0.31\n";
        static const struct {
                size_t cut; /* bytes of the line behind the end */
                const char *version;
        } places[] = { { 0, "4.0.31" }, { 1, "" }, { 2, "" }, { sizeof(line) - 1, "" } };
        const Scratch *s = *state;

        for (size_t i = 0; i < ELEMENTS(places); i++) {
                char *text = malloc(HEAD_SIZE + sizeof(line));
                size_t start = HEAD_SIZE + places[i].cut - (sizeof(line) - 1);
                Spec spec = { 0 };
                HostFacts facts;

                assert_non_null(text);
                (void) memset(text, '\n', HEAD_SIZE);
                (void) memcpy(text + start, line, sizeof(line));
                spec.installer.script = scratch_file(s, "script", 0755, text);
                free(text);
                facts = gather(&spec);
                assert_string_equal(facts.script_version, places[i].version);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_everything_there, scratch_setup,
                                                scratch_teardown),
                cmocka_unit_test_setup_teardown(test_nothing_there, scratch_setup,
                                                scratch_teardown),
                cmocka_unit_test_setup_teardown(test_the_wrong_kinds, scratch_setup,
                                                scratch_teardown),
                cmocka_unit_test_setup_teardown(test_a_script_without_a_version, scratch_setup,
                                                scratch_teardown),
                cmocka_unit_test_setup_teardown(test_the_search_ends_with_a_whole_line,
                                                scratch_setup, scratch_teardown),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
