/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What this release does not do yet, said aloud.
 *
 * The spec's contract is larger than what is acted on. A key that is silently ignored is worse than
 * one that is named. The list shrinks to nothing as the program grows; a row is one predicate and one sentence.
 *
 * Pure functions of the Spec: nothing fails, nothing on the host is looked at.
 */

#include "model/plan.h"

#include "base/cleanup.h"
#include "base/text.h"

typedef struct Limit {
        bool (*asked)(const Spec *spec);
        const char *sentence;
} Limit;

static bool sets_webhook(const Spec *spec) {
        return spec->report.webhook_url != NULL;
}

static const Limit without_effect[] = {
        { sets_webhook,
          "report.webhook has no effect in this release: nothing is sent" },
};

const char *plan_without_effect(const Spec *spec, size_t n) {
        for (size_t i = 0; i < ELEMENTS(without_effect); i++)
                if (without_effect[i].asked(spec) && n-- == 0)
                        return without_effect[i].sentence;
        return NULL;
}
