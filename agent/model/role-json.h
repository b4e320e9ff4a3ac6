/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Roles as JSON: apart from role.h, because few who know roles know JSON. */

#include "base/json.h"
#include "model/role.h"

/* The roles' words in the order of Role, `["allocator","proxy"]`; the empty list for the empty set. The caller's; NULL when
 * memory is short. */
json_t *role_set_to_json(RoleSet roles);

/* The other way; 0, or -EBADMSG for what is no list of roles' words, each once; NULL is none. */
int role_set_from_json(const json_t *list, RoleSet *ret);
