/* SPDX-License-Identifier: Apache-2.0 */

/* JSON from outside: bounded, without duplicates, and explained without quoting it. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/json.h"
#include "base/text.h"

static int read_text(const char *text, json_t **ret, char why[JSON_WHY_SIZE]) {
        return json_read(text, strlen(text), ret, why);
}

static void test_accepted(void **state) {
        static const struct {
                const char *text, *compact;
        } cases[] = {
                { "{}", "{}" },
                { "[]", "[]" },
                { " \n{ \"b\" : 1 , \"a\" : [ true, null, -2.5 ] }\r\n", "{\"a\":[true,null,-2.5],\"b\":1}" },
                { "[\"\\u00fc\\n\\\"[{\"]", "[\"\xc3\xbc\\n\\\"[{\"]" },
                { "{\"a\":{\"a\":1}}", "{\"a\":{\"a\":1}}" },
                { "[9223372036854775807]", "[9223372036854775807]" },
        };

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                _cleanup_json_ json_t *value = NULL;
                _cleanup_free_ char *text = NULL;

                assert_int_equal(read_text(cases[i].text, &value, NULL), 0);
                text = json_write_compact(value);
                assert_non_null(text);
                assert_string_equal(text, cases[i].compact);
        }
}

static void test_seal(void **state) {
        static const char text[] = "{\"a\":[1,true],\"b\":\"c\",\"sha256\":"
                                   "\"3b1a3ef0e9bb8ea5e9f8c3fb2a5d0a7a9e5f6a86c15b7b3dd7d0ac1f6f4d8b10\"}";
        _cleanup_json_ json_t *object = json_pack("{s:[i,b],s:s}", "a", 1, 1, "b", "c"), *other = NULL;

        assert_int_equal(json_break_seal(object), -EBADMSG); /* there is none */
        assert_int_equal(json_seal(object), 0);
        assert_int_equal(json_seal(object), 0); /* again: the old seal is not sealed in */
        other = json_deep_copy(object);
        assert_int_equal(json_break_seal(object), 0);
        assert_null(json_object_get(object, "sha256"));
        assert_int_equal(json_object_size(object), 2);

        assert_int_equal(json_object_set_new(other, "b", json_string("d")), 0);
        assert_int_equal(json_break_seal(other), -EBADMSG);
        json_decref(other);
        other = json_loads(text, 0, NULL);
        assert_int_equal(json_break_seal(other), -EBADMSG); /* somebody else's */
}

static void test_refused(void **state) {
        static const struct {
                const char *text;
                int line;
                const char *why;
        } cases[] = {
                { "", 1, "it ends too early" },
                { "{\"a\":", 1, "it ends too early" },
                { "{} x", 1, "something follows the end of the document" },
                { "{}\n{}", 2, "something follows the end of the document" },
                { "[\"canary\", canary]", 1, "not JSON" },
                { "\"canary\"", 1, "not JSON" },
                { "{\"canary\": 1,\n \"canary\": 2}", 2, "a member appears twice in one object" },
                { "[\"\xff\"]", 1, "not valid UTF-8" },
                { "[\"\\u0000\"]", 1, "a string holds a NUL character" },
                { "{\"\\u0000\": 1}", 1, "the name of a member holds a NUL character" },
                { "[9223372036854775808]", 1, "a number is too large" },
                { "[1e999]", 1, "a number is too large" },
                { "[01]", 1, "not JSON" },
                { "[1,]", 1, "not JSON" },
                { "{'a': 1}", 1, "not JSON" },
                { "[NaN]", 1, "not JSON" },
        };

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                char why[JSON_WHY_SIZE] = "", position[32];
                json_t *value = NULL;
                const char *sentence;

                assert_int_equal(read_text(cases[i].text, &value, why), -EBADMSG);
                assert_null(value);

                (void) snprintf(position, sizeof(position), "line %d, column ", cases[i].line);
                assert_true(text_starts_with(why, position));
                sentence = strstr(why, ": ");
                assert_non_null(sentence);
                assert_string_equal(sentence + 2, cases[i].why);
                assert_null(strstr(why, "canary"));

                assert_int_equal(read_text(cases[i].text, &value, NULL), -EBADMSG);
        }
}

/* A NUL in the middle of the bytes is part of the text and not its end. */
static void test_embedded_nul(void **state) {
        json_t *value = NULL;

        assert_int_equal(json_read("{}\0{}", 5, &value, NULL), -EBADMSG);
        assert_int_equal(json_read("{}\0", 3, &value, NULL), -EBADMSG);
        assert_int_equal(json_read(NULL, 0, &value, NULL), -EBADMSG);
        assert_null(value);
}

static void nest(Buffer *b, size_t depth, const char *open, const char *core, const char *close) {
        for (size_t i = 0; i < depth; i++)
                assert_int_equal(buffer_append_string(b, open), 0);
        assert_int_equal(buffer_append_string(b, core), 0);
        for (size_t i = 0; i < depth; i++)
                assert_int_equal(buffer_append_string(b, close), 0);
}

