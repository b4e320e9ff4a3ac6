/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The pieces of a man(7) page that is made from a table, on standard output. */

#include <stdbool.h>
#include <stdio.h>

/* Text within a line. */
void man_text(const char *text);

/* A line of its own, or more, each sentence on a line: before, text, after. The first letter becomes a
 * capital one when nothing is before it. */
void man_sentence(const char *before, const char *text, const char *after);

/* Title and NAME. */
void man_header(const char *name, const char *section, const char *summary);

/* What `ece-enroll explain --man` and `ece-enroll validate --man` print: ece-enroll-reasons(7) and the keys of
 * enroll.yaml(5). */
void man_reasons(void);
void man_keys(void);
