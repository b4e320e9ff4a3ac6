/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The token request, written out by hand: three members whose order and form are part of the public
 * contract. Roles are words of our own table, so nothing needs escaping. `roles` is always an
 * array, never null.
 */

#include "coordinator/token-request.h"

#include <inttypes.h>

int token_request_body(RoleSet roles, usec_t validity_us, bool persistent, Buffer *ret) {
        const char *separator = "";
        int error;

        error = buffer_append_format(ret, "{\"persistent\":%s,\"roles\":[", persistent ? "true" : "false");
        for (Role r = 0; error >= 0 && r < _ROLE_MAX; r++) {
                if (!role_set_has(roles, r))
                        continue;
                error = buffer_append_format(ret, "%s\"%s\"", separator, role_to_string(r));
                separator = ",";
        }
        if (error >= 0)
                error = buffer_append_string(ret, "]");
        if (error >= 0 && !persistent)
                error = buffer_append_format(ret, ",\"validity_in_seconds\":%" PRIu64,
                                             validity_us / USEC_PER_SEC);
        return error < 0 ? error : buffer_append_string(ret, "}");
}
