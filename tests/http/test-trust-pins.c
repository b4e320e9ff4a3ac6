/* SPDX-License-Identifier: Apache-2.0 */

/* The text form of pins, and finding pinned keys among certificates. */

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "bench-certificates.h"
#include "bench.h"
#include "http/trust-pins.h"

#define GOOD_BASE64 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

static const struct {
        const char *text;
        int expected;
} forms[] = {
        { "sha256//" GOOD_BASE64, 0 },
        { "sha256/" GOOD_BASE64, -EINVAL },
        { "SHA256//" GOOD_BASE64, -EINVAL },
        { GOOD_BASE64, -EINVAL },
        { "sha256//", -EINVAL },
        { "", -EINVAL },
        { "sha256//" GOOD_BASE64 "=", -EINVAL },
        { "sha256// AECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", -EINVAL },
        { "sha256//AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh==", -EINVAL },
        { "sha256//AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8f", -EINVAL },
        { "sha256//AAECAwQFBgcICQoLDA0O-xAREhMUFRYXGBkaGxwdHh8=", -EINVAL },
};

static void test_forms(void **state) {
        for (size_t i = 0; i < ELEMENTS(forms); i++) {
                Pins pins = { 0 };
                assert_int_equal(pins_add(&pins, forms[i].text), forms[i].expected);
                assert_int_equal(pins.n, forms[i].expected == 0 ? 1 : 0);
                for (size_t b = 0; b < PIN_SIZE && pins.n == 1; b++)
                        assert_int_equal(pins.digest[0][b], b);
        }
}

static void test_bound(void **state) {
        Pins pins = { 0 };

        for (size_t i = 0; i < PINS_MAX; i++)
                assert_int_equal(pins_add(&pins, "sha256//" GOOD_BASE64), 0);
        assert_int_equal(pins_add(&pins, "sha256//" GOOD_BASE64), -E2BIG);
}

/* A pin is of the key: another certificate with the same key is the same to it. */
static void test_match(void **state) {
        static const struct {
                const char *pinned, *certificate;
                bool expected;
        } cases[] = {
                { "good", "good.pem", true },
                { "good", "self.pem", true }, /* the leaves share their key */
                { "root", "root.pem", true },
                { "root", "inter.pem", false },
                { "other-root", "root.pem", false },
        };

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                Pins pins = { 0 };
                assert_int_equal(pins_add(&pins, bench_pin(cases[i].pinned)), 0);
                X509 *certificate = certificate_read(bench_path(cases[i].certificate));
                assert_int_equal(pins_match(&pins, certificate), cases[i].expected);
                X509_free(certificate);
        }
}

static void test_select(void **state) {
        X509 *root = certificate_read(bench_path("root.pem")),
             *inter = certificate_read(bench_path("inter.pem"));
        STACK_OF(X509) *presented = sk_X509_new_null();
        Pins pins = { 0 };

        assert_null(pins_select(&pins, NULL));
        assert_int_equal(pins_add(&pins, bench_pin("inter")), 0);
        sk_X509_push(presented, root);
        assert_null(pins_select(&pins, presented));
        assert_null(pins_find(&pins, presented));
        sk_X509_push(presented, inter);
        STACK_OF(X509) *selected = pins_select(&pins, presented);
        assert_int_equal(sk_X509_num(selected), 1);
        assert_ptr_equal(sk_X509_value(selected, 0), inter);
        assert_ptr_equal(pins_find(&pins, presented), inter);

        sk_X509_free(selected);
        sk_X509_free(presented);
        X509_free(inter);
        X509_free(root);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_forms),
                cmocka_unit_test(test_bound),
                cmocka_unit_test(test_match),
                cmocka_unit_test(test_select),
        };

        bench_open();
        cmocka_set_message_output(CM_OUTPUT_TAP);
        int failed = cmocka_run_group_tests(tests, NULL, NULL);
        bench_close();
        return failed;
}
