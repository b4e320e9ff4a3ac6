/* SPDX-License-Identifier: Apache-2.0 */

/* The vocabulary of the scenarios, subject by subject: scenarios/README.md lists it for people. */

#include "scenario-subjects.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"

/* --- Coordinators ------------------------------------------------------------------------------ */

static const struct {
        const char *words;
        AnswerKind kind;
} answers[] = {
        { "answers", ANSWER_GOOD },
        { "refuses", ANSWER_REFUSED },
        { "is a black hole", ANSWER_BLACK_HOLE },
        { "hangs", ANSWER_HANGS },
        { "resets", ANSWER_RESET },
        { "loses the reply", ANSWER_LOST },
        { "does not resolve", ANSWER_UNRESOLVED },
        { "is not trusted", ANSWER_UNTRUSTED },
        { "bears another name", ANSWER_WRONG_NAME },
        { "says", ANSWER_STATUS },
};

static bool read_body(Line *l, CoordinatorRule *rule) {
        if (line_skip(l, "in html"))
                rule->body = BODY_HTML;
        else if (line_skip(l, "with nothing"))
                rule->body = BODY_EMPTY;
        else if (line_skip(l, "cut short"))
                rule->body = BODY_TRUNCATED;
        else
                return false;
        return true;
}

static bool read_retry_after(Line *l, CoordinatorRule *rule) {
        if (line_skip(l, "retry after"))
                line_copy(l, rule->retry_after, sizeof(rule->retry_after));
        else if (line_skip(l, "retry in")) {
                rule->retry_as_date = true;
                rule->retry_in_us = line_duration(l);
                if (!line_skip(l, "as a date"))
                        (void) line_refuse(l, "retry in DURATION as a date");
        } else
                return false;
        return true;
}

void read_coordinator(Line *l, CoordinatorRule *rule) {
        size_t i = 0;

        while (i < ELEMENTS(answers) && !line_skip(l, answers[i].words))
                i++;
        if (i == ELEMENTS(answers)) {
                (void) line_refuse(l, "a coordinator can't do this: '%s'", line_peek(l));
                return;
        }
        rule->answer = answers[i].kind;
        if (rule->answer == ANSWER_STATUS)
                rule->status = (int) line_number(l);
        while (!line_ended(l) && !l->failed) {
                if (read_body(l, rule) || read_retry_after(l, rule))
                        continue;
                if (line_skip(l, "after"))
                        rule->delay_us = line_duration(l);
                else if (rule->answer == ANSWER_STATUS && strchr(line_peek(l), '.'))
                        line_copy(l, rule->code, sizeof(rule->code));
                else
                        (void) line_refuse(l, "'%s' says nothing about an answer", line_peek(l));
        }
}

/* --- The installer ----------------------------------------------------------------------------- */

void read_installer(Line *l, InstallerRule *rule) {
        if (line_skip(l, "works in")) {
                rule->kind = INSTALLER_WORKS;
                rule->takes_us = line_duration(l);
        } else if (line_skip(l, "fails with")) {
                rule->kind = INSTALLER_FAILS;
                rule->status = (int) line_number(l);
                if (!line_skip(l, "in"))
                        (void) line_refuse(l, "fails with STATUS in DURATION");
                rule->takes_us = line_duration(l);
        } else if (line_skip(l, "hangs"))
                rule->kind = INSTALLER_HANGS;
        else
                (void) line_refuse(l, "an installer can't do this: '%s'", line_peek(l));

        while (!line_ended(l) && !l->failed) {
                if (line_skip(l, "saying"))
                        line_copy(l, rule->saying, sizeof(rule->saying));
                else if (line_skip(l, "in the container"))
                        rule->in_container = true;
                else if (line_skip(l, "leaving a container"))
                        rule->leaves_container = true;
                else if (line_skip(l, "having joined"))
                        rule->joins = true;
                else if (line_skip(l, "and ignores TERM"))
                        rule->ignores_term = true;
                else if (line_skip(l, "without"))
                        rule->without = line_roles(l);
                else
                        (void) line_refuse(l, "'%s' says nothing about an installer", line_peek(l));
        }
}

/* --- The platform's view ----------------------------------------------------------------------- */

static void read_runner_role(Line *l, RunnerRule *rule) {
        rule->roles = line_roles(l);
        if (line_skip(l, "missing"))
                rule->kind = RUNNER_UNLISTED;
        else if (line_skip(l, "not blessed"))
                rule->kind = RUNNER_UNBLESSED;
        else if (line_skip(l, "pending"))
                rule->kind = RUNNER_PENDING;
        else if (line_skip(l, "without effect"))
                rule->kind = RUNNER_NO_EFFECT;
        else
                (void) line_refuse(l, "a role is missing, not blessed, pending or without effect");
}

