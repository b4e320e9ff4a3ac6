/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The two halves of the classification table as data. Read them through classify.h. */

#include "engine/classify.h"

#define REASONS_MAX 192

extern const Reason reasons_table[]; /* sorted by id */
extern const size_t reasons_n;
extern const ReasonMatch reason_matches[];
extern const size_t reason_matches_n;
