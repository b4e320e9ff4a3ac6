/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Plan: Spec + host facts + platform facts, resolved. Immutable once made; agent and keeper each
 * make their own from the same spec and come to the same values, because the function is pure.
 */

#include "model/facts.h"
#include "model/outcome.h"
#include "model/spec.h"

typedef struct Plan {
        const Spec *spec; /* borrowed; must outlive the Plan */
        char runner_id[129];
        char host_ip[64];
        char version[64]; /* of the installation to join; "" while the platform was not asked */
        RoleSet roles;
        char user_name[FACT_SIZE];
        char home[FACT_SIZE];
        uid_t uid;
        gid_t gid;
        char image[512]; /* REGISTRY/REPOSITORY/elastic-cloud-enterprise:VERSION, "" without a version */
} Plan;

Plan *plan_free(Plan *plan);
static inline void plan_freep(Plan **slot) {
        (void) plan_free(*slot);
}

/*
 * Resolves. platform may be NULL or have no version (not asked yet): then Plan.version is what
 * the spec names, held against the script alone; without a credential, the script's own; else "". 0 with *ret and refusal none; or 0
 * with *ret NULL and a refusal (ORIGIN_PLAN or ORIGIN_HOST) that says what does not fit: no default
 * route and no host_ip, unknown user, uid or gid below 1000, script absent / of unknown version /
 * of another sha256 / older (major.minor) than the platform, spec's version not the platform's, a
 * value outside the allow-list. -ENOMEM.
 */
int plan_resolve(const Spec *spec, const HostFacts *host, const PlatformFacts *platform, Plan **ret,
                 Observation *refusal);
/* Only who this host is to the platform: runner_id and host_ip of ret; for what needs neither script nor user. None, or why
 * it can't be told. */
Observation plan_name_runner(const Spec *spec, const HostFacts *host, Plan *ret);
/* Codes: ORIGIN_HOST "user", "script", "script-sha256", "address"; ORIGIN_PLAN
 * "script-version-unknown", "script-too-old", "version-mismatch", "value-refused" (where: the
 * option or key). */

/* Compares major.minor of two versions of VALUE_VERSION form: < 0, 0, > 0. Further parts do not
 * count. */
int version_compare_major_minor(const char *a, const char *b);
