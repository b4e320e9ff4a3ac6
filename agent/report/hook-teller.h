/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * HookTeller: which hooks are due, and when the next ones are. Pure: told the news and the time, it decides; what was run is
 * told to it afterwards.
 *
 * - Progress is told at each change of state, and again each minute while the agent is at work and its deadline has not
 *   passed: for whoever waits and wants a sign of life.
 * - A final state is told once. An agent that was restarted and finds the same is not told again; one that has tried
 *   again is, even if it ends the same.
 * - Of a final state's hooks, those that end with HOOK_AGAIN are run again after a while, and only those.
 */

#include "base/buffer.h"
#include "base/json.h"
#include "report/hook-news.h"

#define HOOK_PROGRESS_EVERY_US USEC_PER_MINUTE
#define HOOK_AGAIN_MIN_US (5 * USEC_PER_SEC)
#define HOOK_AGAIN_MAX_US (5 * USEC_PER_MINUTE)
#define HOOK_NAMES_SIZE_MAX (16U * 1024U)

typedef struct HookTeller {
        bool progress_told;
        char progress_state[16]; /* the last one told */
        usec_t progress_at_us;   /* boottime */

        HookNews final;  /* the last one told, HOOK_NOTHING: none */
        bool joined_since; /* a token or an installer was seen after it */
        Buffer through;  /* names of its hooks that are through with it, a blank behind each */
        bool again;      /* some want to be run again */
        unsigned tries;
        usec_t again_at_us;
} HookTeller;

#define HOOK_TELLER_INIT { .through = BUFFER_INIT(HOOK_NAMES_SIZE_MAX) }
void hook_teller_clear(HookTeller *teller);

/* What is due now for the newest news; HOOK_NOTHING: nothing before *ret_wait_us has passed (USEC_INFINITY: before other news). */
HookEvent hook_teller_next(HookTeller *teller, const HookNews *news, usec_t now_us, usec_t *ret_wait_us);

/* What was due is begun: a final state that is another than the last forgets whose hooks were through with that. */
void hook_teller_begin(HookTeller *teller, const HookNews *news, usec_t now_us);

/* The hooks of a final state have been run, and some want to be run again, or none. */
void hook_teller_end(HookTeller *teller, bool again, usec_t now_us);

/* For the next process: the final state that was told, and by which hooks. NULL without memory; -EBADMSG, -ENOMEM. */
json_t *hook_teller_to_json(const HookTeller *teller);
int hook_teller_from_json(HookTeller *teller, const json_t *object);
