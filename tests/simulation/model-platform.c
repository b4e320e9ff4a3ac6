/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The platform behind all coordinators: which runner it knows under our id, what it says about its
 * roles, and the tokens that it makes. Answers are the API's JSON, so that the agent's own readers
 * and its verdict are at work; tokens are JWTs with a life by the platform's clock.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "coordinator/coordinator.h"
#include "world.h"

#define FOREIGN_ADDRESS "192.0.2.99"

/* What the platform says of the runner right now. */
typedef struct View {
        bool there, connected, healthy, maintenance;
        const char *address, *zone, *version;
        RoleSet listed, blessed, pending, effective;
} View;

static RoleSet planned_roles(void) {
        return world->agent && world->agent->spec ? world->agent->spec->host.roles : 0;
}

static View view_at_first(void) {
        const Runner *r = &world->runner;
        bool member = !r->joined && r->kind == RUNNER_HEALTHY;
        RoleSet roles = member ? planned_roles() : r->roles;

        return (View) {
                .there = r->there,
                .connected = r->kind != RUNNER_DISCONNECTED,
                .healthy = r->kind != RUNNER_DISCONNECTED,
                .address = r->kind == RUNNER_FOREIGN ? FOREIGN_ADDRESS : OUR_ADDRESS,
                .zone = "ece-zone-1",
                .version = world->scenario->platform_version,
                .listed = roles,
                .blessed = roles & (RoleSet) ~r->without,
                .effective = roles & (RoleSet) ~r->without,
        };
}

static void view_bend(View *v, const RunnerRule *rule, usec_t since_us) {
        switch (rule->kind) {
        case RUNNER_HEALTHY:
                *v = view_at_first();
                return;
        case RUNNER_ABSENT:
                v->there = false;
                return;
        case RUNNER_DISCONNECTED:
                v->connected = v->healthy = false;
                return;
        case RUNNER_UNHEALTHY:
                v->healthy = false;
                return;
        case RUNNER_FOREIGN:
                v->address = FOREIGN_ADDRESS;
                return;
        case RUNNER_ZONE:
                v->zone = rule->text;
                return;
        case RUNNER_VERSION:
                v->version = rule->text;
                return;
        case RUNNER_UNLISTED:
                v->listed &= (RoleSet) ~rule->roles;
                return;
        case RUNNER_UNBLESSED:
                v->blessed &= (RoleSet) ~rule->roles;
                return;
        case RUNNER_PENDING:
                v->pending |= rule->roles;
                return;
        case RUNNER_NO_EFFECT:
                v->effective &= (RoleSet) ~rule->roles;
                return;
        case RUNNER_MAINTENANCE:
                v->maintenance = true;
                return;
        case RUNNER_FLAPPING:
                if (since_us / rule->period_us % 2 == 1)
                        v->connected = v->healthy = false;
                return;
        }
}

static View view_now(void) {
        const Scenario *s = world->scenario;
        View v = view_at_first();

        for (size_t i = 0; i < s->n_runner; i++) {
                const RunnerRule *rule = &s->runner[i];
                usec_t since_us = rule->when.after_join ? world->now_us - world->runner.joined_us : world->now_us;

                if ((!rule->when.after_join || world->runner.joined) && when_holds(&rule->when, since_us, 0))
                        view_bend(&v, rule, since_us - rule->when.from_us);
        }
        return v;
}

/* A runner that is ours has made the containers of the roles that it was told to serve. */
void platform_containers(LocalView *ret) {
        static const LocalPart parts[_ROLE_MAX] = { [ROLE_ALLOCATOR] = LOCAL_ALLOCATOR, [ROLE_COORDINATOR] = LOCAL_COORDINATOR,
                                                    [ROLE_DIRECTOR] = LOCAL_DIRECTOR, [ROLE_PROXY] = LOCAL_PROXY };
        View v = view_now();

        *ret = (LocalView) { .version = "" };
        if (!v.there || world->runner.kind != RUNNER_HEALTHY)
                return;
        ret->state[LOCAL_RUNNER] = v.connected ? LOCAL_RUNNING : LOCAL_STOPPED;
        (void) snprintf(ret->version, sizeof(ret->version), "%s", v.version);
        for (Role r = 0; r < _ROLE_MAX; r++)
                if (role_set_has(v.listed & v.blessed & v.effective, r))
                        ret->state[parts[r]] = LOCAL_RUNNING;
}

