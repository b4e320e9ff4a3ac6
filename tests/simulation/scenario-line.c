/* SPDX-License-Identifier: Apache-2.0 */

/* Lines and words of the scenarios' language. Strict: a word that is not understood is an error
 * with its place, so that a misspelt expectation can't pass unnoticed. */

#include "scenario-line.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

bool line_refuse(Line *l, const char *format, ...) {
        va_list arguments;

        if (!l->failed) {
                (void) fprintf(stderr, "%s:%u: ", l->file, l->number);
                va_start(arguments, format);
                (void) vfprintf(stderr, format, arguments);
                va_end(arguments);
                (void) fputc('\n', stderr);
        }
        l->failed = true;
        return false;
}

static bool ends_word(char c) {
        return c == '\0' || isspace((unsigned char) c) || c == ',' || c == '#';
}

/* Length of the word at `from`; a ':' ends one only before a blank, so that "12:30" and
 * "https://host" stay whole. */
static size_t word_length(const char *from) {
        size_t n = 0;

        if (*from == ',' || *from == ':')
                return 1;
        while (!ends_word(from[n]) && !(from[n] == ':' && ends_word(from[n + 1])))
                n++;
        return n;
}

bool line_split(Line *l, const char *text) {
        l->n = l->at = 0;
        l->failed = false;
        for (;;) {
                bool quoted;
                size_t n;

                while (isspace((unsigned char) *text))
                        text++;
                if (*text == '\0' || *text == '#')
                        return true;
                quoted = *text == '"';
                text += quoted;
                n = quoted ? strcspn(text, "\"") : word_length(text);
                if (quoted && text[n] == '\0')
                        return line_refuse(l, "a quote is not closed");
                if (l->n == WORDS_MAX || n >= WORD_SIZE)
                        return line_refuse(l, "too long a line or word");
                memcpy(l->word[l->n], text, n);
                l->word[l->n++][n] = '\0';
                text += n + quoted;
        }
}

bool line_ended(const Line *l) {
        return l->at >= l->n;
}

const char *line_peek(const Line *l) {
        return line_ended(l) ? "" : l->word[l->at];
}

bool line_skip(Line *l, const char *words) {
        size_t at = l->at;

        while (*words) {
                size_t n = strcspn(words, " ");

                if (at >= l->n || strlen(l->word[at]) != n || strncmp(l->word[at], words, n) != 0)
                        return false;
                at++;
                words += n + strspn(words + n, " ");
        }
        l->at = at;
        return true;
}

const char *line_word(Line *l) {
        if (line_ended(l)) {
                (void) line_refuse(l, "something is missing at the end of the line");
                return "";
        }
        return l->word[l->at++];
}

unsigned line_number(Line *l) {
        const char *word = line_word(l);
        uint64_t number = 0;

        if (text_to_u64(word, 1000000, &number) < 0)
                (void) line_refuse(l, "'%s' is no number", word);
        return (unsigned) number;
}

usec_t line_duration(Line *l) {
        const char *word = line_word(l);
        usec_t duration = 0;

        if (duration_parse(word, &duration) < 0)
                (void) line_refuse(l, "'%s' is no duration", word);
        return duration;
}

RoleSet line_roles(Line *l) {
        RoleSet set = 0;

        while (role_from_string(line_peek(l)) >= 0)
                set |= role_bit(role_from_string(line_word(l)));
        if (set == 0)
                (void) line_refuse(l, "'%s' is no role", line_peek(l));
        return set;
}

void line_copy(Line *l, char *ret, size_t size) {
        const char *word = line_word(l);

        if (strlen(word) >= size)
                (void) line_refuse(l, "'%s' is too long", word);
        else
                memcpy(ret, word, strlen(word) + 1);
}
