/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A plan in words: KEY=VALUE, times as the spec writes them.
 *
 * The usual one is a thousand hosts that start within ten seconds at one coordinator which has no limit. Pulling and
 * installing take as long as in the simulation of one agent, a quarter more or less, or each burst would come back as sharp
 * as it went.
 */

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "fleet.h"

FleetPlan fleet_plan_usual(void) {
        return (FleetPlan) {
                .hosts = 1000,
                .seed = 1,
                .policy = OUR_POLICY,
                .boot_us = 10 * USEC_PER_SEC,
                .pull_us = 40 * USEC_PER_SEC,
                .install_us = 6 * USEC_PER_MINUTE,
                .spread = 25,
                .splay_us = USEC_INFINITY,
                .backoff_min_us = USEC_INFINITY,
                .backoff_max_us = USEC_INFINITY,
                .gate_max_us = USEC_INFINITY,
                .coordinators = 1,
                .limit_answer = DOOR_429,
        };
}

static bool take_number(const char *value, uint64_t maximum, unsigned *ret) {
        uint64_t n;

        if (text_to_u64(value, maximum, &n) < 0)
                return false;
        *ret = (unsigned) n;
        return true;
}

static bool take_yes(const char *value, bool *ret) {
        *ret = streq(value, "yes");
        return *ret || streq(value, "no");
}

static bool take_limit(FleetPlan *p, const char *value) {
        p->limit = streq(value, "queue") ? LIMIT_QUEUE : LIMIT_ANSWER;
        return p->limit == LIMIT_QUEUE || (door_from_string(value, &p->limit_answer) && p->limit_answer >= DOOR_429);
}

static bool take_retry_after(FleetPlan *p, const char *value) {
        p->retry_after = streq(value, "drained") ? RETRY_AFTER_DRAINED : RETRY_AFTER_FIXED;
        return p->retry_after == RETRY_AFTER_DRAINED || duration_parse(value, &p->retry_after_us) >= 0;
}

/* What stands before the separator goes to ret, and what comes behind it is returned; NULL: there is none, or too much. */
static const char *cut(const char *text, char separator, char ret[static 32]) {
        const char *at = strchr(text, separator);

        if (!at || at - text >= 32)
                return NULL;
        (void) snprintf(ret, 32, "%.*s", (int) (at - text), text);
        return at + 1;
}

/* FROM-UNTIL:ANSWER, or FROM-UNTIL:ANSWER@NUMBER for one coordinator. */
static bool take_outage(FleetPlan *p, const char *value) {
        char from[32], until[32], answer[32];
        Outage o = { .which = -1 };
        unsigned which;

        value = cut(value, '-', from);
        value = value ? cut(value, ':', until) : NULL;
        if (!value || p->n_outages == OUTAGES_MAX || duration_parse(from, &o.from_us) < 0 || duration_parse(until, &o.until_us) < 0)
                return false;
        if (strchr(value, '@')) {
                value = cut(value, '@', answer);
                if (!value || !take_number(value, FLEET_COORDINATORS_MAX - 1, &which))
                        return false;
                o.which = (int) which;
                value = answer;
        }
        if (!door_from_string(value, &o.answer))
                return false;
        p->outage[p->n_outages++] = o;
        return true;
}

static usec_t *duration_of(FleetPlan *p, const char *key) {
        const struct {
                const char *key;
                usec_t *value;
        } keys[] = {
                { "boot", &p->boot_us },       { "pull", &p->pull_us },       { "install", &p->install_us },
                { "until", &p->until_us },     { "splay", &p->splay_us },     { "min", &p->backoff_min_us },
                { "max", &p->backoff_max_us }, { "gate", &p->gate_max_us },
        };

        for (size_t i = 0; i < ELEMENTS(keys); i++)
                if (streq(key, keys[i].key))
                        return keys[i].value;
        return NULL;
}

bool fleet_plan_take(FleetPlan *plan, const char *word) {
        char key[32];
        const char *value = cut(word, '=', key);
        usec_t *duration = value ? duration_of(plan, key) : NULL;

        if (!value)
                return false;
        if (duration)
                return duration_parse(value, duration) >= 0;
        if (streq(key, "hosts"))
                return take_number(value, 1000000, &plan->hosts);
        if (streq(key, "policy")) {
                plan->policy = value;
                return true;
        }
        if (streq(key, "splayed"))
                return take_yes(value, &plan->splayed);
        if (streq(key, "drift"))
                return take_yes(value, &plan->drift);
        if (streq(key, "spread"))
                return take_number(value, 100, &plan->spread);
        if (streq(key, "coordinators"))
                return take_number(value, FLEET_COORDINATORS_MAX, &plan->coordinators);
        if (streq(key, "capacity"))
                return take_number(value, 1000000, &plan->capacity);
        if (streq(key, "limit"))
                return take_limit(plan, value);
        if (streq(key, "retry-after"))
                return take_retry_after(plan, value);
        return streq(key, "outage") && take_outage(plan, value);
}
