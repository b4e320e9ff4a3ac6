/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The health of a host in HTTP, for whoever asks a host and not its log: health checks of load balancers and of managed
 * instance groups, Azure's Application Health extension. Answers GET and HEAD:
 *
 *   /        200 while the host is enrolled, else 503
 *   /azure   200 and "Healthy" while enrolled, 200 and "Unhealthy" when it has failed, else 503: neither yet. What Azure calls
 *            Rich Health States ("Using Application Health extension with Virtual Machine Scale Sets"): only an answer of
 *            the 200s with "ApplicationHealthState" counts, and one without it is "Initializing" within the grace period
 *
 * The body is JSON and holds state and reason, which are no secret: status.json is world-readable.
 */

#include "base/buffer.h"
#include "base/json.h"

#define HEALTH_REQUEST_MAX (8U * 1024U)
#define HEALTH_ANSWER_MAX (4U * 1024U)

/* Is the head of a request there, to its empty line? */
bool health_request_is_whole(const char *request);

/* Appends the answer to a request's head; status: NULL when there is none (or none that can be read). 0, -ENOMEM. */
int health_answer(const char *request, const json_t *status, Buffer *ret);
