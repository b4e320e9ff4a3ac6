/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Small text helpers: comparisons that read well, suggestions for misspelt words, hex, strict numbers. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline bool streq(const char *a, const char *b) {
        return strcmp(a, b) == 0;
}

/* NULL equals only NULL. */
bool streq_ptr(const char *a, const char *b);
bool text_starts_with(const char *s, const char *prefix);

/* One of the given ASCII characters only, and at least one of them. */
bool text_consists_of(const char *s, const char *characters);

/* The word that the writer probably meant: smallest edit distance (insertion, deletion, substitution and
 * transposition count 1), at most a third of the longer length (at least 1); the first of equals. NULL when
 * none is near. */
const char *text_suggest(const char *typed, const char *const words[], size_t n_words);

/* Whole decimal number, no sign, no blanks, nothing behind it. 0, -EINVAL, -ERANGE when > maximum. */
int text_to_u64(const char *s, uint64_t maximum, uint64_t *ret);

/* Is there nothing in it that text_copy_printable() would replace? */
bool text_is_printable(const char *s);

/* Copies src into dst, always terminated; what does not fit ends in "...". Control characters (C0, DEL, C1)
 * and bytes that are not UTF-8 become '?', one each, so the result is safe on a terminal, in a log and in
 * JSON. dst may be src. Returns dst. */
char *text_copy_printable(char *dst, size_t dst_size, const char *src);

/* Lower-case hex of n bytes into ret (2 * n + 1 bytes). */
void text_hex(const void *bytes, size_t n, char *ret);

/* n random bytes of the kernel as hex, for identifiers; -errno when there are none. */
int text_random_hex(size_t n, char *ret);
