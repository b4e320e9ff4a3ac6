/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Does the kernel think that its clock is synchronised?
 *
 * adjtimex(2) with nothing to adjust only reads, and anybody may do that. The kernel's flag
 * STA_UNSYNC is also set by those who keep the clock and do not want the hardware's one written, so
 * the estimated error is asked instead, as timedatectl(1) does: whoever disciplines the clock keeps
 * it small, and left alone it grows to 16 s and stays there.
 *
 * A service with ProtectClock= may not even read. Then the mark that systemd-timesyncd leaves tells,
 * and without it the answer is that nobody knows; nothing fails.
 */

#include "base/clock.h"

#include <sys/timex.h>
#include <unistd.h>

#define ERROR_OF_THE_UNDISCIPLINED_US 16000000L
#define TIMESYNCD_MARK "/run/systemd/timesync/synchronized"

ClockSync clock_sync(void) {
        struct timex state = { .modes = 0 };

        if (adjtimex(&state) >= 0)
                return state.maxerror < ERROR_OF_THE_UNDISCIPLINED_US ? CLOCK_SYNCHRONISED : CLOCK_UNSYNCHRONISED;
        return access(TIMESYNCD_MARK, F_OK) == 0 ? CLOCK_SYNCHRONISED : CLOCK_SYNC_UNKNOWN;
}

const char *clock_sync_to_string(ClockSync sync) {
        static const char *const words[_CLOCK_SYNC_MAX] = {
                [CLOCK_SYNC_UNKNOWN] = "not known to be synchronised",
                [CLOCK_UNSYNCHRONISED] = "not synchronised",
                [CLOCK_SYNCHRONISED] = "synchronised",
        };

        return words[sync];
}
