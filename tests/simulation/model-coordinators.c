/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The coordinators, in the place of HTTP transfers: each request of the agent's client of the
 * coordinators comes here, is held against the scenario's rules, and ends some virtual time later
 * in a reply or in what libcurl would have said.
 *
 * Above this line everything is the agent's own: which coordinator is asked next, how a reply is
 * judged, what Retry-After means. Header lines go through its reader of headers.
 */

#include <curl/curl.h>
#include <errno.h>
#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "http/http-headers.h"
#include "http/http-private.h"
#include "world.h"

#define ROUND_TRIP_US (30 * USEC_PER_MSEC)
#define CONNECT_TIMEOUT_US (5 * USEC_PER_SEC)
#define TOTAL_TIMEOUT_US (30 * USEC_PER_SEC)

/* Dates of every coordinator's certificate, around the beginning of each scenario. */
#define CERTIFICATE_FROM_S (PLATFORM_EPOCH_S - INT64_C(90) * 86400)
#define CERTIFICATE_UNTIL_S (PLATFORM_EPOCH_S + INT64_C(365) * 86400)

#define HANDSHAKE "handshake" /* the kind of a transfer that carries no request */

typedef struct Inquiry {
        HttpTransfer *transfer;
        CoordinatorRule rule;
        char kind[16];
        char path[400], body[1024];
        usec_t begun_us, connect_timeout_us;
        bool wrong_secret, handshake;
} Inquiry;

/* http-private.h declares the real transfer; here one is a box around a question. */
typedef struct Box {
        HttpTransfer transfer; /* only handler, userdata, headers, reply, failure and where are used */
        Inquiry question;
} Box;

static const struct {
        const char *words, *kind;
} kinds[] = {
        { "/enrollment-tokens", "mint" }, { "/_login", "login" },       { "/blueprinter/roles/", "role" },
        { "/allocators", "allocator" },   { "/proxies", "proxies" },    { "/infrastructure/runners/", "runner" },
};

static const char *kind_of(const HttpRequest *request) {
        if (request->handshake_only)
                return HANDSHAKE;
        if (streq(request->method, "PUT"))
                return "roles";
        if (strstr(request->url, "/enrollment-tokens") && !streq(request->method, "POST"))
                return streq(request->method, "DELETE") ? "revoke" : "tokens";
        for (size_t i = 0; i < ELEMENTS(kinds); i++)
                if (strstr(request->url, kinds[i].words))
                        return streq(request->method, "DELETE") ? "delete" : kinds[i].kind;
        return "version";
}

/* "https://a.example:12443/..." is of a. */
static bool is_of(const char *url, const char *name) {
        size_t n = strlen(name);

        return strncmp(url + strlen("https://"), name, n) == 0 && url[strlen("https://") + n] == '.';
}

/* The last rule that holds; each counts the questions that it is about. A handshake is no question. */
static CoordinatorRule rule_for(const char *url, const char *kind) {
        CoordinatorRule found = { .answer = ANSWER_GOOD };
        bool handshake = streq(kind, HANDSHAKE);

        for (size_t i = 0; i < world->scenario->n_coordinator; i++) {
                const CoordinatorRule *rule = &world->scenario->coordinator[i];

                if ((!streq(rule->name, "all") && !is_of(url, rule->name)) ||
                    (rule->when.kind[0] && !streq(rule->when.kind, kind)) || (handshake && rule->when.first > 0))
                        continue;
                world->seen_rule[i] += !handshake;
                if (when_holds(&rule->when, world->now_us, world->seen_rule[i]))
                        found = *rule;
        }
        return found;
}

bool coordinator_resolves(const char *host) {
        char url[96];

        (void) snprintf(url, sizeof(url), "https://%s", host);
        return rule_for(url, HANDSHAKE).answer != ANSWER_UNRESOLVED;
}

/* --- Replies ----------------------------------------------------------------------------------- */

