/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Keys that have no row.
 *
 * The answer should save a look into the manual: the near word if there is one, a reason where
 * people expect a switch that is not there on purpose, else all keys of the place. Keys are
 * repeated in the message, cut to a bound, except in mappings about secrets, where a stray word may
 * be the secret itself.
 */

#include "model/spec-decode.h"

#include "base/text.h"

#define KEY_SHOWN_MAX 48

static const char no_switch[] = "there is no switch that turns verification off";

static const struct {
        SpecKey section;
        const char *key;
        const char *sentence;
} reasons[] = {
        { KEY_TRUST, "insecure", no_switch },
        { KEY_TRUST, "allow_insecure", no_switch },
        { KEY_TRUST, "insecure_skip_verify", no_switch },
        { KEY_TRUST, "skip_verify", no_switch },
        { KEY_TRUST, "skip_tls_verify", no_switch },
        { KEY_TRUST, "no_verify", no_switch },
        { KEY_TRUST, "verify", no_switch },
        { KEY_TRUST, "verify_ssl", no_switch },
        { KEY_TRUST, "verify_tls", no_switch },
        { KEY_TRUST, "verify_peer", no_switch },
        { KEY_TRUST, "verify_host", no_switch },
        { KEY_TRUST, "tls_verify", no_switch },
        { KEY_TRUST, "ssl_verify", no_switch },
        { KEY_TRUST, "validate_certs", no_switch },
        { KEY_TRUST, "check_hostname", no_switch },
        { KEY_TRUST, "enabled", no_switch },
        { _SPEC_KEY_INVALID, "insecure", no_switch },
        { _SPEC_KEY_INVALID, "skip_verify", no_switch },
        { _SPEC_KEY_INVALID, "validate_certs", no_switch },
        { _SPEC_KEY_INVALID, "<<", "merge keys are not supported; use a drop-in" },
        { _SPEC_KEY_INVALID, "roles", "it belongs in host" },
        { _SPEC_KEY_INVALID, "api_key", "it belongs in credential" },
        { KEY_TOKEN, "value", "secrets do not belong in the spec" },
        { KEY_TOKEN, "token", "secrets do not belong in the spec" },
        { KEY_TOKEN, "roles", "it belongs in host; the token is asked for with the same roles" },
        { KEY_INSTALLER, "host_ip", "it belongs in host" },
        { KEY_INSTALLER, "coordinator_host", "it is chosen among coordinators" },
        { KEY_CREDENTIAL, "password",
          "secrets do not belong in the spec, and it goes with a user: basic or bearer" },
        { KEY_CREDENTIAL, "user", "it belongs in credential.basic or credential.bearer" },
        { KEY_CREDENTIAL, "none", "leave credential out where none is needed" },
};

static const char *find_reason(SpecKey section, const char *key) {
        for (size_t i = 0; i < ELEMENTS(reasons); i++)
                if (reasons[i].section == section && streq(reasons[i].key, key))
                        return reasons[i].sentence;
        return NULL;
}

static int report_unknown(Decoder *d, SpecKey section, const YamlNode *member,
                          const char *const names[], size_t n) {
        const char *in = section == _SPEC_KEY_INVALID ? "" : " in ";
        const char *where = section == _SPEC_KEY_INVALID ? "" : spec_schema(section)->path;
        const char *reason = find_reason(section, member->key);
        char near[DID_YOU_MEAN_SIZE], allowed[320];

        if (reason)
                return problem_error(d->problems, &member->key_place, "unknown key '%s'%s%s; %s",
                                     member->key, in, where, reason);
        if (did_you_mean(near, member->key, names, n)[0] != '\0')
                return problem_error(d->problems, &member->key_place, "unknown key '%.*s'%s%s%s",
                                     KEY_SHOWN_MAX, member->key, in, where, near);
        words_join(allowed, sizeof(allowed), names, n);
        if (section == KEY_CREDENTIAL || section == KEY_TOKEN)
                return problem_error(d->problems, &member->key_place,
                                     "unknown key%s%s; allowed are %s", in, where, allowed);
        return problem_error(d->problems, &member->key_place,
                             "unknown key '%.*s'%s%s; allowed are %s", KEY_SHOWN_MAX, member->key,
                             in, where, allowed);
}

int decode_unknown_keys(Decoder *d, SpecKey section, const YamlNode *mapping) {
        const char *names[SPEC_SECTION_KEYS_MAX];
        size_t n = spec_schema_members(section, names);

        for (const YamlNode *member = mapping->first; member; member = member->next) {
                size_t i = 0;
                while (i < n && !streq(names[i], member->key))
                        i++;
                if (i < n)
                        continue;
                int r = report_unknown(d, section, member, names, n);
                if (r < 0)
                        return r;
        }
        return 0;
}
