/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A small world for the machine: a keeper that runs at most what it is told, a coordinator that
 * mints and knows the host, a disk that keeps the last record, and an agent around the machine that
 * may die after any action. All chance comes from outside as Choices, so a run can be repeated, cut
 * and shrunk.
 *
 * The world keeps the books that the machine can't cheat: how many installers run, what is left of
 * them, which tokens were minted, what is on disk. The first broken promise stands in `broken`.
 */

#include "engine/machine.h"
#include "engine/record.h"

typedef enum Deed {
        DEED_ANSWER,    /* the operation under way is answered, truthfully */
        DEED_FAIL,      /* ... or fails */
        DEED_TIMER,     /* the next timer fires */
        DEED_TIME,      /* time passes */
        DEED_END,       /* the running installer ends */
        DEED_LOSE,      /* the connection to the keeper breaks */
        DEED_CRASH,     /* the agent dies and is started again */
        DEED_REBOOT,    /* the host is */
        DEED_RUNNER,    /* the platform changes its mind about this host */
        DEED_STOP, DEED_RETRY, DEED_SPEC,
        DEED_DISK,      /* the disk is full, or has room again */
        _DEED_MAX,
} Deed;

typedef struct Choice {
        uint8_t deed;
        uint8_t die_after; /* 0: no; else the agent dies after that many actions */
        uint16_t bits;     /* chance for whatever the deed has to decide */
        uint32_t random;   /* what goes to the machine as chance */
} Choice;

typedef struct World {
        const char *broken; /* the promise, NULL while all hold */

        Policy policy;
        Machine m;
        Choice choice;
        usec_t now_us, realtime_us;
        bool gone; /* the agent has left */
        usec_t armed_us[_TIMER_MAX];

        /* The keeper and the host. */
        bool connected, running, ended, ended_well, left_over;
        ActionKind keeper_asked; /* _ACTION_KIND_MAX: nothing */

        /* The coordinator. */
        Membership runner, last_probed;
        bool seen_since_mint;
        unsigned minted;         /* in this enrollment */
        unsigned minted_in_vain; /* since the last success or the last time that a person did something */
        bool persistent;         /* tokens are persistent ones */
        bool stored;             /* one of ours is on the platform */
        ActionKind asked; /* coordinator or spec; _ACTION_KIND_MAX: nothing */

        /* The agent. */
        bool token;
        usec_t token_deadline_us;
        bool may_end; /* something happened that may end a run before its wall */
        bool unrecorded; /* what was to be done was not, since the disk is full: the machine has to hear of it */

        /* The disk: what was saved last, while it could be. */
        Record disk;
        bool full;
        bool stale; /* the agent knows that its last SAVE failed */
        unsigned boot;
        unsigned steps;
} World;

void world_begin(World *w, uint64_t seed);
void world_do(World *w, const Choice *choice);

/* From here on everything goes well: does it come to a right end? */
void world_be_kind(World *w);