static void feed(HttpTransfer *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void feed(HttpTransfer *t, const char *format, ...) {
        char line[512];
        va_list arguments;
        int n;

        va_start(arguments, format);
        n = vsnprintf(line, sizeof(line), format, arguments);
        va_end(arguments);
        (void) http_headers_feed(&t->headers, &t->reply, line, (size_t) n);
}

static void format_date(int64_t at_s, char ret[static 64]) {
        time_t at = (time_t) at_s;
        struct tm utc;

        (void) gmtime_r(&at, &utc);
        (void) strftime(ret, 64, "%a, %d %b %Y %H:%M:%S GMT", &utc);
}

static void feed_headers(HttpTransfer *t, const CoordinatorRule *rule, const char *type) {
        char date[64];

        feed(t, "HTTP/1.1 %d whatever\r\n", t->reply.status);
        feed(t, "content-type: %s\r\n", type);
        format_date(world_platform_s(), date);
        if (!world->scenario->no_date)
                feed(t, "Date: %s\r\n", date);
        format_date(world_platform_s() + (int64_t) (rule->retry_in_us / USEC_PER_SEC), date);
        if (rule->retry_as_date)
                feed(t, "Retry-After: %s\r\n", date);
        else if (rule->retry_after[0])
                feed(t, "Retry-After: %s\r\n", rule->retry_after);
        feed(t, "\r\n");
        http_headers_finish(&t->headers, &t->reply);
}

static void reply_status(HttpTransfer *t, const CoordinatorRule *rule) {
        const char *body = "", *type = "application/json";
        char errors[256];

        t->reply.status = rule->status;
        (void) snprintf(errors, sizeof(errors), "{\"errors\":[{\"code\":\"%s\",\"message\":\"so says the scenario\"}]}",
                        rule->code);
        switch (rule->body) {
        case BODY_ERRORS:
                body = rule->code[0] ? errors : "{}";
                break;
        case BODY_HTML:
                body = "<html><body>a balancer</body></html>";
                type = "text/html";
                break;
        case BODY_EMPTY:
                break;
        case BODY_TRUNCATED:
                body = "{\"version\":\"4.0";
                break;
        }
        (void) buffer_append_string(&t->reply.body, body);
        feed_headers(t, rule, type);
}

static void reply_good(HttpTransfer *t, const Inquiry *q) {
        _cleanup_free_ char *text = NULL;
        CoordinatorRule refusal = { .status = 401, .code = "root.unauthenticated" };

        if (q->wrong_secret) {
                reply_status(t, &refusal);
                return;
        }
        text = platform_answer(q->kind, q->path, q->body, &t->reply.status);
        (void) buffer_append_string(&t->reply.body, text);
        feed_headers(t, &q->rule, "application/json");
}

static Observation tls(const char *code, int number, const char *where) {
        return observe(ORIGIN_TLS, number, code, where, "certificate of the scenario");
}

/* What the host's wall clock makes of a certificate. none: its dates hold. */
static Observation check_dates(const char *where) {
        int64_t wall_s = world_wall_us() / (int64_t) USEC_PER_SEC;

        if (wall_s < CERTIFICATE_FROM_S)
                return tls("not-yet-valid", X509_V_ERR_CERT_NOT_YET_VALID, where);
        if (wall_s > CERTIFICATE_UNTIL_S)
                return tls("expired", X509_V_ERR_CERT_HAS_EXPIRED, where);
        return OBSERVATION_NONE;
}

static Observation transport(HttpTransfer *t, CURLcode result, bool sent) {
        const HttpTrouble trouble = { .result = result, .error = curl_easy_strerror(result) };

        t->reply.request_sent = sent;
        return http_failure(&trouble, NULL, t->where);
}

/* A connection that ends under the handshake; libcurl tells it from one without TLS by its text alone. */
static Observation cut_handshake(HttpTransfer *t) {
        const HttpTrouble trouble = { .result = CURLE_SSL_CONNECT_ERROR, .error = "OpenSSL SSL_connect: Connection reset by peer" };

        return http_failure(&trouble, NULL, t->where);
}

/* --- The end of a transfer --------------------------------------------------------------------- */

static bool network_is_down(void) {
        return host_trouble(TROUBLE_NETWORK) != NULL;
}

/* Fills reply and failure. */
static Observation conclude(HttpTransfer *t, Inquiry *q) {
        Observation dates = check_dates(t->where);

        if (world->now_us - q->begun_us > TOTAL_TIMEOUT_US) /* the host slept over it */
                return transport(t, CURLE_OPERATION_TIMEDOUT, true);
        if (network_is_down())
                return transport(t, CURLE_COULDNT_CONNECT, false);
        switch (q->rule.answer) {
        case ANSWER_REFUSED:
                return transport(t, CURLE_COULDNT_CONNECT, false);
        case ANSWER_BLACK_HOLE:
                return transport(t, CURLE_OPERATION_TIMEDOUT, false);
        case ANSWER_UNRESOLVED:
                return transport(t, CURLE_COULDNT_RESOLVE_HOST, false);
        case ANSWER_UNTRUSTED:
                return tls("untrusted", X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, t->where);
        case ANSWER_WRONG_NAME:
                return tls("name-mismatch", X509_V_ERR_HOSTNAME_MISMATCH, t->where);
        case ANSWER_GOOD:
        case ANSWER_HANGS:
        case ANSWER_RESET:
        case ANSWER_LOST:
        case ANSWER_STATUS:
                break;
        }
        if (q->handshake && q->rule.answer == ANSWER_HANGS)
                return transport(t, CURLE_OPERATION_TIMEDOUT, false);
        if (q->handshake && q->rule.answer == ANSWER_RESET)
                return cut_handshake(t);
        if (q->handshake || !observation_is_none(&dates))
                return dates;
        t->reply.request_sent = true;
        if (q->rule.answer == ANSWER_HANGS)
                return transport(t, CURLE_OPERATION_TIMEDOUT, true);
        if (q->rule.answer == ANSWER_RESET)
                return transport(t, CURLE_RECV_ERROR, true);
        if (q->rule.answer == ANSWER_STATUS)
                reply_status(t, &q->rule);
        else
                reply_good(t, q);
        return q->rule.answer == ANSWER_LOST ? transport(t, CURLE_RECV_ERROR, true) : OBSERVATION_NONE;
}

static usec_t takes_us(const Inquiry *q) {
        if (network_is_down())
                return USEC_PER_MSEC;
        switch (q->rule.answer) {
        case ANSWER_BLACK_HOLE:
                return q->connect_timeout_us;
        case ANSWER_HANGS:
                return q->handshake ? q->connect_timeout_us : TOTAL_TIMEOUT_US;
        case ANSWER_GOOD:
        case ANSWER_REFUSED:
        case ANSWER_RESET:
        case ANSWER_LOST:
        case ANSWER_UNRESOLVED:
        case ANSWER_UNTRUSTED:
        case ANSWER_WRONG_NAME:
        case ANSWER_STATUS:
                break;
        }
        return ROUND_TRIP_US + (q->handshake ? 0 : q->rule.delay_us);
}

static void box_free(Box *box) {
        buffer_done(&box->transfer.reply.body);
        free(box);
}

static void on_end(void *subject) {
        Box *box = subject;
        HttpTransfer *t = &box->transfer;
        Observation failure = conclude(t, &box->question);

        if (observation_is_none(&failure) && box->question.handshake)
                world_tell("%s is there", t->where);
        else if (observation_is_none(&failure))
                world_tell("%s %s: status %d", t->where, box->question.kind, t->reply.status);
        else
                world_tell("%s %s: %s", t->where, box->question.kind, failure.detail);
        t->handler(t->userdata, &t->reply, &failure);
        box_free(box);
}

/* --- agent/http/http.c ------------------------------------------------------------------------- */

int http_new(sd_event *event, Http **ret) {
        *ret = NULL; /* nothing but these functions looks at it */
        return 0;
}

void http_let_go(Http *http) {
        /* Whether a connection is there already makes no difference in this world. */
}

Http *http_free(Http *http) {
        return NULL;
}

/* What is tidied up afterwards is no further attempt. */
static void count_request(const char *url, const char *kind) {
        for (size_t i = 0; i < world->scenario->n_coordinators; i++)
                world->count.asked[i] += is_of(url, world->scenario->coordinators[i]);
        world->count.requests++;
        if (!streq(kind, "revoke") && !streq(kind, "tokens"))
                world->count.after_permanent++;
        if (world->n_request_us < ELEMENTS(world->request_us))
                world->request_us[world->n_request_us++] = world->now_us;
}

/* A login brings it in its body, a session stands for it. */
static bool secret_is_wrong(const HttpRequest *request, const char *kind) {
        if (streq(kind, "login"))
                return !strstr(request->body, GOOD_SECRET);
        if (!request->auth)
                return true; /* who does not say who he is */
        return !streq(request->auth_scheme, "Bearer") && !streq(secret_bytes(request->auth), GOOD_SECRET);
}

int http_start(Http *http, const HttpRequest *request, HttpHandler handler, void *userdata, HttpTransfer **ret) {
        Box *box = calloc(1, sizeof(*box));
        Inquiry *q = &box->question;

        if (!box)
                return -ENOMEM;
        box->transfer.handler = handler;
        box->transfer.userdata = userdata;
        box->transfer.reply.body = BUFFER_INIT(HTTP_BODY_MAX);
        box->transfer.reply.sent_us = world_boottime();
        (void) snprintf(box->transfer.where, sizeof(box->transfer.where), "%.*s",
                        (int) strcspn(request->url + strlen("https://"), "/"), request->url + strlen("https://"));
        (void) snprintf(q->kind, sizeof(q->kind), "%s", kind_of(request));
        (void) snprintf(q->path, sizeof(q->path), "%s", strstr(request->url, "/api/") ?: "");
        (void) snprintf(q->body, sizeof(q->body), "%s", request->body ? request->body : "");
        q->handshake = request->handshake_only;
        q->connect_timeout_us = request->connect_timeout_us ?: CONNECT_TIMEOUT_US;
        q->wrong_secret = secret_is_wrong(request, q->kind);
        *ret = &box->transfer;
        q->begun_us = world->now_us;
        if (q->handshake ? world->agent_dead : !world_touch())
                return 0; /* its end is never heard of */
        q->rule = rule_for(request->url, q->kind);
        world_later(takes_us(q), SIDE_HOST, on_end, box);
        if (q->handshake)
                return 0; /* changes nothing */
        count_request(request->url, q->kind);
        world_touched();
        return 0;
}

void http_cancel(HttpTransfer *transfer) {
        Box *box = (Box *) transfer;

        world_forget(box);
        box_free(box);
}
