/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One loop, run until the handler of the question under way has been called.
 *
 * The handlers copy what they are shown, because it is borrowed for the call. What may fail on our side (memory, a
 * descriptor) is told like everything else, as an Observation of ORIGIN_AGENT, so that a command has one kind of
 * trouble to deal with.
 */

#include "cli/platform-session.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <systemd/sd-event.h>

#include "coordinator/credential.h"
#include "http/http.h"

struct PlatformSession {
        sd_event *event;
        Http *http;
        Via *via; /* outlives the coordinator, which borrows it */
        Coordinator *coordinator;

        bool answered;
        Observation failure;
        void *ret; /* where the answer goes */
        int error; /* of keeping it */
};

PlatformSession *platform_session_close(PlatformSession *s) {
        if (!s)
                return NULL;
        (void) coordinator_free(s->coordinator);
        (void) via_free(s->via);
        (void) http_free(s->http);
        (void) sd_event_unref(s->event);
        free(s);
        return NULL;
}

static int open_coordinator(PlatformSession *s, const Spec *spec, Observation *refusal) {
        Secret *secret = NULL;
        int r = via_new(spec, true, &s->via, refusal);

        if (r >= 0 && s->via)
                r = credential_read(&spec->credential.secret, true, &secret, refusal);
        if (r < 0 || !observation_is_none(refusal))
                return r;
        r = coordinator_new(s->event, s->http, spec, secret, clock_boottime_us(), &s->coordinator, refusal);
        if (r == -EINVAL && !observation_is_none(refusal))
                return 0;
        if (r >= 0)
                coordinator_use_via(s->coordinator, s->via);
        return r;
}

int platform_session_open(const Spec *spec, PlatformSession **ret, Observation *refusal) {
        _cleanup_(platform_session_closep) PlatformSession *s = calloc(1, sizeof(*s));
        int r;

        *ret = NULL;
        *refusal = OBSERVATION_NONE;
        if (!s)
                return -ENOMEM;
        if (spec->credential.kind == CREDENTIAL_NONE) {
                *refusal = observe(ORIGIN_CREDENTIAL, 0, "missing", "credential",
                                   "the spec names none, and without one the platform can't be asked");
                return 0;
        }
        (void) signal(SIGPIPE, SIG_IGN);
        r = sd_event_new(&s->event);
        if (r >= 0)
                r = http_new(s->event, &s->http);
        if (r >= 0)
                r = open_coordinator(s, spec, refusal);
        if (r >= 0 && observation_is_none(refusal))
                *ret = TAKE_PTR(s);
        return r < 0 ? r : 0;
}

static Observation internal(int error) {
        return observe(ORIGIN_AGENT, -error, "internal", "", "%s", strerror(-error));
}

/* begun: what the question's function returned. */
static Observation wait_for_answer(PlatformSession *s, int begun) {
        int r = begun;

        while (r >= 0 && !s->answered)
                r = sd_event_run(s->event, UINT64_MAX);
        if (r >= 0)
                r = s->error;
        return r < 0 ? internal(r) : s->failure;
}

static PlatformSession *prepare(PlatformSession *s, void *ret) {
        s->answered = false;
        s->failure = OBSERVATION_NONE;
        s->error = 0;
        s->ret = ret;
        return s;
}

static void answer(PlatformSession *s, const Observation *failure) {
        s->answered = true;
        s->failure = *failure;
}

static void on_done(void *userdata, const Observation *failure) {
        answer(userdata, failure);
}

static void on_platform(void *userdata, const PlatformFacts *platform, const Observation *failure) {
        PlatformSession *s = userdata;

        if (platform)
                *(PlatformFacts *) s->ret = *platform;
        answer(s, failure);
}

Observation platform_ask_version(PlatformSession *s, PlatformFacts *ret) {
        *ret = (PlatformFacts){};
        return wait_for_answer(s, coordinator_ask_platform(s->coordinator, on_platform, prepare(s, ret)));
}

static void on_token(void *userdata, Token *token, const Observation *failure) {
        PlatformSession *s = userdata;

        *(Token **) s->ret = token;
        answer(s, failure);
}

