/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The desk: what every test of the Coordinator needs around it. The order in which servers are
 * asked is chosen by trying seeds until the shuffle gives the order of the test, so the shuffle
 * itself stays in play.
 */

#include "desk.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/text.h"

/* A port of loopback that nobody listens on: bound, and closed again. */
static unsigned refusing_port(void) {
        struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        socklen_t size = sizeof(address);
        _cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        int r = bind(fd, (struct sockaddr *) &address, size);
        assert(r == 0);
        r = getsockname(fd, (struct sockaddr *) &address, &size);
        assert(r == 0);
        return ntohs(address.sin_port);
}

static bool order_fits(const Desk *desk) {
        CoordinatorState states[DESK_PEERS_MAX];

        if (coordinator_states(desk->coordinator, states, ELEMENTS(states)) != desk->n)
                return false;
        for (size_t i = 0; i < desk->n; i++)
                if (!streq(states[i].url, desk->urls[i]))
                        return false;
        return true;
}

void desk_open(Desk *desk, CredentialKind kind, const char *const scripts[], size_t n) {
        *desk = (Desk) { .n = n };
        for (size_t i = 0; i < n; i++) {
                if (scripts[i])
                        desk->peers[i] = peer_start("good", scripts[i]);
                (void) snprintf(desk->urls[i], sizeof(desk->urls[i]), "https://127.0.0.1:%u",
                                scripts[i] ? desk->peers[i].port : refusing_port());
                desk->url_list[i] = desk->urls[i];
        }
        desk->spec.coordinators = desk->url_list;
        desk->spec.trust.ca_file = strdup(bench_path("root.pem"));
        desk->spec.credential.kind = kind;
        desk->spec.credential.user = (char[]) { "ops" };

        int r = sd_event_new(&desk->event);
        assert(r >= 0);
        r = http_new(desk->event, &desk->http);
        assert(r == 0);
        for (uint64_t seed = 0; !desk->coordinator || !order_fits(desk); seed++) {
                Observation refusal;
                Secret *secret = NULL;
                assert(seed < 1000);
                desk->coordinator = coordinator_free(desk->coordinator);
                r = kind == CREDENTIAL_NONE ? 0 : secret_new(DESK_KEY, strlen(DESK_KEY), &secret);
                assert(r == 0);
                r = coordinator_new(desk->event, desk->http, &desk->spec, secret, seed, &desk->coordinator,
                                    &refusal);
                assert(r == 0);
        }
}

void desk_close(Desk *desk) {
        desk->coordinator = coordinator_free(desk->coordinator);
        desk->http = http_free(desk->http);
        desk->event = sd_event_unref(desk->event);
        desk->token = token_free(desk->token);
        token_listing_done(&desk->listing);
        free(desk->spec.trust.ca_file);
        for (size_t i = 0; i < desk->n; i++)
                if (desk->peers[i].pid > 0)
                        desk->logs[i] = peer_stop(&desk->peers[i]);
}

void desk_done(Desk *desk) {
        for (size_t i = 0; i < desk->n; i++)
                free(desk->logs[i]);
}

static void on_platform(void *userdata, const PlatformFacts *platform, const Observation *failure) {
        Desk *desk = userdata;

        desk->calls++;
        desk->failure = *failure;
        assert((platform != NULL) == observation_is_none(failure));
        if (platform)
                desk->platform = *platform;
}

static void on_token(void *userdata, Token *token, const Observation *failure) {
        Desk *desk = userdata;

        desk->calls++;
        desk->failure = *failure;
        assert((token != NULL) == observation_is_none(failure));
        (void) token_free(desk->token);
        desk->token = token;
}

static void on_view(void *userdata, const RunnerView *view, const Observation *failure) {
        Desk *desk = userdata;

        desk->calls++;
        desk->failure = *failure;
        assert((view != NULL) == observation_is_none(failure));
        if (view)
                desk->view = *view;
}

static void on_done(void *userdata, const Observation *failure) {
        Desk *desk = userdata;

        desk->calls++;
        desk->failure = *failure;
}

