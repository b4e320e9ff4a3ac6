/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Parts of the codec that the room needs elsewhere: an Observation as JSON also stands in the
 * attempt's record. */

#include <jansson.h>

#include "installer/protocol.h"

bool message_kind_is_request(MessageKind kind);

/* A new object, NULL without memory. retry_after_us and maybe_minted are of other rooms and not
 * carried. */
json_t *observation_to_json(const Observation *o);

/* 0; -EBADMSG unless it has exactly the members that observation_to_json() writes. */
int observation_from_json(const json_t *object, Observation *ret);