void read_runner(Line *l, RunnerRule *rule) {
        static const struct {
                const char *words;
                RunnerKind kind;
                bool text;
        } known[] = {
                { "healthy", RUNNER_HEALTHY, false },       { "absent", RUNNER_ABSENT, false },
                { "disconnected", RUNNER_DISCONNECTED, false }, { "unhealthy", RUNNER_UNHEALTHY, false },
                { "of another host", RUNNER_FOREIGN, false },   { "in zone", RUNNER_ZONE, true },
                { "of version", RUNNER_VERSION, true },     { "in maintenance", RUNNER_MAINTENANCE, false },
        };

        for (size_t i = 0; i < ELEMENTS(known); i++)
                if (line_skip(l, known[i].words)) {
                        rule->kind = known[i].kind;
                        if (known[i].text)
                                line_copy(l, rule->text, sizeof(rule->text));
                        return;
                }
        if (line_skip(l, "flapping every")) {
                rule->kind = RUNNER_FLAPPING;
                rule->period_us = line_duration(l);
                if (rule->period_us == 0)
                        (void) line_refuse(l, "a runner flaps every so often");
        } else
                read_runner_role(l, rule);
}

void read_platform(Line *l, Scenario *s) {
        if (line_skip(l, "knows a healthy runner") || line_skip(l, "knows a disconnected runner") ||
            line_skip(l, "knows another host's runner")) {
                const char *said = l->word[l->at - 2];

                s->knows_runner = true;
                s->known_runner = streq(said, "healthy")        ? RUNNER_HEALTHY
                                  : streq(said, "disconnected") ? RUNNER_DISCONNECTED
                                                                : RUNNER_FOREIGN;
        } else if (line_skip(l, "is of version"))
                line_copy(l, s->platform_version, sizeof(s->platform_version));
        else if (line_skip(l, "lets tokens live"))
                s->tokens_live_us = line_duration(l);
        else if (line_skip(l, "gave a token that lives"))
                s->given_lives_us = line_duration(l);
        else if (line_skip(l, "makes tokens without"))
                s->tokens_lack = line_roles(l);
        else if (line_skip(l, "makes tokens with"))
                s->tokens_have = line_roles(l);
        else if (line_skip(l, "sends no date"))
                s->no_date = true;
        else
                (void) line_refuse(l, "a platform can't do this: '%s'", line_peek(l));
}

/* --- The host ---------------------------------------------------------------------------------- */

void read_host(Line *l, TroubleRule *rule) {
        static const struct {
                const char *words;
                TroubleKind kind;
        } known[] = {
                { "network is down", TROUBLE_NETWORK },
                { "disk is full", TROUBLE_DISK_FULL },
                { "keeper is absent", TROUBLE_KEEPER_ABSENT },
                { "engine is down", TROUBLE_ENGINE_DOWN },
                { "other ECE runs", TROUBLE_OTHER_ECE },
                { "an operator's installer runs", TROUBLE_FOREIGN_INSTALLER },
                { "credential is missing", TROUBLE_CREDENTIAL_MISSING },
                { "credential is wrong", TROUBLE_CREDENTIAL_WRONG },
                { "spec is absent", TROUBLE_SPEC_ABSENT },
        };

        for (size_t i = 0; i < ELEMENTS(known); i++)
                if (line_skip(l, known[i].words)) {
                        rule->kind = known[i].kind;
                        return;
                }
        if (line_skip(l, "gate")) {
                rule->kind = TROUBLE_GATE;
                line_copy(l, rule->text, sizeof(rule->text));
                if (!line_skip(l, "is shut"))
                        (void) line_refuse(l, "gate NAME is shut");
        } else if (line_skip(l, "pull fails saying")) {
                rule->kind = TROUBLE_PULL_FAILS;
                line_copy(l, rule->text, sizeof(rule->text));
        } else if (line_skip(l, "pull takes")) {
                rule->kind = TROUBLE_PULL_SLOW;
                rule->duration_us = line_duration(l);
        } else
                (void) line_refuse(l, "nothing is known of a host where '%s'", line_peek(l));
}

/* "+5h", "-3h" */
static int64_t read_offset(Line *l) {
        const char *word = line_word(l);
        usec_t duration = 0;

        if ((word[0] != '+' && word[0] != '-') || duration_parse(word + 1, &duration) < 0)
                (void) line_refuse(l, "'%s' is no step of a clock", word);
        return word[0] == '-' ? -(int64_t) duration : (int64_t) duration;
}

