/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Starting an installer: everything is checked, then everything is made, then the record is on
 * disk, and only then is there a process. Between record and process the keeper may die: the next
 * one finds a record that says "running" without a pid and looks for the process by the variable that marks its family.
 *
 * The script is looked at once more just before it is started: it must be the one whose digest the plan was made
 * with, and nobody may have become able to change it but root and the owner of the spec, who may choose
 * another one anyway. It is started by its path and not by a descriptor, because a script may look for its own directory.
 *
 * The token is in memory while this function runs and no longer. With the shim it goes into a
 * sealed memory file that only the child keeps; with handoff argv into the argument list, as the
 * operator has chosen. What stays with us is its fingerprint, for redaction.
 */

#include "installer/keeper-private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "base/text.h"
#include "host/host-facts.h"
#include "installer/attempt-directory.h"
#include "installer/process.h"
#include "installer/spawn.h"
#include "model/host-check.h"
#include "model/installer-command.h"

#define EXTRA_MAX 6
#define STRINGIFY_(number) #number
#define STRINGIFY(number) STRINGIFY_(number)

/* What has to live until the child is spawned. */
typedef struct Launch {
        char directory[4096], cwd[4104], path[8192];
        AttemptClients clients;
        char label[64], placeholder[64], client_docker[320], client_podman[320];
        char *extra[EXTRA_MAX]; /* NULL-terminated */
        InstallerCommand command;
        int token_fd;                                  /* -1 with handoff argv */
        int output[2], errors[2], notes[2];            /* pipes */
} Launch;

static void close_pair(int pair[2]) {
        for (int i = 0; i < 2; i++)
                if (pair[i] >= 0)
                        (void) close(TAKE_FD(pair[i]));
}

static void launch_done(Launch *l) {
        installer_command_done(&l->command);
        if (l->token_fd >= 0)
                (void) close(TAKE_FD(l->token_fd));
        close_pair(l->output);
        close_pair(l->errors);
        close_pair(l->notes);
}

static void fill_paths(Keeper *k, Launch *l, const char *id, bool shim) {
        (void) snprintf(l->directory, sizeof(l->directory), "%s/attempt-%s", k->options.runtime_dir, id);
        (void) snprintf(l->cwd, sizeof(l->cwd), "%s/cwd", l->directory);
        (void) snprintf(l->path, sizeof(l->path), "%s%s%s", shim ? l->directory : "", shim ? "/bin:" : "",
                        k->options.path);
        attempt_clients_find(k->options.path, &l->clients);
}

static void fill_environment(Launch *l, const char *id, bool shim) {
        static char token_fd[] = SHIM_TOKEN_FD "=" STRINGIFY(CHILD_FD_TOKEN);
        static char note_fd[] = SHIM_NOTE_FD "=" STRINGIFY(CHILD_FD_NOTE);
        size_t n = 0;

        (void) snprintf(l->label, sizeof(l->label), SHIM_LABEL "=%s", id);
        (void) snprintf(l->placeholder, sizeof(l->placeholder), TOKEN_PLACEHOLDER_BEGIN "%s", id);
        l->extra[n++] = l->label;
        if (shim) {
                l->extra[n++] = token_fd;
                l->extra[n++] = note_fd;
        }
        if (shim && l->clients.docker[0]) {
                (void) snprintf(l->client_docker, sizeof(l->client_docker), SHIM_CLIENT_DOCKER "=%s",
                                l->clients.docker);
                l->extra[n++] = l->client_docker;
        }
        if (shim && l->clients.podman_remote[0]) {
                (void) snprintf(l->client_podman, sizeof(l->client_podman), SHIM_CLIENT_PODMAN_REMOTE "=%s",
                                l->clients.podman_remote);
                l->extra[n++] = l->client_podman;
        }
        l->extra[n] = NULL;
}

static int make_command(Launch *l, const Plan *plan, const char *coordinator, const Secret *token, bool shim,
                        Observation *refusal) {
        InstallerCommandRequest request = {
                .plan = plan,
                .coordinator_host = coordinator,
                .token = shim ? l->placeholder : secret_bytes(token),
                .path = l->path,
                .extra_env = l->extra,
        };
        int error = installer_command_build(&request, &l->command, refusal);

        if (error < 0 || !shim)
                return error;
        l->token_fd = secret_to_memfd(token, SHIM_TOKEN_VARIABLE "=", "\n");
        return l->token_fd < 0 ? l->token_fd : 0;
}

static int make_pipes(Launch *l) {
        if (pipe2(l->output, O_CLOEXEC) < 0 || pipe2(l->errors, O_CLOEXEC) < 0 || pipe2(l->notes, O_CLOEXEC) < 0)
                return -errno;
        return 0;
}

#define BASH "/bin/bash"

/* bash before the script's own arguments. The strings are borrowed; only the array is new. NULL: no memory. */
static char **with_bash(char *const argv[]) {
        static char bash[] = BASH;
        size_t n = 0;
        char **words;

        while (argv[n])
                n++;
        words = calloc(n + 2, sizeof(*words));
        if (!words)
                return NULL;
        words[0] = bash;
        memcpy(words + 1, argv, n * sizeof(*words));
        return words;
}

/* The script itself, so that its own first line counts; one that is not executable (as a download is) by
 * bash, as ECE's documentation calls it. */
