/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Holding what was seen against what must be. */

#include "world.h"

#define WHY_SIZE 256U

/* After an undisturbed play: every clause of the scenario, and that a permanent error was not asked
 * about again. False with a sentence. */
bool judge(const Scenario *s, const World *w, char why[static WHY_SIZE]);

/*
 * After a play in which the agent died once more than the scenario says. What must be the same: the
 * final state, its reason and its exit code. What the death may cost: the token that was in memory,
 * so one more is minted, and one more installer for it; as much again for each reboot and suspend of the
 * scenario, which now meets the agent in another moment; and where installers fail by the dozen,
 * their number follows the time, so a quarter of it. Where a scenario is at the edge of its budget or scripts the world
 * by the number of requests, its file says which other end is right ("after a crash also").
 *
 * A death at rest, when the enrollment was over, begins another one at the next start, in a world
 * that may have changed: of that only the promises are demanded, and that it ends.
 */
bool judge_crash(const Scenario *s, const World *undisturbed, const World *w, char why[static WHY_SIZE]);

/* "FAILED coordinator.tls-untrusted, exit 69" */
void ending_format(const Ending *ending, char ret[static WHY_SIZE]);
