/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Long lines for narrow terminals: a serial console has 80 columns, and breaks words where they end. */

#include "base/buffer.h"

/* How many columns the terminal at fd has; 0 when it is none, and lines are nobody's to break. A terminal that does not say has 80. */
unsigned fold_columns(int fd);

/* Appends text; a line that is longer goes on below, indented as far as what it says begins (behind "label: "). Broken at blanks, and
 * where there is none not at all. Escape sequences of colours take no room, and each code point one column. columns 0: as it is.
 * 0, -ENOMEM, -EMSGSIZE. */
int fold_lines(const char *text, unsigned columns, Buffer *ret);

/* Prints a page to standard output, folded where that is a terminal. */
void fold_print(const char *text);
