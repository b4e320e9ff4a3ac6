/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What the linker puts in the place of functions that share an object file with others which stay
 * (-Wl,--wrap in tests.am); and what the files of the bench want of the loop alone. */

#include <sys/types.h>
#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/secret.h"
#include "host/address.h"
#include "model/outcome.h"
#include "model/spec.h"

usec_t __wrap_clock_boottime_us(void);
usec_t __wrap_clock_realtime_us(void);
int __wrap_clock_boot_id(char ret[static BOOT_ID_SIZE]);
ssize_t __wrap_getrandom(void *buffer, size_t size, unsigned flags);
int __wrap_address_route(const struct sockaddr *to, socklen_t size, char ret_source[static ADDRESS_SIZE]);
int __wrap_spec_load(const char *path, Problems *problems, Spec **ret);
int __wrap_file_replace(int dir_fd, const char *name, const void *bytes, size_t n, mode_t mode,
                        FileDurability durability);
int __wrap_credential_read(const SecretSource *source, bool allow_env, Secret **ret, Observation *refusal);

sd_event *world_event(void);
bool world_signal(int number); /* false: nobody listens */
void world_touch_spec(void);
