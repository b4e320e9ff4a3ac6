/* SPDX-License-Identifier: Apache-2.0 */

/* Every shape of reply that is known, and what it is judged to be. Invariant: an object exactly
 * when there is no objection. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "coordinator/reply.h"

#define ERRORS(code, message) "{\"errors\":[{\"code\":\"" code "\",\"message\":\"" message "\"}]}"

static const struct {
        int status;
        const char *body;
        const char *header_codes; /* x-cloud-error-codes, or NULL */
        Origin origin;
        const char *code, *detail; /* detail: a part of it, or NULL */
} cases[] = {
        /* as it should be */
        { 200, "{\"version\":\"3.8.0\"}", NULL, ORIGIN_NONE, "", NULL },
        { 201, "{}", NULL, ORIGIN_NONE, "", NULL },
        { 202, " {} \n", NULL, ORIGIN_NONE, "", NULL },
        { 200, "{\"errors\":null}", NULL, ORIGIN_NONE, "", NULL },
        { 200, "{\"errors\":[]}", NULL, ORIGIN_NONE, "", NULL },
        { 200, "{\"ok\":true}", NULL, ORIGIN_NONE, "", NULL },
        /* ECE's codes, whatever the status */
        { 401, ERRORS("root.unauthenticated", "The supplied authentication is invalid"), NULL, ORIGIN_ECE,
          "root.unauthenticated", "The supplied authentication is invalid" },
        { 403, ERRORS("root.unauthorized.rbac", "Reason: [Missing required permissions]."), NULL, ORIGIN_ECE,
          "root.unauthorized.rbac", "Missing" },
        { 403, ERRORS("enrollment_tokens.signing_key_not_found", "No key"), NULL, ORIGIN_ECE,
          "enrollment_tokens.signing_key_not_found", "No key" },
        { 404, ERRORS("runners.runner_not_found", "Unable"), NULL, ORIGIN_ECE, "runners.runner_not_found",
          "Unable" },
        { 449, ERRORS("\\\"root.unauthorized.rbac.elevated_permissions_required\\\"", "elevated"), NULL,
          ORIGIN_ECE, "root.unauthorized.rbac.elevated_permissions_required", "elevated" },
        { 200, ERRORS("controller_route.controller_not_ready", "Not yet"), NULL, ORIGIN_ECE,
          "controller_route.controller_not_ready", "Not yet" },
        { 502, ERRORS("authc.authentication_cluster_error", "x"), NULL, ORIGIN_ECE,
          "authc.authentication_cluster_error", "x" },
        { 302, ERRORS("a.b", "x"), NULL, ORIGIN_ECE, "a.b", "x" },
        { 400, "{\"errors\":[{\"code\":\"a.b\"}]}", NULL, ORIGIN_ECE, "a.b", "" },
        { 400, "{\"errors\":[{\"message\":\"x\"},{\"code\":\"c.d\",\"message\":\"y\",\"fields\":null}]}",
          NULL, ORIGIN_ECE, "c.d", "y" },
        { 400, ERRORS("a.b", "c"), "d.e", ORIGIN_ECE, "a.b", "c" }, /* the body goes before the header */
        { 400, ERRORS("a.b", "bad token eyJhbGciOiJIUzI1NiJ9.eyJz.c2 \\u001b[31m"), NULL, ORIGIN_ECE, "a.b",
          "bad token *** ?[31m" },
        /* the old interface, and others' */
        { 401, "{\"ok\":false,\"message\":\"The supplied authentication is invalid\"}", NULL, ORIGIN_ECE,
          "root.unauthenticated", "The supplied authentication is invalid" },
        { 200, "{\"ok\":false,\"message\":\"no\"}", NULL, ORIGIN_REPLY, "not-ok", "no" },
        { 502, "{\"ok\":false,\"status\":502}", NULL, ORIGIN_HTTP, "", "502" },
        { 200, "{\"error\":\"broken\"}", NULL, ORIGIN_REPLY, "not-ok", "broken" },
        { 500, "{\"error\":\"broken\"}", NULL, ORIGIN_HTTP, "", "500" },
        /* errors that are none */
        { 200, "{\"errors\":[{}]}", NULL, ORIGIN_REPLY, "wrong-type", NULL },
        { 200, "{\"errors\":[{\"code\":7}]}", NULL, ORIGIN_REPLY, "wrong-type", NULL },
        { 200, "{\"errors\":[{\"code\":\"\"}]}", NULL, ORIGIN_REPLY, "wrong-type", NULL },
        { 200, "{\"errors\":\"yes\"}", NULL, ORIGIN_REPLY, "wrong-type", NULL },
        { 400, "{\"errors\":[7]}", NULL, ORIGIN_HTTP, "", "400" },
        { 404, "{}", NULL, ORIGIN_HTTP, "", "404" },
        /* redirects */
        { 301, "", NULL, ORIGIN_REPLY, "redirect", "301" },
        { 307, "<html>", "a.b", ORIGIN_REPLY, "redirect", "307" },
        /* no ECE body */
        { 403, "<html>denied</html>", NULL, ORIGIN_HTTP, "", "html" },
        { 404, "", NULL, ORIGIN_HTTP, "", "empty" },
        { 404, "", "\"runners.runner_not_found\", other", ORIGIN_ECE, "runners.runner_not_found", NULL },
        { 503, "[]", NULL, ORIGIN_HTTP, "", "no object" },
        { 404, "", " , ", ORIGIN_HTTP, "", NULL },
        { 503, "Service Unavailable", NULL, ORIGIN_HTTP, "", "not-json" },
        /* 2xx that can't be used */
        { 200, "", NULL, ORIGIN_REPLY, "empty", NULL },
        { 200, " \r\n\t", NULL, ORIGIN_REPLY, "empty", NULL },
        { 204, "", NULL, ORIGIN_REPLY, "empty", NULL },
        { 200, "\n<!DOCTYPE html><html>", NULL, ORIGIN_REPLY, "html", NULL },
        { 200, "{\"token\":\"eyJ", NULL, ORIGIN_REPLY, "truncated", NULL },
        { 200, "{\"a\":[1,2", NULL, ORIGIN_REPLY, "truncated", NULL },
        { 200, "{\"a\":\"}\\\"}", NULL, ORIGIN_REPLY, "truncated", NULL },
        { 200, "{'a':1}", NULL, ORIGIN_REPLY, "not-json", NULL },
        { 200, "{\"a\":1,\"a\":2}", NULL, ORIGIN_REPLY, "not-json", NULL }, /* which of both would it mean? */
        { 200, "hello", NULL, ORIGIN_REPLY, "not-json", NULL },
        { 200, "{} {}", NULL, ORIGIN_REPLY, "not-json", NULL },
        { 200, "[]", NULL, ORIGIN_REPLY, "wrong-type", NULL },
        { 200, "[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]", NULL, ORIGIN_REPLY, "too-large", NULL },
};