void read_deed(Line *l, Deed *deed) {
        static const struct {
                const char *words;
                DeedKind kind;
                bool lasts;
        } known[] = {
                { "the agent crashes", DEED_AGENT_CRASH, false }, { "the keeper crashes", DEED_KEEPER_CRASH, false },
                { "reboot for", DEED_REBOOT, true },              { "suspend for", DEED_SUSPEND, true },
                { "stop", DEED_STOP, false },                     { "a person retries", DEED_RETRY, false },
                { "the watch is over", DEED_WATCH_OVER, false },
                { "the spec appears", DEED_SPEC_APPEARS, false },
        };

        for (size_t i = 0; i < ELEMENTS(known); i++)
                if (line_skip(l, known[i].words)) {
                        deed->kind = known[i].kind;
                        if (known[i].lasts)
                                deed->duration_us = line_duration(l);
                        return;
                }
        if (line_skip(l, "the clock steps by")) {
                deed->kind = DEED_CLOCK_STEP;
                deed->offset_us = read_offset(l);
        } else if (line_skip(l, "the clock is set right")) {
                deed->kind = DEED_CLOCK_SET;
        } else if (line_skip(l, "the spec says")) {
                deed->kind = DEED_SPEC_CHANGE;
                line_copy(l, deed->key, sizeof(deed->key));
                if (!line_skip(l, "="))
                        (void) line_refuse(l, "the spec says KEY = VALUE");
                line_copy(l, deed->value, sizeof(deed->value));
        } else
                (void) line_refuse(l, "nobody can do this: '%s'", line_peek(l));
}

/* --- What must be seen ------------------------------------------------------------------------- */

static void read_end(Line *l, Clause *c, ClauseKind kind) {
        c->kind = kind;
        c->state = state_from_string(line_word(l));
        if (c->state < 0)
                (void) line_refuse(l, "no such state");
        if (strchr(line_peek(l), '.'))
                line_copy(l, c->text, sizeof(c->text));
        c->number = -1;
        if (line_skip(l, "exit"))
                c->number = (int) line_number(l);
}

/* "2 tokens", "1 to 3 installers" */
static void read_count(Line *l, Clause *c) {
        static const struct {
                const char *one, *many;
                ClauseKind kind;
        } things[] = {
                { "token", "tokens", CLAUSE_TOKENS },
                { "installer", "installers", CLAUSE_INSTALLERS },
                { "request", "requests", CLAUSE_REQUESTS },
                { "deletion", "deletions", CLAUSE_DELETES },
        };

        c->least = c->most = line_number(l);
        if (line_skip(l, "to"))
                c->most = line_number(l);
        for (size_t i = 0; i < ELEMENTS(things); i++)
                if (line_skip(l, things[i].one) || line_skip(l, things[i].many)) {
                        c->kind = things[i].kind;
                        return;
                }
        (void) line_refuse(l, "'%s' is not counted", line_peek(l));
}

/* "a gets 0 to 3 requests" */
static void read_gets(Line *l, Clause *c) {
        line_copy(l, c->coordinator, sizeof(c->coordinator));
        (void) line_skip(l, "gets");
        read_count(l, c);
        if (c->kind != CLAUSE_REQUESTS)
                (void) line_refuse(l, "a coordinator gets requests");
        c->kind = CLAUSE_GETS;
}

void read_clause(Line *l, Clause *c) {
        if (line_skip(l, "between")) {
                c->kind = CLAUSE_BETWEEN;
                c->from_us = line_duration(l);
                if (!line_skip(l, "and"))
                        (void) line_refuse(l, "between T and T");
                c->until_us = line_duration(l);
        } else if (line_skip(l, "within")) {
                c->kind = CLAUSE_BETWEEN;
                c->until_us = line_duration(l);
        } else if (line_skip(l, "goes on within")) {
                c->kind = CLAUSE_GOES_ON;
                c->until_us = line_duration(l);
                if (!line_skip(l, "of"))
                        (void) line_refuse(l, "goes on within T of T");
                c->from_us = line_duration(l);
                c->until_us += c->from_us;
        } else if (line_skip(l, "quiet from")) {
                c->kind = CLAUSE_QUIET;
                c->from_us = line_duration(l);
                if (!line_skip(l, "until"))
                        (void) line_refuse(l, "quiet from T until T");
                c->until_us = line_duration(l);
        } else if (line_skip(l, "meets")) {
                c->kind = CLAUSE_MEETS;
                line_copy(l, c->text, sizeof(c->text));
        } else if (line_skip(l, "never meets")) {
                c->kind = CLAUSE_AVOIDS;
                line_copy(l, c->text, sizeof(c->text));
        } else if (line_skip(l, "at most")) {
                c->kind = CLAUSE_FURTHER;
                c->most = line_number(l);
                if (!line_skip(l, "further requests") && !line_skip(l, "further request"))
                        (void) line_refuse(l, "at most N further requests");
        } else if (line_skip(l, "after a crash also"))
                read_end(l, c, CLAUSE_CRASH_END);
        else if (state_from_string(line_peek(l)) >= 0)
                read_end(l, c, CLAUSE_END);
        else if (l->at + 1 < l->n && streq(l->word[l->at + 1], "gets"))
                read_gets(l, c);
        else
                read_count(l, c);
}
