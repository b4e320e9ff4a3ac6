/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Bytes, characters and lines.
 *
 * libyaml counts characters and has line ends that no editor knows (NEL, LS, PS). People's editors
 * and compilers count lines by '\n' and columns in bytes, so places are computed here from the text
 * itself. A spec is at most 64 KiB, so walking it for each place costs less than a table would.
 */

#include "model/yaml-text.h"

#include <stdint.h>
#include <stdio.h>

/* Length of the UTF-8 sequence at text, 0 when malformed (overlong, surrogate, beyond U+10FFFF, cut
 * off). */
static size_t utf8_length(const unsigned char *text, size_t n, uint32_t *ret_character) {
        static const struct {
                unsigned char mask, lead;
                uint32_t least;
        } forms[] = {
                { 0x80, 0x00, 0 },
                { 0xe0, 0xc0, 0x80 },
                { 0xf0, 0xe0, 0x800 },
                { 0xf8, 0xf0, 0x10000 },
        };

        for (size_t length = 1; length <= 4; length++) {
                if ((text[0] & forms[length - 1].mask) != forms[length - 1].lead)
                        continue;
                if (length > n)
                        return 0;
                uint32_t c = text[0] & (unsigned char) ~forms[length - 1].mask;
                for (size_t i = 1; i < length; i++) {
                        if ((text[i] & 0xc0) != 0x80)
                                return 0;
                        c = c << 6 | (text[i] & 0x3fU);
                }
                if (c < forms[length - 1].least || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
                        return 0;
                *ret_character = c;
                return length;
        }
        return 0;
}

const char *yaml_text_check(const char *text, size_t n, size_t *ret_offset) {
        for (size_t i = 0; i < n;) {
                uint32_t c;
                size_t length = utf8_length((const unsigned char *) text + i, n - i, &c);

                *ret_offset = i;
                if (length == 0)
                        return "a byte that is not UTF-8; the spec must be UTF-8 text";
                if (c == 0)
                        return "a NUL byte; the spec must be UTF-8 text";
                if ((c < 0x20 && c != '\t' && c != '\n' && c != '\r') || (c >= 0x7f && c < 0xa0))
                        return "a control character; the spec must be printable text";
                if (c == 0xfeff || c == 0xfffe || c == 0xffff)
                        return "a byte order mark or non-character; the spec must be printable "
                               "text";
                if (c == 0x2028 || c == 0x2029)
                        return "a Unicode line separator; lines end in a newline";
                i += length;
        }
        return NULL;
}

void yaml_text_position(const char *text, size_t n, size_t offset, unsigned *ret_line,
                        unsigned *ret_column) {
        unsigned line = 1, column = 1;

        for (size_t i = 0; i < offset && i < n; i++) {
                if (text[i] == '\n') {
                        line++;
                        column = 1;
                } else
                        column++;
        }
        *ret_line = line;
        *ret_column = column;
}

size_t yaml_text_offset(const char *text, size_t n, size_t index) {
        size_t i = 0;

        while (i < n && index > 0) {
                i++;
                /* The bytes that continue a character belong to it. */
                while (i < n && ((unsigned char) text[i] & 0xc0) == 0x80)
                        i++;
                index--;
        }
        return i;
}
