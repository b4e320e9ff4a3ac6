/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * By what a host is told from its own clone: a record that came with an image speaks of the host that the image was made of.
 * Each part is "" where it can't be had; none of them leaves the host.
 */

#include <stdbool.h>

typedef struct HostIdentity {
        char machine_id[40];          /* machine-id(5) */
        char product_uuid[64];        /* DMI, which only root can read */
        char hardware_addresses[256]; /* of the network devices that are hardware, sorted, with commas between them */
} HostIdentity;

/* What tells the two apart, as a clause ("its machine-id is another one"), or NULL when nothing does. A machine-id and a product's
 * UUID speak for themselves. Of the network only a whole change counts, and only where no UUID can be held against
 * another: a card may be replaced. */
const char *host_identity_difference(const HostIdentity *then, const HostIdentity *now);
