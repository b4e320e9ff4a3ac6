/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What several keys have to agree on.
 *
 * Each check names both keys and stands at the one that the author wrote. A check whose keys are
 * not all good is left out: the wrong value was told already, and a guess about what it should have
 * been helps nobody. Only memory fails.
 */

#include "model/spec-decode.h"

#include <errno.h>
#include <stdlib.h>

#include "base/text.h"

/* All of these keys are free of problems. */
static bool good(const Decoder *d, const SpecKey keys[], size_t n) {
        for (size_t i = 0; i < n; i++)
                if (d->bad[keys[i]])
                        return false;
        return true;
}
#define all_good(d, ...)                                                                           \
        good((d), (const SpecKey[]){ __VA_ARGS__ }, ELEMENTS(((const SpecKey[]){ __VA_ARGS__ })))

/* Where to complain about a and b: at the one that is written; the document as a whole when neither
 * is. */
static const Place *place_of(const Decoder *d, SpecKey a, SpecKey b) {
        if (d->node[a])
                return &d->node[a]->place;
        return d->node[b] ? &d->node[b]->place : &d->root->place;
}

/* "a (20m) must VERB b (1h)" */
static int complain(Decoder *d, SpecKey a, usec_t a_us, const char *must, SpecKey b, usec_t b_us) {
        char a_text[DURATION_SIZE], b_text[DURATION_SIZE];

        return decode_refuse(d, a, place_of(d, a, b), "%s (%s) must %s %s (%s)",
                             spec_schema(a)->path, duration_format(a_us, a_text), must,
                             spec_schema(b)->path, duration_format(b_us, b_text));
}

/* What must be left of a token beyond one attempt; engine/policy.c decides by half of it, for a token
 * is a little old when it comes. */
static usec_t token_margin_us(const Spec *s) {
        return s->token.validity_us / 10 < USEC_PER_MINUTE ? s->token.validity_us / 10 : USEC_PER_MINUTE;
}

static int check_token_life(Decoder *d) {
        const Spec *s = d->spec;

        /* A token minted elsewhere or a persistent one has the life it has. */
        if (!all_good(d, KEY_TOKEN_SOURCE, KEY_TOKEN_PERSISTENT, KEY_TOKEN_VALIDITY,
                      KEY_INSTALLER_ATTEMPT_TIMEOUT) ||
            s->token.source != TOKEN_FROM_COORDINATOR || s->token.persistent)
                return 0;
        if (usec_add(s->installer.attempt_timeout_us, token_margin_us(s)) <= s->token.validity_us)
                return 0;
        return complain(d, KEY_TOKEN_VALIDITY, s->token.validity_us,
                        "leave a tenth of itself, at most 60s, beyond",
                        KEY_INSTALLER_ATTEMPT_TIMEOUT, s->installer.attempt_timeout_us);
}

static void lower(usec_t *value_us, usec_t maximum_us) {
        if (*value_us > maximum_us)
                *value_us = maximum_us;
}

/* Defaults give way to what is written: who asks for a token of ten minutes, or gives up after one, has said enough. */
static void fit_defaults(Decoder *d) {
        Spec *s = d->spec;

        if (!d->node[KEY_INSTALLER_ATTEMPT_TIMEOUT] && s->token.source == TOKEN_FROM_COORDINATOR)
                lower(&s->installer.attempt_timeout_us, s->token.validity_us - token_margin_us(s));
        if (!d->node[KEY_RETRY_SPLAY])
                lower(&s->retry.splay_us, s->retry.give_up_after_us / 10);
        if (!d->node[KEY_RETRY_BACKOFF_MIN])
                lower(&s->retry.backoff_min_us, s->retry.backoff_max_us);
        if (!d->node[KEY_RETRY_BACKOFF_MAX] && s->retry.backoff_max_us < s->retry.backoff_min_us)
                s->retry.backoff_max_us = s->retry.backoff_min_us;
        if (!d->node[KEY_VERIFY_STABLE_FOR])
                lower(&s->verify.stable_for_us, s->verify.timeout_us / 3);
}

