/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Rolling hash after Rabin and Karp. 2^61 - 1 is a Mersenne prime, so the remainder of a 122-bit
 * product is two shifts and an addition. The base is random per secret: nobody can prepare a text
 * that collides, and a stored hash is worth nothing without it. A false hit masks a harmless word,
 * no more.
 */

#include "installer/fingerprint.h"

#include <string.h>
#include <sys/random.h>

#include <errno.h>

#define PRIME ((UINT64_C(1) << 61) - 1)

static uint64_t reduce(uint64_t value) {
        value = (value & PRIME) + (value >> 61);
        return value >= PRIME ? value - PRIME : value;
}

static uint64_t times(uint64_t a, uint64_t b) {
        __extension__ unsigned __int128 product = (unsigned __int128) a * b;

        return reduce((uint64_t) (product & PRIME) + (uint64_t) (product >> 61));
}

static uint64_t push(const Fingerprint *print, uint64_t hash, char byte) {
        return reduce(times(hash, print->base) + (unsigned char) byte + 1);
}

static uint64_t drop(const Fingerprint *print, uint64_t hash, char byte) {
        return reduce(hash + PRIME - times(print->leading, (uint64_t) (unsigned char) byte + 1));
}

int fingerprint_take(const Secret *secret, Fingerprint *ret) {
        Fingerprint print = { .length = secret_size(secret), .leading = 1 };
        const char *bytes = secret_bytes(secret);

        if (getrandom(&print.base, sizeof(print.base), 0) != (ssize_t) sizeof(print.base))
                return -EIO;
        print.base = reduce(print.base) | 0x10000; /* never tiny */
        for (size_t i = 0; i < print.length; i++) {
                print.hash = push(&print, print.hash, bytes[i]);
                if (i > 0)
                        print.leading = times(print.leading, print.base);
        }
        *ret = print;
        return 0;
}

size_t fingerprint_mask(const Fingerprint *print, char *text, size_t n, char with) {
        uint64_t hash = 0;
        size_t hits = 0, filled = 0;

        if (print->length == 0)
                return 0;
        for (size_t i = 0; i < n; i++) {
                if (filled == print->length) {
                        hash = drop(print, hash, text[i - filled]);
                        filled--;
                }
                hash = push(print, hash, text[i]);
                if (++filled < print->length || hash != print->hash)
                        continue;
                memset(text + i + 1 - filled, with, filled);
                hits++;
                hash = 0;
                filled = 0;
        }
        return hits;
}
