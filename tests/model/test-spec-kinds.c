/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Every key with every kind of value: what YAML can say, where it belongs and where it does not. Whatever it is, the spec is
 * taken, or refused with problems that have a place in the text, are printable and quote no secret; with memory and, one allocation
 * after the other, without.
 */

#include "base/text.h"
#include "spec-rows.h"

#include <ctype.h>

/* A word longer than any value may be. */
#define LONG "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" \
             "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" \
             "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define LONGER LONG LONG LONG LONG

static const char *const values[] = {
        "", "~", "\"\"", "x", "'1'", "1", "-1", "1.5", "1.5.6", "99999999999999999999", "true", "True", "yes", "auto", "1h",
        "3 parsecs", "/x", "x/y", "a.b", "\"a,b\"", "\"a b\"", "\"a\\x01b\"", "\"a\\x7fb\"", "\"\\u00e9\"", LONG, LONGER,
        "https://192.0.2.9", "https://a.example/#x", "http://p.example:3128", "192.0.2.9", "\"fe80::1\"", "\"::\"", "\"::1\"",
        "\"::ffff:192.0.2.9\"", "\"2001:DB8:0::9\"", "0.0.0.0", "127.0.0.1", "224.0.0.1", "192.0.2.0/24", "!!str x", "!mine x",
        "!mine {a: b}", "!mine [a]", "&x y", "*x", "<<", "[]", "[x]", "[~]", "[\"\"]", "[[x]]", "[{a: b}]", "[x, x]",
        "[!mine x]", "[1, 2.5, true]", "[\"a b\", \"c,d\"]", "[" LONGER "]", "[allocator]", "[allocator, allocator]",
        "[constructor]", "[beats-runner]", "[192.0.2.0/24, .example.com, '*']", "[--a, \"b c\", --help]",
        "[sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=]", "[sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU-]",
        "{}", "{a: b}", "{a: ~}", "{~: b}", "{a: [b]}", "{a: {b: c}}", "{a: !mine b}", "{[a]: b}", "{a: \"b,c\"}",
        "{\"a,b\": c}", "{a: b, a: c}", "{" LONG ": a}", "{a: " LONGER "}", "{runner: {xms: 1G, xmx: 2G}}",
        "{runner: {xms: 1G}}", "{runner: {xms: 3G, xmx: 2G}}", "{runner: {xms: x, xmx: 1Q}}", "{runner: ~}", "{runner: x}",
        "{runner: !mine {}}", "{runner: {xms: ~, xmx: []}}", "{runner: {xmz: 1G}}", "{walker: {xms: 1G, xmx: 1G}}",
        "{min: 1s, max: 2s}", "{min: ~}", "{from: file}", "{from: file, path: /x}", "{from: file, path: x}",
        "{from: file, path: ~}", "{from: file, path: [x]}", "{from: file, path: /x, name: y}",
        "{from: file, path: \"/a\\x01b\"}", "{from: file, path: /" LONGER "}", "{from: !mine file}", "{from: ~}",
        "{from: [file]}", "{from: elsewhere}", "{from: credential}", "{from: credential, name: k}",
        "{from: credential, name: k/l}", "{from: credential, name: ~}", "{from: credential, name: \"\"}",
        "{from: credential, name: " LONG "}", "{from: env, name: A_B}", "{from: env, name: 1-b}", "{from: env, name: []}",
        "{from: command, argv: [/x, y]}", "{from: command, argv: [x]}", "{from: command, argv: []}",
        "{from: command, argv: ~}", "{from: command, argv: x}", "{from: command, argv: !mine [x]}",
        "{from: command, argv: [/x, \"a\\x01\"]}", "{from: command, argv: [/x, " LONGER "]}",
        "{from: command, argv: [/x, [y]]}", "{from: command}", "{path: /x}", "{from: file, path: /x, from: env}",
        "{api_key: {from: credential, name: k}, bearer: {from: credential, name: k}}", "{api_key: hunter2}",
        "{basic: {user: a}}", "{basic: {user: a, password: {from: file, path: /p}}}",
        "{basic: {user: \"a:b\", password: {from: file, path: /p}}}", "{basic: x}", "{file: /c, key: {from: file, path: /k}}",
        "{file: /c}", "{key: ~}", "{source: coordinator, validity: 1h}", "{source: file, path: /t, validity: 1h}",
        "{source: command, argv: [/t]}", "{source: ~}", "{source: file}", "{source: credential, name: t, path: /x}",
        "{source: " LONG "}", "{url: \"https://w/\", hmac_key: {from: env, name: H}}", "{url: ftp://w}",
};

