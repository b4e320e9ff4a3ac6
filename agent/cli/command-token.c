/* SPDX-License-Identifier: Apache-2.0 */

/*
 * ece-enroll token: the platform's roles tokens, by hand. Lists the persistent ones and deletes them; making one is in
 * command-token-create.c.
 *
 * What can't be undone is looked at first: the list is read before anything is deleted, and when one of the identifiers names a
 * token that an installation needs in bad hours, nothing at all is deleted unless it is forced. Afterwards the list is
 * read again, since an answer of 200 is no proof. An ephemeral token is in no list and can't be deleted; who tries is told that it
 * ends by itself.
 */

#include "cli/command-token.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "cli/platform-session.h"
#include "model/role-json.h"

static int print_json(json_t *value) {
        _cleanup_json_ json_t *owned = value;

        if (!owned || json_dumpf(owned, stdout, JSON_INDENT(1)) < 0)
                return EXIT_INTERNAL;
        (void) fputc('\n', stdout);
        return EXIT_DONE;
}

static int print_listing_json(const TokenListing *listing) {
        json_t *page = json_pack("{s:[]}", "tokens");

        for (size_t i = 0; page && i < listing->n; i++) {
                const ListedToken *token = listing->items + i;

                (void) json_array_append_new(json_object_get(page, "tokens"),
                                             json_pack("{s:s, s:o, s:i, s:s}", "token_id", token->id, "roles",
                                                       role_set_to_json(token->roles), "other_roles", (int) token->foreign_roles,
                                                       "kind", token_kind_to_string(token_kind(token))));
        }
        return print_json(page);
}

static void print_listing(const TokenListing *listing) {
        int width = (int) strlen("TOKEN ID");

        for (size_t i = 0; i < listing->n; i++)
                if ((int) strlen(listing->items[i].id) > width)
                        width = (int) strlen(listing->items[i].id);
        if (listing->n > 0)
                printf("%-*s  %-9s  ROLES\n", width, "TOKEN ID", "KIND");
        for (size_t i = 0; i < listing->n; i++) {
                const ListedToken *token = listing->items + i;
                char roles[ROLE_SET_STRING_SIZE];

                printf("%-*s  %-9s  %s", width, token->id, token_kind_to_string(token_kind(token)),
                       token->roles ? role_set_format(token->roles, ",", roles) : "none");
                if (token->foreign_roles > 0)
                        printf(" and %u that this program does not know", token->foreign_roles);
                printf("\n");
        }
        if (listing->n == 0)
                fprintf(stderr, "There is no persistent roles token. Ephemeral ones are not stored, and so not listed.\n");
}

static int token_list(PlatformSession *session, const Spec *spec, const CommonOptions *options) {
        TokenListing listing = {};
        Observation failure = platform_list_tokens(session, &listing);
        int code = EXIT_DONE;

        if (!observation_is_none(&failure))
                return command_tell_seen(&failure);
        if (options->json)
                code = print_listing_json(&listing);
        else
                print_listing(&listing);
        token_listing_done(&listing);
        return code;
}

typedef struct Deletion {
        const CommonOptions *options;
        TokenListing before, after;
        bool deleted[ARGUMENTS_MAX]; /* by argument; [0] is the word `delete` */
        bool unknown[ARGUMENTS_MAX];
} Deletion;

/* A token where its identifier belongs has been seen by everybody on this host by now; it is not repeated. */
static int complain_of_id(const char *id) {
        if (text_starts_with(id, "eyJ"))
                return command_misused("token",
                                       "that is a token and no identifier, and others on this host could read it just now: "
                                       "`ece-enroll token list` shows the identifiers");
        return command_misused("token", "'%.64s' is no identifier of a token", id);
}

static const char *why_spared(TokenKind kind) {
        return kind == TOKEN_KIND_EMERGENCY
                       ? "has all roles but allocator, as the emergency token, which can save the installation when all "
                         "coordinators are lost"
                       : "has no roles, as the token of the first host, with which hosts join that get their roles later";
}

/* 0: nothing stands against it. */
static int look_before(Deletion *d) {
        int spared = 0;

        for (size_t i = 1; i < d->options->n_arguments; i++) {
                const ListedToken *token = token_listing_find(&d->before, d->options->arguments[i]);
                TokenKind kind = token ? token_kind(token) : TOKEN_KIND_ORDINARY;

                d->unknown[i] = !token;
                if (kind == TOKEN_KIND_ORDINARY || d->options->force)
                        continue;
                fprintf(stderr, "ece-enroll token: %s %s.\n", token->id, why_spared(kind));
                spared++;
        }
        if (spared > 0)
                fprintf(stderr, "  Nothing was deleted. With --force it is.\n");
        return spared > 0 ? EXIT_BAD_USAGE : EXIT_DONE;
}

static Observation delete_all(PlatformSession *session, Deletion *d) {
        for (size_t i = 1; i < d->options->n_arguments; i++) {
                Observation failure;

                if (d->unknown[i])
                        continue;
                failure = platform_delete_token(session, d->options->arguments[i]);
                /* Somebody else was faster, or it was named twice. */
                if (!observation_is_none(&failure) && !observation_is_absence(&failure, TOKEN_ABSENT_CODE))
                        return failure;
                d->deleted[i] = true;
        }
        return OBSERVATION_NONE;
}

