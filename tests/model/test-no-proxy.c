/* SPDX-License-Identifier: Apache-2.0 */

/* The proxy's address, and who is reached without it: forms, and the edges of names and networks. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "model/no-proxy.h"

static const struct {
        const char *entry, *url;
        bool covers;
} rows[] = {
        { "ece.example.com", "https://ece.example.com:12443", true },
        { "ECE.example.COM", "https://ece.example.com:12443", true },
        { "ece.example.com", "https://a.ece.example.com:12443", false },
        { "ece.example.com", "https://xece.example.com:12443", false },
        { ".example.com", "https://ece.example.com:12443", true },
        { ".example.com", "https://a.b.example.com:12443", true },
        { ".example.com", "https://example.com:12443", false },
        { ".example.com", "https://badexample.com:12443", false },
        { "192.0.2.10", "https://192.0.2.10:12443", true },
        { "192.0.2.10", "https://192.0.2.1:12443", false },
        { "192.0.2.0/24", "https://192.0.2.255:12443", true },
        { "192.0.2.0/24", "https://192.0.3.0:12443", false },
        { "192.0.2.128/25", "https://192.0.2.127:12443", false },
        { "192.0.2.128/25", "https://192.0.2.128:12443", true },
        { "192.0.2.10/32", "https://192.0.2.11:12443", false },
        { "0.0.0.0/0", "https://203.0.113.9:12443", true },
        { "0.0.0.0/0", "https://[2001:db8::1]:12443", false },
        { "2001:db8::/32", "https://[2001:db8:1::5]:12443", true },
        { "2001:db8::/33", "https://[2001:db8:8000::5]:12443", false },
        { "2001:DB8:0::1", "https://[2001:db8::1]:12443", true },
        { "192.0.2.0/24", "https://ece.example.com:12443", false },
        { "*", "https://ece.example.com:12443", true },
};

static void test_covers(void **state) {
        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                char entry[64], other[] = "unrelated.example";
                char *entries[] = { other, entry, NULL };
                char why[URL_WHY_SIZE];

                print_message("# %s %s\n", rows[i].entry, rows[i].url);
                (void) snprintf(entry, sizeof(entry), "%s", rows[i].entry);
                assert_int_equal(no_proxy_check(entry, why), 0);
                assert_int_equal(no_proxy_covers(entries, rows[i].url), rows[i].covers);
        }
        assert_false(no_proxy_covers(NULL, rows[0].url));
}

static void test_refused_entries(void **state) {
        static const char *const bad[] = { "", ".", "192.0.2.0/33", "192.0.2.0/", "2001:db8::/129", "a b", "a,b", "http://a",
                                           "host:8080", "[2001:db8::1]", "-a", "192.0.2.0/-1", "*.example.com" };

        for (size_t i = 0; i < ELEMENTS(bad); i++) {
                char why[URL_WHY_SIZE] = "";

                print_message("# %s\n", bad[i]);
                assert_int_equal(no_proxy_check(bad[i], why), -EINVAL);
                assert_true(strlen(why) > 10);
        }
}

static void test_proxy_urls(void **state) {
        static const char *const good[][2] = {
                { "http://proxy.example.com:3128", "http://proxy.example.com:3128" },
                { "HTTP://Proxy.Example.com:3128/", "http://proxy.example.com:3128" },
                { "http://[2001:DB8::0:1]:8080", "http://[2001:db8::1]:8080" },
        };
        static const char *const bad[] = { "", "proxy:3128", "https://proxy:3128", "socks5://proxy:1080", "http://proxy", "http://:3128",
                                           "http://u:p@proxy:3128", "http://proxy:0", "http://proxy:65536", "http://proxy:3128/x",
                                           "http://proxy:3128?x", "http://2001:db8::1:80", "http://[2001:db8::1:80" };

        for (size_t i = 0; i < ELEMENTS(good); i++) {
                char url[COORDINATOR_URL_SIZE], why[URL_WHY_SIZE];

                assert_int_equal(proxy_url_parse(good[i][0], url, why), 0);
                assert_string_equal(url, good[i][1]);
        }
        for (size_t i = 0; i < ELEMENTS(bad); i++) {
                char url[COORDINATOR_URL_SIZE] = "?", why[URL_WHY_SIZE] = "";

                print_message("# %s\n", bad[i]);
                assert_int_equal(proxy_url_parse(bad[i], url, why), -EINVAL);
                assert_string_equal(url, "?");
                assert_null(strstr(why, "u:p"));
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_covers),
                cmocka_unit_test(test_refused_entries),
                cmocka_unit_test(test_proxy_urls),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
