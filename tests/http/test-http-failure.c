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
        { { CURLE_OPERATION_TIMEDOUT, "Timeout was reached", 0, true, false, false }, 6, "", "Timeout was reached" },
        { { CURLE_OPERATION_TIMEDOUT, "Resolving timed out after 2501 milliseconds", 0, false, false, false }, 6, "",
          "Resolving timed out after 2501 milliseconds" },
        { { CURLE_OPERATION_TIMEDOUT, "Connection timed out after 2501 milliseconds", 0, false, false, false }, 28, "",
          "Connection timed out after 2501 milliseconds" },
        { { CURLE_COULDNT_CONNECT, "Couldn't connect", ENETUNREACH, false, true, false }, 7, "no-route",
          "Couldn't connect: Network is unreachable" },
        { { CURLE_COULDNT_CONNECT, "Couldn't connect", ENETUNREACH, false, false, false }, 7, "", "Couldn't connect" },
        { { CURLE_COULDNT_CONNECT, "Couldn't connect", EHOSTUNREACH, false, true, false }, 7, "", "Couldn't connect" },
        { { CURLE_UNSUPPORTED_PROTOCOL, "Protocol \"gopher\"", 0, false, true, false }, 1, "", "Protocol \"gopher\"" },
        { { CURLE_UNSUPPORTED_PROTOCOL, "Received HTTP/0.9 when not allowed", 0, false, true, true }, 8, "",
          "Received HTTP/0.9 when not allowed" },
        { { CURLE_OUT_OF_MEMORY, "Out of memory", 0, false, true, false }, 27, "", "Out of memory" },
        { { CURLE_OUT_OF_MEMORY, "Out of memory", 0, false, true, true }, 63, "", "Out of memory" },
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

int main(void) {
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_codes), cmocka_unit_test(test_second_looks) };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
