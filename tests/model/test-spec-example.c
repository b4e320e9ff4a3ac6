/* SPDX-License-Identifier: Apache-2.0 */

/* The shipped examples are specs: as they are, and with every commented key switched on. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/file.h"
#include "base/text.h"
#include "model/spec.h"

#ifndef TOP_SRCDIR
#define TOP_SRCDIR "."
#endif

/* What a pair of specs may be asked about their defaults with: the fields that every spec has. */
static void assert_same_policy(const Spec *a, const Spec *b) {
        assert_int_equal(a->token.validity_us, b->token.validity_us);
        assert_int_equal(a->token.persistent, b->token.persistent);
        assert_string_equal(a->installer.user, b->installer.user);
        assert_string_equal(a->installer.storage_path, b->installer.storage_path);
        assert_int_equal(a->installer.engine, b->installer.engine);
        assert_string_equal(a->installer.engine_socket, b->installer.engine_socket);
        assert_int_equal(a->installer.handoff, b->installer.handoff);
        assert_int_equal(a->installer.prepull, b->installer.prepull);
        assert_int_equal(a->installer.attempt_timeout_us, b->installer.attempt_timeout_us);
        assert_int_equal(a->installer.force, b->installer.force);
        assert_int_equal(a->installer.selinux, b->installer.selinux);
        assert_memory_equal(&a->retry.splay_us, &b->retry.splay_us, sizeof(usec_t));
        assert_int_equal(a->retry.backoff_min_us, b->retry.backoff_min_us);
        assert_int_equal(a->retry.backoff_max_us, b->retry.backoff_max_us);
        assert_int_equal(a->retry.windows, b->retry.windows);
        assert_int_equal(a->retry.give_up_after_us, b->retry.give_up_after_us);
        assert_int_equal(a->verify.by, b->verify.by);
        assert_int_equal(a->verify.timeout_us, b->verify.timeout_us);
        assert_int_equal(a->verify.stable_for_us, b->verify.stable_for_us);
        assert_int_equal(a->verify.drift_every_us, b->verify.drift_every_us);
        assert_int_equal(a->on_member, b->on_member);
        assert_int_equal(a->on_stale_runner, b->on_stale_runner);
        assert_string_equal(a->report.hooks_dir, b->report.hooks_dir);
        assert_int_equal(a->forget_credential, b->forget_credential);
}

static Spec *parse(const Buffer *text) {
        _cleanup_problems_ Problems problems = { 0 };
        Spec *spec = NULL;

        (void) spec_parse("example", buffer_string(text), text->size, &problems, &spec);
        for (size_t i = 0; i < problems.n; i++)
                print_message("%u:%u: %s\n", problems.items[i].line, problems.items[i].column,
                              problems.items[i].text);
        assert_int_equal(problems.n, 0);
        assert_non_null(spec);
        return spec;
}

/* "#key", "#  key": a switched-off key. "# Words": prose. */
static void switch_on(const Buffer *text, Buffer *ret) {
        const char *line = buffer_string(text);

        while (*line != '\0') {
                size_t n = strcspn(line, "\n") + 1;
                bool key = line[0] == '#' && line[1] != '\n' && line[1] != '#' &&
                           (line[1] != ' ' || (line[2] == ' ' && line[3] != ' '));

                assert_int_equal(buffer_append(ret, line + (key ? 1 : 0), n - (key ? 1 : 0)), 0);
                line += n;
        }
}

static void test_examples(void **state) {
        _cleanup_buffer_ Buffer text = BUFFER_INIT(SPEC_SIZE_MAX),
                                minimal = BUFFER_INIT(SPEC_SIZE_MAX);
        _cleanup_buffer_ Buffer all = BUFFER_INIT(SPEC_SIZE_MAX);

        assert_int_equal(file_read(TOP_SRCDIR "/etc/enroll.yaml", &text), 0);
        assert_int_equal(file_read(TOP_SRCDIR "/etc/enroll.minimal.yaml", &minimal), 0);
        switch_on(&text, &all);

        _cleanup_(spec_freep) Spec *shipped = parse(&text), *least = parse(&minimal),
                                   *most = parse(&all);
        /* A commented key shows its default, unless it is called an example: switching it on
         * changes nothing. */
        assert_same_policy(shipped, least);
        assert_same_policy(shipped, most);
        assert_non_null(most->host.memory_settings);
        assert_non_null(most->installer.extra_args);
        assert_non_null(most->report.webhook_url);
        assert_int_equal(string_list_size(most->trust.pins), 1);
}

/* Every key of the format is in the example, at least in its prose. */
static void test_every_key_is_shown(void **state) {
        _cleanup_buffer_ Buffer text = BUFFER_INIT(SPEC_SIZE_MAX);
        const char *key;

        assert_int_equal(file_read(TOP_SRCDIR "/etc/enroll.yaml", &text), 0);
        for (size_t i = 0; (key = spec_key(i)); i++) {
                const char *dot = strrchr(key, '.');
                char member[64];

                (void) snprintf(member, sizeof(member), "%s:", dot ? dot + 1 : key);
                if (!strstr(buffer_string(&text), member))
                        print_message("%s is not shown\n", key);
                assert_non_null(strstr(buffer_string(&text), member));
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_examples),
                cmocka_unit_test(test_every_key_is_shown),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
