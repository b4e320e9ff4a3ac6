/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The reading half of an enrollment, for `ece-enroll plan --online`: the platform's version and its view of this
 * host. Nothing is minted, written or changed. */

#include "model/facts.h"
#include "model/plan.h"
#include "model/verdict.h"

typedef struct OnlineView {
        PlatformFacts platform;
        RunnerView runner;
        Verdict verdict;      /* runner held against the plan; valid when runner.found */
        Observation failure;  /* none when all questions were answered */
} OnlineView;

/* Blocks until the questions are answered or have failed. *plan is replaced by the one that knows the platform's version. 0;
 * negative errno for a fault of ours. */
int plan_ask_online(const Spec *spec, const HostFacts *facts, Plan **plan, OnlineView *ret);
