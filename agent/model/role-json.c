/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A set of roles as every page and record of ours writes it: a list of words, never a number, so that a reader needs no
 * table.
 *
 * Memory may be short: then there is no list at all, because a shorter one would be a wrong set.
 */

#include "model/role-json.h"

json_t *role_set_to_json(RoleSet roles) {
        json_t *list = json_array();

        for (Role r = 0; list && r < _ROLE_MAX; r++)
                if (role_set_has(roles, r) && json_array_append_new(list, json_string(role_to_string(r))) < 0) {
                        json_decref(list);
                        return NULL;
                }
        return list;
}
