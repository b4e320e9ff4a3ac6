/* SPDX-License-Identifier: Apache-2.0 */

/* Header lines as libcurl hands them over: what is taken, what is not, and where the bound lies. */

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "http/http-headers.h"

#define DATE "Date: Tue, 24 Nov 2026 10:00:00 GMT\r\n"
#define DAY_US (24 * USEC_PER_HOUR)

static void feed(HttpHeaders *headers, HttpReply *reply, const char *line) {
        assert_int_equal(http_headers_feed(headers, reply, line, strlen(line)), 0);
}

/* Invariant: seconds count as they are, dates count from the reply's own Date, nonsense counts
 * nothing. */
static const struct {
        const char *lines[4];
        usec_t expected_us;
} retry_cases[] = {
        { { "Retry-After: 120\r\n" }, 120 * USEC_PER_SEC },
        { { "retry-after:7\r\n" }, 7 * USEC_PER_SEC },
        { { "Retry-After:  0 \r\n" }, 0 },
        { { "Retry-After: 86401\r\n" }, DAY_US },
        { { "Retry-After: 99999999999999999999999\r\n" }, DAY_US },
        { { "Retry-After: -5\r\n" }, 0 },
        { { "Retry-After: soon\r\n" }, 0 },
        { { "Retry-After:\r\n" }, 0 },
        { { DATE, "Retry-After: Tue, 24 Nov 2026 10:02:00 GMT\r\n" }, 120 * USEC_PER_SEC },
        { { "Retry-After: Tue, 24 Nov 2026 10:02:00 GMT\r\n", DATE }, 120 * USEC_PER_SEC },
        { { DATE, "Retry-After: Tue, 24 Nov 2026 09:00:00 GMT\r\n" }, 0 },
        { { DATE, "Retry-After: Tue, 24 Nov 2028 09:00:00 GMT\r\n" }, DAY_US },
        { { "Retry-After: Tue, 24 Nov 2026 10:02:00 GMT\r\n" }, 0 },
        { { "Date: yesterday\r\n", "Retry-After: Tue, 24 Nov 2026 10:02:00 GMT\r\n" }, 0 },
};

static void test_retry_after(void **state) {
        for (size_t i = 0; i < ELEMENTS(retry_cases); i++) {
                HttpHeaders headers = { 0 };
                HttpReply reply = { 0 };
                feed(&headers, &reply, "HTTP/1.1 503 No\r\n");
                for (size_t l = 0; retry_cases[i].lines[l]; l++)
                        feed(&headers, &reply, retry_cases[i].lines[l]);
                http_headers_finish(&headers, &reply);
                assert_int_equal(reply.retry_after_us, retry_cases[i].expected_us);
        }
}

static void test_known_headers(void **state) {
        HttpHeaders headers = { 0 };
        HttpReply reply = { 0 };

        feed(&headers, &reply, "HTTP/1.1 200 OK\r\n");
        feed(&headers, &reply, "CONTENT-TYPE: \t application/json; charset=utf-8 \r\n");
        feed(&headers, &reply, DATE);
        feed(&headers, &reply, "x-cloud-error-codes: \"root.unauthorized.rbac\"\r\n");
        feed(&headers, &reply, "X-Elastic-Api-Key-Expiration: 2027\x1b[31m\r\n");
        feed(&headers, &reply, "X-Other: value\r\n");
        feed(&headers, &reply, "no colon at all\r\n");
        assert_string_equal(reply.content_type, "application/json; charset=utf-8");
        assert_true(reply.has_date);
        assert_int_equal(reply.date_s, 1795514400);
        assert_string_equal(reply.error_codes, "\"root.unauthorized.rbac\"");
        assert_string_equal(reply.key_expiration, "2027?[31m");
}

/* What an interim reply says is gone, and a trailer is too late. */
static void test_blocks(void **state) {
        HttpHeaders headers = { 0 };
        HttpReply reply = { 0 };

        feed(&headers, &reply, "HTTP/1.1 100 Continue\r\n");
        feed(&headers, &reply, "Content-Type: text/early\r\n");
        feed(&headers, &reply, "Retry-After: 9\r\n");
        feed(&headers, &reply, DATE);
        feed(&headers, &reply, "\r\n");
        feed(&headers, &reply, "HTTP/1.1 200 OK\r\n");
        feed(&headers, &reply, "Content-Type: text/final\r\n");
        feed(&headers, &reply, "\r\n");
        feed(&headers, &reply, "Content-Type: text/trailer\r\n");
        http_headers_finish(&headers, &reply);
        assert_string_equal(reply.content_type, "text/final");
        assert_false(reply.has_date);
        assert_int_equal(reply.retry_after_us, 0);
}

static void test_bound(void **state) {
        HttpHeaders headers = { 0 };
        HttpReply reply = { 0 };
        char line[1024];
        size_t n = 0;

        memset(line, 'x', sizeof(line));
        memcpy(line, "Content-Type:", 13);
        while (http_headers_feed(&headers, &reply, line, sizeof(line)) == 0)
                n++;
        assert_int_equal(n, HTTP_HEADER_BYTES_MAX / sizeof(line));
        assert_int_equal(strlen(reply.content_type), sizeof(reply.content_type) - 1);
        assert_int_equal(http_headers_feed(&headers, &reply, "a", 1), -EMSGSIZE);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_retry_after),
                cmocka_unit_test(test_known_headers),
                cmocka_unit_test(test_blocks),
                cmocka_unit_test(test_bound),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
