/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A set of roles as every page and record of ours writes it: a list of words, never a number, so that a reader needs no
 * table.
 *
 * Memory may be short: then there is no list at all, because a shorter one would be a wrong set.
 */

#include "model/role-json.h"

#include <errno.h>

json_t *role_set_to_json(RoleSet roles) {
        json_t *list = json_array();

        for (Role r = 0; list && r < _ROLE_MAX; r++)
                if (role_set_has(roles, r) && json_array_append_new(list, json_string(role_to_string(r))) < 0) {
                        json_decref(list);
                        return NULL;
                }
        return list;
}

int role_set_from_json(const json_t *list, RoleSet *ret) {
        const json_t *word;
        RoleSet roles = 0;
        size_t i;

        if (!json_is_array(list))
                return -EBADMSG;
        json_array_foreach(list, i, word) {
                Role role = json_is_string(word) ? role_from_string(json_string_value(word)) : _ROLE_INVALID;

                if (role < 0 || role_set_has(roles, role))
                        return -EBADMSG;
                roles |= role_bit(role);
        }
        *ret = roles;
        return 0;
}
