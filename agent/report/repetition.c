/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A host that waits for its coordinator goes through the same few states each minute, for hours. Whoever reads its log wants to
 * know that, since when, and whether it still does; not two hundred times. Pure; nothing fails. More kinds of rounds than there is
 * room for are told each time.
 */

#include "report/repetition.h"

#include <stddef.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/text.h"

static bool is_news(const char *state) {
        static const char *const states[] = { "LOADING", "UNCONFIGURED", "INSTALLING", "ENROLLED", "FAILED", "STOPPING" };

        for (size_t i = 0; i < ELEMENTS(states); i++)
                if (streq(state, states[i]))
                        return true;
        return false;
}

unsigned repetition_count(Repetition *repetition, const Report *r) {
        if (is_news(r->state)) {
                *repetition = (Repetition) { .n_items = 0 };
                return 1;
        }
        for (size_t i = 0; i < repetition->n_items; i++)
                if (streq(repetition->items[i].state, r->state) && streq(repetition->items[i].reason, r->reason.reason))
                        return ++repetition->items[i].n;
        if (repetition->n_items < ELEMENTS(repetition->items)) {
                size_t i = repetition->n_items++;

                (void) snprintf(repetition->items[i].state, sizeof(repetition->items[i].state), "%s", r->state);
                (void) snprintf(repetition->items[i].reason, sizeof(repetition->items[i].reason), "%s", r->reason.reason);
                repetition->items[i].n = 1;
        }
        return 1;
}

bool repetition_is_told(unsigned n) {
        return (n & (n - 1)) == 0;
}

static const char *skip_digits(const char *s) {
        while (*s >= '0' && *s <= '9')
                s++;
        return s;
}

bool repetition_is_same_text(const char *a, const char *b) {
        for (;; a++, b++) {
                a = skip_digits(a);
                b = skip_digits(b);
                if (*a != *b)
                        return false;
                if (!*a)
                        return true;
        }
}
