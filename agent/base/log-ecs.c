/* SPDX-License-Identifier: Apache-2.0 */

/*
 * JSON by hand, because logging must work when there is no memory left: every value is escaped as RFC 8259 (7) wants it, every
 * member is written whole or not at all, and room for the closing brace is kept from the start. Nothing fails.
 */

#include "base/log-ecs.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"

#define ECS_VERSION "8.11.0"
#define END "}\n"
#define OWN "ECE_ENROLL_"

typedef struct Line {
        char *text;
        size_t used, size; /* of size the end is kept free */
} Line;

static bool put(Line *l, const char *bytes, size_t n) {
        if (n > l->size - l->used)
                return false;
        (void) memcpy(l->text + l->used, bytes, n);
        l->used += n;
        return true;
}

/* Text that reaches a log is printable already; what is not would still be no JSON. */
static bool put_escaped(Line *l, const char *value) {
        for (; *value; value++) {
                char escape[8];
                size_t n = 1;

                escape[0] = *value;
                if (*value == '"' || *value == '\\')
                        n = (size_t) snprintf(escape, sizeof(escape), "\\%c", *value);
                else if ((unsigned char) *value < 0x20)
                        n = (size_t) snprintf(escape, sizeof(escape), "\\u%04x", (unsigned) (unsigned char) *value);
                if (!put(l, escape, n))
                        return false;
        }
        return true;
}

static void add(Line *l, const char *name, const char *value, const char *quote) {
        size_t before = l->used;

        if (!put(l, l->used > 1 ? ",\"" : "\"", l->used > 1 ? 2 : 1) || !put(l, name, strlen(name)) || !put(l, "\":", 2) ||
            !put(l, quote, strlen(quote)) || !put_escaped(l, value) || !put(l, quote, strlen(quote)))
                l->used = before;
}

static void add_text(Line *l, const char *name, const char *value) {
        add(l, name, value, "\"");
}

static void add_number(Line *l, const char *name, long number) {
        char digits[24];

        (void) snprintf(digits, sizeof(digits), "%ld", number);
        add(l, name, digits, "");
}

/* The message may be longer than all the room that is left: then its beginning is what counts. */
static void add_message(Line *l, const char *message) {
        char cut[1024];

        (void) text_copy_printable(cut, sizeof(cut), message);
        add_text(l, "message", cut);
}

static const char *level_word(int level) {
        static const char *const words[] = { "emergency", "alert", "critical", "error", "warning", "notice", "info", "debug" };

        return words[level & 7];
}

static void add_field(Line *l, const LogField *field) {
        char name[64] = "ece_enroll.";
        size_t at = strlen(name);

        if (streq(field->name, "MESSAGE_ID"))
                return add_text(l, "event.code", field->value);
        if (streq(field->name, "ERRNO"))
                return add_text(l, "error.code", field->value);
        if (!text_starts_with(field->name, OWN))
                return;
        for (const char *c = field->name + strlen(OWN); *c && at < sizeof(name) - 1; c++)
                name[at++] = *c >= 'A' && *c <= 'Z' ? (char) (*c + ('a' - 'A')) : *c;
        name[at] = 0;
        add_text(l, name, field->value);
}

size_t log_ecs_line(usec_t now_realtime_us, int level, const char *identifier, const LogPlace *place, const LogField fields[],
                    size_t n_fields, const char *message, char *ret, size_t ret_size) {
        Line l = { .text = ret, .size = ret_size - strlen(END) };
        char time[RFC3339_SIZE];

        (void) put(&l, "{", 1);
        add_text(&l, "@timestamp", clock_format_rfc3339(now_realtime_us, time));
        add_text(&l, "log.level", level_word(level));
        add_message(&l, message);
        add_text(&l, "ecs.version", ECS_VERSION);
        add_text(&l, "service.name", identifier);
        add_number(&l, "process.pid", (long) getpid());
        for (size_t i = 0; i < n_fields; i++)
                if (fields[i].value)
                        add_field(&l, &fields[i]);
        add_text(&l, "log.origin.file.name", place->file);
        add_number(&l, "log.origin.file.line", place->line);
        add_text(&l, "log.origin.function", place->function);
        (void) memcpy(ret + l.used, END, strlen(END));
        return l.used + strlen(END);
}
