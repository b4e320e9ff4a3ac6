/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Redaction of messages that come from the coordinator.
 *
 * An error message may quote the request back at us, and with it a password or a token. We can't
 * know its grammar, so the rules are blunt: a run of JWT characters that begins as each JWT does
 * ("eyJ", base64url of '{"') becomes stars, and from the word "password" on nothing is kept. A lost
 * sentence costs less than a leaked secret.
 */

#include "coordinator/reply-redact.h"

#include <string.h>

#define JWT_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."

void reply_redact(char *text) {
        static const char password[] = "password";

        for (char *jwt = strstr(text, "eyJ"); jwt; jwt = strstr(jwt, "eyJ")) {
                size_t n = strspn(jwt, JWT_CHARACTERS);
                memset(jwt, '*', 3);
                memmove(jwt + 3, jwt + n, strlen(jwt + n) + 1);
        }
        char *secret = strcasestr(text, password);
        if (secret)
                secret[sizeof(password) - 1] = '\0';
}