/* Not by the agent's verdict, but by what this model knows. */
bool platform_agrees(void) {
        RoleSet shown = role_bit(ROLE_ALLOCATOR) | role_bit(ROLE_PROXY), wanted = planned_roles();
        const char *zone = world->agent && world->agent->spec ? world->agent->spec->host.availability_zone : NULL;
        View v = view_now();

        return v.there && v.connected && v.healthy && streq(v.address, OUR_ADDRESS) && v.listed == wanted &&
               (v.blessed & wanted) == wanted && (v.pending & wanted) == 0 &&
               (v.effective & wanted & shown) == (wanted & shown) && (!zone || streq(zone, v.zone)) &&
               streq(v.version, world->scenario->platform_version);
}

void platform_join(RoleSet roles, RoleSet without) {
        world->runner = (Runner) { .there = true, .kind = RUNNER_HEALTHY, .joined = true,
                                   .joined_us = world->now_us, .roles = roles, .without = without };
        world_tell("the runner joins");
}

/* --- Answers ----------------------------------------------------------------------------------- */

static char *text_of(json_t *value) {
        _cleanup_json_ json_t *owned = value;
        char *text = owned ? json_write_compact(owned) : NULL;

        if (!text)
                abort();
        return text;
}

static char *not_there(const char *code, int *ret_status) {
        *ret_status = 404;
        return text_of(json_pack("{s:[{s:s,s:s}]}", "errors", "code", code, "message", "there is no such thing"));
}

static char *answer_runner(int *ret_status) {
        View v = view_now();
        json_t *roles = json_array();

        if (!v.there) {
                json_decref(roles);
                return not_there("runners.runner_not_found", ret_status);
        }
        for (Role r = 0; r < _ROLE_MAX; r++)
                if (role_set_has(v.listed, r))
                        (void) json_array_append_new(roles, json_pack("{s:s}", "role_name", role_to_string(r)));
        return text_of(json_pack("{s:s,s:s,s:b,s:b,s:s,s:{s:s},s:o}", "runner_id", OUR_ADDRESS, "host_ip", v.address,
                                 "connected", v.connected, "healthy", v.healthy, "zone", v.zone, "build_info",
                                 "version", v.version, "roles", roles));
}

static char *answer_role(const char *path) {
        Role role = role_from_string(strrchr(path, '/') + 1);
        View v = view_now();
        bool blessed = role >= 0 && role_set_has(v.blessed, role), pending = role >= 0 && role_set_has(v.pending, role);

        return text_of(json_pack("{s:{s:{s:b}},s:{s:{s:{s:{s:b}}}},s:{s:{s:{s:{s:b}}}}}", "role", "value", "auto_blessed",
                                 false, "blessings", "value", "runner_ids_to_blessing", OUR_ADDRESS, "value", blessed,
                                 "pending", "value", "runner_ids_to_pending_state", OUR_ADDRESS, "value", pending));
}

static char *answer_allocator(const char *path, int *ret_status) {
        View v = view_now();

        if (strstr(path, "allocators?"))
                return text_of(json_pack("{s:[]}", "zones"));
        if (!v.there || !role_set_has(v.listed, ROLE_ALLOCATOR))
                return not_there("allocators.allocator_not_found", ret_status);
        return text_of(json_pack("{s:{s:b,s:b},s:s}", "status", "connected", role_set_has(v.effective, ROLE_ALLOCATOR),
                                 "maintenance_mode", v.maintenance, "zone_id", v.zone));
}

static char *answer_proxies(void) {
        View v = view_now();

        if (!v.there || !role_set_has(v.listed, ROLE_PROXY))
                return text_of(json_pack("{s:[]}", "proxies"));
        return text_of(json_pack("{s:[{s:s,s:s,s:b}]}", "proxies", "runner_id", OUR_ADDRESS, "host_ip", v.address,
                                 "healthy", role_set_has(v.effective, ROLE_PROXY)));
}

