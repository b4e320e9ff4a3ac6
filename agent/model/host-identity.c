/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Is this the host that a record speaks of? Images are cloned with everything that is on them, our record included, and what
 * it says of memberships and owed tokens is then another host's affair. What is not known on both sides proves nothing, so
 * nobody is called a clone for want of a right to read. Pure; nothing fails.
 */

#include "model/host-identity.h"

#include <string.h>
#include <stddef.h>

#include "base/text.h"

static bool both_known(const char *a, const char *b) {
        return *a && *b;
}

static bool is_in_list(const char *word, size_t n, const char *list) {
        for (const char *at = list; *at;) {
                size_t length = strcspn(at, ",");

                if (length == n && strncmp(at, word, n) == 0)
                        return true;
                at += length + (at[length] == ',');
        }
        return false;
}

static bool have_one_in_common(const char *a, const char *b) {
        for (const char *at = a; *at;) {
                size_t length = strcspn(at, ",");

                if (length > 0 && is_in_list(at, length, b))
                        return true;
                at += length + (at[length] == ',');
        }
        return false;
}

const char *host_identity_difference(const HostIdentity *then, const HostIdentity *now) {
        if (both_known(then->machine_id, now->machine_id) && !streq(then->machine_id, now->machine_id))
                return "its machine-id is another one";
        if (both_known(then->product_uuid, now->product_uuid))
                return streq(then->product_uuid, now->product_uuid) ? NULL : "its DMI product UUID is another one";
        if (both_known(then->hardware_addresses, now->hardware_addresses) &&
            !have_one_in_common(then->hardware_addresses, now->hardware_addresses))
                return "none of its network cards is the same";
        return NULL;
}