Observation platform_mint(PlatformSession *s, const TokenWish *wish, Token **ret) {
        *ret = NULL;
        return wait_for_answer(s, coordinator_mint(s->coordinator, wish, on_token, prepare(s, ret)));
}

static void on_tokens(void *userdata, const TokenListing *listing, const Observation *failure) {
        PlatformSession *s = userdata;

        for (size_t i = 0; listing && s->error >= 0 && i < listing->n; i++)
                s->error = token_listing_add(s->ret, listing->items + i);
        answer(s, failure);
}

Observation platform_list_tokens(PlatformSession *s, TokenListing *ret) {
        Observation failure = wait_for_answer(s, coordinator_list_tokens(s->coordinator, on_tokens, prepare(s, ret)));

        if (!observation_is_none(&failure))
                token_listing_done(ret);
        return failure;
}

Observation platform_delete_token(PlatformSession *s, const char *id) {
        return wait_for_answer(s, coordinator_delete_token(s->coordinator, id, on_done, prepare(s, NULL)));
}

static void on_view(void *userdata, const RunnerView *view, const Observation *failure) {
        PlatformSession *s = userdata;

        if (view)
                *(RunnerView *) s->ret = *view;
        answer(s, failure);
}

Observation platform_look(PlatformSession *s, const char *runner_id, const char *host_ip, RoleSet roles, RunnerView *ret) {
        *ret = (RunnerView){};
        return wait_for_answer(s, coordinator_look_at(s->coordinator, runner_id, host_ip, roles, on_view, prepare(s, ret)));
}

Observation platform_set_roles(PlatformSession *s, const char *runner_id, RoleSet roles) {
        return wait_for_answer(s, coordinator_set_roles(s->coordinator, runner_id, roles, on_done, prepare(s, NULL)));
}

static void on_found(void *userdata, bool found, const Observation *failure) {
        PlatformSession *s = userdata;

        *(bool *) s->ret = found;
        answer(s, failure);
}

Observation platform_find_other(PlatformSession *s, Role role, const char *runner_id, bool *ret) {
        *ret = false;
        return wait_for_answer(s, coordinator_find_other(s->coordinator, role, runner_id, on_found, prepare(s, ret)));
}

static void on_load(void *userdata, const AllocatorLoad *load, const Observation *failure) {
        PlatformSession *s = userdata;

        if (load)
                *(AllocatorLoad *) s->ret = *load;
        answer(s, failure);
}

Observation platform_ask_load(PlatformSession *s, const char *allocator_id, AllocatorLoad *ret) {
        *ret = (AllocatorLoad){};
        return wait_for_answer(s, coordinator_ask_load(s->coordinator, allocator_id, on_load, prepare(s, ret)));
}

Observation platform_start_maintenance(PlatformSession *s, const char *allocator_id) {
        return wait_for_answer(s, coordinator_start_maintenance(s->coordinator, allocator_id, on_done, prepare(s, NULL)));
}

static void on_moves(void *userdata, const Moves *moves, const Observation *failure) {
        PlatformSession *s = userdata;

        if (moves)
                *(Moves *) s->ret = *moves;
        answer(s, failure);
}

Observation platform_move_instances(PlatformSession *s, const char *allocator_id, Moves *ret) {
        *ret = (Moves){};
        return wait_for_answer(s, coordinator_move_instances(s->coordinator, allocator_id, on_moves, prepare(s, ret)));
}

Observation platform_delete_allocator(PlatformSession *s, const char *allocator_id) {
        return wait_for_answer(s, coordinator_delete_allocator(s->coordinator, allocator_id, on_done, prepare(s, NULL)));
}

Observation platform_delete_runner(PlatformSession *s, const char *runner_id) {
        return wait_for_answer(s, coordinator_delete_runner(s->coordinator, runner_id, on_done, prepare(s, NULL)));
}

int platform_session_wait(PlatformSession *s, usec_t wait_us) {
        usec_t until_us = usec_add(clock_boottime_us(), wait_us), now_us;
        int r = 0;

        while (r >= 0 && (now_us = clock_boottime_us()) < until_us)
                r = sd_event_run(s->event, until_us - now_us);
        return r < 0 ? r : 0;
}
