/* SPDX-License-Identifier: Apache-2.0 */

/*
 * ece-enroll hooks: follows status.json and runs the operator's hooks for what it says (report/hooks.h), in a process of its
 * own, because the agent's cage lets it start no program and a hook may take its time. ece-enroll-hooks.service runs it, and
 * `ece-enroll run` does for its own time.
 *
 * Which hooks are due is decided by report/hook-teller.h. A final state goes before everything: hooks that tell progress are
 * ended for it. What was told is kept in $RUNTIME_DIRECTORY, if systemd has given us one, so that a restart tells nothing
 * twice; it is kept no longer than the host is up.
 *
 * What may fail: the hooks, which is logged and stops nothing; a status that is none, which is no news; the watch.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "base/directory-watch.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/command.h"
#include "model/spec-schema.h"
#include "report/hook-teller.h"
#include "report/hooks.h"
#include "report/status-file.h"
#include "report/status-json.h"

#define TOLD_FILE "told"
#define TOLD_SIZE_MAX (64U * 1024U)
/* Of a single run, somebody waits for the end. */
#define TRIES_ONCE 4U

typedef struct Follower {
        const CommonOptions *options;
        DirectoryWatch watch;
        int signal_fd, either_fd; /* either: readable when one of the two is */
        int told_fd;              /* the directory of TOLD_FILE; -1: nothing is kept */
        HookTeller teller;
        Buffer status; /* the newest */
        HookNews news;
        usec_t news_at_us;
        bool stopped;
} Follower;

static void read_news(Follower *f) {
        _cleanup_buffer_ Buffer text = BUFFER_INIT(STATUS_SIZE_MAX);
        _cleanup_json_ json_t *status = NULL;
        HookNews news;
        int error = status_file_read(f->options->runtime_dir, &text, &status);

        if (error >= 0)
                error = hook_news_read(status, &news);
        if (error == -ENOENT)
                return;
        if (error < 0) {
                log_warning_errno(error, "can't tell hooks of %s/%s", f->options->runtime_dir, STATUS_FILE);
                return;
        }
        buffer_done(&f->status);
        f->status = text;
        text = BUFFER_INIT(STATUS_SIZE_MAX);
        f->news = news;
        f->news_at_us = clock_boottime_us();
}

/* The newest, with what is left until the deadline as it is now: an agent that hangs replaces no status. */
static HookNews present_news(const Follower *f) {
        HookNews news = f->news;

        if (news.left_us != USEC_INFINITY)
                news.left_us = usec_sub(news.left_us, usec_sub(clock_boottime_us(), f->news_at_us));
        return news;
}

/* Takes what woke us. */
static void take(Follower *f) {
        struct signalfd_siginfo info;

        if (read(f->signal_fd, &info, sizeof(info)) == (ssize_t) sizeof(info))
                f->stopped = true;
        (void) directory_watch_take(&f->watch);
        read_news(f);
}

/* While the hooks of a progress are at work: is there something that can't wait for them? */
static bool is_urgent(void *userdata) {
        Follower *f = userdata;

        take(f);
        return f->stopped || hook_news_is_final(&f->news);
}

/* While those of a final state are. */
static bool is_stopped(void *userdata) {
        Follower *f = userdata;

        take(f);
        return f->stopped;
}

static void log_trouble(void *userdata, const char *path, const char *why) {
        log_warning("hook %s: %s", path, why);
}

static void keep(const Follower *f) {
        _cleanup_json_ json_t *told = NULL;
        _cleanup_free_ char *text = NULL;
        int error;

        if (f->told_fd < 0)
                return;
        told = hook_teller_to_json(&f->teller);
        text = told ? json_write_compact(told) : NULL;
        error = text ? file_replace(f->told_fd, TOLD_FILE, text, strlen(text), 0600, FILE_VOLATILE) : -ENOMEM;
        if (error < 0)
                log_warning_errno(error, "can't keep what hooks were told");
}

static int tell(Follower *f, const char *hooks_dir) {
        const HookNews news = present_news(f);
        bool progress = news.event == HOOK_PROGRESS;
        const BoundedProgramEnd end = { .fd = f->either_fd, .asked = progress ? is_urgent : is_stopped, .userdata = f };
        _cleanup_buffer_ Buffer status = f->status; /* the newest may come while the hooks read this */
        int r;

        f->status = BUFFER_INIT(STATUS_SIZE_MAX);
        if (buffer_append(&f->status, status.data, status.size) < 0)
                return -ENOMEM;
        hook_teller_begin(&f->teller, &news, clock_boottime_us());
        r = hooks_run(&(HookCall){ .hooks_dir = hooks_dir,
                                   .event = hook_event_to_string(news.event),
                                   .state = news.state,
                                   .reason = news.reason,
                                   .runner_id = news.runner_id,
                                   .roles = news.roles,
                                   .left_us = news.left_us,
                                   .status = &status,
                                   .timeout_us = HOOK_TIMEOUT_US,
                                   .through = progress ? NULL : &f->teller.through,
                                   .end = &end },
                      log_trouble, NULL);
        if (!progress) {
                hook_teller_end(&f->teller, r != 0, clock_boottime_us());
                keep(f);
        }
        return r == -ECANCELED ? 0 : r;
}

