/* SPDX-License-Identifier: Apache-2.0 */

/*
 * From bytes to lines. The order of the steps is the point: escape sequences out, then known
 * secrets masked, then what looks like one (redact.c), and only then cut to the size that is passed
 * on: a cut made earlier could leave half a token that no rule knows any more.
 */

#include "installer/lines.h"

#include <errno.h>
#include <string.h>

#include "base/secret.h"
#include "installer/redact.h"

#define ESCAPE 0x1b
#define BELL 0x07

/* Length of the escape sequence at the beginning of s: CSI "ESC [ ... final", OSC and other strings
 * up to BEL or "ESC \", anything else "ESC, intermediates, final". What does not end, ends with the line. */
static size_t escape_length(const char *s, size_t n) {
        size_t i = 2;

        if (n < 2)
                return n;
        if (s[1] == '[') {
                while (i < n && !(s[i] >= 0x40 && s[i] <= 0x7e))
                        i++;
                return i < n ? i + 1 : n;
        }
        if (s[1] == ']' || s[1] == 'P' || s[1] == '^' || s[1] == '_' || s[1] == 'X') {
                for (; i < n; i++) {
                        if (s[i] == BELL)
                                return i + 1;
                        if (s[i] == ESCAPE)
                                return i + 1 < n && s[i + 1] == '\\' ? i + 2 : i;
                }
                return n;
        }
        i = 1;
        while (i < n && s[i] >= 0x20 && s[i] <= 0x2f)
                i++;
        return i < n ? i + 1 : n;
}

static size_t strip_escapes(char *s, size_t n) {
        size_t kept = 0;

        for (size_t i = 0; i < n;) {
                if (s[i] == ESCAPE) {
                        i += escape_length(s + i, n - i);
                        continue;
                }
                s[kept++] = s[i++];
        }
        return kept;
}

/* Bytes of the UTF-8 character at s (NUL-terminated): 0 for what is none, too long a form, a
 * surrogate, or a control character of U+0080 to U+009F. */
static size_t utf8_length(const unsigned char *s) {
        size_t n = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;

        if (s[0] < 0xc2 || s[0] > 0xf4)
                return 0;
        for (size_t i = 1; i < n; i++)
                if ((s[i] & 0xc0) != 0x80)
                        return 0;
        if ((s[0] == 0xc2 && s[1] < 0xa0) || (s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
            (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
                return 0;
        return n;
}

char *text_make_printable(char *s) {
        for (unsigned char *p = (unsigned char *) s; *p;) {
                size_t n = *p < 0x80 ? 1 : utf8_length(p);

                if (n == 0 || *p < 0x20 || *p == 0x7f) {
                        *p = '?';
                        n = 1;
                }
                p += n;
        }
        return s;
}

/* Copies what fits, never a piece of a character, and says so when something is missing. */
static void copy_cut(char ret[static LINE_TEXT_MAX + 1], const char *s) {
        size_t n = strlen(s);

        if (n > LINE_TEXT_MAX) {
                n = LINE_TEXT_MAX - 3;
                while (n > 0 && ((unsigned char) s[n] & 0xc0) == 0x80)
                        n--;
                (void) memcpy(ret, s, n);
                (void) memcpy(ret + n, "...", 4);
                return;
        }
        (void) memcpy(ret, s, n + 1);
}

/* Leaves out the last word of a line that was cut. */
static size_t drop_last_word(const char *s, size_t n) {
        while (n > 0 && s[n - 1] != ' ' && s[n - 1] != '\t')
                n--;
        return n;
}

/* NUL would end a line early; tabs are only blanks here. */
static void flatten(char *s, size_t n) {
        for (size_t i = 0; i < n; i++) {
                if (s[i] == 0)
                        s[i] = '?';
                else if (s[i] == '\t')
                        s[i] = ' ';
        }
}

void line_clean(char *raw, size_t n, bool cut, const Fingerprint *print, char ret[static LINE_TEXT_MAX + 1]) {
        Buffer clean = BUFFER_INIT_WIPED(2 * LINE_RAW_MAX);

        n = strip_escapes(raw, n);
        if (cut)
                n = drop_last_word(raw, n);
        while (n > 0 && (raw[n - 1] == ' ' || raw[n - 1] == '\t'))
                n--;
        flatten(raw, n);
        if (redact(raw, n, print, &clean) == -ENOMEM) /* -EMSGSIZE: more than we pass on is there already */
                buffer_clear(&clean);
        if (clean.data)
                (void) text_make_printable(clean.data);
        copy_cut(ret, buffer_string(&clean));
        buffer_done(&clean);
}

void line_reader_init(LineReader *r, const Fingerprint *print, LineHandler handler, void *userdata) {
        *r = (LineReader) {
                .raw = BUFFER_INIT_WIPED(LINE_RAW_MAX),
                .print = print,
                .handler = handler,
                .userdata = userdata,
        };
}

void line_reader_done(LineReader *r) {
        buffer_done(&r->raw);
}

static void emit(LineReader *r) {
        char line[LINE_TEXT_MAX + 1];

        if (r->raw.size > 0) {
                line_clean(r->raw.data, r->raw.size, r->cut, r->print, line);
                if (line[strspn(line, " ")])
                        r->handler(r->userdata, line);
        }
        buffer_clear(&r->raw);
        r->cut = false;
}

static int collect(LineReader *r, const char *bytes, size_t n) {
        size_t room = LINE_RAW_MAX - r->raw.size;

        if (n > room) {
                r->cut = true;
                n = room;
        }
        return n > 0 ? buffer_append(&r->raw, bytes, n) : 0;
}

int line_reader_feed(LineReader *r, const char *bytes, size_t n) {
        while (n > 0) {
                size_t length = 0;
                int error;

                while (length < n && bytes[length] != '\n' && bytes[length] != '\r')
                        length++;
                error = collect(r, bytes, length);
                if (error < 0)
                        return error;
                if (length == n)
                        return 0;
                emit(r);
                bytes += length + 1;
                n -= length + 1;
        }
        return 0;
}

void line_reader_finish(LineReader *r) {
        emit(r);
}
