/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What a request is held against. The agent talks to the network, so it may be a broken-in agent:
 * it names an attempt, a version and one of the spec's coordinators, and brings a token; everything
 * else the keeper reads itself. Script, user, paths and options come from the spec and the host,
 * and the plan is resolved here anew for each request, with the script's checksum of this moment.
 */

#include "installer/keeper-private.h"

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>

#include "base/text.h"
#include "host/host-facts.h"
#include "model/allow-list.h"

/* --- Spec --- */

int keeper_load_spec(Keeper *k, Spec **ret) {
        _cleanup_problems_ Problems problems = { 0 };
        int error = spec_load(k->options.spec_path, &problems, ret);

        for (size_t i = 0; i < problems.n; i++) {
                _cleanup_free_ char *text = problem_format(&problems.items[i]);

                if (text && !problems.items[i].warning)
                        keeper_notice(k, LOG_ERR, "%s", text);
        }
        return error;
}

static void refuse_spec(Keeper *k, const char *detail) {
        Observation seen = observe(ORIGIN_KEEPER, 0, "spec-differs", k->options.spec_path, "%s", detail);

        keeper_refuse(k, &seen);
}

/* Somebody may have changed the file since we read it: read it once more, and believe only what we
 * read. */
static bool reload_spec(Keeper *k) {
        _cleanup_(spec_freep) Spec *spec = NULL;

        if (keeper_load_spec(k, &spec) < 0) {
                refuse_spec(k, "the keeper can't read the spec");
                return false;
        }
        if (!streq(spec->installer.user, k->user)) {
                refuse_spec(k, "installer.user was changed; the keeper runs as the former one: restart it");
                return false;
        }
        (void) spec_free(k->spec);
        k->spec = TAKE_PTR(spec);
        return true;
}

bool keeper_spec_agrees(Keeper *k, const char *digest) {
        if (streq(k->spec->digest, digest))
                return true;
        if (!reload_spec(k))
                return false;
        if (streq(k->spec->digest, digest))
                return true;
        refuse_spec(k, "agent and keeper have read different specs");
        return false;
}

/* --- Plan --- */

Plan *keeper_plan(Keeper *k, const char *version, HostFacts *facts) {
        PlatformFacts platform = { 0 };
        Observation refusal = OBSERVATION_NONE;
        Plan *plan = NULL;
        int error;

        if (allow_list_check(VALUE_VERSION, version, NULL) < 0 || strlen(version) >= sizeof(platform.version)) {
                refusal = observe(ORIGIN_KEEPER, 0, "refused", NULL, "the request names no usable version");
                keeper_refuse(k, &refusal);
                return NULL;
        }
        (void) snprintf(platform.version, sizeof(platform.version), "%s", version);
        error = host_facts_gather(k->spec, facts);
        if (error >= 0)
                error = plan_resolve(k->spec, facts, &platform, &plan, &refusal);
        if (error < 0)
                refusal = observe(ORIGIN_KEEPER, -error, "internal", NULL, "can't resolve the plan: %s",
                                  strerror(-error));
        if (error < 0 || !plan)
                keeper_refuse(k, &refusal);
        return error < 0 ? NULL : plan;
}

/* --- Coordinator --- */

/* Is `host` the host part of "https://host:port"? The port is always there; an IPv6 literal stands
 * in brackets. */
static bool is_host_of(const char *url, const char *host) {
        static const char scheme[] = "https://";
        size_t n = strlen(host);
        const char *at;

        if (!text_starts_with(url, scheme))
                return false;
        at = url + strlen(scheme);
        if (*at == '[')
                return strncmp(at + 1, host, n) == 0 && at[1 + n] == ']';
        return strncmp(at, host, n) == 0 && at[n] == ':' && !strchr(host, ':');
}

bool keeper_knows_coordinator(Keeper *k, const char *host) {
        Observation seen;

        for (size_t i = 0; *host && k->spec->coordinators && k->spec->coordinators[i]; i++)
                if (is_host_of(k->spec->coordinators[i], host))
                        return true;
        seen = observe(ORIGIN_KEEPER, 0, "refused", host, "this coordinator is not in the spec");
        keeper_refuse(k, &seen);
        return false;
}

/* --- Token --- */

int token_from_memfd(int fd, Secret **ret, const char **ret_why) {
        static const int wanted = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK;
        _cleanup_(secret_freep) Secret *token = NULL;
        struct stat st;
        int seals = fcntl(fd, F_GET_SEALS);

        *ret_why = "it is no sealed memory file";
        if (seals < 0 || (seals & wanted) != wanted || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
                return -EINVAL;
        *ret_why = "its size can't be a token's";
        if (st.st_size <= 0 || st.st_size > (off_t) SECRET_SIZE_MAX)
                return -EINVAL;
        *ret_why = "it can't be read";
        if (lseek(fd, 0, SEEK_SET) < 0 || secret_new_from_fd(fd, &token) < 0)
                return -EINVAL;
        *ret_why = "it does not have the form of a token";
        if (strlen(secret_bytes(token)) != secret_size(token) ||
            allow_list_check(VALUE_TOKEN, secret_bytes(token), NULL) < 0)
                return -EINVAL;
        *ret = TAKE_PTR(token);
        return 0;
}

Secret *keeper_token(Keeper *k, int fd) {
        const char *why;
        Secret *token = NULL;
        Observation seen;

        if (token_from_memfd(fd, &token, &why) >= 0)
                return token;
        seen = observe(ORIGIN_KEEPER, 0, "refused", NULL, "the token that was passed is refused: %s", why);
        keeper_refuse(k, &seen);
        return NULL;
}
