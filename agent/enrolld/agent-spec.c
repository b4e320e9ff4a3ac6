/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The spec's side: read it, make what follows from it (facts of the host, policy, a client for the keeper),
 * and notice when it changes. A new reading throws away everything that was made from the old one.
 *
 * Problems of the file are told one by one where people look (standard error of a run, the journal of the
 * daemon); the machine hears one refusal.
 */

#include "enrolld/agent-private.h"

#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "enrolld/left-mark.h"
#include "enrolld/retry-wish.h"

void agent_forget_spec(Agent *a) {
        agent_gates_cancel(a);
        a->network = network_gates_free(a->network);
        agent_webhook_forget(a);
        agent_forget_via(a);
        a->keeper = keeper_client_free(a->keeper);
        a->plan = plan_free(a->plan);
        a->spec = spec_free(a->spec);
        a->platform = (PlatformFacts) {};
        a->platform_known = false;
        for (size_t i = 0; i < ELEMENTS(a->spec_watch); i++)
                a->spec_watch[i] = sd_event_source_unref(a->spec_watch[i]);
        a->n_notes = 0;
}

static void tell_problems(Agent *a, const Problems *problems) {
        for (size_t i = 0; i < problems->n; i++) {
                _cleanup_free_ char *line = problem_format(&problems->items[i]);

                if (!line)
                        continue;
                if (problems->items[i].warning)
                        agent_note(a, line);
                else if (a->options.story)
                        (void) dprintf(STDERR_FILENO, "%s\n", line);
                else
                        log_error("%s", line);
        }
}

static void refuse(Agent *a, const char *code, const char *detail) {
        Observation seen = observe(ORIGIN_SPEC, 0, code, a->options.spec_path, "%s", detail);

        agent_post_seen(a, EVENT_SPEC_REFUSED, &seen);
}

static void refuse_problems(Agent *a, const Problems *problems) {
        _cleanup_free_ char *first = NULL;
        char detail[OBSERVATION_DETAIL_SIZE];

        for (size_t i = 0; i < problems->n && !first; i++)
                if (!problems->items[i].warning)
                        first = problem_format(&problems->items[i]);
        (void) snprintf(detail, sizeof(detail), "%zu error%s; first: %.200s", problems->n_errors,
                        problems->n_errors == 1 ? "" : "s", first ?: "unknown");
        refuse(a, "invalid", detail);
}

/* A key or a log that lies beside the spec is none of it, and a host that has FAILED is not to start over because of one.
 * An event without a name (lost ones, the directory itself) may mean anything. */
static bool is_of_spec(const Agent *a, const sd_event_source *source, const struct inotify_event *event) {
        const char *slash = strrchr(a->options.spec_path, '/');
        const char *dot;

        if (event->len == 0)
                return true;
        dot = strrchr(event->name, '.');
        if (source == a->spec_watch[1])
                return dot && streq(dot, ".yaml");
        return streq(event->name, slash ? slash + 1 : a->options.spec_path);
}

static int on_spec_changed(sd_event_source *source, const struct inotify_event *event, void *userdata) {
        Agent *a = userdata;

        if (is_of_spec(a, source, event))
                agent_post(a, EVENT_SPEC_CHANGED);
        return 0;
}

/* The directories, not the files: an editor replaces a file, and a missing one can't be watched. A
 * directory that is not there is no failure; SIGHUP reads anew all the same. */
static void watch_spec(Agent *a) {
        static const uint32_t mask = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ONLYDIR;
        char copy[4096], drop_ins[4096];

        if (a->options.one_shot)
                return;
        (void) snprintf(copy, sizeof(copy), "%s", a->options.spec_path);
        (void) snprintf(drop_ins, sizeof(drop_ins), "%s.d", a->options.spec_path);
        (void) sd_event_add_inotify(a->event, &a->spec_watch[0], dirname(copy), mask, on_spec_changed, a);
        (void) sd_event_add_inotify(a->event, &a->spec_watch[1], drop_ins, mask, on_spec_changed, a);
}

static int make_keeper_client(Agent *a) {
        char path[4096];

        (void) snprintf(path, sizeof(path), "%s/%s", a->options.runtime_dir, KEEPER_SOCKET);
        return keeper_client_new(a->event, path, a->spec->digest, agent_on_keeper, a, &a->keeper);
}

