/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Memory settings: the words, the sizes, and the exact text that goes to the installer.
 *
 * The check is a small cursor over the one form that we print, not a JSON parser: what a JSON
 * parser would also accept (white space, escapes, other members) must not get through. Bad text is
 * a value here, the reason in words; nothing can fail.
 */

#include "model/memory-settings.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"

static const char *const parts[MEMORY_PARTS_MAX] = {
        "runner", "allocator", "zookeeper", "director", "constructor", "admin-console",
};

const char *const *memory_part_words(void) {
        return parts;
}

/* Index of the part, MEMORY_PARTS_MAX for a stranger. */
static size_t part_index(const char *s, size_t n) {
        size_t i = 0;

        while (i < MEMORY_PARTS_MAX && (strlen(parts[i]) != n || memcmp(parts[i], s, n) != 0))
                i++;
        return i;
}

bool memory_part_known(const char *s, size_t n) {
        return part_index(s, n) < MEMORY_PARTS_MAX;
}

int memory_size_parse(const char *s, size_t n, uint64_t *ret_bytes) {
        static const char units[] = "KMG";
        uint64_t number = 0;

        /* Seven digits and a unit: far beyond any host, far below an overflow. */
        if (n < 2 || n > 8)
                return -EINVAL;
        for (size_t i = 0; i + 1 < n; i++) {
                if (s[i] < '0' || s[i] > '9')
                        return -EINVAL;
                number = number * 10 + (uint64_t) (s[i] - '0');
        }
        const char *unit = memchr(units, s[n - 1], strlen(units));
        if (!unit || number == 0)
                return -EINVAL;
        *ret_bytes = number << (10 * (unit - units + 1));
        return 0;
}

static bool skip(const char **at, const char *expected) {
        if (!text_starts_with(*at, expected))
                return false;
        *at += strlen(expected);
        return true;
}

/* The text up to the next '"', which is skipped too. */
static bool take_word(const char **at, const char **word, size_t *n) {
        const char *end = strchr(*at, '"');

        if (!end)
                return false;
        *word = *at;
        *n = (size_t) (end - *at);
        *at = end + 1;
        return true;
}

/* One "part":{"xms":"N","xmx":"N"}; seen has a bit for each part that came before. */
static const char *check_part(const char **at, unsigned *seen) {
        const char *name, *low, *high;
        size_t name_n, low_n, high_n;
        uint64_t xms, xmx;

        if (!skip(at, "\"") || !take_word(at, &name, &name_n))
                return "is not the compact JSON of memory settings";
        size_t i = part_index(name, name_n);
        if (i == MEMORY_PARTS_MAX)
                return "names a part whose memory can't be set";
        if (*seen & (1U << i))
                return "names a part twice";
        *seen |= 1U << i;
        if (!skip(at, ":{\"xms\":\"") || !take_word(at, &low, &low_n) || !skip(at, ",\"xmx\":\"") ||
            !take_word(at, &high, &high_n) || !skip(at, "}"))
                return "is not the compact JSON of memory settings";
        if (memory_size_parse(low, low_n, &xms) < 0 || memory_size_parse(high, high_n, &xmx) < 0)
                return "has a size that is not a whole number with unit K, M or G";
        if (xms > xmx)
                return "has an xms greater than its xmx";
        return NULL;
}

const char *memory_settings_check(const char *text) {
        const char *at = text;
        unsigned seen = 0;

        if (!skip(&at, "{"))
                return "is not the compact JSON of memory settings";
        do {
                const char *why = check_part(&at, &seen);
                if (why)
                        return why;
        } while (skip(&at, ","));
        if (!streq(at, "}"))
                return "is not the compact JSON of memory settings";
        return NULL;
}
