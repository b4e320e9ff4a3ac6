/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Signing: OpenSSL's HMAC over the identifier, the time and the body with dots between them. Pure but for memory; the unpacked key
 * is in memory that is wiped.
 */

#include "report/webhook-signature.h"

#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/text.h"

#define PREFIX "whsec_"
#define MAC_SIZE 32

/* EVP_DecodeBlock() counts the padding in. */
static int unpack(const char *text, unsigned char *ret, size_t *ret_size) {
        size_t n = strlen(text);
        int size = n % 4 == 0 && n > 0 ? EVP_DecodeBlock(ret, (const unsigned char *) text, (int) n) : -1;

        if (size < 0)
                return -EINVAL;
        *ret_size = (size_t) size - (text[n - 1] == '=') - (text[n - 2] == '=');
        return 0;
}

static int mac(const void *key, size_t key_size, const Buffer *signed_text, unsigned char ret[static MAC_SIZE]) {
        unsigned size = MAC_SIZE;

        if (!HMAC(EVP_sha256(), key, (int) key_size, (const unsigned char *) signed_text->data, signed_text->size, ret, &size))
                return -ENOMEM;
        return size == MAC_SIZE ? 0 : -EINVAL;
}

static int mac_by(const Secret *key, const Buffer *signed_text, unsigned char ret[static MAC_SIZE]) {
        const char *text = secret_bytes(key);
        unsigned char *unpacked;
        size_t size;
        int error;

        if (!text_starts_with(text, PREFIX))
                return mac(text, secret_size(key), signed_text, ret);
        unpacked = wiping_malloc(secret_size(key) + 1);
        if (!unpacked)
                return -ENOMEM;
        error = unpack(text + strlen(PREFIX), unpacked, &size);
        if (error >= 0)
                error = mac(unpacked, size, signed_text, ret);
        wiping_free(unpacked);
        return error;
}

int webhook_sign(const Secret *key, const char *id, int64_t timestamp_s, const char *body, size_t body_size,
                 char ret[static WEBHOOK_SIGNATURE_SIZE]) {
        _cleanup_buffer_ Buffer text = BUFFER_INIT(body_size + strlen(id) + 32);
        unsigned char sum[MAC_SIZE], encoded[(MAC_SIZE + 2) / 3 * 4 + 1];
        int error = buffer_append_format(&text, "%s.%" PRId64 ".", id, timestamp_s);

        if (error >= 0)
                error = buffer_append(&text, body, body_size);
        if (error >= 0)
                error = mac_by(key, &text, sum);
        if (error < 0)
                return error;
        (void) EVP_EncodeBlock(encoded, sum, MAC_SIZE);
        (void) snprintf(ret, WEBHOOK_SIGNATURE_SIZE, "v1,%s", (const char *) encoded);
        return 0;
}
