/* SPDX-License-Identifier: Apache-2.0 */

/* Clauses, one by one; the first that does not hold is the answer. */

#include "judge.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "engine/classify.h"

static bool wrong(char why[static WHY_SIZE], const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool wrong(char why[static WHY_SIZE], const char *format, ...) {
        va_list arguments;

        va_start(arguments, format);
        (void) vsnprintf(why, WHY_SIZE, format, arguments);
        va_end(arguments);
        return false;
}

void ending_format(const Ending *ending, char ret[static WHY_SIZE]) {
        (void) snprintf(ret, WHY_SIZE, "%s%s%s", state_to_string(ending->state), ending->reason[0] ? " " : "",
                        ending->reason);
        if (ending->exit_code != 0)
                (void) snprintf(ret + strlen(ret), WHY_SIZE - strlen(ret), ", exit %d", ending->exit_code);
}

static bool ending_fits(const Clause *c, const Ending *e) {
        return c->state == e->state && streq(c->text, e->reason) && (c->number < 0 || c->number == e->exit_code);
}

static bool check_end(const Clause *c, const World *w, char why[static WHY_SIZE]) {
        char seen[WHY_SIZE];

        if (ending_fits(c, &w->ending))
                return true;
        ending_format(&w->ending, seen);
        return wrong(why, "it ends %.200s", seen);
}

static bool check_count(const char *what, unsigned n, const Clause *c, char why[static WHY_SIZE]) {
        return (n >= c->least && n <= c->most) || wrong(why, "%u %s", n, what);
}

static bool request_between(const World *w, usec_t from_us, usec_t until_us, usec_t *ret) {
        for (size_t i = 0; i < w->n_request_us; i++)
                if (w->request_us[i] >= from_us && w->request_us[i] < until_us) {
                        *ret = w->request_us[i];
                        return true;
                }
        return false;
}

static bool check_gets(const Clause *c, const World *w, char why[static WHY_SIZE]) {
        for (size_t i = 0; i < w->scenario->n_coordinators; i++)
                if (streq(w->scenario->coordinators[i], c->coordinator))
                        return check_count("requests to it", w->count.asked[i], c, why);
        return wrong(why, "there is no coordinator %s", c->coordinator);
}

static bool check_clause(const Clause *c, const World *w, char why[static WHY_SIZE]) {
        char time[DURATION_SIZE];
        usec_t at_us;

        switch (c->kind) {
        case CLAUSE_END:
                return check_end(c, w, why);
        case CLAUSE_CRASH_END:
                return true;
        case CLAUSE_BETWEEN:
                return (w->final_us >= c->from_us && w->final_us <= c->until_us) ||
                       wrong(why, "the end comes at %s", duration_format(w->final_us, time));
        case CLAUSE_TOKENS:
                return check_count("tokens", w->count.tokens, c, why);
        case CLAUSE_INSTALLERS:
                return check_count("installers", w->count.installers, c, why);
        case CLAUSE_REQUESTS:
                return check_count("requests", w->count.requests, c, why);
        case CLAUSE_DELETES:
                return check_count("deletions", w->count.deletions, c, why);
        case CLAUSE_GETS:
                return check_gets(c, w, why);
        case CLAUSE_FURTHER:
                return w->count.after_permanent <= c->most ||
                       wrong(why, "%u further requests", w->count.after_permanent);
        case CLAUSE_MEETS:
                return host_met(c->text) || wrong(why, "%s is never met", c->text);
        case CLAUSE_AVOIDS:
                return !host_met(c->text) || wrong(why, "%s is met", c->text);
        case CLAUSE_QUIET:
                return !request_between(w, c->from_us, c->until_us, &at_us) ||
                       wrong(why, "a request at %s", duration_format(at_us, time));
        case CLAUSE_GOES_ON:
                return request_between(w, c->from_us, c->until_us, &at_us) ||
                       wrong(why, "no request within %s", duration_format(c->until_us - c->from_us, time));
        }
        return false;
}

/* Of every run that ends in what can't be mended by asking again: it was not asked about more than
 * once. */
static bool check_permanent(const World *w, char why[static WHY_SIZE]) {
        const Reason *reason = reason_by_id(w->ending.reason);

        if (w->ending.state != STATE_FAILED || !reason ||
            (reason->class != CLASS_PERMANENT && reason->class != CLASS_CREDENTIAL))
                return true;
        return w->count.after_permanent <= 1 ||
               wrong(why, "a permanent error cost %u further requests", w->count.after_permanent);
}

static bool check_promises(const World *w, char why[static WHY_SIZE]) {
        char time[DURATION_SIZE];

        return !w->broken || wrong(why, "broken at %s: %s", duration_format(w->broken_us, time), w->broken);
}

bool judge(const Scenario *s, const World *w, char why[static WHY_SIZE]) {
        char what[WHY_SIZE];

        if (!check_promises(w, why))
                return false;
        for (size_t i = 0; i < s->n_clause; i++)
                if (!check_clause(&s->clause[i], w, what))
                        return wrong(why, "%s:%u: %.180s", s->file, s->clause[i].line, what);
        return check_permanent(w, why);
}

static unsigned disruptions(const Scenario *s) {
        unsigned n = 1; /* the crash itself */

        for (size_t i = 0; i < s->n_deed; i++)
                n += s->deed[i].kind == DEED_REBOOT || s->deed[i].kind == DEED_SUSPEND;
        return n;
}

static bool ending_is_right(const Scenario *s, const Ending *undisturbed, const Ending *e) {
        if (undisturbed->state == e->state && streq(undisturbed->reason, e->reason) &&
            undisturbed->exit_code == e->exit_code)
                return true;
        for (size_t i = 0; i < s->n_clause; i++)
                if (s->clause[i].kind == CLAUSE_CRASH_END && ending_fits(&s->clause[i], e))
                        return true;
        return false;
}

bool judge_crash(const Scenario *s, const World *undisturbed, const World *w, char why[static WHY_SIZE]) {
        const Count *most = &undisturbed->count;
        char seen[WHY_SIZE];

        if (!check_promises(w, why))
                return false;
        if (w->crashed_at_rest)
                return state_is_final(w->ending.state) || wrong(why, "it does not end");
        ending_format(&w->ending, seen);
        if (!ending_is_right(s, &undisturbed->ending, &w->ending))
                return wrong(why, "it ends %.200s", seen);
        if (w->count.tokens > most->tokens + disruptions(s))
                return wrong(why, "%u tokens instead of %u", w->count.tokens, most->tokens);
        if (w->count.installers > most->installers + disruptions(s) + most->installers / 4)
                return wrong(why, "%u installers instead of %u", w->count.installers, most->installers);
        return true;
}
