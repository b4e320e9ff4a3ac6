/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Memory that runs out: a good and a bad spec are loaded again and again, each time with the next
 * allocation failing. The answer is -ENOMEM or the same as always, nothing leaks, and nothing is
 * half made.
 *
 * The allocator is replaced as a whole, libyaml's and libc's own calls included, so a sanitizer's
 * allocator can't be there at the same time: under one this test is skipped.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "model/spec.h"

#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer) ||                           \
        __has_feature(memory_sanitizer)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

#define NEVER SIZE_MAX

/* Volatile: compilers know that malloc() looks at no variable of ours. */
static volatile size_t until_failure = NEVER; /* allocations that still succeed */
static volatile long balance; /* blocks that are held */

#if !SANITIZED

extern void *__libc_malloc(size_t n);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *block, size_t n);
extern void __libc_free(void *block);

/* True when this allocation is the one that fails; every one after it fails as well. */
static bool fails(void) {
        if (until_failure == NEVER)
                return false;
        if (until_failure > 0) {
                until_failure--;
                return false;
        }
        errno = ENOMEM;
        return true;
}

void *malloc(size_t n) {
        void *block = fails() ? NULL : __libc_malloc(n);

        balance += block != NULL;
        return block;
}

void *calloc(size_t n, size_t size) {
        void *block = fails() ? NULL : __libc_calloc(n, size);

        balance += block != NULL;
        return block;
}

void *realloc(void *old, size_t n) {
        void *block = fails() ? NULL : __libc_realloc(old, n);

        balance += block != NULL && !old;
        return block;
}

void free(void *block) {
        balance -= block != NULL;
        __libc_free(block);
}

#endif

static const char good[] =
        "version: 1\n"
        "coordinators: [https://192.0.2.10, https://b.example]\n"
        "trust: {ca_file: /ca.pem, pins: "
        "[\"sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\"]}\n"
        "credential: {basic: {user: a, password: {from: command, argv: [/bin/p, x]}}}\n"
        "token: {source: file, path: /t}\n"
        "host: {roles: [allocator, director], runner_id: r, host_ip: 192.0.2.1, availability_zone: "
        "z,\n"
        "  memory_settings: {runner: {xms: 1G, xmx: 2G}}, allocator_tags: {a: b}, "
        "external_hostnames: [a.b]}\n"
        "installer: {script: /s, sha256: "
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855,\n"
        "  version: 4.0.3, docker_registry: r, ece_docker_repository: a/b, timeout_factor: 2, "
        "extra_args: [--a, b]}\n"
        "report: {metrics_textfile: /m, webhook: {url: \"https://w/\", hmac_key: {from: env, name: "
        "H}}}\n";

static const char bad[] =
        "version: 2\n"
        "coordinators: [http://a, \"https://a:1\", \"https://A:1\"]\n"
        "coordinators: []\n"
        "credential: &x {api_key: *x}\n"
        "host: {role: [], memory_settings: {proxy: 1}, allocator_tags: {a: \"b c\"}}\n"
        "installer: !!map {script: !!str a, extra_args: [--help]}\n";

static void parse(const char *text, int expected) {
        _cleanup_problems_ Problems problems = { 0 };
        _cleanup_(spec_freep) Spec *spec = NULL;

        assert_int_equal(spec_parse("s", text, strlen(text), &problems, &spec), expected);
}

static void torture(const char *text, int expected) {
        size_t k = 0;
        int r;

        /* Once without trouble: libcrypto sets itself up on first use, and does not survive that
         * without memory. */
        parse(text, expected);
        do {
                Problems problems = { 0 };
                Spec *spec = NULL;
                long before = balance;

                assert_true(k < 100000);
                until_failure = k++;
                r = spec_parse("s", text, strlen(text), &problems, &spec);
                until_failure = NEVER;
                /* -EIO: what the digest says when libcrypto has no memory. */
                assert_true(r == -ENOMEM || r == expected || (r == -EIO && expected == 0));
                assert_true((spec != NULL) == (r == 0));
                spec_free(spec);
                problems_done(&problems);
                assert_int_equal(balance, before);
        } while (r != expected);
        assert_true(k > 100);
}

static void test_good(void **state) {
        torture(good, 0);
}

static void test_bad(void **state) {
        torture(bad, -EINVAL);
}

/* Does the allocator do as it is told? Not under valgrind, which has one of its own, and not with a
 * sanitizer's. */
static bool allocator_is_ours(void) {
        until_failure = SANITIZED ? NEVER : 0;
        void *volatile block = malloc(1);
        until_failure = NEVER;
        free(block);
        return !block;
}

int main(void) {
        if (!allocator_is_ours()) {
                puts("1..0 # SKIP the allocator can't be replaced under a sanitizer or valgrind");
                return 0;
        }
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_good),
                cmocka_unit_test(test_bad),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
