/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Files of scenarios: line by line, "SUBJECT [WHEN]: WHAT". What stands before the ':' is read here,
 * what stands behind it by the subject's own function (scenario-subjects.c).
 */

#include "scenario.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "engine/classify.h"
#include "scenario-subjects.h"

bool when_holds(const When *when, usec_t now_us, unsigned count) {
        return now_us >= when->from_us && now_us < when->until_us && (when->first == 0 || count >= when->first) &&
               (when->last == 0 || count <= when->last);
}

/* A time, with '+' one since the runner joined. */
static usec_t read_time(Line *l, When *when) {
        usec_t at_us = 0;
        const char *word;

        if (line_peek(l)[0] != '+')
                return line_duration(l);
        when->after_join = true;
        word = line_word(l);
        if (duration_parse(word + 1, &at_us) < 0)
                (void) line_refuse(l, "'%s' is no time", word);
        return at_us;
}

/* Everything before the ':' but the subject itself. */
static When read_when(Line *l) {
        When when = { .until_us = USEC_INFINITY };

        while (!l->failed && !line_skip(l, ":")) {
                if (line_skip(l, "from request") || line_skip(l, "from the"))
                        when.first = line_number(l);
                else if (line_skip(l, "from"))
                        when.from_us = read_time(l, &when);
                else if (line_skip(l, "until"))
                        when.until_us = read_time(l, &when);
                else if (line_skip(l, "on"))
                        line_copy(l, when.kind, sizeof(when.kind));
                else if (line_skip(l, "request") || line_skip(l, "requests") || line_skip(l, "the"))
                        when.first = when.last = line_number(l);
                else if (line_skip(l, "to"))
                        when.last = line_number(l);
                else
                        (void) line_refuse(l, "'%s' is no time and no number", line_peek(l));
        }
        return when;
}

static bool is_coordinator(const Scenario *s, const char *word) {
        for (size_t i = 0; i < s->n_coordinators; i++)
                if (streq(s->coordinators[i], word))
                        return true;
        return streq(word, "all");
}

#define NEXT(line, array, n) \
        ((n) < ELEMENTS(array) ? &(array)[(n)++] : (line_refuse((line), "too many of these"), &(array)[0]))

static void read_spec(Line *l, Scenario *s) {
        SpecChange *change = NEXT(l, s->spec, s->n_spec);

        line_copy(l, change->key, sizeof(change->key));
        if (!line_skip(l, "="))
                (void) line_refuse(l, "spec: KEY = VALUE");
        line_copy(l, change->value, sizeof(change->value));
}

static void read_coordinators(Line *l, Scenario *s) {
        s->n_coordinators = 0;
        while (!line_ended(l) && !l->failed)
                line_copy(l, *NEXT(l, s->coordinators, s->n_coordinators), sizeof(s->coordinators[0]));
}

static void read_clauses(Line *l, Scenario *s) {
        do {
                Clause *c = NEXT(l, s->clause, s->n_clause);

                c->line = l->number;
                read_clause(l, c);
                if (c->text[0] && !l->failed && !reason_by_id(c->text))
                        (void) line_refuse(l, "'%s' is no reason", c->text);
        } while (!l->failed && line_skip(l, ","));
}

static void read_clock(Line *l, Scenario *s) {
        usec_t duration;

        if (line_skip(l, "is at 1970"))
                s->clock_error_us = -PLATFORM_EPOCH_S * (int64_t) USEC_PER_SEC;
        else if (line_skip(l, "is ahead by")) {
                duration = line_duration(l);
                s->clock_error_us = (int64_t) duration;
        } else if (line_skip(l, "is behind by")) {
                duration = line_duration(l);
                s->clock_error_us = -(int64_t) duration;
        } else
                (void) line_refuse(l, "a clock is at 1970, ahead by T or behind by T");
}

static void read_at(Line *l, Scenario *s) {
        Deed *deed = NEXT(l, s->deed, s->n_deed);

        deed->at_us = line_duration(l);
        if (!line_skip(l, ":"))
                (void) line_refuse(l, "at T: WHAT");
        read_deed(l, deed);
}

