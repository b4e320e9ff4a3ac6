/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Lines: foreign output made fit for a log.
 *
 * Chunks of a pipe are put together to lines; of each line the escape sequences are taken out, what
 * is not printable becomes '?', what is or looks like a secret becomes "[redacted]", and what is left is cut to LINE_TEXT_MAX.
 * Redaction sees whole lines, so it does not matter where a chunk ends; and it comes after the
 * escape sequences went, so a colour in the middle of a token does not hide it.
 */

#include "base/buffer.h"
#include "installer/fingerprint.h"
#include "installer/protocol.h"

/* Bytes of one line that are looked at; the rest of it up to the newline is dropped, and so is the
 * word at the cut, which may be the beginning of a secret. */
#define LINE_RAW_MAX (32U * 1024U)

typedef void (*LineHandler)(void *userdata, const char *line);

typedef struct LineReader {
        Buffer raw; /* the line so far */
        bool cut;   /* it was longer than LINE_RAW_MAX */
        const Fingerprint *print; /* borrowed; NULL: no secret is known by value */
        LineHandler handler;
        void *userdata;
} LineReader;

void line_reader_init(LineReader *r, const Fingerprint *print, LineHandler handler, void *userdata);
void line_reader_done(LineReader *r);

/* Takes n more bytes; the handler gets each line that is complete, without its end ("\n", "\r" or
 * both). Lines with nothing visible in them are left out. 0 or -ENOMEM. */
int line_reader_feed(LineReader *r, const char *bytes, size_t n);

/* End of the stream: what has no newline is a line as well. */
void line_reader_finish(LineReader *r);

/* One line: raw is used up as working memory. ret gets at most LINE_TEXT_MAX bytes and a NUL. Pure.
 * */
void line_clean(char *raw, size_t n, bool cut, const Fingerprint *print, char ret[static LINE_TEXT_MAX + 1]);

/* Replaces in place control characters (also those of UTF-8's second block) and what is not
 * UTF-8 by '?', so that the text can be put into JSON and onto a terminal. Returns s. */
char *text_make_printable(char *s);
