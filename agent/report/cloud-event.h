/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A verdict as an event for others: a CloudEvents 1.0 envelope in JSON (github.com/cloudevents/spec, "JSON Event Format"), and in
 * its data the field names of the Elastic Common Schema, so that an Elastic stack can take it as it is. What ECS has no name for is
 * below `ece_enroll`, under the names of status.json. No secret: a Report holds none.
 */

#include "base/buffer.h"
#include "model/report.h"

typedef struct EventHost {
        const char *id;       /* of this machine, and no other's: not the machine-id itself, which is to be kept (machine-id(5)) */
        const char *hostname;
        const char *ip;       /* NULL: not known */
} EventHost;

/* Appends the event; its type is "ece-enroll.host.enrolled" or "ece-enroll.host.failed". 0, -ENOMEM, -EMSGSIZE. */
int cloud_event_write(const Report *report, const EventHost *host, const char *id, usec_t now_realtime_us, Buffer *ret);