static char *answer_delete(int *ret_status) {
        View v = view_now();
        const Spec *spec = world->agent->spec;

        if (!v.there)
                return not_there("runners.runner_not_found", ret_status);
        if (!spec || spec->on_stale_runner != ON_STALE_REPLACE || v.connected || !streq(v.address, OUR_ADDRESS))
                world_break("nothing of others is deleted");
        world->count.deletions++;
        world->runner.there = false;
        return text_of(json_object());
}

/* --- Tokens ------------------------------------------------------------------------------------ */

static void base64url(const char *text, Buffer *ret) {
        static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        unsigned bits = 0, n_bits = 0;

        for (; *text; text++) {
                bits = (bits << 8) | (unsigned char) *text;
                for (n_bits += 8; n_bits >= 6; n_bits -= 6)
                        (void) buffer_append(ret, &digits[(bits >> (n_bits - 6)) & 63], 1);
        }
        if (n_bits > 0)
                (void) buffer_append(ret, &digits[(bits << (6 - n_bits)) & 63], 1);
}

/* exp_s: 0, a persistent one. */
static char *make_jwt(RoleSet roles, int64_t exp_s) {
        _cleanup_buffer_ Buffer jwt = BUFFER_INIT(4096);
        _cleanup_free_ char *claims = NULL;
        json_t *list = json_array();

        for (Role r = 0; r < _ROLE_MAX; r++)
                if (role_set_has(roles, r))
                        (void) json_array_append_new(list, json_string(role_to_string(r)));
        claims = exp_s > 0 ? text_of(json_pack("{s:s,s:s,s:o,s:I}", "sub", "0f3a", "iss", "simulation", "roles", list, "exp",
                                               (json_int_t) exp_s))
                           : text_of(json_pack("{s:s,s:s,s:o,s:b}", "sub", "0f3a", "iss", "simulation", "roles", list, "persistent", 1));
        base64url("{\"typ\":\"JWT\",\"alg\":\"HS256\"}", &jwt);
        (void) buffer_append_string(&jwt, ".");
        base64url(claims, &jwt);
        (void) buffer_append_string(&jwt, ".c2lnbmF0dXJl");
        return buffer_take(&jwt);
}

char *platform_given_token(void) {
        return make_jwt((planned_roles() & (RoleSet) ~world->scenario->tokens_lack) | world->scenario->tokens_have,
                        world_platform_s() + (int64_t) (world->scenario->given_lives_us / USEC_PER_SEC) -
                                (int64_t) (world->now_us / USEC_PER_SEC));
}

/* What was written down before the request went out. */
static void check_mint_on_record(void) {
        Record record;

        if (!world->have_record || record_decode(buffer_string(&world->disk), world->disk.size, &record) < 0)
                world_break("a token is minted only when it is on record");
        else if (record.machine.state != STATE_MINTING || record.machine.window == 0 ||
                 record.machine.window > world->agent->policy.windows)
                world_break("a minted token's window is on record, and within the spec's bound");
        else if (record.machine.window == world->last_mint.window && record.machine.started_us == world->last_mint.started_us &&
                 world->boot == world->last_mint.boot)
                world_break("each token has a window of its own on record");
        else
                world->last_mint = (MintOnRecord) { .window = record.machine.window, .boot = world->boot,
                                                    .started_us = record.machine.started_us };
}

/* --- Persistent ones --------------------------------------------------------------------------- */

static char *store_token(RoleSet roles) {
        _cleanup_free_ char *jwt = make_jwt(roles, 0);
        char id[32];

        if (world->n_stored == STORED_MAX)
                abort();
        for (unsigned i = 0; i < world->n_stored; i++)
                if (world->stored[i].there && world->stored[i].told)
                        world_break("one persistent token at a time");
        (void) snprintf(id, sizeof(id), "stored-%u", world->n_stored);
        world->stored[world->n_stored++].there = true;
        return text_of(json_pack("{s:s,s:s}", "token", jwt, "token_id", id));
}

