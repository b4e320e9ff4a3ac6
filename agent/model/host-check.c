/* SPDX-License-Identifier: Apache-2.0 */

/* What must be true of the host's user and script before anything else is worth asking. Nothing
 * fails. */

#include "model/host-check.h"

#include "base/text.h"

Observation host_check_user(const Spec *spec, const HostFacts *host) {
        const char *name = spec->installer.user;

        if (!host->user_known)
                return observe(ORIGIN_HOST, 0, "user-missing", name, "there is no user '%s' on this host",
                               name ? name : "");
        if (host->uid < INSTALL_ID_MIN)
                return observe(ORIGIN_HOST, 0, "user", name,
                               "user '%s' has uid %u; ECE refuses a uid below %u", name,
                               (unsigned) host->uid, INSTALL_ID_MIN);
        if (host->gid < INSTALL_ID_MIN)
                return observe(ORIGIN_HOST, 0, "user", name,
                               "user '%s' has gid %u; ECE refuses a gid below %u", name,
                               (unsigned) host->gid, INSTALL_ID_MIN);
        return OBSERVATION_NONE;
}

Observation host_check_script(const Spec *spec, const HostFacts *host) {
        const char *path = spec->installer.script;

        if (host->script_objection[0] != '\0')
                return observe(ORIGIN_HOST, 0, "script-permissions", path, "%s", host->script_objection);
        if (host->script_sha256[0] == '\0')
                return observe(ORIGIN_HOST, 0, "script", path,
                               "it is not there, no regular file or not readable");
        return OBSERVATION_NONE;
}

Observation host_check_script_sha256(const Spec *spec, const HostFacts *host) {
        if (!spec->installer.sha256 || streq(spec->installer.sha256, host->script_sha256))
                return OBSERVATION_NONE;
        return observe(ORIGIN_HOST, 0, "script-sha256", spec->installer.script,
                       "its SHA-256 is %s, the spec asks for %s", host->script_sha256,
                       spec->installer.sha256);
}

Observation host_check_script_version(const Spec *spec, const HostFacts *host) {
        if (host->script_version[0] != '\0')
                return OBSERVATION_NONE;
        return observe(ORIGIN_PLAN, 0, "script-version-unknown", spec->installer.script,
                       "no assignment of CLOUD_ENTERPRISE_VERSION was found in it; is it ECE's "
                       "installer?");
}
