/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Text for man(7): what roff would take for its own is escaped, so that a sentence of a table can be
 * printed as it is. A dash is always a minus, or names that are copied from the page would not be
 * the names. Nothing can fail.
 */

#include "cli/man-text.h"

#include <ctype.h>

static void man_character(char c) {
        switch (c) {
        case '\\':
                (void) fputs("\\e", stdout);
                break;
        case '-':
                (void) fputs("\\-", stdout);
                break;
        case '\'':
                (void) fputs("\\(aq", stdout);
                break;
        case '~':
                (void) fputs("\\(ti", stdout);
                break;
        case '^':
                (void) fputs("\\(ha", stdout);
                break;
        case '`':
                (void) fputs("\\(ga", stdout);
                break;
        case '"': /* it would begin a quoted argument of a macro */
                (void) fputs("\\(dq", stdout);
                break;
        default:
                (void) fputc(c, stdout);
        }
}

void man_text(const char *text) {
        if (*text == '.')
                (void) fputs("\\&", stdout);
        for (; *text; text++)
                man_character(*text);
}

/* roff puts a sentence's space where a line ends with one. */
static bool ends_sentence(const char *at) {
        return (*at == '.' || *at == ';') && at[1] == ' ' && at[2] && !isdigit((unsigned char) at[2]);
}

void man_sentence(const char *before, const char *text, const char *after) {
        man_text(before);
        for (const char *at = text; *at; at++) {
                man_character(at == text && !*before ? (char) toupper((unsigned char) *at) : *at);
                if (ends_sentence(at)) {
                        (void) fputc('\n', stdout);
                        at++;
                }
        }
        (void) fprintf(stdout, "%s\n", after);
}

void man_header(const char *name, const char *section, const char *summary) {
        printf(".\\\" SPDX-License-Identifier: Apache-2.0\n.TH \"");
        for (const char *c = name; *c; c++)
                man_character((char) toupper((unsigned char) *c));
        printf("\" %s \"\" \"ece\\-enroll\"\n.nh\n.ad l\n.SH NAME\n", section);
        man_text(name);
        printf(" \\- %s\n", summary);
}
