/* SPDX-License-Identifier: Apache-2.0 */

/* libcurl's result codes to Observations, those that no server on loopback can be made to cause
 * included. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
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
                Observation o = http_failure(cases[i].result, cases[i].error, NULL, "https://x:1/");
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

int main(void) {
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_codes) };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
