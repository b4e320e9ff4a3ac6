/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Which ECE does this script install?
 *
 * Elastic distributes one script without a version in its name; the version is an assignment
 * inside. It is looked for without running anything: a line that assigns CLOUD_ENTERPRISE_VERSION a
 * literal, alone or as the default of itself. The first such line counts. Lines that assign it from
 * an option ("$2") don't have the form of a version and are passed by.
 *
 * The script is foreign text. What is found has passed the allow-list; anything unexpected means
 * "not found" (-ENOENT), which the Plan refuses. Fuzzed.
 */

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/cleanup.h"
#include "host/host-facts.h"
#include "model/allow-list.h"

#define VARIABLE "CLOUD_ENTERPRISE_VERSION"
#define VERSION_SIZE 64U

/* What is left of the line. */
typedef struct Cursor {
        const char *at, *end;
} Cursor;

static bool skip(Cursor *c, const char *text) {
        size_t n = strlen(text);

        if ((size_t) (c->end - c->at) < n || memcmp(c->at, text, n) != 0)
                return false;
        c->at += n;
        return true;
}

static bool is_blank(char c) {
        return c == ' ' || c == '\t';
}

static bool skip_blanks(Cursor *c) {
        const char *start = c->at;

        while (c->at < c->end && is_blank(*c->at))
                c->at++;
        return c->at > start;
}

/* "readonly ", "declare -r ", "local "...: words that make an assignment of what follows them. */
static void skip_declaration(Cursor *c) {
        static const char *const words[] = { "readonly", "declare", "typeset", "export", "local" };

        for (size_t i = 0; i < ELEMENTS(words); i++) {
                Cursor ahead = *c;

                if (!skip(&ahead, words[i]) || !skip_blanks(&ahead))
                        continue;
                while (skip(&ahead, "-")) {
                        while (ahead.at < ahead.end && !is_blank(*ahead.at))
                                ahead.at++;
                        (void) skip_blanks(&ahead);
                }
                *c = ahead;
                return;
        }
}

static char skip_quote(Cursor *c) {
        if (skip(c, "\""))
                return '"';
        return skip(c, "'") ? '\'' : '\0';
}

static bool skip_closing(Cursor *c, char quote) {
        if (quote == '\0')
                return true;
        if (c->at == c->end || *c->at != quote)
                return false;
        c->at++;
        return true;
}

static bool read_literal(Cursor *c, char ret[static VERSION_SIZE]) {
        char quote = skip_quote(c);
        size_t n = 0;

        while (c->at < c->end && !is_blank(*c->at) && !strchr("\"'};#", *c->at) &&
               n < VERSION_SIZE - 1)
                ret[n++] = *c->at++;
        ret[n] = '\0';
        return skip_closing(c, quote);
}

/* "${CLOUD_ENTERPRISE_VERSION:-4.0.3}", or just "4.0.3", either in quotes. */
static bool read_value(Cursor *c, char ret[static VERSION_SIZE]) {
        Cursor inner = *c;
        char quote = skip_quote(&inner);

        if (quote == '\'' || !skip(&inner, "${" VARIABLE))
                return read_literal(c, ret);
        (void) skip(&inner, ":");
        if (!skip(&inner, "-") || !read_literal(&inner, ret) || !skip(&inner, "}") ||
            !skip_closing(&inner, quote))
                return false;
        *c = inner;
        return true;
}

/* Behind the value the command has to be over: end of line, a semicolon, a comment. */
static bool at_end_of_command(Cursor *c) {
        bool blanks = skip_blanks(c);

        return c->at == c->end || *c->at == ';' || (blanks && *c->at == '#');
}

static bool line_assigns(Cursor line, char ret[static VERSION_SIZE]) {
        (void) skip_blanks(&line);
        skip_declaration(&line);
        return skip(&line, VARIABLE "=") && read_value(&line, ret) && at_end_of_command(&line) &&
               allow_list_check(VALUE_VERSION, ret, NULL) == 0;
}

int script_version_find(const char *text, size_t n, char ret[static 64]) {
        const char *end = text + n;

        while (text < end) {
                const char *newline = memchr(text, '\n', (size_t) (end - text));
                const char *line_end = newline ? newline : end;
                char version[VERSION_SIZE];

                if (line_assigns((Cursor) { text, line_end }, version)) {
                        (void) memcpy(ret, version, strlen(version) + 1);
                        return 0;
                }
                text = newline ? newline + 1 : end;
        }
        return -ENOENT;
}
