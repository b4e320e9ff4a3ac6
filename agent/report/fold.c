/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Folding. A page of ours is made of lines "   label: words...", and a story of lines "  12.3s  STATE  words...": what goes on does so
 * below the words, so that labels stay alone in their column. Pure, but for the size of a terminal; only memory can fail.
 */

#include "report/fold.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/text.h"

#define USUAL_COLUMNS 80U
#define LEAST_COLUMNS 40U
#define INDENT_MAX 24U
#define PRINT_ROOM 4096U

unsigned fold_columns(int fd) {
        struct winsize size = { 0 };

        if (!isatty(fd))
                return 0;
        if (ioctl(fd, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
                return USUAL_COLUMNS;
        return size.ws_col < LEAST_COLUMNS ? LEAST_COLUMNS : size.ws_col;
}

/* Bytes of the escape sequence that begins here, or 0. */
static size_t escape_size(const char *at) {
        return at[0] == '\x1b' && at[1] == '[' ? 2 + strcspn(at + 2, "m\n") + (at[2 + strcspn(at + 2, "m\n")] == 'm') : 0;
}

/* Columns of the first n bytes. */
static unsigned width(const char *text, size_t n) {
        unsigned columns = 0;

        for (size_t i = 0; i < n;) {
                size_t skip = escape_size(text + i);

                if (skip == 0) {
                        columns += ((unsigned char) text[i] & 0xc0) != 0x80;
                        skip = 1;
                }
                i += skip;
        }
        return columns;
}

/* Where what a line says begins: behind the first ": ", or else behind its first two blanks in a row that follow a word. */
static unsigned indent_of(const char *line, size_t n) {
        size_t at = strspn(line, " ");
        const char *colon = memmem(line, n, ": ", 2), *gap = memmem(line + at, n - at, "  ", 2);
        unsigned indent;

        if (colon && (!gap || colon < gap))
                indent = width(line, (size_t) (colon - line) + 2);
        else if (gap)
                indent = width(line, (size_t) (gap - line) + strspn(gap, " "));
        else
                indent = width(line, at);
        return indent > INDENT_MAX ? INDENT_MAX : indent;
}

/* How many bytes of the n fit into that many columns, broken at a blank; all of them when no blank is there to break at. */
static size_t fitting(const char *text, size_t n, unsigned columns) {
        size_t best = 0;

        for (size_t i = strspn(text, " "); i <= n; i++)
                if (i == n || text[i] == ' ') {
                        if (width(text, i) > columns && best > 0)
                                return best;
                        best = i;
                        if (width(text, i) > columns)
                                return best;
                }
        return n;
}

static int fold_line(const char *line, size_t n, unsigned columns, Buffer *ret) {
        unsigned indent = indent_of(line, n);
        size_t take = fitting(line, n, columns);
        int error = buffer_append(ret, line, take);

        for (size_t at = take; error >= 0 && at < n; at += take) {
                at += strspn(line + at, " ");
                if (at >= n)
                        break;
                take = fitting(line + at, n - at, columns - indent);
                error = buffer_append_format(ret, "\n%*s", (int) indent, "");
                if (error >= 0)
                        error = buffer_append(ret, line + at, take);
        }
        return error;
}

int fold_lines(const char *text, unsigned columns, Buffer *ret) {
        int error = 0;

        if (columns == 0)
                return buffer_append_string(ret, text);
        while (error >= 0 && *text) {
                size_t n = strcspn(text, "\n");

                error = fold_line(text, n, columns, ret);
                text += n;
                if (error >= 0 && *text == '\n') {
                        error = buffer_append_string(ret, "\n");
                        text++;
                }
        }
        return error;
}

void fold_print(const char *text) {
        _cleanup_buffer_ Buffer folded = BUFFER_INIT(2 * strlen(text) + PRINT_ROOM);

        /* What there is no memory to fold is printed as it is. */
        (void) fputs(fold_lines(text, fold_columns(STDOUT_FILENO), &folded) < 0 ? text : buffer_string(&folded), stdout);
}
