/* SPDX-License-Identifier: Apache-2.0 */

/*
 * ece-enroll leave: scale-in. The host's allocator takes nothing new any more, its instances move elsewhere, the runner is
 * removed, and it is looked whether it is gone. Which step comes next is decided by what the platform shows
 * (engine/leave.h), so a leave that was broken off is begun again by the same command, and one that is over costs two questions.
 *
 * Nothing is forced on anybody's data: without room elsewhere the instances stay, and so does the host. Nothing on this
 * host's disks is touched, and no container of ECE is stopped; what is to be done with them is said at the end.
 *
 * The mark that keeps the agent from enrolling this host again is written before the platform is touched.
 */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/platform-session.h"
#include "cli/this-runner.h"
#include "engine/classify.h"
#include "engine/leave.h"
#include "engine/machine.h"
#include "enrolld/left-mark.h"
#include "report/hooks.h"
#include "report/status-file.h"
#include "report/status-json.h"

#define TIMEOUT_DEFAULT_US USEC_PER_HOUR
#define LOOK_AGAIN_MIN_US (500 * USEC_PER_MSEC)
#define LOOK_AGAIN_MAX_US  (15 * USEC_PER_SEC)

typedef struct Leave {
        const CommonOptions *options;
        const Spec *spec;
        PlatformSession *session;
        ThisRunner us;
        usec_t began_us, until_us, moved_us; /* moved_us: 0, not yet */
        usec_t pause_us;
        bool marked;
        bool removed; /* by this call */
        RoleSet roles;
        RunnerView runner;
        AllocatorLoad load;
        bool other_coordinator;
        unsigned told_instances, told_moving;
        Observation last; /* why it has not gone on, should the time be over */
} Leave;

static Observation look(Leave *l) {
        Observation o = platform_look(l->session, l->us.id, l->us.host_ip, 0, &l->runner); /* its roles are listed there */

        if (observation_is_none(&o))
                o = platform_ask_load(l->session, l->us.id, &l->load);
        if (!observation_is_none(&o) || !l->runner.found)
                return o;
        l->roles = l->runner.listed_roles;
        if (role_set_has(l->roles, ROLE_COORDINATOR) && !l->other_coordinator)
                o = platform_find_other(l->session, ROLE_COORDINATOR, l->us.id, &l->other_coordinator);
        return o;
}

static LeaveStep next_step(const Leave *l) {
        return leave_next(&(LeaveView){
                .runner = &l->runner,
                .load = &l->load,
                .host_ip = l->us.host_ip,
                .other_coordinator = l->other_coordinator,
                .since_move_us = l->moved_us ? usec_sub(clock_boottime_us(), l->moved_us) : USEC_INFINITY,
                .may_move = !l->options->no_move,
                .force = l->options->force,
        });
}

static void tell_hook_trouble(void *userdata, const char *path, const char *why) {
        fprintf(stderr, "warning: hook %s: %s\n", path, why);
}

static void tell_hooks(const Leave *l, const char *state) {
        _cleanup_buffer_ Buffer text = BUFFER_INIT(STATUS_SIZE_MAX);
        _cleanup_json_ json_t *status = NULL;
        bool known = status_file_read(l->options->runtime_dir, &text, &status) >= 0;

        (void) hooks_run(
                &(HookCall){
                        .hooks_dir = l->spec->report.hooks_dir,
                        .event = "leaving",
                        .state = state,
                        .reason = "",
                        .runner_id = l->us.id,
                        .roles = l->roles,
                        .left_us = usec_sub(l->until_us, clock_boottime_us()),
                        .status = known ? &text : NULL,
                        .timeout_us = HOOK_TIMEOUT_US,
                },
                tell_hook_trouble, NULL);
}

/* 0, or the exit code. */
static int mark(Leave *l) {
        _cleanup_close_ int fd = -1;
        int r;

        if (l->marked)
                return EXIT_DONE;
        fd = directory_ensure(l->options->state_dir, 0700);
        r = fd < 0 ? fd : left_mark_write(fd, l->us.id, clock_realtime_us());
        if (r < 0) {
                fprintf(stderr,
                        "ece-enroll leave: can't write %s/" LEFT_FILE
                        ", without which the agent would enroll this host again: %s\n",
                        l->options->state_dir, strerror(-r));
                return EXIT_INTERNAL;
        }
        l->marked = true;
        tell_hooks(l, "LEAVING");
        return EXIT_DONE;
}

static void tell_load(Leave *l) {
        if (l->load.instances == l->told_instances && l->load.moving == l->told_moving)
                return;
        l->told_instances = l->load.instances;
        l->told_moving = l->load.moving;
        fprintf(stderr, "the allocator holds %u instance%s (%lld MB), %u under way\n", l->load.instances,
                l->load.instances == 1 ? "" : "s", (long long) l->load.memory_mb, l->load.moving);
}

