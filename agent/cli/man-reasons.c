/* SPDX-License-Identifier: Apache-2.0 */

/*
 * ece-enroll-reasons(7), made from the classification table: classes, then every reason by group with
 * what it means, what the agent does, what a person does, and what leads to it. A test makes the page
 * anew and compares it with the one that is distributed. A group without a title here is a bug that
 * shows at once: the page then has a section without a name, and the test of pages complains.
 */

#include <string.h>

#include "base/cleanup.h"
#include "cli/man-text.h"
#include "engine/classify.h"

static const struct {
        const char *prefix, *title;
} groups[] = {
        { "agent.", "THE AGENT ITSELF" },
        { "coordinator.", "COORDINATORS AND THE WAY TO THEM" },
        { "credential.", "THE PLATFORM CREDENTIAL" },
        { "engine.", "THE CONTAINER ENGINE" },
        { "host.", "THIS HOST" },
        { "installer.", "ECE'S INSTALLER" },
        { "keeper.", "ECE-INSTALLD" },
        { "plan.", "SPEC, HOST AND PLATFORM TOGETHER" },
        { "platform.", "THE PLATFORM" },
        { "proxy.", "THE PROXY ON THE WAY" },
        { "spec.", "THE SPEC" },
        { "token.", "THE ROLES TOKEN" },
        { "verify.", "THE VIEW OF THE HOST" },
};

static const char description[] =
        "Everything that can stand between a host and its enrollment has a reason: a stable id that is shown in\n"
        "the journal, in status.json and by\n"
        ".BR \"ece\\-enroll status\" ,\n"
        "and that never changes its meaning.\n"
        "Each reason has a class, which alone decides what the agent does, and the exit code that a run ends with\n"
        "if this reason is what ends it.\n"
        ".B ece\\-enroll explain\n"
        ".I REASON\n"
        "shows one of them; this page is made from the same table.\n"
        ".PP\n"
        "What leads to a reason is found by the most specific row: a code says more than a number, and an exact\n"
        "number more than a range.\n"
        "What is unknown is never final at once: it is taken for something that passes, and the deadline\n"
        ".RB ( retry.give_up_after )\n"
        "bounds the time, the token windows\n"
        ".RB ( retry.windows )\n"
        "what it costs.\n"
        "Only the agent's own findings about spec and plan are final although unknown: waiting mends no file.\n"
        ".PP\n"
        "Refusals are told apart by ECE's own code, not by the status.\n"
        "A refused credential gets the benefit of the doubt once: it is read again and tried a second time, because\n"
        "a platform that is just starting refuses good ones as well; the second refusal in a row is final.\n"
        "An installer's exit codes from 1 to 5 may be the script's own or the container's; what it printed and\n"
        "whether it had come to its container decides, the bare code only without any such evidence.\n";

static void print_classes(void) {
        printf(".SH CLASSES\n");
        for (OutcomeClass c = CLASS_OK + 1; c < _CLASS_MAX; c++) {
                printf(".TP\n.B ");
                man_text(outcome_class_to_string(c));
                (void) fputc('\n', stdout);
                man_sentence("", outcome_class_meaning(c), ".");
                man_sentence("Exit codes: ", outcome_class_exits(c), ".");
        }
}

static void print_matches(const Reason *r) {
        const ReasonMatch *m;
        char words[REASON_WORDS_SIZE];
        const char *between = "";

        printf(".br\n.I What leads to it:\n");
        for (size_t i = 0; (m = reason_match_at(i)); i++) {
                if (strcmp(m->reason, r->id) != 0)
                        continue;
                printf("%s", between);
                man_text(reason_match_words(m, words));
                between = ";\n";
        }
        printf(".\n");
}

static void print_reason(const Reason *r) {
        printf(".TP\n\\fB");
        man_text(r->id);
        printf("\\fR (%s, exit code %d)\n", outcome_class_to_string(r->class), r->exit_code);
        man_sentence("", r->sentence, ".");
        man_sentence("The agent ", r->agent, ".");
        if (r->remedy[0]) {
                printf(".br\n.I What to do:\n");
                man_sentence("", r->remedy, "");
        }
        print_matches(r);
}

void man_reasons(void) {
        const Reason *r;

        man_header("ece-enroll-reasons", "7", "why a host is not enrolled, and what to do about it");
        printf(".SH DESCRIPTION\n%s", description);
        print_classes();
        for (size_t g = 0; g < ELEMENTS(groups); g++) {
                printf(".SH \"");
                man_text(groups[g].title);
                printf("\"\n");
                for (size_t i = 0; (r = reason_at(i)); i++)
                        if (strncmp(r->id, groups[g].prefix, strlen(groups[g].prefix)) == 0)
                                print_reason(r);
        }
        printf(".SH \"SEE ALSO\"\n.BR ece\\-enroll (1),\n.BR ece\\-enroll\\-security (7),\n.BR ece\\-enrolld (8),\n"
               ".BR ece\\-installd (8),\n.BR enroll.yaml (5)\n");
}
