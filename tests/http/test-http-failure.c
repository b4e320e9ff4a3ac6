/* SPDX-License-Identifier: Apache-2.0 */

/* libcurl's result codes to Observations, those that no server on loopback can be made to cause
 * included. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <errno.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "http/http-private.h"

static const struct {
        CURLcode result;
        const char *error;
        Origin origin;
        int number;
        const char *code, *detail;
} cases[] = {
        { CURLE_COULDNT_CONNECT, "refused by 127.0.0.1", ORIGIN_CURL, 7, "", "refused by 127.0.0.1" },
        { CURLE_COULDNT_RESOLVE_HOST, "", ORIGIN_CURL, 6, "", "Couldn't resolve host name" },
        { CURLE_OPERATION_TIMEDOUT, "timed out", ORIGIN_CURL, 28, "", "timed out" },
        { CURLE_SSL_CONNECT_ERROR, "wrong version number", ORIGIN_TLS, 0, "protocol",
          "wrong version number" },
        { CURLE_SSL_CONNECT_ERROR, "OpenSSL SSL_connect: SSL_ERROR_SYSCALL in connection to x:1", ORIGIN_CURL,
          35, "", "OpenSSL SSL_connect: SSL_ERROR_SYSCALL in connection to x:1" },
        { CURLE_SSL_CONNECT_ERROR, "error:0A000126:SSL routines::unexpected eof while reading", ORIGIN_CURL,
          35, "", "error:0A000126:SSL routines::unexpected eof while reading" },
        { CURLE_SSL_CONNECT_ERROR, "OpenSSL SSL_connect: Connection reset by peer", ORIGIN_CURL, 35, "",
          "OpenSSL SSL_connect: Connection reset by peer" },
        { CURLE_RECV_ERROR, "OpenSSL SSL_read: Connection reset by peer", ORIGIN_CURL, 56, "",
          "OpenSSL SSL_read: Connection reset by peer" },
        { CURLE_PEER_FAILED_VERIFICATION, "no alternative name", ORIGIN_TLS, 0, "name-mismatch",
          "no alternative name" },
        { CURLE_SSL_CACERT_BADFILE, "no bundle", ORIGIN_TLS, 0, "other", "no bundle" },
};

static void test_codes(void **state) {
        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                const HttpTrouble trouble = { .result = cases[i].result, .error = cases[i].error, .literal = true };
                Observation o = http_failure(&trouble, NULL, "https://x:1/");

                assert_int_equal(o.origin, cases[i].origin);
                assert_int_equal(o.number, cases[i].number);
                assert_string_equal(o.code, cases[i].code);
                assert_string_equal(o.where, "https://x:1/");
                if (*cases[i].error) /* else the words are libcurl's and change with its release */
                        assert_string_equal(o.detail, cases[i].detail);
                else
                        assert_true(strlen(o.detail) > 0);
        }
}

/* What the code alone does not tell. Whether the name was resolved is told by libcurl's clocks, or by its words; that
 * there is no route is certain with an address only, and with the kernel's own word. */
static const struct {
        HttpTrouble trouble;
        int number;
        const char *code, *detail;
} looks[] = {
        { { .result = CURLE_OPERATION_TIMEDOUT, .error = "Timeout was reached", .resolving = true }, 6, "", "Timeout was reached" },
        { { .result = CURLE_OPERATION_TIMEDOUT, .error = "Resolving timed out after 2501 milliseconds" }, 6, "",
          "Resolving timed out after 2501 milliseconds" },
        { { .result = CURLE_OPERATION_TIMEDOUT, .error = "Connection timed out after 2501 milliseconds" }, 28, "",
          "Connection timed out after 2501 milliseconds" },
        { { .result = CURLE_COULDNT_CONNECT, .error = "Couldn't connect", .system_error = ENETUNREACH, .literal = true }, 7, "no-route",
          "Couldn't connect: Network is unreachable" },
        { { .result = CURLE_COULDNT_CONNECT, .error = "Couldn't connect", .system_error = ENETUNREACH }, 7, "", "Couldn't connect" },
        { { .result = CURLE_COULDNT_CONNECT, .error = "Couldn't connect", .system_error = EHOSTUNREACH, .literal = true }, 7, "",
          "Couldn't connect" },
        { { .result = CURLE_UNSUPPORTED_PROTOCOL, .error = "Protocol \"gopher\"", .literal = true }, 1, "", "Protocol \"gopher\"" },
        { { .result = CURLE_UNSUPPORTED_PROTOCOL, .error = "Received HTTP/0.9 when not allowed", .literal = true, .request_sent = true }, 8,
          "",
          "Received HTTP/0.9 when not allowed" },
        { { .result = CURLE_OUT_OF_MEMORY, .error = "Out of memory", .literal = true }, 27, "", "Out of memory" },
        { { .result = CURLE_OUT_OF_MEMORY, .error = "Out of memory", .literal = true, .request_sent = true }, 63, "", "Out of memory" },
        { { .result = CURLE_RECV_ERROR, .error = "SSL_read: error:0A00045C:SSL routines::tlsv13 alert certificate required",
            .request_sent = true }, 98, "", "SSL_read: error:0A00045C:SSL routines::tlsv13 alert certificate required" },
        { { .result = CURLE_COULDNT_RESOLVE_HOST, .error = "x", .proxy = true, .tunnel = true }, 6, "", "x" },
};

static void test_second_looks(void **state) {
        for (size_t i = 0; i < ELEMENTS(looks); i++) {
                Observation o = http_failure(&looks[i].trouble, NULL, "https://x:1/");

                assert_int_equal(o.origin, ORIGIN_CURL);
                assert_int_equal(o.number, looks[i].number);
                assert_string_equal(o.code, looks[i].code);
                assert_string_equal(o.detail, looks[i].detail);
        }
}

/* Until the tunnel is open, all is the proxy's doing; no byte of a request counts as sent to the coordinator. */
static void test_proxies(void **state) {
        static const long statuses[] = { 0, 200, 302, 403, 407, 502 };

        for (size_t i = 0; i < ELEMENTS(statuses); i++) {
                const HttpTrouble trouble = { .result = CURLE_RECV_ERROR, .error = "CONNECT tunnel failed", .proxy = true,
                                              .proxy_status = statuses[i] };
                Observation o = http_failure(&trouble, NULL, "https://x:1/");

                assert_true(http_proxy_failed(&trouble));
                assert_int_equal(o.origin, ORIGIN_PROXY);
                assert_int_equal(o.number, statuses[i] < 300 ? 0 : statuses[i]);
                assert_string_equal(o.code, statuses[i] < 300 ? "unreachable" : "");
        }
}

int main(void) {
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_codes), cmocka_unit_test(test_second_looks),
                                            cmocka_unit_test(test_proxies) };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
