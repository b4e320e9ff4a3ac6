/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The few reply headers that mean something to us.
 *
 * Lines come from the network, one at a time, in any bytes: each is cut to a small buffer, trimmed,
 * made printable and compared with the five names we know. Nothing here fails but for the bound on
 * all header bytes. A name given twice keeps its last value.
 *
 * Retry-After is read here and not by libcurl: CURLINFO_RETRY_AFTER subtracts this host's clock
 * from a date of the server's clock, and hosts that enroll often have no right clock yet. A date is
 * held against the same reply's Date header instead; without one it says nothing and is ignored.
 */

#include "http/http-headers.h"

#include <errno.h>
#include <strings.h>

#include "base/text.h"

#define VALUE_SIZE 256
#define RETRY_AFTER_MAX_US (24 * USEC_PER_HOUR)

static bool is_blank(char c) {
        return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Copies the value behind the colon, trimmed and terminated; what does not fit is cut. */
static void value_copy(const char *from, size_t n, char ret[static VALUE_SIZE]) {
        while (n > 0 && is_blank(*from)) {
                from++;
                n--;
        }
        while (n > 0 && is_blank(from[n - 1]))
                n--;
        if (n >= VALUE_SIZE)
                n = VALUE_SIZE - 1;
        memcpy(ret, from, n);
        ret[n] = '\0';
}

static void header_take(HttpHeaders *headers, HttpReply *reply, const char *name, size_t n,
                        const char *value) {
#define IS(known) (n == sizeof(known) - 1 && strncasecmp(name, known, n) == 0)
        if (IS("content-type"))
                text_copy_printable(reply->content_type, sizeof(reply->content_type), value);
        else if (IS("date"))
                reply->has_date = clock_parse_http_date(value, &reply->date_s) == 0;
        else if (IS("retry-after"))
                text_copy_printable(headers->retry_after, sizeof(headers->retry_after), value);
        else if (IS("x-cloud-error-codes"))
                text_copy_printable(reply->error_codes, sizeof(reply->error_codes), value);
        else if (IS("x-elastic-api-key-expiration"))
                text_copy_printable(reply->key_expiration, sizeof(reply->key_expiration), value);
#undef IS
}

/* Forgets what an interim reply said. */
static void headers_restart(HttpHeaders *headers, HttpReply *reply) {
        headers->complete = false;
        headers->retry_after[0] = '\0';
        reply->content_type[0] = reply->error_codes[0] = reply->key_expiration[0] = '\0';
        reply->has_date = false;
        reply->date_s = 0;
}

int http_headers_feed(HttpHeaders *headers, HttpReply *reply, const char *line, size_t n) {
        char value[VALUE_SIZE];

        if (n > HTTP_HEADER_BYTES_MAX - headers->bytes)
                return -EMSGSIZE;
        headers->bytes += n;

        if (n >= 5 && memcmp(line, "HTTP/", 5) == 0) {
                headers_restart(headers, reply);
                return 0;
        }
        if (headers->complete)
                return 0; /* a trailer: too late to mean anything */
        if (n == 0 || line[0] == '\r' || line[0] == '\n') {
                headers->complete = true;
                return 0;
        }
        const char *colon = memchr(line, ':', n);
        if (!colon)
                return 0;
        size_t name_length = (size_t) (colon - line);
        value_copy(colon + 1, n - name_length - 1, value);
        header_take(headers, reply, line, name_length, value);
        return 0;
}

void http_headers_finish(const HttpHeaders *headers, HttpReply *reply) {
        uint64_t seconds = 0;
        int64_t at_s;

        reply->retry_after_us = 0;
        if (headers->retry_after[0] == '\0')
                return;
        int r = text_to_u64(headers->retry_after, RETRY_AFTER_MAX_US / USEC_PER_SEC, &seconds);
        if (r == -ERANGE)
                seconds = RETRY_AFTER_MAX_US / USEC_PER_SEC;
        else if (r < 0) {
                if (!reply->has_date || clock_parse_http_date(headers->retry_after, &at_s) < 0
                    || at_s <= reply->date_s)
                        return;
                seconds = (uint64_t) at_s - (uint64_t) reply->date_s;
                if (seconds > RETRY_AFTER_MAX_US / USEC_PER_SEC)
                        seconds = RETRY_AFTER_MAX_US / USEC_PER_SEC;
        }
        reply->retry_after_us = seconds * USEC_PER_SEC;
}
