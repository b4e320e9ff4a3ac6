/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What this release does not do yet, said aloud.
 *
 * The spec's contract is larger than what is acted on. A key that is silently ignored is worse than
 * one that is refused: whoever asked for a token to be deleted after the join believes that it is
 * gone. So what would change the host or the installation is refused (plan_unsupported), and what
 * only reports less is named (plan_without_effect). Both lists shrink to nothing as the program
 * grows; a row is one predicate and one sentence.
 *
 * Pure functions of the Spec: nothing fails, nothing on the host is looked at.
 */

#include "model/plan.h"

#include "base/cleanup.h"
#include "base/text.h"

/* The default of report.hooks_dir. A directory that was never named is no wish, whatever may lie
 * in it. */
#define HOOKS_DIR_DEFAULT "/etc/ece-enroll/hooks.d"

typedef struct Limit {
        bool (*asked)(const Spec *spec);
        const char *sentence;
} Limit;

static bool asks_persistent_token(const Spec *spec) {
        return spec->token.persistent;
}

static bool sets_hooks_dir(const Spec *spec) {
        return spec->report.hooks_dir && !streq(spec->report.hooks_dir, HOOKS_DIR_DEFAULT);
}

static bool sets_metrics_textfile(const Spec *spec) {
        return spec->report.metrics_textfile != NULL;
}

static bool sets_webhook(const Spec *spec) {
        return spec->report.webhook_url != NULL;
}

static const Limit unsupported[] = {
        { asks_persistent_token,
          "token.persistent: true is not supported by this release; leave it out and an ephemeral "
          "token is minted" },
};

static const Limit without_effect[] = {
        { sets_hooks_dir,
          "report.hooks_dir has no effect in this release: no hook is run" },
        { sets_metrics_textfile,
          "report.metrics_textfile has no effect in this release: no metrics are written" },
        { sets_webhook,
          "report.webhook has no effect in this release: nothing is sent" },
};

static const char *nth_that_applies(const Limit limits[], size_t n_limits, const Spec *spec,
                                    size_t n) {
        for (size_t i = 0; i < n_limits; i++)
                if (limits[i].asked(spec) && n-- == 0)
                        return limits[i].sentence;
        return NULL;
}

const char *plan_unsupported(const Spec *spec, size_t n) {
        return nth_that_applies(unsupported, ELEMENTS(unsupported), spec, n);
}

const char *plan_without_effect(const Spec *spec, size_t n) {
        return nth_that_applies(without_effect, ELEMENTS(without_effect), spec, n);
}
