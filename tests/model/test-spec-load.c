/* SPDX-License-Identifier: Apache-2.0 */

/* From a directory: main file and drop-ins, their order, what is passed over or refused. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/scratch.h"
#include "../torture/scarce-memory.h"
#include "base/buffer.h"
#include "model/spec.h"

#define MAIN                                                     \
        "version: 1\ncoordinators: [https://192.0.2.10]\n"       \
        "credential: {api_key: {from: credential, name: k}}\n"   \
        "host: {roles: [allocator], availability_zone: a}\n"     \
        "installer: {script: /opt/ece.sh}\n"

static void put(const Scratch *scratch, const char *name, const char *text) {
        FILE *f = fopen(scratch_path(scratch, name), "we");

        assert_non_null(f);
        assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
        assert_int_equal(fclose(f), 0);
}

static void make_directory(const Scratch *scratch, const char *name) {
        assert_return_code(mkdir(scratch_path(scratch, name), 0755), errno);
}

static int load_once(const void *scratch) {
        _cleanup_problems_ Problems problems = { 0 };
        _cleanup_(spec_freep) Spec *spec = NULL;

        return spec_load(scratch_path(scratch, "e.yaml"), &problems, &spec);
}

/* Loads, also with one allocation failing after the other; the problems, with the directory cut off their names, must be these. */
static int load(const Scratch *scratch, const char *expected, Spec **ret) {
        _cleanup_problems_ Problems problems = { 0 };
        _cleanup_buffer_ Buffer got = BUFFER_INIT(65536);
        size_t prefix = strlen(scratch->path) + 1;

        int r = spec_load(scratch_path(scratch, "e.yaml"), &problems, ret);
        for (size_t i = 0; i < problems.n; i++) {
                _cleanup_free_ char *line = problem_format(problems.items + i);
                assert_non_null(line);
                assert_int_equal(
                        buffer_append_format(&got, "%s%s", i > 0 ? "\n" : "", line + prefix), 0);
        }
        assert_string_equal(buffer_string(&got), expected);
        if (scarce_memory_in_force())
                (void) scarce_torture(load_once, scratch, r);
        return r;
}

static void test_absent(void **state) {
        Spec *spec = NULL;

        assert_int_equal(load(*state, "", &spec), -ENOENT);
        assert_null(spec);
}

static void test_main_alone(void **state) {
        const Scratch *scratch = *state;
        _cleanup_(spec_freep) Spec *spec = NULL;

        put(scratch, "e.yaml", MAIN);
        assert_int_equal(load(scratch, "", &spec), 0);
        assert_int_equal(string_list_size(spec->files), 1);
        assert_string_equal(spec->files[0], scratch_path(scratch, "e.yaml"));
}

static void test_drop_ins(void **state) {
        const Scratch *scratch = *state;
        _cleanup_(spec_freep) Spec *spec = NULL;

        put(scratch, "e.yaml", MAIN);
        make_directory(scratch, "e.yaml.d");
        put(scratch, "e.yaml.d/20-zone.yaml", "host: {availability_zone: c}\n");
        put(scratch, "e.yaml.d/10-zone.yaml",
            "version: 1\nhost: {availability_zone: b, capacity: 9000}\n");
        put(scratch, "e.yaml.d/B.yaml", "host: {roles: [proxy]}\n");
        put(scratch, "e.yaml.d/.hidden.yaml", "nonsense: [\n");
        put(scratch, "e.yaml.d/.yaml", "nonsense: [\n");
        put(scratch, "e.yaml.d/readme.txt", "nonsense: [\n");
        put(scratch, "e.yaml.d/10-zone.yaml.bak", "nonsense: [\n");
        put(scratch, "e.yaml.d/30.yml", "nonsense: [\n");
        assert_int_equal(
                load(scratch,
                     "e.yaml.d/30.yml: warning: ignored: the names of drop-ins end in .yaml",
                     &spec),
                0);
        assert_string_equal(spec->host.availability_zone, "c");
        assert_int_equal(spec->host.capacity_mb, 9000);
        assert_int_equal(spec->host.roles, role_bit(ROLE_PROXY));
        assert_int_equal(string_list_size(spec->files), 4);
        assert_string_equal(spec->files[1], scratch_path(scratch, "e.yaml.d/10-zone.yaml"));
        assert_string_equal(spec->files[2], scratch_path(scratch, "e.yaml.d/20-zone.yaml"));
        assert_string_equal(spec->files[3], scratch_path(scratch, "e.yaml.d/B.yaml"));
}

