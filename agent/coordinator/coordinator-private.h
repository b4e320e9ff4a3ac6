/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The inside of Coordinator, shared by the coordinator-*.c files.
 *
 * Three layers: an endpoint is one coordinator and what we know of it; an exchange is one HTTP
 * request carried from endpoint to endpoint until one answers, with the login that it may need; a
 * question is one or several exchanges and ends in the caller's handler.
 */

#include "base/buffer.h"
#include "base/json.h"
#include "coordinator/coordinator.h"
#include "coordinator/reply.h"

#define PATH_SIZE 384U
#define URL_SIZE (PATH_SIZE + 300U)
#define REQUEST_BODY_MAX (64U * 1024U)
#define API_RUNNERS "/api/v1/platform/infrastructure/runners/"
#define API_ROLES "/api/v1/platform/infrastructure/blueprinter/roles/"
#define API_ALLOCATORS "/api/v1/platform/infrastructure/allocators"
#define API_PROXIES "/api/v1/platform/infrastructure/proxies"

typedef struct Endpoint {
        char *url;  /* https://host:port */
        char *host; /* without brackets */
        bool tried, failing;
        usec_t avoid_until_us; /* boottime; failed at the transport: asked last until then */
        char last[160];
} Endpoint;

/* Ends an exchange. failure is none: object is the reply's (borrowed). Else object is NULL. reply
 * is NULL when this request was not made at all. The function may free the Coordinator, so nobody
 * touches it afterwards. */
typedef void (*ExchangeDone)(Coordinator *c, const HttpReply *reply, const json_t *object,
                             const Observation *failure);

typedef struct Exchange {
        const char *method;
        char path[PATH_SIZE];
        Buffer body; /* wiped; empty: no body */
        bool repeatable; /* asking twice does no harm */
        bool anonymous;  /* the login: no Authorization line */
        bool logged_in_again;
        ExchangeDone done;
        size_t order[SPEC_COORDINATORS_MAX]; /* endpoints, in the order in which they are asked */
        size_t at;
        Observation gravest; /* of the endpoints that could not answer */
} Exchange;

typedef struct Look {
        char runner_id[129];
        char host_ip[64];
        RoleSet wanted;
        bool connected_only; /* of a runner that is not connected nothing else is wanted */
        Role role; /* the one being looked at */
        RunnerView view;
} Look;

struct Coordinator {
        Http *http;
        const Via *via; /* borrowed; NULL: straight, and without a certificate of ours */
        Trust *trust;
        CredentialKind kind;
        char *user;
        Secret *credential; /* key or password as it was handed over */
        Secret *auth; /* what follows the scheme: the base64 pair (basic) or the session's token (bearer) */

        size_t n_endpoints;
        Endpoint endpoints[SPEC_COORDINATORS_MAX]; /* in this host's order */
        size_t answered;                           /* index of the endpoint that answered last; 0 before */
        char key_expiration[64];
        bool has_date;
        int64_t date_s;      /* Date of the last reply that had one */
        usec_t date_at_us;   /* boottime of that reply */

        HttpTransfer *transfer; /* under way, or NULL */
        Exchange *active;       /* what `transfer` belongs to: &exchange or &login */
        Exchange exchange, login;

        bool asking;
        bool in_haste; /* the question under way ends with the first coordinator that says nothing */
        void *userdata;
        union {
                CoordinatorPlatformHandler platform;
                CoordinatorMintHandler mint;
                CoordinatorViewHandler view;
                CoordinatorDoneHandler done;
                CoordinatorTokensHandler tokens;
                CoordinatorFoundHandler found;
                CoordinatorLoadHandler load;
                CoordinatorMovesHandler moves;
        } handler;
        Look look;
        TokenWish mint;
        Holders holders;               /* of the role in look */
        char revoked_id[TOKEN_ID_SIZE];
};

/* coordinator-endpoints.c */
/* The order in which the host of this seed asks n coordinators (at most SPEC_COORDINATORS_MAX): places in the spec's list. */
void endpoints_shuffle(size_t n, uint64_t seed, size_t ret[static SPEC_COORDINATORS_MAX]);
int endpoints_load(Coordinator *c, char *const *urls, uint64_t seed);
void endpoints_free(Coordinator *c);
/* Fills e->order for now_us: this host's order, those to be avoided last. */
void endpoints_order(const Coordinator *c, usec_t now_us, Exchange *e);
/* Writes down what the endpoint did: `answered` is false when it could not answer. */
void endpoint_note(Endpoint *endpoint, const HttpReply *reply, const Observation *seen, bool answered,
                   usec_t now_us);
/* Keeps in *gravest the one of both that says most about why no coordinator answered. */
void observation_keep_gravest(Observation *gravest, const Observation *other);

/* coordinator-exchange.c */
/* Starts c->exchange. The body (NULL: none) is copied. 0 or negative errno; then done is not
 * called. */
int exchange_begin(Coordinator *c, const char *method, const char *path, const Buffer *body,
                   ExchangeDone done);
/* Asks the endpoint that is next in order. 0 or negative errno. */
int exchange_ask(Coordinator *c, Exchange *e);
/* The URL that the exchange asks at the moment. */
void exchange_where(Coordinator *c, const Exchange *e, char ret[static OBSERVATION_WHERE_SIZE]);
/* c->exchange was answered by something that is not what the API promises; `what` begins the sentence: "the runner". */
Observation exchange_wrong_type(Coordinator *c, const HttpReply *reply, const char *what);
/* Calls the exchange's end with a failure of our own making (ORIGIN_AGENT "internal"), for errors
 * inside the loop. */
void exchange_fail(Coordinator *c, Exchange *e, int error);

/* coordinator-login.c */
/* Bearer: gets a session token, then asks c->exchange from its first endpoint. 0 or negative errno.
 * */
int login_begin(Coordinator *c);
/* The Authorization line of this credential; false when there is none to send (yet). */
bool login_authorization(const Coordinator *c, const char **ret_scheme, const Secret **ret_secret);

/* coordinator.c */
/* -EBUSY when a question is under way. */
int question_begin(Coordinator *c, void *userdata);
/* Forgets the question; returns its userdata for the handler, which the caller runs last. */
void *question_end(Coordinator *c);
/* The end of a question that gives nothing but success or failure: runs handler.done, as the last act. */
void question_finish(Coordinator *c, const Observation *failure);
/* The same as the end of an exchange whose answer is not read. */
void question_done(Coordinator *c, const HttpReply *reply, const json_t *object, const Observation *failure);
