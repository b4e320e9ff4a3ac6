/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The image, before the token.
 *
 * The image is pulled by the host's real client (it knows the user's registry credentials), before
 * the hour of a token starts to run. A pull outlives the agent that asked for it: the next one that
 * asks for the same image waits for it.
 */

#include "installer/keeper-private.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <syslog.h>

#include "base/text.h"
#include "host/gates.h"
#include "installer/spawn.h"
#include "model/installer-environment.h"
#include "model/word-list.h"

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

#define PULL_LIMIT_US USEC_PER_HOUR

static void refuse_internal(Keeper *k, int error, const char *doing) {
        Observation seen = observe(ORIGIN_KEEPER, -error, "internal", NULL, "%s: %s", doing, strerror(-error));

        keeper_refuse(k, &seen);
}

/* --- The end of a pull --- */

void pull_done(Pull *p) {
        output_close(&p->output);
        output_close(&p->errors);
        p->exit = sd_event_source_disable_unref(p->exit);
        p->limit = sd_event_source_disable_unref(p->limit);
        p->drain = sd_event_source_disable_unref(p->drain);
        if (p->pidfd >= 0)
                (void) close(TAKE_FD(p->pidfd));
}

static void answer_pull(Keeper *k, const siginfo_t *info) {
        Message prepared = { .kind = MESSAGE_PREPARED };
        Observation seen;

        if (!k->preparing.wanted)
                return;
        if (info->si_code == CLD_EXITED && info->si_status == 0)
                return keeper_send(k, &prepared);
        seen = observe(ORIGIN_ENGINE, info->si_status, "pull-failed", k->pull.image, "%s",
                       k->pull.evidence.weight >= 2 ? k->pull.evidence.message : k->pull.evidence.last);
        keeper_refuse(k, &seen);
}

static int on_drained(sd_event_source *source, uint64_t at, void *userdata) {
        Keeper *k = userdata;
        Pull *p = &k->pull;
        siginfo_t info = { 0 };

        output_stop(&p->output);
        output_stop(&p->errors);
        (void) waitid(P_PIDFD, (id_t) p->pidfd, &info, WEXITED | WNOHANG);
        pull_done(p);
        answer_pull(k, &info);
        keeper_idle_update(k);
        return 0;
}

static bool drained(const Pull *p) {
        return output_ended(&p->output) && output_ended(&p->errors);
}

static int on_client_exit(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        Keeper *k = userdata;

        k->pull.exited = true;
        (void) sd_event_source_set_enabled(source, SD_EVENT_OFF);
        (void) keeper_arm(k, &k->pull.drain, drained(&k->pull) ? 0 : k->options.drain_us, on_drained);
        return 0;
}

static void on_output_end(void *userdata) {
        Keeper *k = userdata;

        if (k->pull.exited && drained(&k->pull))
                (void) keeper_arm(k, &k->pull.drain, 0, on_drained);
}

static int on_limit(sd_event_source *source, uint64_t at, void *userdata) {
        Keeper *k = userdata;

        keeper_notice(k, LOG_WARNING, "pulling %s takes too long: killing the client", k->pull.image);
        (void) kill(-k->pull.pid, SIGKILL); /* not reaped before on_drained(): the number is still its own */
        return 0;
}

static void on_line(void *userdata, const char *line) {
        Keeper *k = userdata;

        evidence_line(&k->pull.evidence, line);
        if (k->preparing.wanted)
                keeper_send_text(k, MESSAGE_LINE, line);
}

/* --- Its beginning --- */

static void close_pair(int pair[2]) {
        for (int i = 0; i < 2; i++)
                if (pair[i] >= 0)
                        (void) close(TAKE_FD(pair[i]));
}

/* The client's words: `docker -H unix://SOCKET pull IMAGE`, `podman-remote --url unix://SOCKET pull
 * IMAGE`. */
static int spawn_client(Keeper *k, const char *client, char *const envp[], int output, int errors) {
        static char docker[] = "docker", podman[] = "podman-remote", host[] = "-H", url[] = "--url", pull[] = "pull";
        bool is_docker = k->spec->installer.engine == ENGINE_DOCKER;
        char address[512];
        char *argv[] = { is_docker ? docker : podman, is_docker ? host : url, address, pull, k->pull.image, NULL };
        SpawnRequest request = {
                .program = client,
                .argv = argv,
                .envp = envp,
                .directory = "/",
                .output = output,
                .errors = errors,
        };

        (void) snprintf(address, sizeof(address), "unix://%s", k->spec->installer.engine_socket);
        return spawn(&request, &k->pull.pid, &k->pull.pidfd);
}

