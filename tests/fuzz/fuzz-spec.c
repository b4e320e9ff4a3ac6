/* SPDX-License-Identifier: Apache-2.0 */

/*
 * spec_parse(): any bytes are refused with at least one placed problem, or become a Spec whose
 * values keep the promises that the rest of the program relies on.
 */

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "model/allow-list.h"
#include "model/spec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(int condition) {
        if (!condition)
                abort();
}

static void expect_passes(ValueKind kind, const char *value) {
        expect(!value || allow_list_check(kind, value, NULL) == 0);
}

static void expect_sound(const Spec *s) {
        size_t n = string_list_size(s->coordinators);

        expect(n > 0 && n <= SPEC_COORDINATORS_MAX);
        for (size_t i = 0; i < n; i++)
                expect(text_starts_with(s->coordinators[i], "https://"));
        expect_passes(VALUE_RUNNER_ID, s->host.runner_id);
        expect_passes(VALUE_ADDRESS, s->host.host_ip);
        expect_passes(VALUE_ZONE, s->host.availability_zone);
        expect_passes(VALUE_TAGS, s->host.allocator_tags);
        expect_passes(VALUE_MEMORY_SETTINGS, s->host.memory_settings);
        expect_passes(VALUE_PATH, s->installer.script);
        expect_passes(VALUE_PATH, s->installer.storage_path);
        expect_passes(VALUE_PATH, s->installer.engine_socket);
        expect_passes(VALUE_VERSION, s->installer.version);
        expect_passes(VALUE_REGISTRY, s->installer.docker_registry);
        expect_passes(VALUE_REPOSITORY, s->installer.ece_docker_repository);
        expect_passes(VALUE_FACTOR, s->installer.timeout_factor);
        expect(s->installer.script && s->installer.user && s->installer.engine_socket);
        expect(s->retry.backoff_min_us > 0 && s->retry.backoff_min_us <= s->retry.backoff_max_us);
        expect(s->retry.windows >= 1 && s->verify.stable_for_us < s->verify.timeout_us);
        expect(s->token.source == TOKEN_FROM_COORDINATOR ||
               s->token.pre_minted.kind != SECRET_FROM_NOWHERE);
        expect(s->token.source != TOKEN_FROM_COORDINATOR || s->credential.kind != CREDENTIAL_NONE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_problems_ Problems problems = { 0 };
        _cleanup_(spec_freep) Spec *spec = NULL;

        int r = spec_parse("fuzz", (const char *) data, size, &problems, &spec);
        expect(r == 0 || r == -EINVAL);
        expect((r == 0) == (problems.n_errors == 0) && (r == 0) == (spec != NULL));
        for (size_t i = 0; i < problems.n; i++) {
                _cleanup_free_ char *line = problem_format(problems.items + i);
                expect(line && problems.items[i].text[0] != '\0');
                expect(problems.items[i].line <= size + 1 && problems.items[i].column <= size + 1);
        }
        if (spec)
                expect_sound(spec);
        return 0;
}
