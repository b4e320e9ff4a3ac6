/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Worker: a piece of work that may block for as long as it likes (a dead network file system, a name
 * server that does not answer), done in a thread of its own and answered through the event loop. Whoever
 * has waited long enough lets go; the thread ends when the kernel lets it.
 */

#include <systemd/sd-event.h>

typedef struct Worker Worker;

/* Runs in the thread, with all signals blocked. Touches nothing but the job. */
typedef void (*WorkerFunction)(void *job);
/* Runs from the loop, once, when the function has returned. The job is the owner's to look at until
 * worker_free(), which may be called from here. */
typedef void (*WorkerHandler)(void *userdata, void *job);

/* Takes the job over when it succeeds; free_job is then called by whoever lets go last, which may be
 * the thread. 0 or negative errno (-EAGAIN: no more threads). */
int worker_start(sd_event *event, WorkerFunction function, void *job, void (*free_job)(void *job),
                 WorkerHandler handler, void *userdata, Worker **ret);

/* Lets go: the handler is not called any more. Never waits. NULL is accepted. */
Worker *worker_free(Worker *w);
