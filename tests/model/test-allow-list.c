/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The allow-list against what people, platforms and attackers write. Good values pass; each hostile
 * one is refused, with the start of the reason, so that a value is known to fail for the right
 * cause.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "model/allow-list.h"
#include "model/installer-command.h"

typedef struct Good {
        ValueKind kind;
        const char *value;
} Good;

static const Good good[] = {
        { VALUE_TOKEN, "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln-_0" },
        { VALUE_TOKEN, TOKEN_PLACEHOLDER },
        { VALUE_ROLES, "allocator" },
        { VALUE_ROLES, "proxy,director,coordinator,allocator" },
        { VALUE_VERSION, "4.0.3" },
        { VALUE_VERSION, "3.8.0-SNAPSHOT" },
        { VALUE_VERSION, "10.20.30-rc.1" },
        { VALUE_ADDRESS, "192.0.2.10" },
        { VALUE_ADDRESS, "169.254.1.2" },
        { VALUE_ADDRESS, "2001:db8::1" },
        { VALUE_COORDINATOR, "ece.example.com" },
        { VALUE_COORDINATOR, "127.0.0.1" },
        { VALUE_COORDINATOR, "::1" },
        { VALUE_COORDINATOR, "3com.example" },
        { VALUE_COORDINATOR, "localhost" },
        { VALUE_HOSTNAMES, "a.example,b.example" },
        { VALUE_RUNNER_ID, "192.0.2.10" },
        { VALUE_RUNNER_ID, "..a" },
        { VALUE_RUNNER_ID, "Host_1.example-a" },
        { VALUE_ZONE, "ece-zone-1b" },
        { VALUE_PATH, "/opt/ece/elastic-cloud-enterprise.sh" },
        { VALUE_PATH, "/mnt/..data/.x" },
        { VALUE_CAPACITY, "8192" },
        { VALUE_CAPACITY, "16777216" },
        { VALUE_TAGS, "disk:ssd,rack:a-1.2_b" },
        { VALUE_MEMORY_SETTINGS, "{\"runner\":{\"xms\":\"1G\",\"xmx\":\"1G\"}}" },
        { VALUE_MEMORY_SETTINGS, "{\"admin-console\":{\"xms\":\"512M\",\"xmx\":\"1G\"},"
                                 "\"zookeeper\":{\"xms\":\"1K\",\"xmx\":\"9999999G\"}}" },
        { VALUE_REGISTRY, "docker.elastic.co" },
        { VALUE_REGISTRY, "registry.example.com:5000" },
        { VALUE_REGISTRY, "192.0.2.1:5000" },
        { VALUE_REPOSITORY, "cloud-enterprise" },
        { VALUE_REPOSITORY, "mirror/a.b_c/ece" },
        { VALUE_FACTOR, "1" },
        { VALUE_FACTOR, "0.5" },
        { VALUE_FACTOR, "100.0" },
        { VALUE_OPTION, "--debug" },
        { VALUE_OPTION, "--skip-cloud-enterprise-version-check" },
        { VALUE_PLAIN, "a=b,c:d/e+f@g_h-i.j" },
};

typedef struct Bad {
        ValueKind kind;
        const char *value;
        const char *why;
} Bad;

