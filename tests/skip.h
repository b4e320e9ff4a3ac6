/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What a test says that can't be made here: after "needs", in the words of its TAP line (tests/cmocka-tap). Leaves the test. */
#define skip_for_want_of(what)                                                                                              \
        do {                                                                                                                \
                print_message("# needs %s\n", what);                                                                        \
                skip();                                                                                                     \
        } while (0)