static Observation instances_left(const Leave *l, const char *why) {
        return observe(ORIGIN_VERIFY, 0, "instances-left", l->us.id, "%u instance%s left on the allocator%s%s", l->load.instances,
                       l->load.instances == 1 ? " is" : "s are", *why ? "; not moved: " : "", why);
}

static Observation move(Leave *l) {
        Moves moves;
        Observation o = platform_move_instances(l->session, l->us.id, &moves);

        l->moved_us = clock_boottime_us();
        if (!observation_is_none(&o))
                return o;
        if (moves.refused > 0) {
                l->last = instances_left(l, moves.first_refusal);
                fprintf(stderr, "warning: for %u of %u the platform has found no place: %s\n", moves.refused,
                        moves.refused + moves.begun, moves.first_refusal);
        }
        return OBSERVATION_NONE;
}

static Observation delete_runner(Leave *l) {
        Observation o = platform_delete_runner(l->session, l->us.id);

        l->removed = l->removed || observation_is_none(&o);
        return o;
}

static Observation act(Leave *l, LeaveStep step) {
        switch (step) {
        case LEAVE_START_MAINTENANCE:
                return platform_start_maintenance(l->session, l->us.id);
        case LEAVE_MOVE:
                return move(l);
        case LEAVE_WAIT:
                if (l->last.origin != ORIGIN_VERIFY)
                        l->last = instances_left(l, "");
                return OBSERVATION_NONE;
        case LEAVE_DELETE_RUNNER:
                return delete_runner(l);
        case LEAVE_DELETE_ALLOCATOR:
                return platform_delete_allocator(l->session, l->us.id);
        case LEAVE_DONE:
        case LEAVE_REFUSE_FOREIGN:
        case LEAVE_REFUSE_DIRECTOR:
        case LEAVE_REFUSE_LAST_COORDINATOR:
        case _LEAVE_STEP_MAX:
                break;
        }
        return OBSERVATION_NONE;
}

static bool refuses(LeaveStep step) {
        return step == LEAVE_REFUSE_FOREIGN || step == LEAVE_REFUSE_DIRECTOR || step == LEAVE_REFUSE_LAST_COORDINATOR;
}

static int refuse(const Leave *l, LeaveStep step) {
        Observation seen;

        if (step == LEAVE_REFUSE_FOREIGN) {
                seen = observe(ORIGIN_VERIFY, 0, "foreign-host", l->us.id,
                               "runner %s has address %s on the platform, this host is %s", l->us.id, l->runner.host_ip,
                               l->us.host_ip);
                return command_tell_seen(&seen);
        }
        fprintf(stderr,
                "ece-enroll leave: %s.\n  Nothing was touched. Move the role to another host first (ece-enroll roles there), or "
                "add --force.\n",
                leave_step_to_string(step));
        return EXIT_BAD_USAGE;
}

/* Does it pass by itself? What does not is no reason to wait an hour. A host that the platform refuses to remove may be let go
 * a moment later, when its connection has ended; a person sees the reason if it is not. */
static bool passes(const Observation *seen) {
        Outcome outcome;

        classify(seen, &outcome);
        return outcome.class == CLASS_TRANSIENT || outcome.class == CLASS_THROTTLED || outcome.class == CLASS_TIME;
}

static int give_up(const Leave *l, const Observation *seen) {
        int code = command_tell_seen(seen);

        if (l->load.found && l->load.maintenance && !l->removed)
                fprintf(stderr, "  The allocator stays in maintenance mode: run `ece-enroll leave` again to go on, or end it in "
                                "the Cloud UI.\n");
        return code;
}

static usec_t next_pause(Leave *l, bool progress) {
        l->pause_us = progress || l->pause_us == 0 ? LOOK_AGAIN_MIN_US : 2 * l->pause_us;
        if (l->pause_us > LOOK_AGAIN_MAX_US)
                l->pause_us = LOOK_AGAIN_MAX_US;
        return l->pause_us;
}