static const Bad bad[] = {
        /* Tokens. */
        { VALUE_TOKEN, "a.b", "has 2 parts" },
        { VALUE_TOKEN, "a.b.c.d", "has 4 parts" },
        { VALUE_TOKEN, "a..c", "has an empty part" },
        { VALUE_TOKEN, ".b.c", "has an empty part" },
        { VALUE_TOKEN, "a.b.c'", "contains ' at byte 6" },
        { VALUE_TOKEN, "a.b.c=", "contains = at byte 6" },
        { VALUE_TOKEN, "a.b.c\n", "contains byte 0x0a at byte 6" },
        /* Roles. */
        { VALUE_ROLES, "allocator,", "has a word at byte 11 that is no role" },
        { VALUE_ROLES, "allocator,allocator", "names allocator twice" },
        { VALUE_ROLES, "director, coordinator", "contains a blank at byte 10" },
        { VALUE_ROLES, "Allocator", "contains A at byte 1" },
        { VALUE_ROLES, "root", "has a word at byte 1 that is no role" },
        { VALUE_ROLES, "allocatorallocatorallocator", "has a word at byte 1 that is no role" },
        /* Versions: they come from the network, and bash evaluates subscripts. */
        { VALUE_VERSION, "a[$(id)]", "contains [ at byte 2" },
        { VALUE_VERSION, "4.0.3;id", "contains ; at byte 6" },
        { VALUE_VERSION, "4.0", "is not of the form" },
        { VALUE_VERSION, "4.0.3-", "is not of the form" },
        { VALUE_VERSION, "4.0.3.1", "is not of the form" },
        { VALUE_VERSION, "v4.0.3", "is not of the form" },
        { VALUE_VERSION, "4..3", "is not of the form" },
        { VALUE_VERSION, "4.0.9999999999", "is not of the form" },
        { VALUE_VERSION, "4.0.3\t", "contains byte 0x09" },
        /* Addresses. */
        { VALUE_ADDRESS, "0.0.0.0", "is in 0.0.0.0/8" },
        { VALUE_ADDRESS, "127.1.2.3", "is a loopback address" },
        { VALUE_ADDRESS, "::1", "is a loopback address" },
        { VALUE_ADDRESS, "::", "is the unspecified address" },
        { VALUE_ADDRESS, "239.1.1.1", "is a multicast address" },
        { VALUE_ADDRESS, "ff02::1", "is a multicast address" },
        { VALUE_ADDRESS, "fe80::1", "is a link-local address" },
        { VALUE_ADDRESS, "fe80::1%eth0", "contains % at byte 8" },
        { VALUE_ADDRESS, "255.255.255.255", "is the broadcast address" },
        { VALUE_ADDRESS, "::ffff:127.0.0.1", "is an IPv4 address in IPv6 form" },
        { VALUE_ADDRESS, "2001:DB8::1", "is not in canonical form" },
        { VALUE_ADDRESS, "2001:db8:0::1", "is not in canonical form" },
        { VALUE_ADDRESS, "192.0.2.010", "is not an IPv4 or IPv6 address" },
        { VALUE_ADDRESS, "192.0.2", "is not an IPv4 or IPv6 address" },
        { VALUE_ADDRESS, "192.0.2.1/24", "contains / at byte 10" },
        { VALUE_ADDRESS, "192.0.2.1 192.0.2.2", "contains a blank at byte 10" },
        /* Hosts: what a resolver takes for a number is no name. */
        { VALUE_COORDINATOR, "2130706433", "ends in a number" },
        { VALUE_COORDINATOR, "127.1", "ends in a number" },
        { VALUE_COORDINATOR, "0x7f000001", "ends in a number" },
        { VALUE_COORDINATOR, "a.0X7F", "ends in a number" },
        { VALUE_COORDINATOR, "0.0.0.0", "is in 0.0.0.0/8" },
        { VALUE_COORDINATOR, "a..b", "has an empty label" },
        { VALUE_COORDINATOR, "a.", "has an empty label" },
        { VALUE_COORDINATOR, "a-.b", "has a label that starts or ends with '-'" },
        { VALUE_COORDINATOR, "a_b", "contains _ at byte 2" },
        { VALUE_COORDINATOR, "a:80", "is not an IPv6 address" },
        { VALUE_COORDINATOR,
          "b\xc3\xbc"
          "cher.example",
          "contains byte 0xc3 at byte 2" },
        { VALUE_COORDINATOR, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
          "has a label of more than 63 bytes" },
        { VALUE_HOSTNAMES, "a,,b", "has an empty host name" },
        { VALUE_HOSTNAMES, "a,10.0.0.1", "ends in a number" },
        /* Identifiers: a directory and a URL segment. */
        { VALUE_RUNNER_ID, ".", "is '.', which means a directory" },
        { VALUE_RUNNER_ID, "..", "is '..', which means a directory" },
        { VALUE_RUNNER_ID, "../x", "contains / at byte 3" },
        { VALUE_RUNNER_ID, "x'; id #", "contains a blank at byte 4" },
        { VALUE_RUNNER_ID, "x';id", "contains ' at byte 2" },
        { VALUE_RUNNER_ID, "$(id)", "contains $ at byte 1" },
        { VALUE_RUNNER_ID, "`id`", "contains ` at byte 1" },
        { VALUE_RUNNER_ID, "*", "contains * at byte 1" },
        { VALUE_RUNNER_ID, "a?", "contains ? at byte 2" },
        { VALUE_RUNNER_ID, "a\"b", "contains \" at byte 2" },
        { VALUE_RUNNER_ID, "a\\b", "contains \\ at byte 2" },
        { VALUE_RUNNER_ID, "a%2f", "contains % at byte 2" },
        { VALUE_RUNNER_ID, "a\x7f", "contains byte 0x7f" },
        { VALUE_RUNNER_ID, "a\x01", "contains byte 0x01" },
        { VALUE_ZONE, "-zone", "starts with '-'" },
        { VALUE_ZONE, "--roles", "starts with '-'" },
        { VALUE_ZONE, "zone\r", "contains byte 0x0d" },
        { VALUE_ZONE, "zone\xe2\x80\xae", "contains byte 0xe2" },
        /* Paths. */
        { VALUE_PATH, "opt/x", "does not start with '/'" },
        { VALUE_PATH, "/", "is the root directory" },
        { VALUE_PATH, "/a/../b", "has a component '.' or '..'" },
        { VALUE_PATH, "/a/./b", "has a component '.' or '..'" },
        { VALUE_PATH, "/a/..", "has a component '.' or '..'" },
        { VALUE_PATH, "/a/", "ends in '/'" },
        { VALUE_PATH, "//a", "has an empty component" },
        { VALUE_PATH, "/a b", "contains a blank" },
        { VALUE_PATH, "/a$HOME", "contains $ at byte 3" },
        { VALUE_PATH, "/a:/b", "contains : at byte 3" },
        { VALUE_PATH, "~/x", "contains ~ at byte 1" },
        /* Numbers. */
        { VALUE_CAPACITY, "8191", "is not between" },
        { VALUE_CAPACITY, "16777217", "is not between" },
        { VALUE_CAPACITY, "08192", "starts with '0'" },
        { VALUE_CAPACITY, "8192M", "contains M at byte 5" },
        { VALUE_CAPACITY, "-8192", "starts with '-'" },
        { VALUE_CAPACITY, "999999999", "is longer than 8 bytes" },
        { VALUE_FACTOR, "0", "is not greater than 0" },
        { VALUE_FACTOR, "0.000", "is not greater than 0" },
        { VALUE_FACTOR, "100.5", "is greater than 100" },
        { VALUE_FACTOR, "1.", "is not a decimal number" },
        { VALUE_FACTOR, ".5", "is not a decimal number" },
        { VALUE_FACTOR, "1.2.3", "is not a decimal number" },
        { VALUE_FACTOR, "1e3", "contains e at byte 2" },
        { VALUE_FACTOR, "0001", "has too many digits" },
        { VALUE_FACTOR, "1.0000001", "has too many digits" },
        /* Tags. */
        { VALUE_TAGS, "disk", "has a tag that is not of the form key:value" },
        { VALUE_TAGS, "disk:", "has a tag that is not of the form key:value" },
        { VALUE_TAGS, ":ssd", "has a tag that is not of the form key:value" },
        { VALUE_TAGS, "a:b,", "has a tag that is not of the form key:value" },
        { VALUE_TAGS, "a:b:c", "has a tag with two ':'" },
        { VALUE_TAGS, "a:-b", "has a tag part that starts with '-'" },
        { VALUE_TAGS, "a:b,--x:y", "has a tag part that starts with '-'" },
        { VALUE_TAGS, "a:b|c", "contains | at byte 4" },
        /* Memory settings: our own form and nothing that JSON would also allow. */
        { VALUE_MEMORY_SETTINGS, "{}", "is not the compact JSON" },
        { VALUE_MEMORY_SETTINGS, "{\"runner\": {}}", "contains a blank" },
        { VALUE_MEMORY_SETTINGS, "{\"proxy\":{\"xms\":\"1G\",\"xmx\":\"1G\"}}",
          "names a part whose" },
        { VALUE_MEMORY_SETTINGS, "{\"runner\":{\"xms\":\"2G\",\"xmx\":\"1G\"}}",
          "has an xms greater" },
        { VALUE_MEMORY_SETTINGS, "{\"runner\":{\"xms\":\"1\",\"xmx\":\"1G\"}}", "has a size" },
        { VALUE_MEMORY_SETTINGS, "{\"runner\":{\"xms\":\"1G\",\"xmx\":\"1G\"}},",
          "is not the compact JSON" },
        { VALUE_MEMORY_SETTINGS,
          "{\"runner\":{\"xms\":\"1G\",\"xmx\":\"1G\"},\"runner\":{\"xms\":\"1G\",\"xmx\":\"1G\"}}",
          "names a part twice" },
        { VALUE_MEMORY_SETTINGS, "{\"runner\":{\"xms\":\"1G'\",\"xmx\":\"1G\"}}",
          "contains ' at byte" },
        /* Registries and repositories. */
        { VALUE_REGISTRY, "https://r", "contains / at byte 7" },
        { VALUE_REGISTRY, "r:0", "has no port" },
        { VALUE_REGISTRY, "r:65536", "has no port" },
        { VALUE_REGISTRY, "r:", "has no port" },
        { VALUE_REGISTRY, "r:80:81", "has no port" },
        { VALUE_REGISTRY, "u@r", "contains @ at byte 2" },
        { VALUE_REPOSITORY, "/a", "has an empty component" },
        { VALUE_REPOSITORY, "a/../b", "has a component that does not start" },
        { VALUE_REPOSITORY, "a..b", "contains '..'" },
        { VALUE_REPOSITORY, "a:latest", "contains : at byte 2" },
        { VALUE_REPOSITORY, "A", "contains A at byte 1" },
        /* Extra arguments. */
        { VALUE_OPTION, "-x", "does not start with '--'" },
        { VALUE_OPTION, "--", "has no word" },
        { VALUE_OPTION, "---x", "has no word" },
        { VALUE_OPTION, "--a=b", "contains = at byte 4" },
        { VALUE_OPTION, "debug", "does not start with '--'" },
        { VALUE_PLAIN, "a b", "contains a blank" },
        { VALUE_PLAIN, "-v", "starts with '-'" },
        { VALUE_PLAIN, "a;b", "contains ; at byte 2" },
        { VALUE_PLAIN, "a&b", "contains & at byte 2" },
        { VALUE_PLAIN, "{a}", "contains { at byte 1" },
        { VALUE_PLAIN, "a>b", "contains > at byte 2" },
        { VALUE_PLAIN, "a#b", "contains # at byte 2" },
        { VALUE_PLAIN, "!a", "contains ! at byte 1" },
        { VALUE_PLAIN, "~", "contains ~ at byte 1" },
};

