/* SPDX-License-Identifier: Apache-2.0 */

/* Invariants: it does not matter where a chunk ends; no line is longer than its bound, holds a
 * control character or invalid UTF-8, or a piece of the secret. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/text.h"
#include "installer/lines.h"

#define TOKEN "QWxhZGRpbg.b3BlbiBzZXNhbWU.c2lnbmF0dXJl"

static void collect(void *userdata, const char *line) {
        Buffer *all = userdata;

        assert_true(strlen(line) <= LINE_TEXT_MAX);
        assert_int_equal(buffer_append_string(all, line), 0);
        assert_int_equal(buffer_append_string(all, "|"), 0);
}

static Fingerprint fingerprint_of(const char *text) {
        _cleanup_(secret_freep) Secret *secret = NULL;
        Fingerprint print;

        assert_int_equal(secret_new(text, strlen(text), &secret), 0);
        assert_int_equal(fingerprint_take(secret, &print), 0);
        return print;
}

static void feed_in_chunks(const char *text, size_t n, size_t chunk, const Fingerprint *print, Buffer *all) {
        LineReader r;

        line_reader_init(&r, print, collect, all);
        for (size_t i = 0; i < n; i += chunk)
                assert_int_equal(line_reader_feed(&r, text + i, n - i < chunk ? n - i : chunk), 0);
        line_reader_finish(&r);
        line_reader_done(&r);
}

static const struct {
        const char *text, *lines;
} rows[] = {
        { "", "" },
        { "one\ntwo\n", "one|two|" },
        { "one\r\ntwo", "one|two|" },
        { "10%\r20%\r30%\n", "10%|20%|30%|" },
        { "\n\n  \n\x1b[0m\nx\n", "x|" },
        { "tail   \n", "tail|" },
        { "\x1b[31;1mred\x1b[0m and \x1b]0;title\x07plain\x1b(B\n", "red and plain|" },
        { "\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\\n", "link|" },
        { "cut \x1b[31", "cut|" },
        { "bell\x07 nul-free \x7f\n", "bell? nul-free ?|" },
        { "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80\n", "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80|" },
        { "bad \xc3 \xff \xc0\xaf \xed\xa0\x80 \xc2\x9b\n", "bad ? ? ?? ??? ??|" },
        { "say " TOKEN " twice " TOKEN "\n", "say [redacted] twice [redacted]|" },
        { "say QWxhZGRp\x1b[1mbg.b3BlbiBzZXNhbWU.c2lnb\x1b[0mmF0dXJl!\n", "say [redacted]!|" },
        { "password: hunter2\n", "password: [redacted]|" },
        { "a\tb\n", "a b|" },
};

static void rows_hold_for_every_chunk_size(void **state) {
        Fingerprint print = fingerprint_of(TOKEN);

        for (size_t i = 0; i < ELEMENTS(rows); i++)
                for (size_t chunk = 1; chunk <= strlen(rows[i].text) + 1; chunk++) {
                        _cleanup_buffer_ Buffer all = BUFFER_INIT(8192);

                        feed_in_chunks(rows[i].text, strlen(rows[i].text), chunk, &print, &all);
                        assert_string_equal(buffer_string(&all), rows[i].lines);
                }
}

static void nul_bytes_do_not_end_a_line(void **state) {
        _cleanup_buffer_ Buffer all = BUFFER_INIT(8192);

        feed_in_chunks("a\0b\n", 4, 4, NULL, &all);
        assert_string_equal(buffer_string(&all), "a?b|");
}

/* A token at each place around both bounds: no piece of eight characters of it comes out. */
static void no_piece_of_a_token_at_a_bound(void **state) {
        enum { SIZE = LINE_RAW_MAX + 200 };
        static const size_t bounds[] = { LINE_TEXT_MAX, LINE_RAW_MAX };
        Fingerprint print = fingerprint_of(TOKEN);
        char *text = malloc(SIZE);

        assert_non_null(text);
        for (size_t b = 0; b < ELEMENTS(bounds); b++)
                for (size_t at = bounds[b] - strlen(TOKEN) - 2; at < bounds[b] + 2; at++) {
                        _cleanup_buffer_ Buffer all = BUFFER_INIT(8192);

                        (void) memset(text, ' ', SIZE);
                        text[0] = 'x';
                        (void) memcpy(text + at, TOKEN, strlen(TOKEN));
                        text[at + strlen(TOKEN) + 4] = 'y';
                        feed_in_chunks(text, SIZE, 4096, &print, &all);
                        assert_null(strstr(buffer_string(&all), "QWxhZGRp"));
                        assert_null(strstr(buffer_string(&all), "bmF0dXJl"));
                }
        free(text);
}

static void long_line_is_cut_at_a_character(void **state) {
        _cleanup_buffer_ Buffer all = BUFFER_INIT(8192);
        char text[4096];

        for (size_t i = 0; i + 1 < sizeof(text); i += 2)
                (void) memcpy(text + i, "\xc3\xa9", 2);
        feed_in_chunks(text, sizeof(text), 100, NULL, &all);
        assert_true(all.size <= LINE_TEXT_MAX + 1);
        assert_string_equal(buffer_string(&all) + all.size - 4, "...|");
        assert_null(strchr(buffer_string(&all), '?'));
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(rows_hold_for_every_chunk_size),
                cmocka_unit_test(nul_bytes_do_not_end_a_line),
                cmocka_unit_test(no_piece_of_a_token_at_a_bound),
                cmocka_unit_test(long_line_is_cut_at_a_character),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
