/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The four roles that an ECE host may be given (ECE docs, "roles tokens": "The permitted roles are the
 * same as those you can assign in the Cloud UI"), and sets of them. */

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum Role {
        ROLE_ALLOCATOR,
        ROLE_COORDINATOR,
        ROLE_DIRECTOR,
        ROLE_PROXY,
        _ROLE_MAX,
        _ROLE_INVALID = -EINVAL,
} Role;

/* One bit per Role; 0 is the empty set: the host joins and runs no role. */
typedef uint8_t RoleSet;

static inline RoleSet role_bit(Role r) {
        return (RoleSet) (1U << (unsigned) r);
}
static inline bool role_set_has(RoleSet set, Role r) {
        return (set & role_bit(r)) != 0;
}

const char *role_to_string(Role r);
Role role_from_string(const char *s); /* _ROLE_INVALID for any other word; case matters, as in ECE */
const char *const *role_words(void);  /* _ROLE_MAX words in Role order, for suggestions */

/* Assigned by ECE itself to each host (beats-runner, services-forwarder): seen, accepted, never asked for. */
bool role_is_system(const char *s);

/* "allocator,proxy" in Role order, "" for the empty set. Returns buffer. */
#define ROLE_SET_STRING_SIZE 48
const char *role_set_format(RoleSet set, const char *separator, char buffer[static ROLE_SET_STRING_SIZE]);

/* Combinations that ECE's documentation advises against ("Roles that should not be held by the same
 * host", ece-roles.md). The n-th sentence that applies to the set, NULL after the last. */
const char *role_set_advice(RoleSet set, size_t n);
