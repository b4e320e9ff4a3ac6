/* SPDX-License-Identifier: Apache-2.0 */

/* Foreign output in chunks whose sizes the input decides: no line is too long, holds a control
 * character or invalid UTF-8 (a second cleaning changes nothing), or the known secret; and the
 * lines do not depend on the chunks. */

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "installer/lines.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char secret_text[] = "c2Vjcg.ZXQtdG9.rZW4tMQ";

static void on_line(void *userdata, const char *line) {
        char copy[LINE_TEXT_MAX + 1];
        Buffer *all = userdata;

        assert(strlen(line) <= LINE_TEXT_MAX);
        assert(!strstr(line, secret_text));
        (void) memcpy(copy, line, strlen(line) + 1);
        assert(strcmp(text_make_printable(copy), line) == 0);
        (void) buffer_append_string(all, line);
        (void) buffer_append_string(all, "\n");
}

static void feed(const uint8_t *data, size_t size, size_t chunk, const Fingerprint *print, Buffer *all) {
        LineReader r;

        line_reader_init(&r, print, on_line, all);
        for (size_t i = 0; i < size; i += chunk)
                (void) line_reader_feed(&r, (const char *) data + i, size - i < chunk ? size - i : chunk);
        line_reader_finish(&r);
        line_reader_done(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static Fingerprint print;
        _cleanup_buffer_ Buffer whole = BUFFER_INIT(1024 * 1024), pieces = BUFFER_INIT(1024 * 1024);
        _cleanup_(secret_freep) Secret *secret = NULL;

        if (print.length == 0) {
                assert(secret_new(secret_text, strlen(secret_text), &secret) == 0);
                assert(fingerprint_take(secret, &print) == 0);
        }
        if (size < 1)
                return 0;
        feed(data + 1, size - 1, size, &print, &whole);
        feed(data + 1, size - 1, 1U + data[0] % 16U, &print, &pieces);
        assert(strcmp(buffer_string(&whole), buffer_string(&pieces)) == 0);
        return 0;
}
