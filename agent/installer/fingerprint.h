/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Fingerprint: enough of a secret to recognise it in foreign text, too little to be one.
 *
 * The token is given up as soon as the installer has started, and yet its output must be redacted
 * by value for as long as it runs. So a polynomial hash (modulo 2^61 - 1, random base) of the token
 * is kept, with its length: it rolls along a text in linear time, and 61 bits don't lead back to a
 * token.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/secret.h"

typedef struct Fingerprint {
        size_t length; /* 0: recognises nothing */
        uint64_t base, hash;
        uint64_t leading; /* base^(length - 1): the weight of the byte that leaves the window */
} Fingerprint;

/* 0, or negative errno when the kernel has no random bytes. */
int fingerprint_take(const Secret *secret, Fingerprint *ret);

/* Overwrites every occurrence in text with `with`. Returns their number. */
size_t fingerprint_mask(const Fingerprint *print, char *text, size_t n, char with);
