/* SPDX-License-Identifier: Apache-2.0 */

/*
 * ece-enroll token create: one token, printed where it is wanted and nowhere else.
 *
 * A terminal keeps what it shows, in its own memory, in a recording, on somebody's screen; so there a token is printed only
 * when it is asked for, and that is settled before one is minted, because an ephemeral one can't be taken back. What
 * is said about the token goes to standard error: standard output holds the token and a line break, for `$(...)` and for
 * files. It is written by write(2) from the Secret's own memory; stdio would keep a copy.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "cli/command-token.h"
#include "model/role-json.h"

#define VALIDITY_MIN_US USEC_PER_MINUTE

int command_token_create_complain(const CommonOptions *options) {
        RoleSet roles = options->roles;

        for (size_t i = 1; i < options->n_arguments; i++)
                if (!command_read_roles(options->arguments[i], &roles))
                        return command_misused(
                                "token", "there is no role '%.64s'; there are allocator, coordinator, director, proxy, and none",
                                options->arguments[i]);
        if (!options->roles_given && options->n_arguments < 2)
                return command_misused("token",
                                       "for which roles? Name them with --role; a token for a host that gets its roles later "
                                       "has --role none");
        if (options->persistent && options->validity_us > 0)
                return command_misused("token", "a persistent token has no end, so --validity does not go with it");
        if (options->validity_us > 0 && options->validity_us < VALIDITY_MIN_US)
                return command_misused("token", "nobody installs a host in less than a minute: --validity is 60s or more");
        if (isatty(STDOUT_FILENO) && !options->show) {
                fprintf(stderr, "ece-enroll token: nothing was minted, because a terminal keeps what it shows: let a pipe or a "
                                "file take the "
                                "token, or add --show\n");
                return EXIT_BAD_USAGE;
        }
        return EXIT_DONE;
}

static TokenWish wish_of(const Spec *spec, const CommonOptions *options) {
        TokenWish wish = {
                .roles = options->roles,
                .persistent = options->persistent,
                .validity_us = options->validity_us > 0 ? options->validity_us : spec->token.validity_us,
        };

        for (size_t i = 1; i < options->n_arguments; i++)
                (void) command_read_roles(options->arguments[i], &wish.roles);
        return wish;
}

static int print_token(const Token *token) {
        int r = file_write_all(STDOUT_FILENO, secret_bytes(token->secret), secret_size(token->secret));

        return r < 0 ? r : file_write_all(STDOUT_FILENO, "\n", 1);
}

/* jansson's memory is wiped, and it writes to the descriptor in pieces of its own. */
static int print_json(const Token *token) {
        _cleanup_json_ json_t *page = json_pack("{s:s, s:o, s:b}", "token", secret_bytes(token->secret), "roles",
                                                role_set_to_json(token->claims.roles), "persistent",
                                                (int) (token->deadline_us == USEC_INFINITY));
        usec_t left_us = token_remaining_us(token, clock_boottime_us());

        if (!page || json_object_set_new(page, "token_id", token->token_id[0] ? json_string(token->token_id) : json_null()) < 0 ||
            json_object_set_new(page, "remaining_s",
                                left_us == USEC_INFINITY ? json_null() : json_integer((json_int_t) (left_us / USEC_PER_SEC))) < 0)
                return -ENOMEM;
        if (json_dumpfd(page, STDOUT_FILENO, JSON_INDENT(1)) < 0)
                return -EIO;
        return file_write_all(STDOUT_FILENO, "\n", 1);
}

static void describe(const Token *token) {
        char roles[ROLE_SET_STRING_SIZE], extra[ROLE_SET_STRING_SIZE], left[DURATION_SIZE];
        usec_t left_us = token_remaining_us(token, clock_boottime_us());

        fprintf(stderr, "roles: %s; ", token->claims.roles ? role_set_format(token->claims.roles, ",", roles) : "none");
        if (left_us != USEC_INFINITY)
                fprintf(stderr, "ends in %s and can't be revoked before\n",
                        duration_format(left_us - left_us % USEC_PER_SEC, left));
        else if (token->token_id[0])
                fprintf(stderr, "lives until it is deleted: ece-enroll token delete %s\n", token->token_id);
        else
                fprintf(stderr, "lives until it is deleted; the platform has not said under which identifier\n");
        if (token->extra_roles)
                fprintf(stderr, "warning: it carries more than was asked for: %s\n",
                        role_set_format(token->extra_roles, ",", extra));
}

static void tell_of_doubt(const Observation *failure, const TokenWish *wish) {
        char life[DURATION_SIZE];

        if (!failure->maybe_minted)
                return;
        if (wish->persistent)
                fprintf(stderr, "  A token may have been made all the same: look at `ece-enroll token list`.\n");
        else
                fprintf(stderr, "  A token may have been made all the same; nobody holds it, and it ends by itself after %s.\n",
                        duration_format(wish->validity_us, life));
}

int command_token_create(PlatformSession *session, const Spec *spec, const CommonOptions *options) {
        _cleanup_(token_freep) Token *token = NULL;
        TokenWish wish = wish_of(spec, options);
        Observation failure = platform_mint(session, &wish, &token);
        int error, code;

        if (!observation_is_none(&failure)) {
                code = command_tell_seen(&failure);
                tell_of_doubt(&failure, &wish);
                return code;
        }
        error = options->json ? print_json(token) : print_token(token);
        describe(token);
        if (error < 0)
                fprintf(stderr, "ece-enroll token: it can't be written to the standard output: %s\n", strerror(-error));
        return error < 0 ? EXIT_INTERNAL : EXIT_DONE;
}
