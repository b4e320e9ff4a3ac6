/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A spec, a host and a platform that fit together, for tests to break one piece of. */

#include <string.h>

#include "model/plan.h"

#define FIXTURE_SHA256 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define FIXTURE_TOKEN "eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjF9.c2lnbmF0dXJl"

/* A Spec owns its strings and so has them writable; nothing writes to these. */
static inline char *lend(const char *s) {
        union {
                const char *given;
                char *lent;
        } loan = { s };

        return loan.lent;
}

static inline Spec fixture_spec(void) {
        Spec spec = { 0 };

        spec.credential.kind = CREDENTIAL_API_KEY;
        spec.token.validity_us = USEC_PER_HOUR;
        spec.host.roles = (RoleSet) (role_bit(ROLE_ALLOCATOR) | role_bit(ROLE_PROXY));
        spec.installer.script = lend("/opt/ece/elastic-cloud-enterprise.sh");
        spec.installer.user = lend("elastic");
        spec.installer.storage_path = lend("/mnt/data/elastic");
        spec.installer.engine = ENGINE_DOCKER;
        spec.installer.engine_socket = lend("/var/run/docker.sock");
        return spec;
}

static inline HostFacts fixture_host(void) {
        HostFacts host = {
                .default_address = "192.0.2.7",
                .script_version = "4.0.3",
                .script_sha256 = FIXTURE_SHA256,
                .script_executable = true,
                .user_name = "elastic",
                .user_known = true,
                .uid = 1234,
                .gid = 1234,
                .home = "/home/elastic",
                .engine_socket_present = true,
                .storage_present = true,
        };

        return host;
}

/* What plan_resolve() makes of the above for platform version 4.0.3, made by hand. */
static inline Plan fixture_plan(const Spec *spec) {
        Plan plan = {
                .spec = spec,
                .runner_id = "192.0.2.7",
                .host_ip = "192.0.2.7",
                .version = "4.0.3",
                .roles = spec->host.roles,
                .user_name = "elastic",
                .home = "/home/elastic",
                .uid = 1234,
                .gid = 1234,
        };

        return plan;
}
