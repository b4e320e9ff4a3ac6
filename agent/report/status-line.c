/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One line for those who show one: the id of the reason stands in it, so that whoever reads it can ask `ece-enroll explain`
 * without looking elsewhere first. Pure, and nothing can fail: a line has room for the longest sentence.
 */

#include "report/status-line.h"

#include <stdio.h>

const char *status_line(const Report *r, char ret[static STATUS_LINE_SIZE]) {
        if (r->reason.class == CLASS_OK)
                (void) snprintf(ret, STATUS_LINE_SIZE, "%s", r->state);
        else
                (void) snprintf(ret, STATUS_LINE_SIZE, "%s: %s [%s]", r->state, r->reason.text, r->reason.reason);
        return ret;
}
