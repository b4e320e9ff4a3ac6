/* SPDX-License-Identifier: Apache-2.0 */

/* Every option that is set on a handle, caught on its way into libcurl: the policy of requests as a
 * list. The test's own curl_easy_setopt() stands before libcurl's for the whole program. */

#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
#include <curl/curl.h>

#include "base/cleanup.h"
#include "bench.h"
#include "http/http-private.h"

#undef curl_easy_setopt
CURLcode curl_easy_setopt(CURL *easy, CURLoption option, ...);

#define SEEN_MAX 128U

static struct {
        CURLoption option;
        uintptr_t value;
} seen[SEEN_MAX];
static size_t n_seen;

/* Each option has one argument of at most a register's size: long, pointer or curl_off_t. */
CURLcode curl_easy_setopt(CURL *easy, CURLoption option, ...) {
        CURLcode (*real)(CURL *, CURLoption, ...) = NULL;
        va_list arguments;

        *(void **) &real = dlsym(RTLD_NEXT, "curl_easy_setopt");
        va_start(arguments, option);
        void *value = va_arg(arguments, void *);
        va_end(arguments);
        assert_true(n_seen < SEEN_MAX);
        seen[n_seen].option = option;
        seen[n_seen++].value = (uintptr_t) value;
        return real(easy, option, value);
}

/* The value of an option that must have been set exactly once. */
static uintptr_t value_of(CURLoption option) {
        size_t n = 0, at = 0;

        for (size_t i = 0; i < n_seen; i++)
                if (seen[i].option == option) {
                        n++;
                        at = i;
                }
        assert_int_equal(n, 1);
        return seen[at].value;
}

static bool is_set(CURLoption option) {
        for (size_t i = 0; i < n_seen; i++)
                if (seen[i].option == option)
                        return true;
        return false;
}

static const struct {
        CURLoption option;
        long value;
} always[] = {
        { CURLOPT_FOLLOWLOCATION, 0 },
        { CURLOPT_SSL_VERIFYPEER, 1 },
        { CURLOPT_SSL_VERIFYHOST, 2 },
        { CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2 },
        { CURLOPT_SSL_SESSIONID_CACHE, 0 },
        { CURLOPT_NETRC, CURL_NETRC_IGNORED },
        { CURLOPT_DISALLOW_USERNAME_IN_URL, 1 },
        { CURLOPT_NOSIGNAL, 1 },
        { CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1 },
        { CURLOPT_HTTP09_ALLOWED, 0 },
        { CURLOPT_VERBOSE, 0 },
};

/* Never set, whatever the request: each would open a door that the policy keeps shut. */
static const CURLoption never[] = {
        CURLOPT_ACCEPT_ENCODING, CURLOPT_COOKIEFILE, CURLOPT_COOKIEJAR,    CURLOPT_DEBUGFUNCTION,
        CURLOPT_USERPWD,         CURLOPT_MAXREDIRS,  CURLOPT_PROXYUSERPWD,
};

static void make(const HttpRequest *request, bool shared) {
        HttpTransfer *transfer = NULL;

        n_seen = 0;
        assert_int_equal(http_transfer_new(request, shared, &transfer), 0);
        (void) http_transfer_free(transfer);
}

static void check_common(const char *protocol) {
        for (size_t i = 0; i < ELEMENTS(always); i++)
                assert_int_equal(value_of(always[i].option), always[i].value);
        for (size_t i = 0; i < ELEMENTS(never); i++)
                assert_false(is_set(never[i]));
        assert_string_equal((const char *) value_of(CURLOPT_PROXY), "");
        assert_string_equal((const char *) value_of(CURLOPT_NOPROXY), "*");
        assert_string_equal((const char *) value_of(CURLOPT_USERAGENT), "ece-enroll/" PACKAGE_VERSION);
        assert_true(is_set(CURLOPT_ERRORBUFFER));
        assert_true(is_set(CURLOPT_WRITEFUNCTION));
        assert_true(is_set(CURLOPT_HEADERFUNCTION));
#if LIBCURL_VERSION_NUM >= 0x075500
        assert_string_equal((const char *) value_of(CURLOPT_PROTOCOLS_STR), protocol);
        assert_string_equal((const char *) value_of(CURLOPT_REDIR_PROTOCOLS_STR), protocol);
#else
        bool https = protocol[4] == 's';
        assert_int_equal(value_of(CURLOPT_PROTOCOLS), https ? CURLPROTO_HTTPS : CURLPROTO_HTTP);
        assert_int_equal(value_of(CURLOPT_REDIR_PROTOCOLS), https ? CURLPROTO_HTTPS : CURLPROTO_HTTP);
#endif
}