/* Errors stand where they were written; a wrong value that a later file replaced is no error. */
static void test_errors_of_all_files(void **state) {
        const Scratch *scratch = *state;
        Spec *spec = NULL;

        put(scratch, "e.yaml", MAIN "retry: {splay: x, windows: 0}\nfoo: 1\n");
        make_directory(scratch, "e.yaml.d");
        put(scratch, "e.yaml.d/a.yaml",
            "version: 2\nhost:\n  role: []\n  runner_id: 'a b'\nretry: {splay: 1s}\n");
        put(scratch, "e.yaml.d/b.yaml", "host: {capacity: 1}\non_member:\n");
        assert_int_equal(
                load(scratch,
                     "e.yaml:6:28: retry.windows must be between 1 and 100, not 0\n"
                     "e.yaml:7:1: unknown key 'foo'; allowed are version, coordinators, trust, "
                     "client_certificate, proxy, no_proxy, proxy_credential, credential, token, "
                     "host, installer, retry, verify, on_member, on_stale_runner, report, "
                     "forget_credential\n"
                     "e.yaml.d/a.yaml:1:10: version '2' is not known to this release; it reads "
                     "version 1\n"
                     "e.yaml.d/a.yaml:3:3: unknown key 'role' in host; did you mean 'roles'?\n"
                     "e.yaml.d/a.yaml:4:14: host.runner_id contains a blank at byte 2\n"
                     "e.yaml.d/b.yaml:1:18: host.capacity must be between 8192 and 16777216, not "
                     "1\n"
                     "e.yaml.d/b.yaml:2:11: on_member has no value",
                     &spec),
                -EINVAL);
        assert_null(spec);
}

/* With one file unread the others are still checked, but nothing is called missing. */
static void test_broken_file_among_others(void **state) {
        const Scratch *scratch = *state;
        Spec *spec = NULL;

        put(scratch, "e.yaml", "version: 1\nhost: {capacity: 1}\n");
        make_directory(scratch, "e.yaml.d");
        put(scratch, "e.yaml.d/a.yaml", "installer: [\n");
        put(scratch, "e.yaml.d/b.yaml", "onmember: x\ncredential: {api_key: {from: file}}\n");
        assert_int_equal(
                load(scratch,
                     "e.yaml:2:18: host.capacity must be between 8192 and 16777216, not 1\n"
                     "e.yaml.d/a.yaml:2:1: not YAML: did not find expected node content, while "
                     "parsing a "
                     "flow node that begins at line 2\n"
                     "e.yaml.d/b.yaml:1:1: unknown key 'onmember'; did you mean 'on_member'?",
                     &spec),
                -EINVAL);
        put(scratch, "e.yaml", "version: [\n");
        put(scratch, "e.yaml.d/a.yaml", "retry: {splay: x}\n");
        put(scratch, "e.yaml.d/b.yaml", "");
        assert_int_equal(
                load(scratch,
                     "e.yaml:2:1: not YAML: did not find expected node content, while parsing a "
                     "flow node that begins at line 2\n"
                     "e.yaml.d/a.yaml:1:16: retry.splay must be a duration such as 90s, 20m or 1h, "
                     "not 'x'\n"
                     "e.yaml.d/b.yaml:1:1: the document is empty; it must be a mapping that begins "
                     "with version: 1",
                     &spec),
                -EINVAL);
        assert_null(spec);
}

static void test_not_files(void **state) {
        const Scratch *scratch = *state;
        Spec *spec = NULL;

        put(scratch, "e.yaml", MAIN);
        make_directory(scratch, "e.yaml.d");
        make_directory(scratch, "e.yaml.d/a.yaml");
        assert_return_code(symlink("/nonexistent/x", scratch_path(scratch, "e.yaml.d/b.yaml")),
                           errno);
        assert_return_code(mkfifo(scratch_path(scratch, "e.yaml.d/c.yaml"), 0600), errno);
        assert_int_equal(load(scratch,
                              "e.yaml.d/a.yaml: is not a regular file\n"
                              "e.yaml.d/b.yaml: can't be read: No such file or directory\n"
                              "e.yaml.d/c.yaml: is not a regular file",
                              &spec),
                         -EINVAL);
}

