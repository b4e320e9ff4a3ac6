/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Small text helpers.
 *
 * Text from outside is untrusted: what is shown is cleaned of everything that could steer a terminal or
 * upset a reader (control characters, also those above ASCII, and bytes that are no UTF-8), and numbers
 * are digits and nothing else. Only the random bytes may fail here.
 */

#include "base/text.h"

#include <assert.h>
#include <errno.h>
#include <sys/random.h>
#include <sys/types.h>

bool streq_ptr(const char *a, const char *b) {
        if (!a || !b)
                return a == b;
        return streq(a, b);
}

bool text_starts_with(const char *s, const char *prefix) {
        return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool text_consists_of(const char *s, const char *characters) {
        return *s && s[strspn(s, characters)] == '\0';
}

int text_to_u64(const char *s, uint64_t maximum, uint64_t *ret) {
        uint64_t value = 0;

        assert(s);
        assert(ret);

        if (!text_consists_of(s, "0123456789"))
                return -EINVAL;

        for (; *s; s++)
                if (__builtin_mul_overflow(value, 10U, &value) ||
                    __builtin_add_overflow(value, (uint64_t) (*s - '0'), &value))
                        return -ERANGE;

        if (value > maximum)
                return -ERANGE;

        *ret = value;
        return 0;
}

static bool is_continuation(unsigned char byte) {
        return (byte & 0xc0) == 0x80;
}

/* Length of the UTF-8 sequence at s, 0 when there is none. The second byte's narrower ranges keep out
 * overlong forms, surrogates and what lies past U+10FFFF. */
static size_t utf8_length(const unsigned char *s) {
        unsigned char low = 0x80, high = 0xbf;
        size_t length;

        if (s[0] < 0x80)
                return 1;
        if (s[0] < 0xc2 || s[0] > 0xf4)
                return 0;
        length = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;

        if (s[0] == 0xe0)
                low = 0xa0;
        else if (s[0] == 0xed)
                high = 0x9f;
        else if (s[0] == 0xf0)
                low = 0x90;
        else if (s[0] == 0xf4)
                high = 0x8f;
        if (s[1] < low || s[1] > high)
                return 0;

        for (size_t i = 2; i < length; i++)
                if (!is_continuation(s[i]))
                        return 0;
        return length;
}

/* Length of the character at s when it may be shown as it is, otherwise 0. U+0080 to U+009F are control
 * characters too: some terminals obey them. */
static size_t printable_length(const char *s) {
        const unsigned char *byte = (const unsigned char *) s;
        size_t length = utf8_length(byte);

        if (length == 1 && (byte[0] < 0x20 || byte[0] == 0x7f))
                return 0;
        if (length == 2 && byte[0] == 0xc2 && byte[1] < 0xa0)
                return 0;
        return length;
}

bool text_is_printable(const char *s) {
        size_t length;

        for (assert(s); *s; s += length) {
                length = printable_length(s);
                if (length == 0)
                        return false;
        }
        return true;
}

/* Ends dst in as many dots as there is room for, up to three. */
static void end_in_dots(char *dst, size_t dst_size, size_t position) {
        for (size_t dots = 0; dots < 3 && position + 1 < dst_size; dots++)
                dst[position++] = '.';
        dst[position] = '\0';
}

char *text_copy_printable(char *dst, size_t dst_size, const char *src) {
        size_t n = 0;   /* bytes written */
        size_t cut = 0; /* where the dots go should the rest not fit: between two characters */

        assert(dst && dst_size > 0);
        assert(src);

        while (*src) {
                size_t printable = printable_length(src);
                size_t length = printable > 0 ? printable : 1;

                if (length >= dst_size - n) {
                        end_in_dots(dst, dst_size, cut);
                        return dst;
                }

                if (printable > 0)
                        memmove(dst + n, src, length);
                else
                        dst[n] = '?';
                src += length;
                n += length;
                if (n + sizeof("...") <= dst_size)
                        cut = n;
        }

        dst[n] = '\0';
        return dst;
}

void text_hex(const void *bytes, size_t n, char *ret) {
        static const char digits[] = "0123456789abcdef";
        const unsigned char *byte = bytes;

        assert(bytes || n == 0);
        assert(ret);

        for (size_t i = 0; i < n; i++) {
                *ret++ = digits[byte[i] >> 4];
                *ret++ = digits[byte[i] & 0x0f];
        }
        *ret = '\0';
}

int text_random_hex(size_t n, char *ret) {
        unsigned char random[32];

        assert(ret);

        *ret = '\0';
        while (n > 0) {
                size_t wanted = n < sizeof(random) ? n : sizeof(random);
                ssize_t got = getrandom(random, wanted, 0);

                if (got < 0 && errno == EINTR)
                        continue;
                if (got < 0)
                        return -errno;

                text_hex(random, (size_t) got, ret);
                ret += 2 * got;
                n -= (size_t) got;
        }
        return 0;
}