static void test_depth(void **state) {
        static const struct {
                size_t depth;
                const char *open, *core, *close;
                int expected;
        } cases[] = {
                { JSON_DEPTH_MAX, "[", "", "]", 0 },
                { JSON_DEPTH_MAX + 1, "[", "", "]", -EMSGSIZE },
                { JSON_DEPTH_MAX, "{\"a\":", "1", "}", 0 },
                { JSON_DEPTH_MAX + 1, "{\"a\":", "1", "}", -EMSGSIZE },
                { 20000, "[", "", "]", -EMSGSIZE },
                { 20000, "[", "", "", -EMSGSIZE }, /* never closed */
                /* Brackets in strings don't count, wherever quotes and backslashes stand. */
                { JSON_DEPTH_MAX, "[", "\"[[[{{{\"", "]", 0 },
                { JSON_DEPTH_MAX, "[", "\"\\\"[[[\\\\\\\"{{{\"", "]", 0 },
                { JSON_DEPTH_MAX, "[", "\"\\\\\",[]", "]", -EMSGSIZE },
                { JSON_DEPTH_MAX - 1, "[", "\"\\\\\",[],{},[]", "]", 0 },
                /* Closing what was never open earns no credit. */
                { JSON_DEPTH_MAX + 1, "[", "]]]]]]]]]]]]]]]]]]", "", -EMSGSIZE },
        };

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                _cleanup_buffer_ Buffer text = BUFFER_INIT(JSON_SIZE_MAX);
                _cleanup_json_ json_t *value = NULL;
                char why[JSON_WHY_SIZE] = "";

                nest(&text, cases[i].depth, cases[i].open, cases[i].core, cases[i].close);
                assert_int_equal(json_read(text.data, text.size, &value, why), cases[i].expected);
                if (cases[i].expected == -EMSGSIZE)
                        assert_string_equal(why, "the document is nested too deeply");
        }
}

static void test_size(void **state) {
        _cleanup_buffer_ Buffer text = BUFFER_INIT(JSON_SIZE_MAX + 1);
        _cleanup_json_ json_t *value = NULL;
        char why[JSON_WHY_SIZE] = "";
        json_t *other = NULL;

        assert_int_equal(buffer_append_string(&text, "[]"), 0);
        while (text.size < JSON_SIZE_MAX)
                assert_int_equal(buffer_append_string(&text, " "), 0);
        assert_int_equal(json_read(text.data, text.size, &value, why), 0);
        assert_int_equal(buffer_append_string(&text, " "), 0);
        assert_int_equal(json_read(text.data, text.size, &other, why), -EMSGSIZE);
        assert_string_equal(why, "the document is too large");
        assert_null(other);
}

static void test_members(void **state) {
        static const char document[] = "{\"s\":\"text\",\"o\":{},\"a\":[],\"t\":true,\"f\":false,"
                                       "\"i\":-7,\"r\":1.5,\"n\":null}";
        _cleanup_json_ json_t *object = NULL, *array = NULL;

        assert_int_equal(read_text(document, &object, NULL), 0);
        assert_int_equal(read_text("[1]", &array, NULL), 0);

        assert_string_equal(json_member_string(object, "s"), "text");
        assert_null(json_member_string(object, "i"));
        assert_null(json_member_string(object, "n"));
        assert_null(json_member_string(object, "missing"));
        assert_null(json_member_string(array, "s"));
        assert_null(json_member_string(NULL, "s"));

        assert_true(json_is_object(json_member_object(object, "o")));
        assert_null(json_member_object(object, "a"));
        assert_null(json_member_object(NULL, "o"));
        assert_true(json_is_array(json_member_array(object, "a")));
        assert_null(json_member_array(object, "o"));
        assert_null(json_member_array(object, "missing"));

        assert_true(json_member_bool(object, "t", false));
        assert_false(json_member_bool(object, "f", true));
        assert_true(json_member_bool(object, "i", true));
        assert_false(json_member_bool(object, "missing", false));
        assert_true(json_member_bool(NULL, "t", true));

        assert_int_equal(json_member_integer(object, "i", 5), -7);
        assert_int_equal(json_member_integer(object, "r", 5), 5);
        assert_int_equal(json_member_integer(object, "s", 5), 5);
        assert_int_equal(json_member_integer(array, "i", 5), 5);
}

static void test_write_any(void **state) {
        _cleanup_json_ json_t *value = json_string("a/\"b\"\n");
        _cleanup_free_ char *text = json_write_compact(value);

        assert_string_equal(text, "\"a/\\\"b\\\"\\n\"");
}

static size_t allocations_left;

static void *scarce_malloc(size_t n) {
        if (allocations_left == 0) {
                errno = ENOMEM;
                return NULL;
        }
        allocations_left--;
        return malloc(n);
}

/* Each allocation of a run fails once: no memory is never mistaken for a bad document, and nothing leaks. */
static void test_no_memory(void **state) {
        static const char document[] = "{\"a\": [1, \"text \\u00fc\", 1.5, {}], \"bcd\": {\"e\": true}}";
        _cleanup_json_ json_t *value = NULL;
        size_t failures = 0;

        json_set_alloc_funcs(scarce_malloc, free);
        for (int r = -ENOMEM; r < 0; failures++) {
                char why[JSON_WHY_SIZE] = "";

                allocations_left = failures;
                r = read_text(document, &value, why);
                assert_true(r == 0 || r == -ENOMEM);
                assert_string_equal(why, r == 0 ? "" : "no memory");
        }
        assert_true(failures > 10);

        /* The sorted keys need memory as well. */
        allocations_left = 0;
        assert_null(json_write_compact(value));
        json_set_alloc_funcs(malloc, free);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_seal),
                cmocka_unit_test(test_accepted),
                cmocka_unit_test(test_refused),
                cmocka_unit_test(test_embedded_nul),
                cmocka_unit_test(test_depth),
                cmocka_unit_test(test_size),
                cmocka_unit_test(test_members),
                cmocka_unit_test(test_write_any),
                cmocka_unit_test(test_no_memory),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