static void on_tokens(void *userdata, const TokenListing *listing, const Observation *failure) {
        Desk *desk = userdata;

        desk->calls++;
        desk->failure = *failure;
        assert((listing != NULL) == observation_is_none(failure));
        token_listing_done(&desk->listing);
        for (size_t i = 0; listing && i < listing->n; i++) {
                int r = token_listing_add(&desk->listing, listing->items + i);
                assert(r == 0);
        }
}

static void on_found(void *userdata, bool found, const Observation *failure) {
        Desk *desk = userdata;

        desk->calls++;
        desk->failure = *failure;
        desk->found = found;
}

static void on_load(void *userdata, const AllocatorLoad *load, const Observation *failure) {
        Desk *desk = userdata;

        desk->calls++;
        desk->failure = *failure;
        assert((load != NULL) == observation_is_none(failure));
        if (load)
                desk->load = *load;
}

static void on_moves(void *userdata, const Moves *moves, const Observation *failure) {
        Desk *desk = userdata;

        desk->calls++;
        desk->failure = *failure;
        assert((moves != NULL) == observation_is_none(failure));
        if (moves)
                desk->moves = *moves;
}

/* Runs the loop until the handler of the question that was begun has run. */
static void desk_wait(Desk *desk, int begun) {
        unsigned before = desk->calls;

        assert(begun == 0);
        while (desk->calls == before) {
                int r = sd_event_run(desk->event, UINT64_MAX);
                assert(r >= 0);
        }
        assert(desk->calls == before + 1);
}

void desk_platform(Desk *desk) {
        desk_wait(desk, coordinator_ask_platform(desk->coordinator, on_platform, desk));
}

void desk_mint(Desk *desk, RoleSet roles, usec_t validity_us) {
        const TokenWish wish = { .roles = roles, .validity_us = validity_us };

        desk_wait(desk, coordinator_mint(desk->coordinator, &wish, on_token, desk));
}

void desk_look(Desk *desk, RoleSet roles) {
        Plan plan = { .runner_id = "r1", .host_ip = "192.0.2.7", .roles = roles };

        desk_wait(desk, coordinator_look(desk->coordinator, &plan, on_view, desk));
}

void desk_delete(Desk *desk, const char *runner_id) {
        desk_wait(desk, coordinator_delete_runner(desk->coordinator, runner_id, on_done, desk));
}

void desk_list(Desk *desk) {
        desk_wait(desk, coordinator_list_tokens(desk->coordinator, on_tokens, desk));
}

void desk_delete_token(Desk *desk, const char *id) {
        desk_wait(desk, coordinator_delete_token(desk->coordinator, id, on_done, desk));
}

void desk_revoke(Desk *desk, const char *id) {
        desk_wait(desk, coordinator_revoke_token(desk->coordinator, id, on_done, desk));
}

void desk_set_roles(Desk *desk, RoleSet roles) {
        desk_wait(desk, coordinator_set_roles(desk->coordinator, "r1", roles, on_done, desk));
}

void desk_find_other(Desk *desk, Role role) {
        desk_wait(desk, coordinator_find_other(desk->coordinator, role, "r1", on_found, desk));
}

void desk_load(Desk *desk) {
        desk_wait(desk, coordinator_ask_load(desk->coordinator, "r1", on_load, desk));
}

void desk_start_maintenance(Desk *desk) {
        desk_wait(desk, coordinator_start_maintenance(desk->coordinator, "r1", on_done, desk));
}

void desk_move(Desk *desk) {
        desk_wait(desk, coordinator_move_instances(desk->coordinator, "r1", on_moves, desk));
}

void desk_delete_allocator(Desk *desk) {
        desk_wait(desk, coordinator_delete_allocator(desk->coordinator, "r1", on_done, desk));
}

const char *log_lines(const char *log) {
        static char lines[4096];
        size_t n = 0;

        lines[0] = '\0';
        for (const char *at = log; *at;) {
                const char *line_end = strstr(at, " HTTP/1.1\r\n"), *end = strstr(at, "\n~~\n");
                assert(line_end && end && line_end < end);
                n += (size_t) snprintf(lines + n, sizeof(lines) - n, "%s%.*s", n > 0 ? " " : "",
                                       (int) (line_end - at), at);
                at = end + 4;
        }
        return lines;
}