/* The spec is read for each: it may have changed. Where it can't be read hooks are in the usual place: that this is so is what they may
 * have to tell. */
static int tell_as_the_spec_says(Follower *f) {
        _cleanup_(spec_freep) Spec *spec = NULL;
        _cleanup_problems_ Problems problems = {};

        if (spec_load(f->options->spec_path, &problems, &spec) == -ENOMEM)
                return -ENOMEM;
        return tell(f, spec ? spec->report.hooks_dir : spec_schema(KEY_REPORT_HOOKS_DIR)->otherwise);
}

static bool is_told(const Follower *f) {
        return hook_news_is_final(&f->news) && (!f->teller.again || f->teller.tries >= TRIES_ONCE);
}

static int wait_for_more(Follower *f, usec_t wait_us) {
        struct epoll_event event;
        usec_t wait_ms = wait_us / USEC_PER_MSEC + 1;
        int n = epoll_wait(f->either_fd, &event, 1, wait_us == USEC_INFINITY || wait_ms > INT32_MAX ? -1 : (int) wait_ms);

        if (n < 0 && errno != EINTR)
                return -errno;
        if (n > 0)
                take(f);
        return 0;
}

static int follow(Follower *f) {
        usec_t wait_us;
        HookNews news;
        int error = 0;

        if (!f->options->once) /* what was there before a run is no news of it */
                read_news(f);
        while (error >= 0 && !f->stopped) {
                news = present_news(f);
                if (hook_teller_next(&f->teller, &news, clock_boottime_us(), &wait_us) != HOOK_NOTHING)
                        error = tell_as_the_spec_says(f);
                else if (f->options->once && is_told(f))
                        break;
                else
                        error = wait_for_more(f, wait_us);
        }
        return error;
}

static int watch_both(Follower *f) {
        struct epoll_event event = { .events = EPOLLIN };
        sigset_t set;

        (void) sigemptyset(&set);
        (void) sigaddset(&set, SIGTERM);
        (void) sigaddset(&set, SIGINT);
        if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
                return -errno;
        f->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
        f->either_fd = epoll_create1(EPOLL_CLOEXEC);
        if (f->signal_fd < 0 || f->either_fd < 0 || epoll_ctl(f->either_fd, EPOLL_CTL_ADD, f->watch.fd, &event) < 0 ||
            epoll_ctl(f->either_fd, EPOLL_CTL_ADD, f->signal_fd, &event) < 0)
                return -errno;
        return 0;
}

/* What this host's hooks were told since it booted. What can't be read is told once more. */
static void recall(Follower *f) {
        const char *directory = getenv("RUNTIME_DIRECTORY");
        _cleanup_buffer_ Buffer text = BUFFER_INIT(TOLD_SIZE_MAX);
        _cleanup_json_ json_t *told = NULL;
        char path[PATH_MAX];

        if (!directory)
                return;
        f->told_fd = directory_ensure(directory, 0700);
        (void) snprintf(path, sizeof(path), "%s/%s", directory, TOLD_FILE);
        if (file_read(path, &text) >= 0 && json_read(buffer_string(&text), text.size, &told, NULL) >= 0)
                (void) hook_teller_from_json(&f->teller, told);
}

static void follower_done(Follower *f) {
        directory_watch_close(&f->watch);
        cleanup_closep(&f->signal_fd);
        cleanup_closep(&f->either_fd);
        cleanup_closep(&f->told_fd);
        hook_teller_clear(&f->teller);
        buffer_done(&f->status);
}

/* A run has begun to watch before it had anything to report. */
static int open_watch(Follower *f) {
        if (!f->options->once)
                return directory_watch_open(f->options->runtime_dir, &f->watch);
        if (fcntl(HOOKS_WATCH_FD, F_SETFD, FD_CLOEXEC) < 0)
                return -errno;
        f->watch.fd = HOOKS_WATCH_FD;
        return 0;
}

int command_hooks(const CommonOptions *options) {
        _cleanup_(follower_done) Follower f = { .options = options,
                                                .watch = DIRECTORY_WATCH_NONE,
                                                .signal_fd = -1,
                                                .either_fd = -1,
                                                .told_fd = -1,
                                                .teller = HOOK_TELLER_INIT,
                                                .status = BUFFER_INIT(STATUS_SIZE_MAX) };
        int error = open_watch(&f);

        if (error < 0) {
                fprintf(stderr, "ece-enroll hooks: can't watch %s: %s\n", options->runtime_dir, strerror(-error));
                return EXIT_INTERNAL;
        }
        /* Called by a run, and not to outlive it. */
        if (options->once && prctl(PR_SET_PDEATHSIG, SIGTERM) < 0)
                return command_failed(-errno);
        error = watch_both(&f);
        if (error < 0)
                return command_failed(error);
        recall(&f);
        (void) sd_notify(0, "READY=1");
        error = follow(&f);
        return error < 0 ? command_failed(error) : EXIT_DONE;
}
