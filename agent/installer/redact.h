/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Redaction of one line: the token by value, whatever looks like a token, and what follows a word
 * that announces a secret ("password", "secret", "token", "authorization"). */

#include "base/buffer.h"
#include "installer/fingerprint.h"

#define REDACTED "[redacted]"

/* Appends the redacted text to ret. line is used as working memory. print may be NULL. 0,
 * -EMSGSIZE, -ENOMEM. */
int redact(char *line, size_t n, const Fingerprint *print, Buffer *ret);
