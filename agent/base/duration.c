/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Durations as people write and read them.
 *
 * One table serves both directions. Reading is strict (one number, one unit, nothing else), because "1h30"
 * could mean two things and a spec must mean one. Writing cuts off what nobody reads: of a day and a
 * second only the day is shown.
 */

#include "base/clock.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"

#define DURATION_MAX_US (365 * 24 * USEC_PER_HOUR)

/* From here on nobody wants to read milliseconds. */
#define WHOLE_SECONDS_FROM_US (10 * USEC_PER_SEC)

typedef struct DurationUnit {
        const char *name;
        usec_t size_us;
} DurationUnit;

static const DurationUnit duration_units[] = {
        { "d", 24 * USEC_PER_HOUR },
        { "h", USEC_PER_HOUR },
        { "m", USEC_PER_MINUTE },
        { "s", USEC_PER_SEC },
        { "ms", USEC_PER_MSEC },
        { "us", 1 },
};

static const DurationUnit *unit_by_name(const char *name) {
        for (size_t i = 0; i < ELEMENTS(duration_units); i++)
                if (streq(duration_units[i].name, name))
                        return &duration_units[i];
        return NULL;
}

/* The number in front. Stops counting, but not reading, when the value is past every limit anyway. */
static const char *read_number(const char *text, uint64_t *ret) {
        uint64_t value = 0;

        for (; *text >= '0' && *text <= '9'; text++)
                if (value <= DURATION_MAX_US)
                        value = value * 10 + (uint64_t) (*text - '0');

        *ret = value;
        return text;
}

const char *duration_unit(size_t n) {
        return n < ELEMENTS(duration_units) ? duration_units[n].name : NULL;
}

int duration_parse(const char *text, usec_t *ret) {
        const DurationUnit *unit;
        const char *rest;
        uint64_t number;

        assert(text);
        assert(ret);

        rest = read_number(text, &number);
        if (rest == text)
                return -EINVAL;

        if (streq(text, "0")) {
                *ret = 0;
                return 0;
        }

        unit = unit_by_name(rest);
        if (!unit)
                return -EINVAL;
        if (number > DURATION_MAX_US / unit->size_us)
                return -ERANGE;

        *ret = number * unit->size_us;
        return 0;
}

/* How much of the unit behind `first` is worth showing. */
static uint64_t second_number(usec_t duration_us, size_t first) {
        usec_t rest_us = duration_us % duration_units[first].size_us;

        if (duration_units[first].size_us < USEC_PER_SEC)
                return 0;
        if (duration_units[first].size_us == USEC_PER_SEC && duration_us >= WHOLE_SECONDS_FROM_US)
                return 0;
        return rest_us / duration_units[first + 1].size_us;
}

const char *duration_format(usec_t duration_us, char buffer[static DURATION_SIZE]) {
        uint64_t number, second;
        size_t first = 0;

        if (duration_us == 0 || duration_us == USEC_INFINITY) {
                (void) snprintf(buffer, DURATION_SIZE, "%s", duration_us == 0 ? "0s" : "infinity");
                return buffer;
        }

        while (duration_us < duration_units[first].size_us)
                first++;

        number = duration_us / duration_units[first].size_us;
        second = second_number(duration_us, first);
        if (second > 0)
                (void) snprintf(buffer, DURATION_SIZE, "%" PRIu64 "%s %" PRIu64 "%s", number,
                                duration_units[first].name, second, duration_units[first + 1].name);
        else
                (void) snprintf(buffer, DURATION_SIZE, "%" PRIu64 "%s", number,
                                duration_units[first].name);
        return buffer;
}
