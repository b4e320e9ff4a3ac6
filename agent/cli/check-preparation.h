/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Looks at how the host is prepared (host/preparation.h), without ever hanging: what does not answer in time is untried. */

#include <systemd/sd-event.h>

#include "host/preparation.h"
#include "http/http.h"

#define PREPARATION_LIMIT_US (5 * USEC_PER_SEC) /* of each look: at the host, at its storage, at its engine */

typedef struct CheckPreparation CheckPreparation;

/* Runs from the loop. */
typedef void (*PreparationHandler)(void *userdata, const Advices *advices);

/* engine_why: why the engine is not to be asked, NULL when it is. 0 or negative errno. Frees itself before its handler
 * runs. */
int check_preparation_start(sd_event *event, Http *http, const PreparationQuestion *question, const char *engine_why,
                            PreparationHandler handler, void *userdata, CheckPreparation **ret);
/* Ends it without the handler. NULL is accepted. */
void check_preparation_cancel(CheckPreparation *p);
