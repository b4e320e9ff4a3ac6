/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The claims of a JWT.
 *
 * A roles token says in plain JSON what it is good for, signed with a key that never leaves the
 * platform. So we can read it but can't verify it, and need no JWT library for that: three parts,
 * base64url without padding, JSON objects in the first two. The decoder is strict where leniency
 * could let two readers of one token see different things: no padding, no foreign character, no
 * stray bits at the end of a part, no duplicate member (base/json.h).
 *
 * A claim of the wrong type counts as absent; token.c then refuses a token that lacks what it must
 * have. What fails here: text that is no JWT (-EBADMSG) and memory (-ENOMEM). The token comes from
 * the network: fuzzed.
 */

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/json.h"
#include "base/secret.h"
#include "base/text.h"
#include "model/token.h"

#define JWT_PARTS 3U

typedef struct Part {
        const char *text;
        size_t size;
} Part;

/* The value of one base64url digit, or -1. */
static int digit_value(char c) {
        if (c >= 'A' && c <= 'Z')
                return c - 'A';
        if (c >= 'a' && c <= 'z')
                return c - 'a' + 26;
        if (c >= '0' && c <= '9')
                return c - '0' + 52;
        if (c == '-')
                return 62;
        return c == '_' ? 63 : -1;
}

/* Decodes a part into out, which has room for its size. False for anything that no encoder
 * writes. */
static bool base64url_decode(const Part *part, unsigned char *out, size_t *ret_size) {
        uint32_t bits = 0; /* the lowest n_bits of it wait for more */
        unsigned n_bits = 0;
        size_t n = 0;

        for (size_t i = 0; i < part->size; i++) {
                int value = digit_value(part->text[i]);

                if (value < 0)
                        return false;
                bits = (bits << 6) | (uint32_t) value;
                n_bits += 6;
                if (n_bits >= 8) {
                        n_bits -= 8;
                        out[n++] = (unsigned char) (bits >> n_bits);
                        bits &= (1U << n_bits) - 1;
                }
        }
        /* Six bits left over are a lone digit that encodes nothing; bits that are set would be
         * lost. */
        if (n_bits == 6 || bits != 0)
                return false;
        *ret_size = n;
        return true;
}

/* Cuts at the dots. The signature is not decoded, but has to look like one. */
static bool split(const char *jwt, size_t n, Part parts[static JWT_PARTS]) {
        size_t k = 0, start = 0;

        for (size_t i = 0; i <= n; i++) {
                if (i < n && jwt[i] != '.') {
                        if (digit_value(jwt[i]) < 0)
                                return false;
                        continue;
                }
                if (i == start || k == JWT_PARTS)
                        return false;
                parts[k++] = (Part) { jwt + start, i - start };
                start = i + 1;
        }
        return k == JWT_PARTS;
}

static int decode_object(const Part *part, json_t **ret) {
        _cleanup_json_ json_t *value = NULL;
        unsigned char *bytes = NULL;
        size_t size = 0;
        int r = -EBADMSG;

        bytes = malloc(part->size);
        if (!bytes)
                return -ENOMEM;
        if (base64url_decode(part, bytes, &size))
                r = json_read((const char *) bytes, size, &value, NULL);
        secret_wipe(bytes, part->size);
        free(bytes);
        if (r == -ENOMEM)
                return r;
        if (r < 0 || !json_is_object(value))
                return -EBADMSG;
        *ret = TAKE_PTR(value);
        return 0;
}

static void read_roles(const json_t *payload, TokenClaims *claims) {
        json_t *roles = json_member_array(payload, "roles"), *item;
        size_t i;

        claims->roles_present = roles != NULL;
        json_array_foreach(roles, i, item) {
                const char *word = json_string_value(item);
                Role role = word ? role_from_string(word) : _ROLE_INVALID;

                if (role < 0)
                        claims->foreign_roles++;
                else
                        claims->roles |= role_bit(role);
        }
}

/* "exp" is a NumericDate (RFC 7519): usually whole, a fraction is allowed and dropped. */
static void read_expiry(const json_t *payload, TokenClaims *claims) {
        const json_t *exp = json_object_get(payload, "exp");

        if (json_is_integer(exp)) {
                claims->has_exp = true;
                claims->exp_s = json_integer_value(exp);
        } else if (json_is_real(exp) && json_real_value(exp) > -1e15 &&
                   json_real_value(exp) < 1e15) {
                claims->has_exp = true;
                claims->exp_s = (int64_t) json_real_value(exp);
        }
}

int token_claims_decode(const char *jwt, size_t n, TokenClaims *ret) {
        _cleanup_json_ json_t *header = NULL, *payload = NULL;
        TokenClaims claims = { 0 };
        Part parts[JWT_PARTS];
        const char *text;
        int r;

        if (n > SECRET_SIZE_MAX || !split(jwt, n, parts))
                return -EBADMSG;
        r = decode_object(&parts[0], &header);
        if (r < 0)
                return r;
        r = decode_object(&parts[1], &payload);
        if (r < 0)
                return r;

        read_roles(payload, &claims);
        read_expiry(payload, &claims);
        claims.persistent = json_member_bool(payload, "persistent", false);
        text = json_member_string(payload, "sub");
        (void) text_copy_printable(claims.subject, sizeof(claims.subject), text ? text : "");
        text = json_member_string(payload, "iss");
        (void) text_copy_printable(claims.issuer, sizeof(claims.issuer), text ? text : "");
        *ret = claims;
        return 0;
}