static void test_good(void **state) {
        for (size_t i = 0; i < ELEMENTS(good); i++) {
                char why[ALLOW_LIST_WHY_SIZE] = "";
                int r = allow_list_check(good[i].kind, good[i].value, why);
                assert_string_equal(why, "");
                assert_int_equal(r, 0);
        }
}

static void test_bad(void **state) {
        for (size_t i = 0; i < ELEMENTS(bad); i++) {
                char why[ALLOW_LIST_WHY_SIZE] = "";

                int r = allow_list_check(bad[i].kind, bad[i].value, why);
                if (r != -EINVAL || strncmp(why, bad[i].why, strlen(bad[i].why)) != 0)
                        print_message("row %zu: '%s'\n", i, bad[i].value);
                assert_int_equal(r, -EINVAL);
                why[strlen(bad[i].why)] = '\0';
                assert_string_equal(why, bad[i].why);
        }
}

/* What no kind lets through, whatever it allows otherwise. */
static void test_every_kind(void **state) {
        static const char *const never[] = {
                "",    " ",   "\n",   "-",   "a b", "a\nb", "a\tb", "a'b", "a\"b",  "a`b",
                "a$b", "a;b", "a|b",  "a&b", "a*b", "a?b",  "a[b",  "a]b", "a(b",   "a)b",
                "a<b", "a>b", "a\\b", "a!b", "a#b", "a~b",  "a^b",  "a%b", "a\x80", "\xc2\xa0",
        };
        _cleanup_free_ char *large = malloc(8192);

        assert_non_null(large);
        memset(large, 'a', 8191);
        large[8191] = '\0';
        for (int kind = 0; kind < _VALUE_KIND_MAX; kind++) {
                char why[ALLOW_LIST_WHY_SIZE] = "";

                assert_int_equal(allow_list_check((ValueKind) kind, NULL, why), -EINVAL);
                assert_string_equal(why, "is missing");
                assert_int_equal(allow_list_check((ValueKind) kind, large, why), -EINVAL);
                assert_non_null(strstr(why, "is longer than"));
                for (size_t i = 0; i < ELEMENTS(never); i++)
                        assert_int_equal(allow_list_check((ValueKind) kind, never[i], NULL),
                                         -EINVAL);
                assert_true(strlen(value_kind_to_string((ValueKind) kind)) > 0);
        }
}

