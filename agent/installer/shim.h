/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What keeper and shim agree on. The shim stands as `docker` and `podman-remote` first on the
 * installer's PATH, so it is started by a script that is not ours, with arguments that are not
 * ours; only the environment and a few inherited descriptors are.
 */

/* Environment. */
#define SHIM_TOKEN_FD "ECE_ENROLL_SHIM_TOKEN_FD"           /* number of the memfd "RUNNER_ROLES_TOKEN=...\n" */
#define SHIM_NOTE_FD "ECE_ENROLL_SHIM_NOTE_FD"             /* number of the pipe for notes, one word a line */
#define SHIM_CLIENT_DOCKER "ECE_ENROLL_SHIM_CLIENT_DOCKER" /* absolute paths of the real clients */
#define SHIM_CLIENT_PODMAN_REMOTE "ECE_ENROLL_SHIM_CLIENT_PODMAN_REMOTE"
#define SHIM_LABEL "ECE_ENROLL_SHIM_LABEL" /* the attempt's id; also marks the whole family of processes */

/* Notes. */
#define SHIM_NOTE_REACHED "reached"
#define SHIM_NOTE_NO_PLACEHOLDER "no-placeholder"

/* Exit statuses: none that the script, bash or an engine client uses. */
#define SHIM_EXIT_NO_PLACEHOLDER 97
#define SHIM_EXIT_FAILED 98

/* The variable that the installer's container gets the token in. */
#define SHIM_TOKEN_VARIABLE "RUNNER_ROLES_TOKEN"

/* The label that a container of ours bears; its value is the attempt's id. */
#define ATTEMPT_LABEL "ece-enroll.attempt"
