/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One line for each step: seconds since the start, the state, what is going on, and for trouble the
 * sentence and what to do. A state that goes well is told in words of its own; one that was entered
 * because of trouble tells the trouble. Output errors (a closed pipe) are ignored: the enrollment
 * matters more than its audience.
 */

#include "report/story.h"

#include <stdio.h>

#include "base/buffer.h"
#include "base/text.h"
#include "report/fold.h"
#include "report/paint.h"

#define STORY_LINE_MAX 4096U

Story story_begin(int fd, usec_t now_us) {
        return (Story) { .fd = fd, .colour = paint_wanted(fd), .columns = fold_columns(fd), .started_us = now_us };
}

static void line_begin(const Story *s, Buffer *line, const char *word, usec_t now_us) {
        usec_t passed = usec_sub(now_us, s->started_us);

        (void) buffer_append_format(line, "%s%6.1fs%s  %s%-11s%s ", paint_start(PAINT_DIM, s->colour),
                                    (double) passed / (double) USEC_PER_SEC, paint_end(s->colour),
                                    paint_start(paint_of_state(word), s->colour), word,
                                    paint_end(s->colour));
}

static void line_end(const Story *s, Buffer *line) {
        _cleanup_buffer_ Buffer folded = BUFFER_INIT(2 * STORY_LINE_MAX);
        const Buffer *told = line;

        (void) buffer_append_string(line, "\n");
        if (fold_lines(buffer_string(line), s->columns, &folded) >= 0)
                told = &folded;
        for (size_t done = 0; done < told->size;) {
                ssize_t n = write(s->fd, told->data + done, told->size - done);

                if (n <= 0)
                        return;
                done += (size_t) n;
        }
}

static void say_roles(Buffer *line, const Report *r) {
        char roles[ROLE_SET_STRING_SIZE];

        (void) role_set_format(r->roles, ",", roles);
        if (!r->roles_known || roles[0])
                (void) buffer_append_string(line, roles[0] ? roles : "roles not known yet");
        else
                (void) buffer_append_string(line, "no roles");
}

/* What it has cost; nothing, when the host was a member already. */
static void say_cost(Buffer *line, const Report *r) {
        char age[DURATION_SIZE];

        if (r->attempt == 0)
                return;
        (void) buffer_append_format(line, " (%u token%s, %u installer%s", r->window, r->window == 1 ? "" : "s",
                                    r->attempt, r->attempt == 1 ? "" : "s");
        if (r->token_age_at_start_us > 0)
                (void) buffer_append_format(line, ", the last started %s after its token was minted",
                                            duration_format(r->token_age_at_start_us, age));
        (void) buffer_append_string(line, ")");
}

static const char *witness(const char *verified_by) {
        if (streq(verified_by, "local"))
                return "the engine of this host";
        return streq(verified_by, "both") ? "the coordinator and the engine of this host" : "the coordinator";
}

static void say_enrolled(Buffer *line, const Report *r) {
        (void) buffer_append_format(line, "runner %s, verified by %s: ", r->runner_id, witness(r->verified_by));
        say_roles(line, r);
        say_cost(line, r);
}

static void say_minting(Buffer *line, const Report *r) {
        (void) buffer_append_format(line, "asking for a roles token (window %u): ", r->window);
        say_roles(line, r);
}

/* What a state means while nothing is wrong. */
static void say_state(Buffer *line, const Report *r) {
        static const struct {
                const char *state, *words;
        } plain[] = {
                { "LOADING", "reading the spec" },
                { "UNCONFIGURED", "no spec yet: waiting for one" },
                { "PREFLIGHT", "checking this host" },
                { "PROBING", "asking the platform whether this host is a member" },
                { "PREPARING", "pulling the installer's image, before any secret is asked for" },
                { "TERMINATING", "ending the installer" },
                { "SETTLING", "making sure that no installer container is left" },
                { "VERIFYING", "asking the platform for proof of the membership" },
                { "STOPPING", "leaving, as told" },
                { "FAILED", "given up" },
        };

        if (streq(r->state, "ENROLLED"))
                return say_enrolled(line, r);
        if (streq(r->state, "MINTING"))
                return say_minting(line, r);
        if (streq(r->state, "INSTALLING"))
                return (void) buffer_append_format(line, "running ECE's installer (attempt %u)", r->attempt);
        for (size_t i = 0; i < ELEMENTS(plain); i++)
                if (streq(plain[i].state, r->state))
                        (void) buffer_append_string(line, plain[i].words);
}

