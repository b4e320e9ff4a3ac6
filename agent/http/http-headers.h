/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Reading reply headers, line by line: pure, bounded, fuzzed. */

#include "http/http.h"

typedef struct HttpHeaders {
        size_t bytes;         /* seen so far, of all header blocks */
        bool complete;        /* the final block has ended; what follows are trailers */
        char retry_after[64]; /* raw value, "" without */
} HttpHeaders;

/* Takes one header line as libcurl hands it over (with its line end, not terminated by NUL) into
 * reply. A status line starts afresh, so that interim replies (1xx) leave nothing behind. 0;
 * -EMSGSIZE past HTTP_HEADER_BYTES_MAX. */
int http_headers_feed(HttpHeaders *headers, HttpReply *reply, const char *line, size_t n);

/* Works out reply->retry_after_us, which needs Date and Retry-After, whatever their order. */
void http_headers_finish(const HttpHeaders *headers, HttpReply *reply);
