/* SPDX-License-Identifier: Apache-2.0 */

/*
 * ece-enroll explain: the classification table for people; one reason in full, or all of them as a list.
 * What does not fit the width of a line is continued below its own column.
 */

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/man-text.h"
#include "engine/classify.h"

#define WIDTH 100U
#define LIST_INDENT 52U
#define ROW_INDENT 14U
#define SUGGESTIONS_MAX 8U

/* From column `indent`, where the cursor is, word by word. */
static void print_wrapped(const char *text, unsigned indent) {
        unsigned column = indent;

        while (*text) {
                unsigned length = (unsigned) strcspn(text, " ");

                if (column > indent && column + 1 + length > WIDTH) {
                        printf("\n%*s", (int) indent, "");
                        column = indent;
                }
                printf("%s%.*s", column > indent ? " " : "", (int) length, text);
                column += length + (column > indent ? 1U : 0U);
                text += length;
                text += strspn(text, " ");
        }
        (void) fputc('\n', stdout);
}

static json_t *matches_json(const Reason *r) {
        json_t *matches = json_array();
        const ReasonMatch *m;
        char number[REASON_NUMBER_SIZE], words[REASON_WORDS_SIZE];

        for (size_t i = 0; (m = reason_match_at(i)); i++)
                if (streq(m->reason, r->id))
                        (void) json_array_append_new(
                                matches, json_pack("{s:s, s:s, s:s?, s:s}", "origin", origin_to_string(m->origin),
                                                   "number", reason_match_number(m, number), "code", m->code,
                                                   "words", reason_match_words(m, words)));
        return matches;
}

static json_t *reason_json(const Reason *r) {
        return json_pack("{s:s, s:s, s:i, s:s, s:s, s:s, s:o}", "id", r->id, "class",
                         outcome_class_to_string(r->class), "exit_code", r->exit_code, "what", r->sentence, "agent",
                         r->agent, "remedy", r->remedy, "matches", matches_json(r));
}

static int print_json(const json_t *value) {
        if (!value || json_dumpf(value, stdout, JSON_INDENT(1)) < 0)
                return EXIT_INTERNAL;
        (void) fputc('\n', stdout);
        return EXIT_DONE;
}

static void print_row(const char *label, const char *text) {
        printf("  %-*s", (int) ROW_INDENT - 2, label);
        print_wrapped(text, ROW_INDENT);
}

static void print_matches(const Reason *r) {
        const ReasonMatch *m;
        const char *label = "seen as";
        char words[REASON_WORDS_SIZE];

        for (size_t i = 0; (m = reason_match_at(i)); i++)
                if (streq(m->reason, r->id)) {
                        print_row(label, reason_match_words(m, words));
                        label = "";
                }
}

/* The nearest by spelling, else those that hold what was typed. */
static void suggest(const char *typed) {
        size_t n, shown = 0;
        const char *const *ids = reason_ids(&n);
        const char *near = text_suggest(typed, ids, n);

        if (near)
                fprintf(stderr, "; did you mean '%s'?", near);
        for (size_t i = 0; !near && typed[0] && i < n && shown < SUGGESTIONS_MAX; i++)
                if (strstr(ids[i], typed))
                        fprintf(stderr, "%s '%s'", shown++ == 0 ? "; there are" : ",", ids[i]);
        fprintf(stderr, "\n`ece-enroll explain` lists them all.\n");
}

static int explain_one(const char *id, bool json) {
        const Reason *r = reason_by_id(id);
        char class[256];

        if (!r) {
                fprintf(stderr, "ece-enroll: unknown reason '%.64s'", id);
                suggest(id);
                return EXIT_BAD_USAGE;
        }
        if (json) {
                _cleanup_json_ json_t *value = reason_json(r);

                return print_json(value);
        }
        (void) snprintf(class, sizeof(class), "%s: %s", outcome_class_to_string(r->class),
                        outcome_class_meaning(r->class));
        printf("%s\n", r->id);
        print_row("what", r->sentence);
        print_row("class", class);
        print_row("agent", r->agent);
        print_row("remedy", r->remedy[0] ? r->remedy : "nothing: it passes by itself");
        printf("  %-*s%d\n", (int) ROW_INDENT - 2, "exit code", r->exit_code);
        print_matches(r);
        return EXIT_DONE;
}

static int explain_all(bool json) {
        _cleanup_json_ json_t *all = json_array();
        const Reason *r;

        for (size_t i = 0; (r = reason_at(i)); i++) {
                if (json) {
                        (void) json_array_append_new(all, reason_json(r));
                        continue;
                }
                printf("%-35s %-10s %3d  ", r->id, outcome_class_to_string(r->class), r->exit_code);
                print_wrapped(r->sentence, LIST_INDENT);
        }
        return json ? print_json(all) : EXIT_DONE;
}

int command_explain(const CommonOptions *options) {
        if (options->man) {
                man_reasons();
                return EXIT_DONE;
        }
        return options->argument ? explain_one(options->argument, options->json) : explain_all(options->json);
}
