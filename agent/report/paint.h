/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Colours where a terminal shows them, nothing elsewhere. */

#include <stdbool.h>

typedef enum Paint { PAINT_PLAIN, PAINT_GOOD, PAINT_BAD, PAINT_WAIT, PAINT_DIM, PAINT_BOLD } Paint;

/* Is fd a terminal that wants colours? (isatty, TERM not "dumb" nor "vt...", NO_COLOR unset: no-color.org) */
bool paint_wanted(int fd);

/* The escape sequence that starts a colour, and the one that ends any; "" when colour is false. */
const char *paint_start(Paint paint, bool colour);
const char *paint_end(bool colour);

/* The paint of a public state name: ENROLLED good, FAILED bad, BACKOFF wait, the others bold. */
Paint paint_of_state(const char *state);