/* The lines that have no time. */
static bool read_fixed(Line *l, Scenario *s) {
        if (line_skip(l, "spec :"))
                read_spec(l, s);
        else if (line_skip(l, "coordinators :"))
                read_coordinators(l, s);
        else if (line_skip(l, "mode : run"))
                s->run = true;
        else if (line_skip(l, "platform :"))
                read_platform(l, s);
        else if (line_skip(l, "clock :"))
                read_clock(l, s);
        else if (line_skip(l, "then :"))
                read_clauses(l, s);
        else if (line_skip(l, "at"))
                read_at(l, s);
        else
                return false;
        return true;
}

static void read_line(Line *l, Scenario *s) {
        char subject[16];

        if (read_fixed(l, s))
                return;
        line_copy(l, subject, sizeof(subject));
        if (streq(subject, "installer")) {
                InstallerRule *rule = NEXT(l, s->installer, s->n_installer);

                rule->when = read_when(l);
                read_installer(l, rule);
        } else if (streq(subject, "runner")) {
                RunnerRule *rule = NEXT(l, s->runner, s->n_runner);

                rule->when = read_when(l);
                read_runner(l, rule);
        } else if (streq(subject, "host")) {
                TroubleRule *rule = NEXT(l, s->trouble, s->n_trouble);

                rule->when = read_when(l);
                read_host(l, rule);
        } else if (is_coordinator(s, subject)) {
                CoordinatorRule *rule = NEXT(l, s->coordinator, s->n_coordinator);

                memcpy(rule->name, subject, sizeof(rule->name));
                rule->when = read_when(l);
                read_coordinator(l, rule);
        } else
                (void) line_refuse(l, "nobody is called '%s' here", subject);
}

/* The name is the whole rest of its line. */
static Scenario *begin_scenario(Line *l, const char *name, Scenario **list, size_t *n) {
        Scenario *grown = reallocarray(*list, *n + 1, sizeof(**list)), *s;
        size_t length;

        if (!grown)
                abort();
        *list = grown;
        s = &grown[(*n)++];
        name += strspn(name, " ");
        length = strcspn(name, "\n");
        *s = (Scenario) { .file = l->file, .line = l->number, .coordinators = { "a" }, .n_coordinators = 1,
                          .platform_version = "4.0.3" };
        if (length == 0 || length >= sizeof(s->name))
                (void) line_refuse(l, "a scenario has a name of at most %zu letters", sizeof(s->name) - 1);
        else
                memcpy(s->name, name, length);
        for (size_t i = 0; i + 1 < *n; i++)
                if (streq(grown[i].name, s->name))
                        (void) line_refuse(l, "there is a scenario of this name already");
        return s;
}

/* A scenario that demands nothing would always be content. */
static bool check_scenario(Line *l, const Scenario *s) {
        for (size_t i = 0; s && i < s->n_clause; i++)
                if (s->clause[i].kind == CLAUSE_END)
                        return true;
        if (!s)
                return true;
        l->number = s->line;
        return line_refuse(l, "'%s' does not say how it ends", s->name);
}

#define BEGINNING "scenario:"

/* One line of a file. */
static void read_text(Line *l, const char *text, Scenario **list, size_t *n, Scenario **current) {
        l->failed = false;
        if (text_starts_with(text, BEGINNING)) {
                if (check_scenario(l, *current))
                        *current = begin_scenario(l, text + strlen(BEGINNING), list, n);
                return;
        }
        if (!line_split(l, text) || line_ended(l))
                return;
        if (!*current)
                (void) line_refuse(l, "a file begins with a scenario");
        else
                read_line(l, *current);
        if (!line_ended(l))
                (void) line_refuse(l, "'%s' is too much", line_peek(l));
}

int scenarios_read(const char *file, Scenario **list, size_t *n) {
        FILE *f = fopen(file, "re");
        Line l = { .file = file };
        Scenario *s = NULL;
        bool failed = false;
        char text[512];

        if (!f) {
                (void) fprintf(stderr, "%s: %s\n", file, strerror(errno));
                return -EINVAL;
        }
        while (fgets(text, sizeof(text), f)) {
                l.number++;
                read_text(&l, text, list, n, &s);
                failed |= l.failed;
        }
        failed |= !check_scenario(&l, s);
        (void) fclose(f);
        return failed ? -EINVAL : 0;
}