static int tell_unknown(const Deletion *d) {
        int code = EXIT_DONE;

        for (size_t i = 1; i < d->options->n_arguments; i++) {
                Observation seen;

                if (!d->unknown[i])
                        continue;
                seen = observe(ORIGIN_ECE, 404, TOKEN_ABSENT_CODE, d->options->arguments[i], "it is not listed");
                code = command_tell_seen(&seen);
        }
        return code;
}

static int tell_still_listed(const Deletion *d) {
        int code = EXIT_DONE;

        for (size_t i = 1; i < d->options->n_arguments; i++) {
                Observation seen;

                if (!d->deleted[i] || !token_listing_find(&d->after, d->options->arguments[i]))
                        continue;
                seen = observe(ORIGIN_TOKEN, 0, "still-listed", d->options->arguments[i],
                               "it was deleted and is listed all the same");
                code = command_tell_seen(&seen);
        }
        return code;
}

static json_t *named(const Deletion *d, const bool which[]) {
        json_t *list = json_array();

        for (size_t i = 1; list && i < d->options->n_arguments; i++)
                if (which[i])
                        (void) json_array_append_new(list, json_string(d->options->arguments[i]));
        return list;
}

static void print_deleted(const Deletion *d) {
        for (size_t i = 1; i < d->options->n_arguments; i++)
                if (d->deleted[i] && !token_listing_find(&d->after, d->options->arguments[i]))
                        printf("%s deleted, and not listed any more\n", d->options->arguments[i]);
}

static int report_deletion(const Deletion *d) {
        int unknown = tell_unknown(d), left = tell_still_listed(d), code = EXIT_DONE;

        if (d->options->json)
                code = print_json(json_pack("{s:o, s:o, s:i}", "deleted", named(d, d->deleted), "unknown", named(d, d->unknown),
                                            "remaining", (int) d->after.n));
        else
                print_deleted(d);
        if (d->after.n == 0 && d->before.n > 0)
                fprintf(stderr,
                        "warning: that was the last persistent token: a host can join only with a new one that is made for it "
                        "(`ece-enroll token create`)\n");
        return left != EXIT_DONE ? left : unknown != EXIT_DONE ? unknown : code;
}

static int token_delete(PlatformSession *session, const Spec *spec, const CommonOptions *options) {
        Deletion d = { .options = options };
        Observation failure = platform_list_tokens(session, &d.before);
        int code;

        if (!observation_is_none(&failure))
                return command_tell_seen(&failure);
        code = look_before(&d);
        if (code == EXIT_DONE) {
                Observation listed;

                failure = delete_all(session, &d);
                listed = platform_list_tokens(session, &d.after);
                code = observation_is_none(&listed) ? report_deletion(&d) : command_tell_seen(&listed);
                if (!observation_is_none(&failure))
                        code = command_tell_seen(&failure);
        }
        token_listing_done(&d.before);
        token_listing_done(&d.after);
        return code;
}

static int complain_of_prune(void) {
        fprintf(stderr, "ece-enroll token: tokens can't be pruned by age: the platform tells neither when one was made nor when "
                        "it was used.\n"
                        "  Compare `ece-enroll token list` with what you know, and delete by identifier. Ephemeral tokens end by "
                        "themselves;\n"
                        "  token.persistent: true in a spec deletes the host's own token after the join.\n");
        return EXIT_BAD_USAGE;
}

static const struct {
        const char *word;
        int (*run)(PlatformSession *session, const Spec *spec, const CommonOptions *options);
} actions[] = {
        { "create", command_token_create },
        { "list", token_list },
        { "delete", token_delete },
};

/* What can be said without asking anybody. */
static int complain(const CommonOptions *options) {
        static const char *const words[] = { "create", "list", "delete" };
        const char *action = options->argument, *near;

        if (!action)
                return command_misused("token", "create, list or delete?");
        if (streq(action, "prune"))
                return complain_of_prune();
        if (streq(action, "create"))
                return command_token_create_complain(options);
        if (streq(action, "list"))
                return options->n_arguments > 1 ? command_misused("token", "too many arguments: '%.64s'", options->arguments[1])
                                                : EXIT_DONE;
        if (!streq(action, "delete")) {
                near = text_suggest(action, words, ELEMENTS(words));
                return command_misused("token", "there is no action '%.64s'%s%s%s", action, near ? "; did you mean '" : "",
                                       near ?: "", near ? "'?" : "");
        }
        for (size_t i = 1; i < options->n_arguments; i++)
                if (!token_id_is_sound(options->arguments[i]) || text_starts_with(options->arguments[i], "eyJ"))
                        return complain_of_id(options->arguments[i]);
        return options->n_arguments < 2 ? command_misused("token", "which one? `ece-enroll token list` shows their identifiers")
                                        : EXIT_DONE;
}

int command_token(const CommonOptions *options) {
        _cleanup_(platform_session_closep) PlatformSession *session = NULL;
        _cleanup_(spec_freep) Spec *spec = NULL;
        int code = complain(options);

        if (code == EXIT_DONE)
                code = command_load_spec(options->spec_path, &spec);
        if (code == EXIT_DONE)
                code = command_open_session(spec, &session);
        if (code != EXIT_DONE)
                return code;
        for (size_t i = 0; i < ELEMENTS(actions); i++)
                if (streq(options->argument, actions[i].word))
                        return actions[i].run(session, spec, options);
        return EXIT_INTERNAL;
}
