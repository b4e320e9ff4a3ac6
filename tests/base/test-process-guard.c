/* SPDX-License-Identifier: Apache-2.0 */

/* After process_guard_secrets() the process leaves no core, opens to nobody, and parses into wiped memory. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "base/secret.h"

static void test_process(void **state) {
        struct rlimit core;

        assert_int_equal(process_guard_secrets(), 0);
        assert_int_equal(prctl(PR_GET_DUMPABLE, 0UL, 0UL, 0UL, 0UL), 0);
        assert_int_equal(getrlimit(RLIMIT_CORE, &core), 0);
        assert_int_equal(core.rlim_cur, 0);
        assert_int_equal(core.rlim_max, 0);
        assert_int_equal(umask(077), 077);
        assert_int_equal(process_guard_secrets(), 0);
}

static void test_jansson(void **state) {
        json_malloc_t allocate;
        json_free_t release;

        assert_int_equal(process_guard_secrets(), 0);
        json_get_alloc_funcs(&allocate, &release);
        assert_true(allocate == wiping_malloc);
        assert_true(release == wiping_free);
}

/* Whatever happens to a block of OpenSSL's, our allocator is asked; and the corner cases are as CRYPTO_realloc(3ssl) has them. */
static void test_openssl(void **state) {
        CRYPTO_malloc_fn allocate;
        CRYPTO_realloc_fn again;
        CRYPTO_free_fn release;
        char *block;

        assert_int_equal(process_guard_secrets(), 0);
        CRYPTO_get_mem_functions(&allocate, &again, &release);
        assert_true(allocate != CRYPTO_malloc);
        assert_true(again != CRYPTO_realloc);
        assert_true(release != CRYPTO_free);

        block = OPENSSL_realloc(NULL, 3);
        assert_non_null(block);
        memcpy(block, "abc", 3);
        block = OPENSSL_realloc(block, 5000);
        assert_memory_equal(block, "abc", 3);
        assert_null(OPENSSL_realloc(block, 0));
        OPENSSL_free(NULL);
}

/* What json_write_compact() returns is free()d by its caller, whoever allocates for jansson. */
static void test_written_text_is_malloced(void **state) {
        static const char document[] = "{\"b\": [1, 2], \"a\": \"x\"}";
        _cleanup_json_ json_t *value = NULL;
        _cleanup_free_ char *text = NULL;

        assert_int_equal(process_guard_secrets(), 0);
        assert_int_equal(json_read(document, sizeof(document) - 1, &value, NULL), 0);
        text = json_write_compact(value);
        assert_string_equal(text, "{\"a\":\"x\",\"b\":[1,2]}");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_process),
                cmocka_unit_test(test_jansson),
                cmocka_unit_test(test_openssl),
                cmocka_unit_test(test_written_text_is_malloced),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