/* One look and one step. -1: go on. */
static int advance(Leave *l, LeaveStep *last_step) {
        unsigned held = l->load.instances;
        Observation o = look(l);
        LeaveStep step = LEAVE_WAIT;
        int code, r;

        if (observation_is_none(&o)) {
                step = next_step(l);
                if (step == LEAVE_DONE)
                        return EXIT_DONE;
                if (refuses(step))
                        return refuse(l, step);
                code = mark(l);
                if (code != EXIT_DONE)
                        return code;
                if (l->load.found)
                        tell_load(l);
                if (step != *last_step && step != LEAVE_MOVE)
                        fprintf(stderr, "%s\n", leave_step_to_string(step));
                o = act(l, step);
        }
        if (!observation_is_none(&o)) {
                l->last = o;
                if (!passes(&o))
                        return give_up(l, &o);
        }
        if (clock_boottime_us() >= l->until_us)
                return give_up(l, &l->last);
        /* What was done is looked at at once; what has to happen elsewhere is waited for. */
        r = observation_is_none(&o) && step != LEAVE_WAIT
                    ? 0
                    : platform_session_wait(l->session, next_pause(l, l->load.instances < held));
        *last_step = step;
        return r < 0 ? command_failed(r) : -1;
}

static int print_result(const Leave *l) {
        _cleanup_json_ json_t *page = NULL;

        if (l->options->json) {
                page = json_pack("{s:s, s:b, s:b, s:I}", "runner_id", l->us.id, "left", 1, "removed_now", (int) l->removed,
                                 "seconds", (json_int_t) (usec_sub(clock_boottime_us(), l->began_us) / USEC_PER_SEC));
                if (!page || json_dumpf(page, stdout, JSON_INDENT(1)) < 0)
                        return EXIT_INTERNAL;
                (void) fputc('\n', stdout);
                return EXIT_DONE;
        }
        printf("the platform knows no runner %s%s\n", l->us.id, l->removed ? " any more" : ": nothing was left to be done");
        if (l->removed)
                printf("Its containers and its data are still on this host (docker ps; %s): ECE's page \"Uninstall\" says how "
                       "they go.\n",
                       l->spec->installer.storage_path ?: "/mnt/data/elastic");
        return EXIT_DONE;
}

static int leave(Leave *l) {
        LeaveStep last_step = _LEAVE_STEP_MAX;
        int code = -1;

        while (code < 0)
                code = advance(l, &last_step);
        if (code != EXIT_DONE)
                return code;
        /* A host that was removed by somebody else has left as well. */
        code = mark(l);
        if (code == EXIT_DONE)
                tell_hooks(l, "LEFT");
        return code == EXIT_DONE ? print_result(l) : code;
}

/* What would be done, for who has not said --yes. */
static int tell_plan(Leave *l) {
        Observation o = look(l);
        LeaveStep step;

        if (!observation_is_none(&o))
                return command_tell_seen(&o);
        step = next_step(l);
        if (refuses(step))
                return refuse(l, step);
        if (step == LEAVE_DONE)
                return leave(l);
        printf("runner %s would leave the installation:\n", l->us.id);
        if (l->load.found && l->load.instances > 0)
                printf("  %u instance%s (%lld MB) would %s\n", l->load.instances, l->load.instances == 1 ? "" : "s",
                       (long long) l->load.memory_mb, l->options->no_move ? "be waited for" : "be moved to other allocators");
        printf("  its runner would be removed; containers and data on this host stay\nNothing was done. With --yes it is.\n");
        return EXIT_BAD_USAGE;
}

/* A host that is just joining would be a member behind our back. What is not there, or can't be read, is no agent at work. */
static int check_idle(const CommonOptions *options) {
        _cleanup_buffer_ Buffer text = BUFFER_INIT(STATUS_SIZE_MAX);
        _cleanup_json_ json_t *status = NULL;
        const char *word;
        State state;

        if (options->force || status_file_read(options->runtime_dir, &text, &status) < 0)
                return EXIT_DONE;
        word = json_member_string(status, "state");
        state = word ? state_from_string(word) : _STATE_INVALID;
        if (state < 0 || state_is_final(state))
                return EXIT_DONE;
        fprintf(stderr,
                "ece-enroll leave: this host is being enrolled (%s). Wait for the end of it, or stop the agent "
                "(systemctl stop ece-enrolld) and say --force.\n",
                word);
        return EXIT_TRANSIENT;
}

int command_leave(const CommonOptions *options) {
        _cleanup_(platform_session_closep) PlatformSession *session = NULL;
        _cleanup_(spec_freep) Spec *spec = NULL;
        Leave l = { .options = options, .began_us = clock_boottime_us(), .last = OBSERVATION_NONE };
        int code = check_idle(options);

        if (code == EXIT_DONE)
                code = command_load_spec(options->spec_path, &spec);
        if (code == EXIT_DONE)
                code = this_runner(spec, options, &l.us);
        if (code == EXIT_DONE)
                code = command_open_session(spec, &session);
        if (code != EXIT_DONE)
                return code;
        l.spec = spec;
        l.session = session;
        l.until_us = usec_add(l.began_us, options->timeout_us > 0 ? options->timeout_us : TIMEOUT_DEFAULT_US);
        return options->yes ? leave(&l) : tell_plan(&l);
}
