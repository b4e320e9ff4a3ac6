/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The credential for the API: taken in from where the spec says, shaped for the Authorization
 * header. Intake is bounded and strict: a file is opened without following a link in its last
 * component, must be a regular file, and others must not have access to it, its owner is root or
 * ourselves; a command gets a clean environment, 10 s and SECRET_SIZE_MAX bytes.
 */

#include <systemd/sd-event.h>

#include "base/secret.h"
#include "model/outcome.h"
#include "model/spec.h"

/* Reads the secret a source names. allow_env: only `ece-enroll run` may use the environment. 0 with
 * *ret; 0 with *ret NULL and refusal (ORIGIN_CREDENTIAL: "missing", "unreadable", "permissions",
 * "empty", "too-large", "command-failed", "environment", "not-printable"); -ENOMEM. May block up to
 * the command's 10 s: called before work, not inside it. */
int credential_read(const SecretSource *source, bool allow_env, Secret **ret, Observation *refusal);

/* The same for a text of several lines, a private key in PEM: line breaks and tabs are allowed in it. */
int credential_read_text(const SecretSource *source, bool allow_env, Secret **ret, Observation *refusal);

/* base64("user:password") for Basic. 0, -EINVAL for a user with a colon or a pair too long for a
 * Secret, -ENOMEM. */
int credential_basic(const char *user, const Secret *password, Secret **ret);
