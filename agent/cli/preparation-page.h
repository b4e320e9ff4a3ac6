/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A host's preparation as `ece-enroll check` shows it, in JSON and in lines. */

#include "base/buffer.h"
#include "base/json.h"
#include "host/preparation.h"

/* Appends to the array of gates rows of the same members, with "prepared" and "advised" for a state, and two members more:
 * "documented" and "source". 0, -ENOMEM. */
int advices_add_json(const Advices *advices, json_t *array);

/* A heading, one line for each item, and below one that is not as documented what mends it and the page. An append that
 * does not fit is dropped. */
void advices_write_lines(const Advices *advices, bool colour, Buffer *page);
