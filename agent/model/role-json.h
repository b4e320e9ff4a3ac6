/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Roles as JSON: apart from role.h, because few who know roles know JSON. */

#include "base/json.h"
#include "model/role.h"

/* The roles' words in the order of Role, `["allocator","proxy"]`; the empty list for the empty set. The caller's; NULL when
 * memory is short. */
json_t *role_set_to_json(RoleSet roles);