static void check(size_t i) {
        _cleanup_buffer_ Buffer body = BUFFER_INIT(HTTP_BODY_MAX);
        _cleanup_json_ json_t *object = NULL;
        HttpReply reply = { .status = cases[i].status, .retry_after_us = 5 };

        assert_int_equal(buffer_append_string(&body, cases[i].body), 0);
        reply.body = body;
        if (cases[i].header_codes)
                memcpy(reply.error_codes, cases[i].header_codes, strlen(cases[i].header_codes) + 1);
        Observation seen = reply_judge(&reply, "https://x:1/y", &object);

        assert_int_equal(seen.origin, cases[i].origin);
        assert_string_equal(seen.code, cases[i].code);
        if (cases[i].detail && !strstr(seen.detail, cases[i].detail))
                assert_string_equal(seen.detail, cases[i].detail); /* shows both */
        assert_int_equal(object != NULL, seen.origin == ORIGIN_NONE);
        assert_int_equal(seen.retry_after_us, seen.origin == ORIGIN_NONE ? 0 : 5);
        if (seen.origin != ORIGIN_NONE) {
                assert_int_equal(seen.number, cases[i].status);
                assert_string_equal(seen.where, "https://x:1/y");
        }
}

static void test_shapes(void **state) {
        for (size_t i = 0; i < ELEMENTS(cases); i++)
                check(i);
}

/* A byte of NUL inside ends nothing, and a body over the reader's bound is not read. */
static void test_bytes(void **state) {
        _cleanup_buffer_ Buffer body = BUFFER_INIT(HTTP_BODY_MAX);
        _cleanup_json_ json_t *object = NULL;

        assert_int_equal(buffer_append(&body, "{}\0x", 4), 0);
        HttpReply reply = { .status = 200, .body = body };
        assert_string_equal(reply_judge(&reply, "", &object).code, "not-json");
        buffer_clear(&body);
        assert_int_equal(buffer_append_string(&body, "{\"a\":\""), 0);
        for (size_t i = 0; i < JSON_SIZE_MAX; i++)
                assert_int_equal(buffer_append(&body, "x", 1), 0);
        assert_int_equal(buffer_append_string(&body, "\"}"), 0);
        reply.body = body;
        assert_string_equal(reply_judge(&reply, "", &object).code, "too-large");
        assert_null(object);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_shapes),
                cmocka_unit_test(test_bytes),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
