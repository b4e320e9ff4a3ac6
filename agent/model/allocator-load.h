/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What an allocator still holds, and what became of asking for its instances to be moved. */

#include <stdbool.h>
#include <stdint.h>

typedef struct AllocatorLoad {
        bool found;       /* false: the platform has no such allocator; all else is then unset */
        bool connected;
        bool maintenance; /* takes nothing new */
        unsigned instances;
        unsigned moving;  /* of these, as far as the platform says so */
        int64_t memory_mb;
} AllocatorLoad;

typedef struct Moves {
        unsigned begun, refused; /* clusters */
        char first_refusal[256]; /* "ID: code: message", "" without one */
} Moves;