static void say_next(Buffer *line, const Report *r) {
        char in[DURATION_SIZE];

        if (streq(r->state, "BACKOFF") && r->next_known)
                (void) buffer_append_format(line, "%s%s in %s", line->size && r->reason.class != CLASS_OK ? "; " : "",
                                            r->next_state, duration_format(r->next_in_us, in));
}

static void say_trouble(const Story *s, Buffer *line, const Report *r) {
        bool final = streq(r->state, "FAILED");

        (void) buffer_append_format(line, "%s%s%s [%s]", paint_start(final ? PAINT_BAD : PAINT_WAIT, s->colour),
                                    r->reason.text, paint_end(s->colour), r->reason.reason);
        if (final && r->reason.remedy && r->reason.remedy[0])
                (void) buffer_append_format(line, "\n%*s%s", 22, "", r->reason.remedy);
}

void story_transition(Story *s, const Report *r, usec_t now_us) {
        _cleanup_buffer_ Buffer line = BUFFER_INIT(STORY_LINE_MAX);

        line_begin(s, &line, r->state, now_us);
        if (r->reason.class == CLASS_OK)
                say_state(&line, r);
        else
                say_trouble(s, &line, r);
        say_next(&line, r);
        (void) text_copy_printable(s->last_reason, sizeof(s->last_reason), r->reason.reason);
        line_end(s, &line);
}

void story_trouble(Story *s, const Report *r, usec_t now_us) {
        _cleanup_buffer_ Buffer line = BUFFER_INIT(STORY_LINE_MAX);

        if (streq(s->last_reason, r->reason.reason))
                return;
        (void) text_copy_printable(s->last_reason, sizeof(s->last_reason), r->reason.reason);
        line_begin(s, &line, "", now_us);
        say_trouble(s, &line, r);
        line_end(s, &line);
}

void story_installer_line(Story *s, const char *text, usec_t now_us) {
        _cleanup_buffer_ Buffer line = BUFFER_INIT(STORY_LINE_MAX);

        line_begin(s, &line, "", now_us);
        (void) buffer_append_format(&line, "%s| %s%s", paint_start(PAINT_DIM, s->colour), text,
                                    paint_end(s->colour));
        line_end(s, &line);
}

void story_note(Story *s, const char *note, usec_t now_us) {
        _cleanup_buffer_ Buffer line = BUFFER_INIT(STORY_LINE_MAX);

        line_begin(s, &line, "", now_us);
        (void) buffer_append_format(&line, "note: %s", note);
        line_end(s, &line);
}

void story_gate_shut(Story *s, const char *name, const Outcome *why, usec_t now_us) {
        _cleanup_buffer_ Buffer line = BUFFER_INIT(STORY_LINE_MAX);

        line_begin(s, &line, "", now_us);
        (void) buffer_append_format(&line, "waiting for gate '%s': %s%s%s [%s]", name, paint_start(PAINT_WAIT, s->colour),
                                    why->text, paint_end(s->colour), why->reason);
        line_end(s, &line);
}

void story_gate_open(Story *s, const char *name, usec_t now_us) {
        _cleanup_buffer_ Buffer line = BUFFER_INIT(STORY_LINE_MAX);

        line_begin(s, &line, "", now_us);
        (void) buffer_append_format(&line, "gate '%s' is open now", name);
        line_end(s, &line);
}