/* Was it changed while no agent was there to see it? A first spec is no change. */
static void post_loaded(Agent *a) {
        Event event = { .kind = EVENT_SPEC_LOADED };

        event.spec_differs = a->record.spec_digest[0] && !streq(a->record.spec_digest, a->spec->digest);
        (void) snprintf(a->record.spec_digest, sizeof(a->record.spec_digest), "%s", a->spec->digest);
        agent_post_event(a, &event, NULL);
}

static void note_ignored_proxy(Agent *a) {
        const char *variable = via_ignored_variable();
        char note[160];

        if (!variable)
                return;
        (void) snprintf(note, sizeof(note), "%s is set in the environment and ignored: a proxy is named by the spec's key proxy",
                        variable);
        agent_note(a, note);
}

static void use_spec(Agent *a) {
        char machine_id[MACHINE_ID_SIZE];
        int error;

        if (a->spec->installer.handoff == HANDOFF_ARGV)
                agent_note(a, "installer.handoff is argv: local users can see the token while the installer runs");
        note_ignored_proxy(a);
        if (a->spec->verify.by == VERIFY_BY_LOCAL)
                agent_note(a, "verify.by is local: that ECE's containers run here is proved, not that the platform has "
                              "blessed the roles");

        host_machine_id(machine_id);
        a->policy = policy_from_spec(a->spec, machine_id, a->options.one_shot);
        a->record.roles = a->spec->host.roles;
        /* Only what can't hang: the spec's paths are looked at when the keeper has found them open. */
        a->facts = (HostFacts) { 0 };
        error = host_facts_add_user(a->spec, &a->facts);
        if (error >= 0)
                error = host_facts_add_address(a->spec, &a->facts);
        if (error >= 0)
                error = make_keeper_client(a);
        agent_gates_reset(a);
        if (error < 0)
                return agent_fail(a, error, "can't prepare what the spec asks for");
        agent_webhook_send(a); /* what an earlier agent has left */
        post_loaded(a);
}

/* Somebody has written to the state directory beside us: a leave, or a person's wish. */
static int on_state_file(sd_event_source *source, const struct inotify_event *event, void *userdata) {
        Agent *a = userdata;

        if (event->len > 0 && streq(event->name, LEFT_FILE))
                agent_post(a, EVENT_SPEC_CHANGED);
        else if (event->len > 0 && streq(event->name, RETRY_FILE) && retry_wish_is_there(a->state_fd))
                agent_try_again(a); /* and the file goes when that is done and told */
        return 0;
}

static void watch_state_directory(Agent *a) {
        if (a->state_watch || a->state_fd < 0)
                return;
        (void) sd_event_add_inotify(a->event, &a->state_watch, a->options.state_dir, IN_MOVED_TO | IN_ONLYDIR, on_state_file, a);
        (void) retry_wish_take(a->state_fd); /* of a time before us */
}

/* True when this host was told to leave, and the agent is to stay away from it. A run was called by somebody who wants it back. */
static bool has_left(Agent *a) {
        Observation seen;

        if (a->options.one_shot) {
                (void) left_mark_remove(a->state_fd);
                return false;
        }
        watch_state_directory(a);
        if (!left_mark_is_there(a->state_fd))
                return false;
        seen = observe(ORIGIN_HOST, 0, "left", a->options.state_dir, NULL);
        agent_post_seen(a, EVENT_SPEC_ABSENT, &seen);
        return true;
}

void agent_load_spec(Agent *a) {
        _cleanup_problems_ Problems problems = {};
        int error;

        agent_forget_spec(a);
        if (has_left(a))
                return;
        watch_spec(a);
        /* Without a spec there is no policy to decide by; the one for an absent file only has to be sane. */
        a->policy.one_shot = a->options.one_shot;
        error = spec_load(a->options.spec_path, &problems, &a->spec);
        tell_problems(a, &problems);
        if (error == -ENOENT) {
                Observation seen = observe(ORIGIN_SPEC, 0, "absent", a->options.spec_path, NULL);

                agent_post_seen(a, EVENT_SPEC_ABSENT, &seen);
        } else if (error == -EINVAL)
                refuse_problems(a, &problems);
        else if (file_error_is_the_machines(error))
                agent_fail(a, error, "can't read the spec");
        else if (error < 0)
                refuse(a, "invalid", strerror(-error));
        else
                use_spec(a);
}