/* What must stand beside the key. */
static const char *sibling(const char *key) {
        if (text_starts_with(key, "host.") && !streq(key, "host.roles"))
                return "roles: [allocator], ";
        if (text_starts_with(key, "installer.") && !streq(key, "installer.script"))
                return "script: /opt/ece.sh, ";
        return "";
}

/* KEY.KEY.KEY and a value as one line of YAML. */
static void nest(const char *key, const char *value, Buffer *ret) {
        unsigned depth = 0;

        for (const char *c = key; *c; c++) {
                bool dot = *c == '.';

                assert_int_equal(buffer_append(ret, dot ? ": {" : c, dot ? 3 : 1), 0);
                if (dot && depth++ == 0)
                        assert_int_equal(buffer_append_string(ret, sibling(key)), 0);
        }
        assert_int_equal(buffer_append_format(ret, ": %s%.*s\n", value, (int) depth, "}}}}}}}}"), 0);
}

/* What a spec needs, but for the part that the key belongs to. */
static void write_rest(const char *key, Buffer *ret) {
        static const char *const parts[] = { "version: 1\n", "coordinators: [https://192.0.2.10]\n", CREDENTIAL, HOST, INSTALLER };
        size_t n = strcspn(key, ".");

        for (size_t i = 0; i < ELEMENTS(parts); i++)
                if (strncmp(parts[i], key, n) != 0 || parts[i][n] != ':')
                        assert_int_equal(buffer_append_string(ret, parts[i]), 0);
}

/* Returns whether it was accepted. */
static bool check(const char *key, const char *value, bool without_memory) {
        _cleanup_problems_ Problems problems = { 0 };
        _cleanup_(spec_freep) Spec *spec = NULL;
        _cleanup_buffer_ Buffer text = BUFFER_INIT(65536);

        write_rest(key, &text);
        nest(key, value, &text);
        Row row = { .text = buffer_string(&text) };
        int r = spec_parse("s", row.text, strlen(row.text), &problems, &spec);
        assert_int_equal(r, problems.n_errors > 0 ? -EINVAL : 0);
        assert_true((spec != NULL) == (r == 0));
        for (size_t i = 0; i < problems.n; i++) {
                assert_true(problems.items[i].text[0] != '\0' && problems.items[i].line <= 7);
                assert_null(strstr(problems.items[i].text, "hunter2"));
                for (const char *c = problems.items[i].text; *c; c++)
                        assert_true(!iscntrl((unsigned char) *c));
        }
        if (without_memory)
                (void) scarce_torture(row_parse, &row, r);
        return r == 0;
}

static void test_every_key_with_every_value(void **state) {
        bool scarce = scarce_memory_in_force();
        size_t n = 0, accepted = 0;

        for (const char *key; (key = spec_key(n)); n++)
                for (size_t i = 0; i < ELEMENTS(values); i++)
                        accepted += check(key, values[i], scarce && (n + i) % 3 == 0); /* each has its turn */
        print_message("# %zu keys, %zu values each, of which %zu were good\n", n, ELEMENTS(values), accepted);
        assert_true(accepted > n && accepted < n * ELEMENTS(values) / 4);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_every_key_with_every_value),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, scarce_memory_setup, NULL);
}