/* STORED_MAX for what is none of these. */
static unsigned stored_number(const char *id) {
        uint64_t n = STORED_MAX;

        return text_starts_with(id, "stored-") && text_to_u64(id + strlen("stored-"), STORED_MAX - 1, &n) >= 0 ? (unsigned) n : STORED_MAX;
}

void platform_note_record(const Record *record) {
        unsigned n = stored_number(record->token_id);

        if (n < STORED_MAX)
                world->stored[n].told = true;
}

/* What was answered and never written down, because the agent died in between, nobody can delete. */
void world_check_stored(void) {
        for (unsigned i = 0; i < world->n_stored; i++)
                if (world->stored[i].there && world->stored[i].told)
                        world_break("no persistent token is left");
}

static char *answer_revoke(const char *path, int *ret_status) {
        unsigned n = stored_number(strrchr(path, '/') + 1);

        if (n >= world->n_stored || !world->stored[n].there)
                return not_there("enrollment_tokens.invalid_token_id", ret_status);
        world->stored[n].there = false;
        world_tell("a persistent token is deleted");
        return text_of(json_object());
}

static char *answer_tokens(void) {
        json_t *page = json_pack("{s:[]}", "tokens");

        for (unsigned i = 0; i < world->n_stored; i++) {
                char id[32];

                (void) snprintf(id, sizeof(id), "stored-%u", i);
                if (world->stored[i].there)
                        (void) json_array_append_new(json_object_get(page, "tokens"), json_pack("{s:s,s:[]}", "token_id", id, "roles"));
        }
        return text_of(page);
}

static char *answer_roles(int *ret_status) {
        View v = view_now();

        if (!v.there)
                return not_there("runners.runner_not_found", ret_status);
        if (!world->runner.joined || world->runner.kind == RUNNER_FOREIGN)
                world_break("roles are given to nobody but a host that we have joined");
        world->runner.roles = planned_roles();
        world->runner.without = 0;
        world->roles_set = true;
        world_tell("the runner is given its roles");
        return text_of(json_pack("{s:[]}", "roles"));
}

static char *answer_mint(const char *body) {
        _cleanup_json_ json_t *request = NULL;
        _cleanup_free_ char *jwt = NULL;
        RoleSet roles = 0;
        usec_t life_us;

        if (json_read(body, strlen(body), &request, NULL) < 0)
                world_break("a token request is JSON");
        for (size_t i = 0; i < json_array_size(json_object_get(request, "roles")); i++) {
                const char *name = json_string_value(json_array_get(json_object_get(request, "roles"), i));

                roles |= role_bit(role_from_string(name));
        }
        life_us = (usec_t) json_member_integer(request, "validity_in_seconds", 3600) * USEC_PER_SEC;
        if (world->scenario->tokens_live_us > 0)
                life_us = world->scenario->tokens_live_us;
        roles = (roles & (RoleSet) ~world->scenario->tokens_lack) | world->scenario->tokens_have;
        check_mint_on_record();
        world->count.tokens++;
        if (json_member_bool(request, "persistent", false))
                return store_token(roles);
        jwt = make_jwt(roles, world_platform_s() + (int64_t) (life_us / USEC_PER_SEC));
        return text_of(json_pack("{s:s}", "token", jwt));
}

char *platform_answer(const char *kind, const char *path, const char *body, int *ret_status) {
        *ret_status = 200;
        if (streq(kind, "version"))
                return text_of(json_pack("{s:s}", "version", world->scenario->platform_version));
        if (streq(kind, "runner"))
                return answer_runner(ret_status);
        if (streq(kind, "role"))
                return answer_role(path);
        if (streq(kind, "allocator"))
                return answer_allocator(path, ret_status);
        if (streq(kind, "proxies"))
                return answer_proxies();
        if (streq(kind, "delete"))
                return answer_delete(ret_status);
        if (streq(kind, "revoke"))
                return answer_revoke(path, ret_status);
        if (streq(kind, "tokens"))
                return answer_tokens();
        if (streq(kind, "roles"))
                return answer_roles(ret_status);
        if (streq(kind, "login"))
                return text_of(json_pack("{s:s}", "token", "a-session"));
        return answer_mint(body);
}
