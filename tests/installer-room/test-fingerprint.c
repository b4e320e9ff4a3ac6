/* SPDX-License-Identifier: Apache-2.0 */

/* Invariants: a fingerprint finds its secret at every offset and nothing else; it does not hold the
 * secret. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <string.h>

#include "installer/fingerprint.h"

static Fingerprint take(const char *text) {
        _cleanup_(secret_freep) Secret *secret = NULL;
        Fingerprint print;

        assert_int_equal(secret_new(text, strlen(text), &secret), 0);
        assert_int_equal(fingerprint_take(secret, &print), 0);
        return print;
}

static void found_at_every_offset(void **state) {
        static const char secret[] = "abracadabra";
        Fingerprint print = take(secret);

        for (size_t before = 0; before < 40; before++) {
                char text[80], expected[80];
                size_t n = before + strlen(secret) + 10;

                (void) memset(text, 'a', sizeof(text));
                (void) memcpy(text + before, secret, strlen(secret));
                (void) memcpy(expected, text, sizeof(text));
                (void) memset(expected + before, '*', strlen(secret));
                assert_int_equal(fingerprint_mask(&print, text, n, '*'), 1);
                assert_memory_equal(text, expected, n);
        }
}

static void neighbours_are_not_taken(void **state) {
        static const char *const others[] = { "", "abracadabr", "bracadabra", "abracadabrb", "ABRACADABRA",
                                              "arbacadabra" };
        Fingerprint print = take("abracadabra");

        for (size_t i = 0; i < ELEMENTS(others); i++) {
                char text[32];

                (void) snprintf(text, sizeof(text), "%s", others[i]);
                assert_int_equal(fingerprint_mask(&print, text, strlen(text), '*'), 0);
                assert_string_equal(text, others[i]);
        }
}

static void several_are_found(void **state) {
        Fingerprint print = take("xyz"), one = take("x"), none = { 0 };
        char text[] = "xyzxyz-xyxyz", letters[] = "axbx", untouched[] = "xyz";

        assert_int_equal(fingerprint_mask(&print, text, strlen(text), '*'), 3);
        assert_string_equal(text, "******-xy***");
        assert_int_equal(fingerprint_mask(&one, letters, strlen(letters), '*'), 2);
        assert_string_equal(letters, "a*b*");
        assert_int_equal(fingerprint_mask(&none, untouched, strlen(untouched), '*'), 0);
}

static void bytes_of_the_secret_are_not_in_it(void **state) {
        static const char secret[] = "SECRETSECRET";
        Fingerprint print = take(secret);

        assert_null(memmem(&print, sizeof(print), secret, 4));
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(found_at_every_offset),
                cmocka_unit_test(neighbours_are_not_taken),
                cmocka_unit_test(several_are_found),
                cmocka_unit_test(bytes_of_the_secret_are_not_in_it),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
