/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The body of the token request, for the one that mints and for `ece-enroll plan` that shows it.
 * Pure. */

#include "base/buffer.h"
#include "base/clock.h"
#include "model/role.h"

#define TOKEN_REQUEST_PATH "/api/v1/platform/configuration/security/enrollment-tokens"

/* Appends exactly {"persistent":false,"roles":["allocator"],"validity_in_seconds":3600}: this
 * order, no blanks, roles in the order of the Role type, [] for none. A persistent token has no
 * validity_in_seconds: the API takes it for ephemeral ones only (api.md, 3). 0, -EMSGSIZE, -ENOMEM.
 * */
int token_request_body(RoleSet roles, usec_t validity_us, bool persistent, Buffer *ret);
