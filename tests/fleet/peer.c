/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Hosts that go the same way with another's pauses.
 *
 * What a peer asks in its own world has no counterpart here, so it is lent everything but its patience: our questions in
 * our order, our time-outs, our fail-over within a question, our rule by which connections are left open, our proof. A question
 * that fails is asked again after the pause that the peer's source has for it, and its count begins anew with the next question.
 * So what differs is when is asked, and nothing else; for most of them that is more than they have.
 *
 * Constants and formulas were read in the sources of the projects, in versions of the years 2024 to 2026. A peer that gives
 * up stays outside. Limits on the time of a whole run (kubeadm's 5 minutes, elastic-agent's 10) are left out, as if somebody started
 * it again at once.
 */

#include "base/text.h"
#include "fleet-private.h"

#define SECOND USEC_PER_SEC

struct Peer {
        const char *name;
        unsigned tries; /* of one question, then never again; 0: no limit */
        usec_t (*pause)(const Host *h, const Ended *ended, uint32_t random); /* before try number h->tries + 1 */
};

/* A part of a span; twenty bits of chance are enough for spans of minutes, and what they are multiplied with fits. */
static usec_t part(usec_t span_us, uint32_t random) {
        return (span_us * (random >> 12)) >> 20;
}

static usec_t doubled(usec_t first_us, unsigned tries, usec_t most_us) {
        for (unsigned i = 1; i < tries && first_us < most_us; i++)
                first_us *= 2;
        return first_us < most_us ? first_us : most_us;
}

static usec_t rauc_hawkbit(const Host *h, const Ended *ended, uint32_t random) {
        return ended->answer == DOOR_429 && h->tries <= 10 ? SECOND : 300 * SECOND;
}

static usec_t kubeadm(const Host *h, const Ended *ended, uint32_t random) {
        return 5 * SECOND;
}

static usec_t k3s(const Host *h, const Ended *ended, uint32_t random) {
        return 5 * SECOND + part(5 * SECOND, random);
}

static usec_t nomad(const Host *h, const Ended *ended, uint32_t random) {
        return 15 * SECOND + part(15 * SECOND, random);
}

static usec_t ignition(const Host *h, const Ended *ended, uint32_t random) {
        return doubled(SECOND / 5, h->tries, 5 * SECOND);
}

static usec_t afterburn(const Host *h, const Ended *ended, uint32_t random) {
        return doubled(SECOND, h->tries, 5 * SECOND);
}

/* It listens to Retry-After with 503. */
static usec_t phone_home(const Host *h, const Ended *ended, uint32_t random) {
        bool asked = ended->has_retry_after && (ended->answer == DOOR_503 || ended->answer == DOOR_503_ECE);

        return asked ? ended->retry_after_us : 3 * SECOND;
}

/* n * n * 10 ms, up to 30 s, times 0.5 to 1.5; and it listens. */
static usec_t tailscale(const Host *h, const Ended *ended, uint32_t random) {
        usec_t step_us = (usec_t) h->tries * h->tries * (SECOND / 100);

        if (ended->has_retry_after)
                return ended->retry_after_us < USEC_PER_HOUR ? ended->retry_after_us : USEC_PER_HOUR;
        if (ended->answer == DOOR_429)
                return 5 * SECOND + part(5 * SECOND, random);
        if (step_us > 30 * SECOND)
                step_us = 30 * SECOND;
        return step_us / 2 + part(step_us, random);
}

/* Equal jitter: half of it is fixed. */
static usec_t elastic_agent(const Host *h, const Ended *ended, uint32_t random) {
        usec_t step_us = doubled(5 * SECOND, h->tries, 600 * SECOND);

        return step_us / 2 + part(step_us / 2, random);
}

static usec_t openbao(const Host *h, const Ended *ended, uint32_t random) {
        usec_t step_us = doubled(SECOND, h->tries, 300 * SECOND);

        return step_us - part(step_us / 4, random);
}

static const Peer peers[] = {
        { "rauc-hawkbit-updater", 0, rauc_hawkbit },
        { "kubeadm", 0, kubeadm },
        { "k3s", 0, k3s },
        { "nomad", 0, nomad },
        { "ignition", 0, ignition },
        { "afterburn", 10, afterburn },
        { "phone_home", 10, phone_home },
        { "tailscale", 0, tailscale },
        { "elastic-agent", 0, elastic_agent },
        { "openbao", 0, openbao },
};

const Peer *peer_by_name(const char *name) {
        for (size_t i = 0; i < ELEMENTS(peers); i++)
                if (streq(peers[i].name, name))
                        return &peers[i];
        return NULL;
}

/* --- The way ----------------------------------------------------------------------------------- */

typedef enum Stage { STAGE_PROBE, STAGE_PULL, STAGE_MINT, STAGE_INSTALL, STAGE_LOOK } Stage;

static void ask(Fleet *f, Host *h) {
        h->wait_us = USEC_INFINITY;
        switch ((Stage) h->stage) {
        case STAGE_PROBE:
                return question_ask(f, h, WISH_PROBE);
        case STAGE_PULL:
                return question_keeper(f, h, fleet_pull_us(f, h), EVENT_PREPARED);
        case STAGE_MINT:
                return question_ask(f, h, WISH_MINT);
        case STAGE_INSTALL:
                return question_keeper(f, h, fleet_install_us(f, h), EVENT_INSTALL_EXITED);
        case STAGE_LOOK:
                h->joined = true;
                return question_ask(f, h, WISH_LOOK);
        }
}

void peer_begin(Fleet *f, Host *h) {
        h->stage = STAGE_PROBE;
        h->answer_us = USEC_INFINITY;
        h->wait_us = h->boot_us + (f->plan->splayed ? h->policy.splay_us : 0);
}

static void answered_well(Fleet *f, Host *h) {
        usec_t stable_us;

        h->tries = 0;
        if (h->stage == STAGE_MINT) {
                f->result.tokens++;
                h->token_us = f->now_us;
        }
        if (h->stage != STAGE_LOOK) {
                h->stage++;
                return ask(f, h);
        }
        /* What was not seen for too long is not believed to have stood, as with ours. */
        if (h->stable_since_us == 0 || f->now_us - h->seen_good_us > h->policy.stable_for_us + h->policy.backoff_max_us)
                h->stable_since_us = f->now_us;
        h->seen_good_us = f->now_us;
        stable_us = f->now_us - h->stable_since_us;
        if (stable_us < h->policy.stable_for_us) {
                h->wait_us = f->now_us + policy_stable_wait_us(&h->policy, h->policy.stable_for_us - stable_us);
                return;
        }
        h->enrolled_us = f->now_us;
        fleet_over(f, h);
}

static void answered_ill(Fleet *f, Host *h, const Ended *ended) {
        h->tries++;
        if (f->peer->tries > 0 && h->tries >= f->peer->tries)
                return fleet_over(f, h);
        h->wait_us = f->now_us + f->peer->pause(h, ended, fleet_chance(f, h));
}

void peer_go_on(Fleet *f, Host *h) {
        Ended ended;

        if (h->wait_us <= f->now_us)
                return ask(f, h);
        if (!question_go_on(f, h, &ended))
                return;
        if (ended.good)
                answered_well(f, h);
        else
                answered_ill(f, h, &ended);
}

usec_t peer_due(const Host *h) {
        return h->answer_us < h->wait_us ? h->answer_us : h->wait_us;
}
