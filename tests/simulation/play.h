/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Playing a scenario once, from its beginning to where nothing happens any more. */

#include "world.h"

/* crash_at: when the agent touches the world for the n-th time it dies, before or after; 0: never.
 * The result is in *ret; play_done() frees what it holds. directory: an empty one, for the agent. */
void play(const Scenario *s, const char *directory, unsigned crash_at, bool crash_before, bool story, World *ret);
void play_done(World *w);

/* The chance of a scenario's world: its name, mixed. */
uint64_t play_seed(const char *name);
