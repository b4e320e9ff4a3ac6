/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The signature of a webhook's message, as the Standard Webhooks specification has it (github.com/standard-webhooks,
 * spec/standard-webhooks.md, "symmetric signatures"): HMAC-SHA256 over "ID.TIMESTAMP.BODY". Libraries that verify it exist for
 * most languages; etc/examples/verify-webhook.py shows that a page of code does.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/secret.h"

#define WEBHOOK_SIGNATURE_SIZE 64 /* "v1," and 32 bytes in base64 */

/* A key that begins with "whsec_" is base64 behind that, as the specification prescribes it; any other is taken as it stands.
 * 0; -EINVAL for a key whose base64 is none; -ENOMEM. */
int webhook_sign(const Secret *key, const char *id, int64_t timestamp_s, const char *body, size_t body_size,
                 char ret[static WEBHOOK_SIGNATURE_SIZE]);
