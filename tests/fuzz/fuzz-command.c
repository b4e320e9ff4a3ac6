/* SPDX-License-Identifier: Apache-2.0 */

/*
 * From a spec to the installer's argument list: the first line is the version that the platform names, the second the
 * coordinator's host, the third a token, the rest is the spec. Whatever becomes a command holds no word that the
 * installer, which evaluates its arguments as shell, would look at twice.
 */

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "model/installer-command.h"
#include "model/plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(int condition) {
        if (!condition)
                abort();
}

static void expect_harmless(const InstallerCommand *c) {
        for (size_t i = 0; c->argv[i]; i++) {
                bool settings = i > 0 && streq(c->argv[i - 1], "--memory-settings");

                expect(c->argv[i][0] != '\0' && !strpbrk(c->argv[i], " \t\n\r'`$\\;&|<>()*?[]!#~%^"));
                expect(settings || !strpbrk(c->argv[i], "\"{}"));
        }
        expect(streq(c->argv[1], "install"));
        for (size_t i = 0; c->envp[i]; i++)
                expect(strchr(c->envp[i], '=') && !strpbrk(c->envp[i], "\n\r`$"));
}

/* A line of the input into text; what does not fit is cut off. */
static void take_line(const uint8_t **data, size_t *size, char *text, size_t text_size) {
        const uint8_t *end = memchr(*data, '\n', *size);
        size_t n = end ? (size_t) (end - *data) : *size;

        memcpy(text, *data, n < text_size ? n : text_size - 1);
        text[n < text_size ? n : text_size - 1] = '\0';
        *data += end ? n + 1 : n;
        *size -= end ? n + 1 : n;
}

static void build(const Plan *plan, const char *host, const char *token) {
        InstallerCommandRequest request = {
                .plan = plan, .coordinator_host = host, .token = token, .path = "/usr/bin:/bin",
        };
        _cleanup_(installer_command_done) InstallerCommand command = { 0 };
        Observation refusal = OBSERVATION_NONE;

        int r = installer_command_build(&request, &command, &refusal);
        expect((r == -EINVAL) == !observation_is_none(&refusal));
        expect(r == 0 || r == -EINVAL);
        if (r == 0)
                expect_harmless(&command);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        HostFacts host = {
                .default_address = "192.0.2.7", .script_version = "4.0.3", .script_executable = true,
                .user_known = true, .uid = 1234, .gid = 1234, .home = "/home/elastic",
                .engine_socket_present = true, .storage_present = true,
        };
        _cleanup_problems_ Problems problems = { 0 };
        _cleanup_(spec_freep) Spec *spec = NULL;
        _cleanup_(plan_freep) Plan *plan = NULL;
        Observation refusal = OBSERVATION_NONE;
        PlatformFacts platform = { 0 };
        char coordinator[300], token[2048];

        memset(host.script_sha256, 'a', sizeof(host.script_sha256) - 1);
        take_line(&data, &size, platform.version, sizeof(platform.version));
        take_line(&data, &size, coordinator, sizeof(coordinator));
        take_line(&data, &size, token, sizeof(token));
        if (spec_parse("fuzz", (const char *) data, size, &problems, &spec) < 0)
                return 0;
        expect(plan_resolve(spec, &host, &platform, &plan, &refusal) == 0);
        expect((plan == NULL) == !observation_is_none(&refusal));
        if (plan)
                build(plan, coordinator, token);
        return 0;
}