static int watch_client(Keeper *k, int output, int errors) {
        Pull *p = &k->pull;
        int error;

        p->exited = false;
        p->evidence = (Evidence) { 0 };
        error = output_start(&p->output, k->event, output, NULL, on_line, on_output_end, k);
        error = output_start(&p->errors, k->event, errors, NULL, on_line, on_output_end, k) ?: error;
        error = sd_event_add_io(k->event, &p->exit, p->pidfd, EPOLLIN, on_client_exit, k) ?: error;
        error = keeper_arm(k, &p->limit, PULL_LIMIT_US, on_limit) ?: error;
        if (error >= 0)
                return 0;
        (void) kill(-p->pid, SIGKILL);
        pull_done(p);
        return error;
}

static int start_client(Keeper *k, const char *client, char *const envp[]) {
        int output[2] = { -1, -1 }, errors[2] = { -1, -1 };
        int error = 0;

        if (pipe2(output, O_CLOEXEC) < 0 || pipe2(errors, O_CLOEXEC) < 0)
                error = -errno;
        if (error >= 0)
                error = spawn_client(k, client, envp, output[1], errors[1]);
        if (error >= 0)
                error = watch_client(k, TAKE_FD(output[0]), TAKE_FD(errors[0]));
        close_pair(output);
        close_pair(errors);
        return error;
}

static void pull(Keeper *k, const Plan *plan) {
        const char *name = k->spec->installer.engine == ENGINE_DOCKER ? "docker" : "podman-remote";
        Observation refusal = OBSERVATION_NONE;
        char client[4096];
        char **envp = NULL;
        int error;

        if (path_find(k->options.path, name, client, sizeof(client)) < 0) {
                refusal = observe(ORIGIN_HOST, 0, "engine-client", name, "not found in %s", k->options.path);
                return keeper_refuse(k, &refusal);
        }
        error = installer_environment_build(plan, k->options.path, NULL, &envp, &refusal);
        if (error >= 0)
                error = start_client(k, client, envp);
        words_free(envp);
        if (error < 0 && observation_is_none(&refusal))
                return refuse_internal(k, error, "can't start the engine's client");
        if (error < 0)
                return keeper_refuse(k, &refusal);
        keeper_notice(k, LOG_INFO, "pulling %s", k->pull.image);
        keeper_send_text(k, MESSAGE_STAGE, "pulling");
}

/* --- The request --- */

/* The plan is resolved once more: seconds may have passed, and nothing of the first one was kept
 * but the image. */
static void on_image(void *userdata, const EngineAnswer *answer) {
        Keeper *k = userdata;
        Message prepared = { .kind = MESSAGE_PREPARED };
        const char *version = strrchr(k->pull.image, ':');
        _cleanup_(plan_freep) Plan *plan = NULL;
        HostFacts facts;

        k->preparing.call = NULL;
        if (k->preparing.wanted && !observation_is_none(&answer->failure))
                keeper_refuse(k, &answer->failure);
        else if (k->preparing.wanted && answer->found)
                keeper_send(k, &prepared);
        else if (k->preparing.wanted && version) {
                plan = keeper_plan(k, version + 1, &facts);
                if (plan)
                        pull(k, plan);
        }
        keeper_idle_update(k);
}

static void ask_for_image(Keeper *k, const Plan *plan) {
        int error;

        (void) snprintf(k->pull.image, sizeof(k->pull.image), "%s", plan->image);
        error = engine_image(k->http, k->spec->installer.engine_socket, k->pull.image, on_image, k,
                             &k->preparing.call);
        if (error < 0)
                refuse_internal(k, error, "can't ask the engine");
}

static void refuse_busy(Keeper *k) {
        Observation seen = observe(ORIGIN_KEEPER, 0, "busy", NULL, "an installer or another image's pull is running");

        keeper_refuse(k, &seen);
}

void keeper_prepare(Keeper *k, const char *version) {
        bool under_way = k->preparing.call || k->pull.pidfd >= 0;
        _cleanup_(plan_freep) Plan *plan = NULL;
        Message prepared = { .kind = MESSAGE_PREPARED };
        HostFacts facts;

        if (k->attempt.record.state == RECORD_RUNNING)
                return refuse_busy(k);
        plan = keeper_plan(k, version, &facts);
        if (!plan)
                return;
        if (under_way && !streq(plan->image, k->pull.image))
                return refuse_busy(k);
        if (!k->spec->installer.prepull)
                return keeper_send(k, &prepared);
        k->preparing.wanted = true;
        if (!under_way)
                ask_for_image(k, plan);
}