static int check_times(Decoder *d) {
        const Spec *s = d->spec;
        int r;

        fit_defaults(d);
        r = check_token_life(d);
        if (r == 0 && all_good(d, KEY_RETRY_BACKOFF_MIN, KEY_RETRY_BACKOFF_MAX) &&
            s->retry.backoff_min_us > s->retry.backoff_max_us)
                r = complain(d, KEY_RETRY_BACKOFF_MIN, s->retry.backoff_min_us,
                             "not be longer than", KEY_RETRY_BACKOFF_MAX, s->retry.backoff_max_us);
        if (r == 0 && all_good(d, KEY_RETRY_SPLAY, KEY_RETRY_GIVE_UP_AFTER) &&
            s->retry.splay_us >= s->retry.give_up_after_us)
                r = complain(d, KEY_RETRY_SPLAY, s->retry.splay_us, "be shorter than",
                             KEY_RETRY_GIVE_UP_AFTER, s->retry.give_up_after_us);
        if (r == 0 && all_good(d, KEY_VERIFY_STABLE_FOR, KEY_VERIFY_TIMEOUT) &&
            s->verify.stable_for_us >= s->verify.timeout_us)
                r = complain(d, KEY_VERIFY_STABLE_FOR, s->verify.stable_for_us, "be shorter than",
                             KEY_VERIFY_TIMEOUT, s->verify.timeout_us);
        return r;
}

/* Exactly one kind; sets it. */
static int check_credential_kind(Decoder *d) {
        static const SpecKey kinds[] = { KEY_CREDENTIAL_API_KEY, KEY_CREDENTIAL_BASIC,
                                         KEY_CREDENTIAL_BEARER };
        static const CredentialKind values[] = { CREDENTIAL_API_KEY, CREDENTIAL_BASIC,
                                                 CREDENTIAL_BEARER };
        const YamlNode *credential = d->node[KEY_CREDENTIAL], *first = NULL;

        if (!credential || d->bad[KEY_CREDENTIAL])
                return 0;
        /* In the order of the file, so that the one that came second is the one too many. */
        for (const YamlNode *m = credential->first; m; m = m->next)
                for (size_t i = 0; i < ELEMENTS(kinds); i++) {
                        if (d->node[kinds[i]] != m)
                                continue;
                        if (first)
                                return decode_refuse(d, KEY_CREDENTIAL, &m->key_place,
                                                     "credential has both '%s' and '%s'; exactly "
                                                     "one of api_key, basic, bearer is allowed",
                                                     first->key, m->key);
                        first = m;
                        d->spec->credential.kind = values[i];
                }
        /* With other, unknown members the author has been told what is allowed. */
        if (!first && credential->n_children == 0)
                return decode_refuse(
                        d, KEY_CREDENTIAL, &credential->place,
                        "credential is empty; exactly one of api_key, basic, bearer is needed");
        if (!first)
                d->bad[KEY_CREDENTIAL] = true;
        return 0;
}

static int check_credential_needed(Decoder *d) {
        const Spec *s = d->spec;
        const char *who = NULL;

        if (d->node[KEY_CREDENTIAL])
                return 0;
        if (all_good(d, KEY_TOKEN_SOURCE) && s->token.source == TOKEN_FROM_COORDINATOR)
                who = "the token is minted by the coordinator (token.source: coordinator)";
        else if (all_good(d, KEY_VERIFY_BY) && s->verify.by != VERIFY_BY_LOCAL)
                who = "the coordinator is asked for the proof (verify.by)";
        else if (all_good(d, KEY_ON_STALE_RUNNER) && s->on_stale_runner == ON_STALE_REPLACE)
                who = "a stale runner is replaced through the coordinator (on_stale_runner: "
                      "replace)";
        return who ? problem_error(d->problems, &d->root->place,
                                   "required key 'credential' is missing; %s", who)
                   : 0;
}

