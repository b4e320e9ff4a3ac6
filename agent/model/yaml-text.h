/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The raw text of a file, before and beside the YAML parser: is it text at all, and where is a
 * character? */

#include <stddef.h>

/* NULL when the text is UTF-8 without NUL bytes and control characters (tab and line ends apart);
 * else a sentence, and *ret_offset is the first byte that is not. */
const char *yaml_text_check(const char *text, size_t n, size_t *ret_offset);

/* Line and column (both from 1, the column in bytes) of a byte offset. */
void yaml_text_position(const char *text, size_t n, size_t offset, unsigned *ret_line,
                        unsigned *ret_column);

/* Byte offset of the index-th character (n when there are fewer). The text has passed the check. */
size_t yaml_text_offset(const char *text, size_t n, size_t index);
