/* SPDX-License-Identifier: Apache-2.0 */

/* ece-enroll explain: the classification table for people; one reason in full, or all of them as a list. */

#include <stdio.h>

#include "base/json.h"
#include "base/text.h"
#include "cli/command.h"
#include "engine/classify.h"

static json_t *reason_json(const Reason *r) {
        return json_pack("{s:s, s:s, s:i, s:s, s:s, s:s}", "id", r->id, "class", outcome_class_to_string(r->class),
                         "exit_code", r->exit_code, "what", r->sentence, "agent", r->agent, "remedy", r->remedy);
}

static void print_json(const json_t *value) {
        (void) json_dumpf(value, stdout, JSON_INDENT(1));
        (void) fputc('\n', stdout);
}

static void print_matches(const Reason *r) {
        const ReasonMatch *m;
        char number[REASON_NUMBER_SIZE];

        for (size_t i = 0; (m = reason_match_at(i)); i++) {
                if (!streq(m->reason, r->id))
                        continue;
                printf("  seen as    %s", origin_to_string(m->origin));
                if (m->number != MATCH_ANY)
                        printf(" %s", reason_match_number(m, number));
                printf("%s%s\n", m->code ? " " : "", m->code ?: "");
        }
}

static int explain_one(const char *id, bool json) {
        const Reason *r = reason_by_id(id);
        size_t n;
        const char *const *ids = reason_ids(&n);
        const char *near;

        if (!r) {
                near = text_suggest(id, ids, n);
                fprintf(stderr, "ece-enroll: unknown reason '%.64s'", id);
                if (near)
                        fprintf(stderr, "; did you mean '%s'?", near);
                fprintf(stderr, "\n`ece-enroll explain` lists them all.\n");
                return EXIT_BAD_USAGE;
        }
        if (json) {
                _cleanup_json_ json_t *value = reason_json(r);

                print_json(value);
                return EXIT_DONE;
        }
        printf("%s\n  what       %s\n  class      %s\n  agent      %s\n  remedy     %s\n  exit code  %d\n", r->id,
               r->sentence, outcome_class_to_string(r->class), r->agent,
               r->remedy[0] ? r->remedy : "nothing: it passes by itself", r->exit_code);
        print_matches(r);
        return EXIT_DONE;
}

static int explain_all(bool json) {
        _cleanup_json_ json_t *all = json_array();
        const Reason *r;

        for (size_t i = 0; (r = reason_at(i)); i++) {
                if (json)
                        (void) json_array_append_new(all, reason_json(r));
                else
                        printf("%-36s %-10s %3d  %s\n", r->id, outcome_class_to_string(r->class), r->exit_code,
                               r->sentence);
        }
        if (json)
                print_json(all);
        return EXIT_DONE;
}

int command_explain(const CommonOptions *options) {
        return options->argument ? explain_one(options->argument, options->json) : explain_all(options->json);
}