/* Each needs the other to mean anything. */
static int check_proxy(Decoder *d) {
        if (!all_good(d, KEY_PROXY, KEY_NO_PROXY, KEY_PROXY_CREDENTIAL) || d->node[KEY_PROXY])
                return 0;
        if (d->node[KEY_PROXY_CREDENTIAL])
                return decode_refuse(d, KEY_PROXY_CREDENTIAL, &d->node[KEY_PROXY_CREDENTIAL]->place,
                                     "proxy_credential needs the key proxy");
        if (d->node[KEY_NO_PROXY])
                return problem_warning(d->problems, &d->node[KEY_NO_PROXY]->place,
                                       "no_proxy has no effect without proxy: the environment's proxy is never used");
        return 0;
}

static int check_token(Decoder *d) {
        if (!all_good(d, KEY_TOKEN_SOURCE, KEY_TOKEN_PERSISTENT) || !d->spec->token.persistent ||
            d->spec->token.source == TOKEN_FROM_COORDINATOR)
                return 0;
        return decode_refuse(d, KEY_TOKEN_PERSISTENT,
                             place_of(d, KEY_TOKEN_PERSISTENT, KEY_TOKEN_SOURCE),
                             "token.persistent: true needs token.source: coordinator; a token "
                             "minted elsewhere is not ours to delete");
}

static int check_engine(Decoder *d) {
        Spec *s = d->spec;

        if (!all_good(d, KEY_INSTALLER_ENGINE))
                return 0;
        if (all_good(d, KEY_INSTALLER_ENGINE_SOCKET) && !s->installer.engine_socket) {
                int r = decode_store(d, KEY_INSTALLER_ENGINE_SOCKET,
                                     s->installer.engine == ENGINE_PODMAN
                                             ? "/run/podman/podman.sock"
                                             : "/var/run/docker.sock");
                if (r < 0)
                        return r;
        }
        if (all_good(d, KEY_INSTALLER_SELINUX) && s->installer.selinux &&
            s->installer.engine != ENGINE_PODMAN)
                return decode_refuse(d, KEY_INSTALLER_SELINUX,
                                     place_of(d, KEY_INSTALLER_SELINUX, KEY_INSTALLER_ENGINE),
                                     "installer.selinux: true needs installer.engine: podman; the "
                                     "installer ignores it with docker");
        return 0;
}

/* Allowed, and worth a word. */
static int check_advice(Decoder *d) {
        const Spec *s = d->spec;
        const char *sentence;
        int r = 0;

        if (all_good(d, KEY_HOST_ROLES))
                for (size_t i = 0; r == 0 && (sentence = role_set_advice(s->host.roles, i)); i++)
                        r = problem_warning(d->problems, place_of(d, KEY_HOST_ROLES, KEY_HOST),
                                            "host.roles: %s", sentence);
        if (r == 0 && all_good(d, KEY_FORGET_CREDENTIAL, KEY_CREDENTIAL, KEY_TOKEN_SOURCE) && s->forget_credential &&
            s->credential.secret.kind != SECRET_FROM_FILE && s->credential.secret.kind != SECRET_FROM_CREDENTIAL &&
            s->token.pre_minted.kind != SECRET_FROM_FILE)
                r = problem_warning(
                        d->problems, place_of(d, KEY_FORGET_CREDENTIAL, KEY_CREDENTIAL),
                        "forget_credential: true has no effect here: the credential is in no file");
        return r;
}

int spec_check(Decoder *d) {
        static int (*const checks[])(Decoder * d) = {
                check_credential_kind, check_credential_needed,
                check_token,           check_times,
                check_proxy,
                check_engine,          check_advice,
        };
        int r = 0;

        for (size_t i = 0; i < ELEMENTS(checks) && r == 0; i++)
                r = checks[i](d);
        return r;
}
