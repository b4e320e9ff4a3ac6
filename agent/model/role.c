/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Roles and sets of them.
 *
 * ECE knows exactly four assignable roles; a set of them is one byte, so it is copied, compared and
 * recorded without any ownership. Nothing here can fail: an unknown word is a value
 * (_ROLE_INVALID).
 */

#include "model/role.h"

#include <assert.h>

#include "base/cleanup.h"
#include "base/text.h"

static const char *const words[_ROLE_MAX] = {
        [ROLE_ALLOCATOR] = "allocator",
        [ROLE_COORDINATOR] = "coordinator",
        [ROLE_DIRECTOR] = "director",
        [ROLE_PROXY] = "proxy",
};

const char *role_to_string(Role r) {
        assert(r >= 0 && r < _ROLE_MAX);
        return words[r];
}

Role role_from_string(const char *s) {
        if (!s)
                return _ROLE_INVALID;
        for (int r = 0; r < _ROLE_MAX; r++)
                if (streq(words[r], s))
                        return (Role) r;
        return _ROLE_INVALID;
}

const char *const *role_words(void) {
        return words;
}

bool role_is_system(const char *s) {
        return s && (streq(s, "beats-runner") || streq(s, "services-forwarder"));
}

const char *role_set_format(RoleSet set, const char *separator,
                            char buffer[static ROLE_SET_STRING_SIZE]) {
        size_t used = 0;

        buffer[0] = '\0';
        for (int r = 0; r < _ROLE_MAX; r++) {
                if (!role_set_has(set, (Role) r))
                        continue;
                const char *parts[] = { used > 0 ? separator : "", words[r] };
                for (size_t i = 0; i < ELEMENTS(parts); i++) {
                        size_t n = strlen(parts[i]);
                        /* All four words leave room for separators of five bytes: longer is a
                         * mistake here. */
                        assert(used + n < ROLE_SET_STRING_SIZE);
                        memcpy(buffer + used, parts[i], n + 1);
                        used += n;
                }
        }
        return buffer;
}

/* The pairs of ECE's page on roles. Its own medium installation breaks the last one, so this is
 * advice that is shown and never a refusal. */
static const struct {
        Role a, b;
        const char *sentence;
} advice[] = {
        { ROLE_ALLOCATOR, ROLE_COORDINATOR,
          "ECE advises against allocator and coordinator on the same host: deployments then "
          "compete "
          "with the control plane for memory" },
        { ROLE_ALLOCATOR, ROLE_DIRECTOR,
          "ECE advises against allocator and director on the same host: deployments then compete "
          "with ZooKeeper for memory and disk" },
        { ROLE_COORDINATOR, ROLE_PROXY,
          "ECE advises against coordinator and proxy on the same host: user traffic then competes "
          "with the control plane" },
};

const char *role_set_advice(RoleSet set, size_t n) {
        for (size_t i = 0; i < ELEMENTS(advice); i++) {
                if (!role_set_has(set, advice[i].a) || !role_set_has(set, advice[i].b))
                        continue;
                if (n-- == 0)
                        return advice[i].sentence;
        }
        return NULL;
}
