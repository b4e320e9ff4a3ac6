/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Running a credential's command. Private to this room. */

#include "base/buffer.h"
#include "base/secret.h"
#include "model/outcome.h"

#define CREDENTIAL_COMMAND_TIMEOUT_US (10 * USEC_PER_SEC)

/* Runs argv (absolute program first) and takes what it prints, without one trailing newline. As
 * credential_read(): 0 with *ret, or 0 with *ret NULL and a refusal; -ENOMEM. Nothing of its
 * process group is left behind. */
int credential_run(char *const *argv, usec_t timeout_us, Secret **ret, Observation *refusal);

/* Its last step, pure: what was printed becomes the secret, without one line end. As above; *ret is untouched
 * when it is refused. */
int credential_from_output(const char *program, const Buffer *output, Secret **ret, Observation *refusal);
