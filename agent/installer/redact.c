/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Redaction works on a copy of the line in which every byte of a secret is overwritten by MASK; at
 * the end each run of MASK is written as "[redacted]". Three rules mark bytes, each in one pass:
 *
 *   1. the token itself, by its fingerprint, wherever it stands;
 *   2. what looks like a JSON web token: a word of base64url and dots that begins with "eyJ" (that
 *      is '{"'), or has three long parts;
 *   3. what an announcing word is followed by. Behind ':', '=' or "->" that is the next word,
 *      always, and so for every later ':' and '=' of the line ("password for user admin: x").
 *      Behind blanks alone it is the next word unless that only talks about the secret ("the token
 *      has expired", "'--roles-token' does not").
 *
 * When in doubt a harmless word is lost rather than a secret kept.
 */

#include "installer/redact.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"

#define MASK '\x01'
#define JWT_LENGTH_MIN 16
#define JWT_PART_MIN 16

static bool is_letter(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_base64url(char c) {
        return is_letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

static bool is_quote(char c) {
        return c == '"' || c == '\'' || c == '`';
}

/* --- Rule 2 --- */

static bool looks_like_jwt(const char *word, size_t n) {
        size_t parts = 1, part = 0;
        bool all_long = true;

        if (n >= JWT_LENGTH_MIN && strncmp(word, "eyJ", 3) == 0)
                return true;
        for (size_t i = 0; i < n; i++) {
                if (word[i] != '.') {
                        part++;
                        continue;
                }
                all_long = all_long && part >= JWT_PART_MIN;
                parts++;
                part = 0;
        }
        return parts == 3 && all_long && part >= JWT_PART_MIN;
}

static void mask_jwts(char *line, size_t n) {
        for (size_t i = 0; i < n;) {
                size_t length = 0;

                while (i + length < n && (is_base64url(line[i + length]) || line[i + length] == '.'))
                        length++;
                if (looks_like_jwt(line + i, length))
                        memset(line + i, MASK, length);
                i += length > 0 ? length : 1;
        }
}

/* --- Rule 3 --- */

static const char *const announcing[] = { "password", "passwd", "secret", "token", "authorization" };

/* Said of a secret rather than being one; the search ends with them. */
static const char *const predicates[] = { "does", "has", "must", "lacks", "expired", "invalid", "missing",
                                          "required", "not", "was", "will", "can't", "cannot", "could" };

/* Stand between the announcing word and the secret. */
static const char *const fillers[] = { "is", "are", "for", "of", "the", "a", "bearer", "basic", "apikey" };

static bool word_is_one_of(const char *word, size_t n, const char *const words[], size_t n_words) {
        for (size_t i = 0; i < n_words; i++)
                if (strlen(words[i]) == n && strncasecmp(word, words[i], n) == 0)
                        return true;
        return false;
}

/* Length of the announcing word at s, with what letters stick to it ("passwords"); 0 if there is
 * none. */
static size_t announcing_length(const char *s, size_t n) {
        for (size_t i = 0; i < ELEMENTS(announcing); i++) {
                size_t length = strlen(announcing[i]);

                if (length > n || strncasecmp(s, announcing[i], length) != 0)
                        continue;
                while (length < n && is_letter(s[length]))
                        length++;
                return length;
        }
        return 0;
}

static size_t skip_separators(const char *s, size_t n, size_t i, bool *ret_assigned) {
        for (; i < n; i++) {
                if (s[i] == ':' || s[i] == '=')
                        *ret_assigned = true;
                else if (s[i] == '-' && i + 1 < n && s[i + 1] == '>')
                        *ret_assigned = true;
                else if (s[i] != ' ' && s[i] != '>' && s[i] != '\\' && !is_quote(s[i]))
                        break;
        }
        return i;
}

static size_t word_end(const char *s, size_t n, size_t i) {
        while (i < n && s[i] != ' ' && !is_quote(s[i]))
                i++;
        return i;
}

/* Masks the word that follows position i; returns where to go on. assigned: a ':' or '=' stood
 * before it. */
static size_t mask_announced(char *line, size_t n, size_t i, bool assigned) {
        for (;;) {
                size_t start = skip_separators(line, n, i, &assigned);
                size_t end = word_end(line, n, start);
                size_t length = end - start;

                if (length == 0)
                        return end;
                if (!assigned && word_is_one_of(line + start, length, predicates, ELEMENTS(predicates)))
                        return end;
                if (word_is_one_of(line + start, length, fillers, ELEMENTS(fillers))) {
                        i = end;
                        continue;
                }
                memset(line + start, MASK, length);
                return end;
        }
}

static void mask_assignments(char *line, size_t n, size_t i) {
        while (i < n) {
                if (line[i] == ':' || line[i] == '=')
                        i = mask_announced(line, n, i, true);
                else
                        i++;
        }
}

static void mask_announcements(char *line, size_t n) {
        size_t first = n;

        for (size_t i = 0; i < n;) {
                size_t length = announcing_length(line + i, n - i);

                if (length == 0) {
                        i++;
                        continue;
                }
                if (first == n)
                        first = i + length;
                i = mask_announced(line, n, i + length, false);
        }
        mask_assignments(line, n, first);
}

int redact(char *line, size_t n, const Fingerprint *print, Buffer *ret) {
        for (size_t i = 0; i < n; i++)
                if (line[i] == MASK)
                        line[i] = '?';
        if (print)
                (void) fingerprint_mask(print, line, n, MASK);
        mask_jwts(line, n);
        mask_announcements(line, n);

        for (size_t i = 0; i < n;) {
                size_t start = i;
                int error;

                while (i < n && (line[i] == MASK) == (line[start] == MASK))
                        i++;
                if (line[start] == MASK)
                        error = buffer_append_string(ret, REDACTED);
                else
                        error = buffer_append(ret, line + start, i - start);
                if (error < 0)
                        return error;
        }
        return 0;
}
