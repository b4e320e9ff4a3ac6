/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Judging replies: pure functions from status, headers and bytes to JSON or an Observation. Order
 * (api.md, 10): is it JSON with errors, then its code, then the status. Fuzzed. */

#include "base/json.h"
#include "http/http.h"
#include "model/allocator-load.h"
#include "model/outcome.h"
#include "model/token-listing.h"
#include "model/verdict.h"

/*
 * A reply with one of the wanted statuses (200, or 201/202 where the API says so: any 2xx), an
 * object body and no `errors`: none, and *ret is the object. Otherwise an Observation: body with
 * errors[] -> ORIGIN_ECE with the first usable code (quotes stripped), its message as detail,
 * whatever the status, also 200; {"ok":false} -> ORIGIN_ECE "root.unauthenticated" with 401,
 * ORIGIN_REPLY "not-ok" with 2xx (also {"error":"..."}); 3xx -> ORIGIN_REPLY "redirect"; non-2xx,
 * no ECE body-> ORIGIN_ECE with the x-cloud-error-codes header's code if there is one, else
 * ORIGIN_HTTP; 2xx, unusable -> ORIGIN_REPLY html / empty / truncated / not-json / wrong-type /
 * too-large (for the JSON reader). An `errors` that is null or an empty array counts as none. The
 * reply's Retry-After goes along. Messages are made printable and have anything that looks like a
 * JWT or follows "password" taken out.
 */
Observation reply_judge(const HttpReply *reply, const char *where, json_t **ret);

/* Typed readers; false when a required member is missing or has another type (ORIGIN_REPLY
 * "wrong-type"). */
bool reply_read_platform(const json_t *object, char version[static 64]);
bool reply_read_runner(const json_t *object, RunnerView *view);
/* From get-blueprinter-role: the three facts about one runner; the rest may hold secrets and is
 * never looked at. */
bool reply_read_role(const json_t *object, const char *runner_id, RoleView *view);
bool reply_read_allocator(const json_t *object, RunnerView *view);
/* Finds our allocator in the zones list by address (get-allocators); false: not there. */
bool reply_find_allocator(const json_t *object, const char *host_ip, const char *public_hostname,
                          RunnerView *view);
bool reply_read_proxies(const json_t *object, const char *runner_id, const char *host_ip, RoleView *view);

/* From get-enrollment-tokens, added to ret. 0, -EBADMSG (no list of tokens), -EMSGSIZE, -ENOMEM; then ret holds a part. */
int reply_read_tokens(const json_t *object, TokenListing *ret);

/* The body for set-runner-roles: what the runner has beside the four roles, and the wanted ones of the four. 0, -EBADMSG, -EMSGSIZE,
 * -ENOMEM. */
int reply_rewrite_roles(const json_t *runner, RoleSet wanted, Buffer *ret);

/* From get-blueprinter-role: who has the role's blessing, without one runner; as many as there is room for. */
#define HOLDERS_MAX 32U
typedef struct Holders {
        size_t n, at;
        char id[HOLDERS_MAX][129];
} Holders;
bool reply_read_holders(const json_t *object, const char *but_for, Holders *ret);

bool reply_read_load(const json_t *object, AllocatorLoad *ret);
void reply_read_moves(const json_t *object, Moves *ret); /* what is not there counts as nothing */