static int spawn_installer(Launch *l, pid_t *ret_pid, int *ret_pidfd) {
        bool executable = access(l->command.argv[0], X_OK) == 0;
        _cleanup_free_ char **bash_argv = executable ? NULL : with_bash(l->command.argv);
        SpawnFd fds[] = {
                { l->notes[1], CHILD_FD_NOTE },         { l->output[0], CHILD_FD_OUTPUT_READ },
                { l->errors[0], CHILD_FD_ERRORS_READ }, { l->notes[0], CHILD_FD_NOTE_READ },
                { l->token_fd, CHILD_FD_TOKEN },
        };
        SpawnRequest request = {
                .program = executable ? l->command.argv[0] : BASH,
                .argv = executable ? l->command.argv : bash_argv,
                .envp = l->command.envp,
                .directory = l->cwd,
                .output = l->output[1],
                .errors = l->errors[1],
                .fds = fds,
                .n_fds = ELEMENTS(fds) - (l->token_fd < 0 ? 1U : 0U),
        };

        if (!executable && !bash_argv)
                return -ENOMEM;
        return spawn(&request, ret_pid, ret_pidfd);
}

static int new_record(Keeper *k, const char *id, const Plan *plan) {
        AttemptRecord r = {
                .state = RECORD_RUNNING,
                .started_realtime_us = clock_realtime_us(),
                .started_boottime_us = clock_boottime_us(),
                .handoff = plan->spec->installer.handoff,
                .outcome = OBSERVATION_NONE,
        };
        int error = clock_boot_id(r.boot_id);

        if (error < 0)
                return error;
        (void) snprintf(r.id, sizeof(r.id), "%s", id);
        (void) snprintf(r.runner_id, sizeof(r.runner_id), "%s", plan->runner_id);
        error = attempt_record_write(k->state_fd, &r);
        if (error >= 0)
                k->attempt.record = r;
        return error;
}

/* The record is on disk. A failure here means that there is no process. */
static int start(Keeper *k, Launch *l) {
        AttemptRecord *r = &k->attempt.record;
        int pidfd, error;

        error = spawn_installer(l, &r->pid, &pidfd);
        if (error < 0)
                return error;
        (void) process_start_ticks(r->pid, &r->start_ticks);
        if (attempt_record_write(k->state_fd, r) < 0) /* the next keeper finds it without */
                keeper_notice(k, LOG_WARNING, "can't write the installer's pid into the record");
        keeper_notice(k, LOG_NOTICE, "installer started: attempt %s, pid %d", r->id, (int) r->pid);
        attempt_watch(k, false, pidfd, TAKE_FD(l->output[0]), TAKE_FD(l->errors[0]), TAKE_FD(l->notes[0]));
        return 0;
}

static Observation look_at_script_again(const Spec *spec, const HostFacts *planned) {
        HostFacts now = { 0 };
        Observation seen;

        if (host_facts_add_script(spec, &now) < 0)
                return observe(ORIGIN_KEEPER, ENOMEM, "internal", spec->installer.script, "no memory");
        seen = host_check_script(spec, &now);
        if (observation_is_none(&seen) && !streq(now.script_sha256, planned->script_sha256))
                seen = observe(ORIGIN_HOST, 0, "script", spec->installer.script,
                               "it was replaced while its installation was being prepared");
        return seen;
}

static int make_and_start(Keeper *k, Launch *l, const Message *request, const Plan *plan, const HostFacts *facts,
                          const Secret *token, Observation *refusal) {
        bool shim = k->spec->installer.handoff == HANDOFF_SHIM;
        AttemptRecord before = k->attempt.record;
        int error;

        fill_paths(k, l, request->attempt, shim);
        fill_environment(l, request->attempt, shim);
        error = make_command(l, plan, request->coordinator, token, shim, refusal);
        if (error >= 0)
                error = fingerprint_take(token, &k->attempt.print);
        if (error >= 0)
                error = make_pipes(l);
        if (error >= 0)
                error = attempt_directory_make(k->runtime_fd, request->attempt, shim ? k->options.shim : NULL,
                                               &l->clients);
        if (error >= 0)
                error = new_record(k, request->attempt, plan);
        if (error < 0)
                return error;
        *refusal = look_at_script_again(k->spec, facts);
        error = observation_is_none(refusal) ? start(k, l) : -EINVAL;
        if (error < 0) {
                k->attempt.record = before;
                (void) attempt_record_write(k->state_fd, &before);
                attempt_directory_remove(k->runtime_fd, request->attempt);
        }
        return error;
}

static bool may_start(Keeper *k) {
        RecordState state = k->attempt.record.state;
        Observation seen;

        if (state != RECORD_RUNNING && state != RECORD_ENDED && !k->settle.active && k->pull.pidfd < 0)
                return true;
        seen = observe(ORIGIN_KEEPER, 0, "busy", state == RECORD_NONE ? NULL : k->attempt.record.id, "%s",
                       state == RECORD_RUNNING ? "an installer is running"
                       : state == RECORD_ENDED ? "the outcome of the last attempt is not acknowledged yet"
                                               : "an image is being pulled or leftovers are being removed");
        keeper_refuse(k, &seen);
        return false;
}

void keeper_install(Keeper *k, const Message *request, int fd) {
        _cleanup_(launch_done) Launch l = { .token_fd = -1, .output = { -1, -1 }, .errors = { -1, -1 }, .notes = { -1, -1 } };
        _cleanup_(secret_freep) Secret *token = NULL;
        _cleanup_(plan_freep) Plan *plan = NULL;
        Observation refusal = OBSERVATION_NONE;
        HostFacts facts;
        int error;

        if (!may_start(k) || !keeper_knows_coordinator(k, request->coordinator))
                return;
        plan = keeper_plan(k, request->version, &facts);
        if (!plan)
                return;
        token = keeper_token(k, fd);
        if (!token)
                return;
        error = make_and_start(k, &l, request, plan, &facts, token, &refusal);
        if (error >= 0)
                return;
        if (observation_is_none(&refusal))
                refusal = observe(ORIGIN_KEEPER, -error, "internal", k->spec->installer.script,
                                  "can't start the installer: %s", strerror(-error));
        keeper_refuse(k, &refusal);
}
