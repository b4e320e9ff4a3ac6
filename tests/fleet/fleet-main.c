/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Plays a fleet and prints what came of it, one line of JSON for each seed.
 *
 *     fleet [--curve] [seeds=1-20] [KEY=VALUE...]
 *
 *     hosts=1000 boot=10s            so many, started evenly over this
 *     policy=ece-enroll              or a peer: k3s, nomad, ... (peer.c)
 *     splayed=yes                    a peer's hosts wait for their splay, as ours do
 *     splay= min= max=               retry.splay, retry.backoff.min and .max instead of the defaults
 *     gate=                          the longest pause at a shut gate alone, which else is retry.backoff.max
 *     pull=40s install=6m spread=25  what a host's own work takes, and by how many percent that differs
 *     coordinators=1 capacity=50     so many requests per second each, with
 *     limit=429                      or 503, 503-ece, queue
 *     retry-after=30s                with each 429 and 503; drained: as long as the line is
 *     outage=0s-180s:refused         or silence, 429, 503, 503-ece; @0 behind it: that coordinator alone
 *     drift=yes until=3h             enrolled hosts are looked at again, and it ends then
 *
 * --curve adds what came in each second. Exit status 2: a word that it does not know, or a plan that makes no sense.
 */

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "fleet.h"

static void print_curve(const char *name, const unsigned *curve, size_t n) {
        (void) printf(", \"%s\": [", name);
        for (size_t i = 0; i < n; i++)
                (void) printf("%s%u", i > 0 ? "," : "", curve[i]);
        (void) printf("]");
}

static void print(const FleetPlan *p, const FleetResult *r, bool curve) {
        (void) printf("{\"policy\": \"%s\", \"hosts\": %u, \"seed\": %llu, \"enrolled\": %u, \"failed\": %u, ", p->policy, p->hosts,
                      (unsigned long long) p->seed, r->enrolled, r->failed);
        (void) printf("\"requests\": %llu, \"handshakes\": %llu, \"bare\": %llu, \"knocks\": %llu, \"tokens\": %llu, ",
                      (unsigned long long) r->requests, (unsigned long long) r->handshakes, (unsigned long long) r->bare,
                      (unsigned long long) r->knocks, (unsigned long long) r->tokens);
        (void) printf("\"peak\": %u, \"peak_requests\": %u, \"peak_handshakes\": %u, ", r->peak, r->peak_requests, r->peak_handshakes);
        (void) printf("\"first_mean\": %.3f, \"token_99\": %.3f, \"enrolled_99\": %.3f, \"end\": %.3f", r->first_mean_s, r->token_99_s,
                      r->enrolled_99_s, r->end_s);
        if (curve) {
                print_curve("curve", r->curve, r->n_curve);
                print_curve("curve_requests", r->curve_requests, r->n_curve);
                print_curve("curve_handshakes", r->curve_handshakes, r->n_curve);
        }
        (void) printf("}\n");
}

/* "3-7", or one of them. */
static bool take_seeds(const char *value, uint64_t *ret_first, uint64_t *ret_last) {
        size_t n = strcspn(value, "-");
        char first[24];

        if (n >= sizeof(first))
                return false;
        (void) snprintf(first, sizeof(first), "%.*s", (int) n, value);
        return text_to_u64(first, UINT32_MAX, ret_first) >= 0 &&
               text_to_u64(value[n] ? value + n + 1 : first, UINT32_MAX, ret_last) >= 0;
}

int main(int argc, char *argv[]) {
        FleetPlan plan = fleet_plan_usual();
        uint64_t first = 1, last = 1;
        bool curve = false;

        for (int i = 1; i < argc; i++) {
                bool seeds = text_starts_with(argv[i], "seeds=");
                bool good = seeds ? take_seeds(argv[i] + strlen("seeds="), &first, &last) : fleet_plan_take(&plan, argv[i]);

                if (streq(argv[i], "--curve"))
                        good = curve = true;
                if (!good) {
                        (void) fprintf(stderr, "fleet: '%s' is no word of a plan\n", argv[i]);
                        return 2;
                }
        }
        for (plan.seed = first; plan.seed <= last; plan.seed++) {
                FleetResult result;
                int error = fleet_play(&plan, &result);

                if (error < 0) {
                        (void) fprintf(stderr, "fleet: %s\n", strerror(-error));
                        return 2;
                }
                print(&plan, &result, curve);
                fleet_result_done(&result);
        }
        return 0;
}
