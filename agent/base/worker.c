/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One thread, one job, one answer.
 *
 * The job belongs to two: the owner and the thread. Each holds a reference, the last one to let go
 * frees it, so an owner that has given up waiting can go at once and leave a hung thread with
 * memory that stays valid. The answer is an eventfd(2), which wakes the loop, and an atomic flag, which
 * orders memory: what the thread wrote before it, the owner sees after it.
 *
 * Threads are detached and never cancelled: a thread that hangs in the kernel can't be, and one that
 * is cancelled inside the C library leaves it locked. A process that exits takes them along.
 */

#include "base/worker.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "base/cleanup.h"

typedef struct Shared {
        atomic_uint references;
        atomic_bool done; /* set when the job is whole: the eventfd wakes the loop, and this hands the job's memory over */
        int fd;
        WorkerFunction function;
        void *job;
        void (*free_job)(void *job);
} Shared;

struct Worker {
        Shared *shared;
        sd_event_source *source;
        WorkerHandler handler;
        void *userdata;
};

static void shared_unref(Shared *s) {
        if (atomic_fetch_sub(&s->references, 1) != 1)
                return;
        if (s->job)
                s->free_job(s->job);
        if (s->fd >= 0)
                (void) close(s->fd);
        free(s);
}

static void *thread(void *argument) {
        Shared *s = argument;
        const uint64_t one = 1;

        s->function(s->job);
        atomic_store(&s->done, true);
        (void) !write(s->fd, &one, sizeof(one)); /* a counter of 0 always takes 1 */
        shared_unref(s);
        return NULL;
}

static int on_done(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        Worker *w = userdata;

        /* A wake-up through the kernel orders nothing in C's eyes (C11, 5.1.2.4). */
        if (!atomic_load(&w->shared->done))
                return 0;
        (void) sd_event_source_set_enabled(source, SD_EVENT_OFF);
        w->handler(w->userdata, w->shared->job);
        return 0;
}

/* Signals are for the loop alone, so the thread is born with all of them blocked. */
static int thread_start(Shared *s) {
        sigset_t all, before;
        pthread_attr_t attributes;
        pthread_t id;
        int error;

        (void) sigfillset(&all);
        error = pthread_attr_init(&attributes);
        if (error != 0)
                return -error;
        (void) pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
        (void) pthread_sigmask(SIG_SETMASK, &all, &before);
        atomic_fetch_add(&s->references, 1);
        error = pthread_create(&id, &attributes, thread, s);
        if (error != 0)
                shared_unref(s);
        (void) pthread_sigmask(SIG_SETMASK, &before, NULL);
        (void) pthread_attr_destroy(&attributes);
        return -error;
}

Worker *worker_free(Worker *w) {
        if (!w)
                return NULL;
        (void) sd_event_source_disable_unref(w->source);
        if (w->shared)
                shared_unref(w->shared);
        free(w);
        return NULL;
}
DEFINE_CLEANUP(Worker *, worker_free)

int worker_start(sd_event *event, WorkerFunction function, void *job, void (*free_job)(void *job),
                 WorkerHandler handler, void *userdata, Worker **ret) {
        _cleanup_(worker_freep) Worker *w = calloc(1, sizeof(*w));
        int error;

        if (!w)
                return -ENOMEM;
        w->handler = handler;
        w->userdata = userdata;
        w->shared = calloc(1, sizeof(*w->shared));
        if (!w->shared)
                return -ENOMEM;
        *w->shared = (Shared) { .references = 1, .function = function, .free_job = free_job };
        w->shared->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (w->shared->fd < 0)
                return -errno;
        error = sd_event_add_io(event, &w->source, w->shared->fd, EPOLLIN, on_done, w);
        if (error < 0)
                return error;
        w->shared->job = job;
        error = thread_start(w->shared);
        if (error < 0) {
                w->shared->job = NULL; /* still the caller's */
                return error;
        }
        *ret = TAKE_PTR(w);
        return 0;
}
