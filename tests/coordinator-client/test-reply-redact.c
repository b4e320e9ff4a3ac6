/* SPDX-License-Identifier: Apache-2.0 */

/* What is taken out of a foreign sentence, and that all else stays. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "coordinator/reply-redact.h"

static const struct {
        const char *text, *expected;
} cases[] = {
        { "", "" },
        { "The requested resource could not be found", "The requested resource could not be found" },
        { "token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0In0.c2ln-_8 refused", "token *** refused" },
        { "'eyJhbGci' and \"eyJ0eXAi.eyJz.c2\"", "'***' and \"***\"" },
        { "eyJ", "***" },
        { "a wrong password: hunter2", "a wrong password" },
        { "PassWord=\"my secret words\" eyJabc", "PassWord" },
        { "eyJabc.def body.password", "*** body.password" },
};

static void test_texts(void **state) {
        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                char text[128];
                (void) snprintf(text, sizeof(text), "%s", cases[i].text);
                reply_redact(text);
                assert_string_equal(text, cases[i].expected);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_texts) };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
