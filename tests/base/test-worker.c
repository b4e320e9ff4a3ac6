/* SPDX-License-Identifier: Apache-2.0 */

/* A worker answers through the loop, once; whoever lets go of it is not called and does not wait; its job is freed
 * exactly once, by whoever goes last. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/worker.h"

typedef struct Job {
        int hold; /* -1: nothing; else works until the other end of this pipe is closed */
        atomic_bool begun;
        bool signals_blocked;
        int result;
} Job;

static atomic_uint freed;
static unsigned answered;
static sd_event *event;

static void work(void *data) {
        Job *job = data;
        struct pollfd p = { .fd = job->hold };
        sigset_t mask;

        atomic_store(&job->begun, true);
        if (job->hold >= 0)
                (void) poll(&p, 1, -1);
        (void) pthread_sigmask(SIG_BLOCK, NULL, &mask);
        job->signals_blocked = sigismember(&mask, SIGTERM) == 1 && sigismember(&mask, SIGUSR1) == 1;
        job->result = 42;
}

static void free_job(void *data) {
        free(data);
        atomic_fetch_add(&freed, 1);
}

static void on_done(void *userdata, void *data) {
        Job *job = data;

        answered++;
        assert_int_equal(job->result, 42);
        assert_true(job->signals_blocked);
        assert_int_equal(atomic_load(&freed), 0);
        assert_return_code(sd_event_exit(event, 0), -1);
}

static Job *job_new(int hold) {
        Job *job = calloc(1, sizeof(*job));

        assert_non_null(job);
        job->hold = hold;
        return job;
}

static int setup(void **state) {
        atomic_store(&freed, 0);
        answered = 0;
        return sd_event_new(&event) < 0 ? -1 : 0;
}

static int teardown(void **state) {
        event = sd_event_unref(event);
        return 0;
}

static void wait_for_free(void) {
        while (atomic_load(&freed) == 0)
                (void) sched_yield();
        assert_int_equal(atomic_load(&freed), 1);
}

static void test_answer(void **state) {
        Worker *w = NULL;
        sigset_t before, after;

        assert_int_equal(pthread_sigmask(SIG_BLOCK, NULL, &before), 0);
        assert_int_equal(worker_start(event, work, job_new(-1), free_job, on_done, NULL, &w), 0);
        assert_int_equal(pthread_sigmask(SIG_BLOCK, NULL, &after), 0);
        assert_int_equal(sigismember(&before, SIGTERM), sigismember(&after, SIGTERM));
        assert_int_equal(answered, 0); /* never from inside */
        assert_return_code(sd_event_loop(event), -1);
        assert_int_equal(answered, 1);
        assert_null(worker_free(w));
        wait_for_free();
}

static void test_letting_go(void **state) {
        Worker *w = NULL;
        Job *job;
        int fds[2];

        assert_return_code(pipe(fds), errno);
        job = job_new(fds[0]);
        assert_int_equal(worker_start(event, work, job, free_job, on_done, NULL, &w), 0);
        while (!atomic_load(&job->begun))
                (void) sched_yield();
        assert_null(worker_free(w)); /* comes back while the work hangs */
        assert_int_equal(atomic_load(&freed), 0);
        (void) close(fds[1]);
        wait_for_free();
        assert_int_equal(sd_event_run(event, 0), 0); /* nothing is left in the loop */
        assert_int_equal(answered, 0);
        (void) close(fds[0]);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_answer, setup, teardown),
                cmocka_unit_test_setup_teardown(test_letting_go, setup, teardown),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