static void check_alone(void) {
        assert_int_equal(value_of(CURLOPT_FRESH_CONNECT), 1);
        assert_int_equal(value_of(CURLOPT_FORBID_REUSE), 1);
}

/* On a connection that may be another's; what must not happen twice has a body that can be read only once. */
static void test_shared(void **state) {
        _cleanup_(trust_freep) Trust *trust = NULL;
        Observation refusal;

        assert_int_equal(trust_new(bench_path("root.pem"), NULL, &trust, &refusal), 0);
        make(&(HttpRequest) { .method = "GET", .url = "https://192.0.2.1:12443/x", .trust = trust }, true);
        check_common("https");
        assert_false(is_set(CURLOPT_FRESH_CONNECT));
        assert_false(is_set(CURLOPT_FORBID_REUSE));
        assert_int_equal(value_of(CURLOPT_MAXAGE_CONN), HTTP_KEPT_US / USEC_PER_SEC);

        make(&(HttpRequest) { .method = "POST", .url = "https://192.0.2.1:12443/x", .trust = trust, .body = "{}", .body_size = 2 }, true);
        check_common("https");
        assert_int_equal(value_of(CURLOPT_MAXAGE_CONN), 1);
        assert_int_equal(value_of(CURLOPT_POSTFIELDSIZE_LARGE), 2);
        assert_true(is_set(CURLOPT_READFUNCTION));
        assert_false(is_set(CURLOPT_COPYPOSTFIELDS));
        assert_false(is_set(CURLOPT_SEEKFUNCTION));
}

static void test_coordinator(void **state) {
        _cleanup_(trust_freep) Trust *trust = NULL;
        Observation refusal;

        assert_int_equal(trust_new(bench_path("root.pem"), NULL, &trust, &refusal), 0);
        make(&(HttpRequest) { .method = "GET", .url = "https://192.0.2.1:12443/x", .trust = trust }, false);
        check_common("https");
        check_alone();
        assert_int_equal(value_of(CURLOPT_CONNECTTIMEOUT_MS), 5000);
        assert_int_equal(value_of(CURLOPT_TIMEOUT_MS), 30000);
        assert_true(value_of(CURLOPT_LOW_SPEED_LIMIT) > 0);
        assert_true(value_of(CURLOPT_LOW_SPEED_TIME) > 0);
        assert_true(value_of(CURLOPT_SSL_CTX_FUNCTION) != 0);
        assert_int_equal(value_of(CURLOPT_CAINFO), 0); /* the system's CAs have no say */
        assert_int_equal(value_of(CURLOPT_CAPATH), 0);
        assert_int_equal(value_of(CURLOPT_HTTPGET), 1);
}

static void test_engine(void **state) {
        make(&(HttpRequest) {
                .method = "DELETE",
                .url = "http://localhost/containers/x",
                .unix_socket = "/run/docker.sock",
                .connect_timeout_us = 1, /* 0 would be no limit to libcurl */
                .total_timeout_us = USEC_INFINITY,
        }, false);
        check_common("http");
        check_alone();
        assert_string_equal((const char *) value_of(CURLOPT_UNIX_SOCKET_PATH), "/run/docker.sock");
        assert_int_equal(value_of(CURLOPT_CONNECTTIMEOUT_MS), 1);
        assert_int_equal(value_of(CURLOPT_TIMEOUT_MS), 24L * 3600 * 1000);
        assert_false(is_set(CURLOPT_LOW_SPEED_TIME)); /* an engine that pulls an image may be silent */
        assert_string_equal((const char *) value_of(CURLOPT_CUSTOMREQUEST), "DELETE");
        assert_false(is_set(CURLOPT_COPYPOSTFIELDS));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_shared),
                cmocka_unit_test(test_coordinator),
                cmocka_unit_test(test_engine),
        };

        bench_open();
        cmocka_set_message_output(CM_OUTPUT_TAP);
        int failed = cmocka_run_group_tests(tests, NULL, NULL);
        bench_close();
        return failed;
}
