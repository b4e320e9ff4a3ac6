/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The Coordinator object: made, freed, and what it tells beside its answers.
 *
 * It copies from the spec what it needs and takes the credential over; nothing of the spec is
 * borrowed. How questions travel stands in coordinator-private.h and the files named after it.
 */

#include "coordinator/coordinator.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "coordinator/coordinator-private.h"
#include "coordinator/credential.h"

static int credential_load(Coordinator *c, const CredentialSpec *spec) {
        c->kind = spec->kind;
        if (!c->credential) /* anonymous, whatever the spec would like */
                c->kind = CREDENTIAL_NONE;
        if (c->kind == CREDENTIAL_NONE)
                return 0;
        if (c->kind == CREDENTIAL_API_KEY)
                return 0;
        if (!spec->user)
                return -EINVAL;
        c->user = strdup(spec->user);
        if (!c->user)
                return -ENOMEM;
        return c->kind == CREDENTIAL_BASIC ? credential_basic(c->user, c->credential, &c->auth) : 0;
}

int coordinator_new(sd_event *event, Http *http, const Spec *spec, Secret *credential_secret, uint64_t seed,
                    Coordinator **ret, Observation *refusal) {
        _cleanup_(secret_freep) Secret *secret = credential_secret;
        _cleanup_(coordinator_freep) Coordinator *c = calloc(1, sizeof(*c));

        *refusal = OBSERVATION_NONE;
        if (!c)
                return -ENOMEM;
        c->http = http;
        c->credential = TAKE_PTR(secret);
        c->exchange.body = BUFFER_INIT_WIPED(REQUEST_BODY_MAX);
        c->login.body = BUFFER_INIT_WIPED(REQUEST_BODY_MAX);

        int r = endpoints_load(c, spec->coordinators, seed);
        if (r == 0)
                r = trust_new(spec->trust.ca_file, spec->trust.pins, &c->trust, refusal);
        if (r == 0)
                r = credential_load(c, &spec->credential);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(c);
        return 0;
}

void coordinator_use_via(Coordinator *c, const Via *via) {
        c->via = via;
}

Coordinator *coordinator_free(Coordinator *c) {
        if (!c)
                return NULL;
        coordinator_cancel(c);
        endpoints_free(c);
        (void) trust_free(c->trust);
        (void) secret_free(c->credential);
        (void) secret_free(c->auth);
        buffer_done(&c->exchange.body);
        buffer_done(&c->login.body);
        free(c->user);
        free(c);
        return NULL;
}

void coordinator_forget_credential(Coordinator *c) {
        c->kind = CREDENTIAL_NONE;
        c->credential = secret_free(c->credential);
        c->auth = secret_free(c->auth);
}

int question_begin(Coordinator *c, void *userdata) {
        if (c->asking)
                return -EBUSY;
        c->asking = true;
        c->in_haste = false;
        c->userdata = userdata;
        return 0;
}

void *question_end(Coordinator *c) {
        c->asking = false;
        buffer_clear(&c->exchange.body);
        buffer_clear(&c->login.body);
        return c->userdata;
}

void question_finish(Coordinator *c, const Observation *failure) {
        CoordinatorDoneHandler handler = c->handler.done;
        Observation seen = *failure; /* it may lie in what the handler frees */

        handler(question_end(c), &seen);
}

void question_done(Coordinator *c, const HttpReply *reply, const json_t *object, const Observation *failure) {
        question_finish(c, failure);
}

void coordinator_cancel(Coordinator *c) {
        if (c->transfer)
                http_cancel(TAKE_PTR(c->transfer));
        (void) question_end(c);
}

bool observation_is_absence(const Observation *o, const char *code) {
        return o->origin == ORIGIN_ECE && o->number == 404 && strstr(o->code, code);
}

size_t coordinator_states(const Coordinator *c, CoordinatorState *ret, size_t maximum) {
        size_t n = c->n_endpoints < maximum ? c->n_endpoints : maximum;

        for (size_t i = 0; i < n; i++) {
                const Endpoint *e = &c->endpoints[i];
                ret[i].url = e->url;
                ret[i].state = !e->tried ? "untried" : e->failing ? "failing" : "ok";
                text_copy_printable(ret[i].last, sizeof(ret[i].last), e->last);
        }
        return n;
}

const char *coordinator_url(const Coordinator *c) {
        return c->endpoints[c->answered].url;
}

const char *coordinator_host(const Coordinator *c) {
        return c->endpoints[c->answered].host;
}

const char *coordinator_key_expiration(const Coordinator *c) {
        return c->key_expiration;
}

bool coordinator_server_time_s(const Coordinator *c, int64_t *ret) {
        if (c->has_date)
                *ret = c->date_s + (int64_t) (usec_sub(clock_boottime_us(), c->date_at_us) / USEC_PER_SEC);
        return c->has_date;
}

bool coordinator_clock_offset_s(const Coordinator *c, int64_t *ret) {
        int64_t there_s;

        if (!coordinator_server_time_s(c, &there_s))
                return false;
        *ret = there_s - (int64_t) (clock_realtime_us() / USEC_PER_SEC);
        return true;
}