/* Each single byte, in the middle of an otherwise good identifier. */
static void test_every_byte(void **state) {
        static const char allowed[] =
                "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

        for (int c = 1; c < 256; c++) {
                const char value[] = { 'a', (char) c, 'b', '\0' };
                int expected = c < 128 && strchr(allowed, c) ? 0 : -EINVAL;

                assert_int_equal(allow_list_check(VALUE_RUNNER_ID, value, NULL), expected);
        }
}

/* The bounds are inclusive. */
static void test_bounds(void **state) {
        char id[130];

        memset(id, 'a', sizeof(id));
        id[128] = '\0';
        assert_int_equal(allow_list_check(VALUE_RUNNER_ID, id, NULL), 0);
        id[128] = 'a';
        id[129] = '\0';
        assert_int_equal(allow_list_check(VALUE_RUNNER_ID, id, NULL), -EINVAL);
}

/* A reason may be printed next to a token: it holds at most one character of the value. */
static void test_reason_keeps_secrets(void **state) {
        char why[ALLOW_LIST_WHY_SIZE];

        assert_int_equal(allow_list_check(VALUE_TOKEN, "S3CR3T.S3CR3T.S3CR3T!", why), -EINVAL);
        assert_null(strstr(why, "S3"));
        assert_int_equal(allow_list_check(VALUE_TOKEN, "S3CR3T", why), -EINVAL);
        assert_null(strstr(why, "S3"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_good),   cmocka_unit_test(test_bad),
                cmocka_unit_test(test_every_kind), cmocka_unit_test(test_every_byte),
                cmocka_unit_test(test_bounds), cmocka_unit_test(test_reason_keeps_secrets),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
