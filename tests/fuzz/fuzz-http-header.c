/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Header lines of any bytes, each in a block of exactly its size, because libcurl's lines end
 * without a NUL. Whatever they are: the bound holds, every value is terminated and printable, and
 * nobody is made to wait for more than a day.
 */

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "http/http-headers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int feed_copy(HttpHeaders *headers, HttpReply *reply, const uint8_t *line, size_t n) {
        char *copy = malloc(n > 0 ? n : 1);

        if (!copy)
                return -1;
        memcpy(copy, line, n);
        int r = http_headers_feed(headers, reply, copy, n);
        free(copy);
        return r;
}

static void check_text(const char *text, size_t size) {
        size_t n = strnlen(text, size);

        assert(n < size);
        for (size_t i = 0; i < n; i++)
                assert((unsigned char) text[i] >= 0x20 && text[i] != 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        HttpHeaders headers = { 0 };
        HttpReply reply = { 0 };

        while (size > 0) {
                const uint8_t *end = memchr(data, '\n', size);
                size_t n = end ? (size_t) (end - data) + 1 : size;
                if (feed_copy(&headers, &reply, data, n) < 0)
                        break;
                data += n;
                size -= n;
        }
        http_headers_finish(&headers, &reply);
        assert(headers.bytes <= HTTP_HEADER_BYTES_MAX);
        assert(reply.retry_after_us <= 24 * USEC_PER_HOUR);
        check_text(reply.content_type, sizeof(reply.content_type));
        check_text(reply.error_codes, sizeof(reply.error_codes));
        check_text(reply.key_expiration, sizeof(reply.key_expiration));
        return 0;
}