static void test_directory_as_spec(void **state) {
        const Scratch *scratch = *state;
        Spec *spec = NULL;

        make_directory(scratch, "e.yaml");
        assert_int_equal(load(scratch, "e.yaml: is not a regular file", &spec), -EINVAL);
}

static void test_drop_in_directory_is_a_file(void **state) {
        const Scratch *scratch = *state;
        Spec *spec = NULL;

        put(scratch, "e.yaml", MAIN);
        put(scratch, "e.yaml.d", "");
        assert_int_equal(load(scratch, "e.yaml.d: is not a directory", &spec), -EINVAL);
}

static void test_too_many_drop_ins(void **state) {
        const Scratch *scratch = *state;
        Spec *spec = NULL;

        put(scratch, "e.yaml", MAIN);
        make_directory(scratch, "e.yaml.d");
        for (unsigned i = 0; i <= SPEC_DROP_INS_MAX; i++) {
                char name[32];
                (void) snprintf(name, sizeof(name), "e.yaml.d/%02u.yaml", i);
                put(scratch, name, "on_member: verify\n");
                if (i + 1 < SPEC_DROP_INS_MAX)
                        continue;
                int r = load(scratch,
                             i < SPEC_DROP_INS_MAX ? "" : "e.yaml.d: has more than 32 drop-ins",
                             &spec);
                assert_int_equal(r, i < SPEC_DROP_INS_MAX ? 0 : -EINVAL);
                spec = spec_free(spec);
        }
}

static void test_too_large(void **state) {
        const Scratch *scratch = *state;
        Spec *spec = NULL;
        char *text = malloc(SPEC_SIZE_MAX + 2);

        assert_non_null(text);
        memset(text, '#', SPEC_SIZE_MAX + 1);
        memcpy(text, MAIN, strlen(MAIN));
        text[SPEC_SIZE_MAX] = '\0';
        put(scratch, "e.yaml", text);
        assert_int_equal(load(scratch, "", &spec), 0);
        spec = spec_free(spec);
        text[SPEC_SIZE_MAX] = '#';
        text[SPEC_SIZE_MAX + 1] = '\0';
        put(scratch, "e.yaml", text);
        assert_int_equal(
                load(scratch, "e.yaml: is larger than 64 KiB; a spec is not that large", &spec),
                -EINVAL);
        free(text);
}

static void test_too_many_values(void **state) {
        const Scratch *scratch = *state;
        _cleanup_buffer_ Buffer text = BUFFER_INIT(65536);
        Spec *spec = NULL;

        assert_int_equal(buffer_append_string(&text, MAIN "x: ["), 0);
        for (size_t i = 0; i < SPEC_NODES_MAX; i++)
                assert_int_equal(buffer_append_string(&text, "a,"), 0);
        assert_int_equal(buffer_append_string(&text, "]\n"), 0);
        put(scratch, "e.yaml", buffer_string(&text));
        /* The list is the 15th value (the document is the first), so 497 of its items fit. */
        assert_int_equal(load(scratch,
                              "e.yaml:6:999: more than 512 values; a spec is not that large",
                              &spec),
                         -EINVAL);
}

#define LOAD_TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void) {
        const struct CMUnitTest tests[] = {
                LOAD_TEST(test_absent),
                LOAD_TEST(test_main_alone),
                LOAD_TEST(test_drop_ins),
                LOAD_TEST(test_errors_of_all_files),
                LOAD_TEST(test_broken_file_among_others),
                LOAD_TEST(test_not_files),
                LOAD_TEST(test_directory_as_spec),
                LOAD_TEST(test_drop_in_directory_is_a_file),
                LOAD_TEST(test_too_many_drop_ins),
                LOAD_TEST(test_too_large),
                LOAD_TEST(test_too_many_values),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, scarce_memory_setup, NULL);
}
