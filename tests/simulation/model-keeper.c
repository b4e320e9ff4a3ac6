/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The keeper and its installer, in the place of the agent's connection to ece-installd.
 *
 * The model keeps the promises of the real keeper: one installer at a time, the outcome kept until it is
 * acknowledged, TERM and ten seconds later KILL, an end of its own a minute after the attempt's
 * time, an installer that outlives a keeper is adopted and its status lost. What an installer says
 * goes through the real evidence. It dies with the host, and what is left of its container is
 * found and removed by settling, or waited for where it is somebody else's.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "installer/evidence.h"
#include "installer/keeper-client.h"
#include "world.h"

#define ANSWER_US USEC_PER_MSEC
#define PULL_US (40 * USEC_PER_SEC)
#define TERM_US (2 * USEC_PER_SEC) /* an installer that obeys is gone by then */
#define KILL_AFTER_US (10 * USEC_PER_SEC)
#define SLACK_US (60 * USEC_PER_SEC)
#define SETTLE_US (500 * USEC_PER_MSEC)
#define STOP_CONTAINER_US (10 * USEC_PER_SEC)
#define MARGIN_MAX_US (30 * USEC_PER_SEC) /* beyond an attempt: half a minute, or a twentieth of the validity */

struct KeeperClient {
        KeeperHandler handler;
        void *userdata;
        bool connected;
};

static KeeperClient *client; /* of the agent; NULL without one */

/* --- To the agent ------------------------------------------------------------------------------ */

typedef struct Letter {
        Message message;
        bool lost; /* the connection broke instead */
} Letter;

static void on_letter(void *subject) {
        _cleanup_free_ Letter *letter = subject;
        Observation lost = observe(ORIGIN_KEEPER, 0, "lost", NULL, "the connection to ece-installd is gone");

        if (!client)
                return;
        if (letter->lost)
                client->connected = false;
        client->handler(client->userdata, letter->lost ? NULL : &letter->message, letter->lost ? &lost : NULL);
}

static void post(usec_t delay_us, const Message *m, bool lost) {
        Letter *letter = calloc(1, sizeof(*letter));

        if (!letter)
                abort();
        letter->lost = lost;
        if (m)
                letter->message = *m;
        world_later(delay_us, SIDE_HOST, on_letter, letter);
}

/* Letters that will not arrive. */
static void forget_letters(void) {
        for (size_t i = world->n_due; i-- > 0;)
                if (world->due[i].happening == on_letter) {
                        void *letter = world->due[i].subject;

                        world_forget(letter);
                        free(letter);
                }
}

static void say(usec_t delay_us, MessageKind kind) {
        Message m = { .kind = kind };

        post(delay_us, &m, false);
}

static void refuse(usec_t delay_us, Observation seen) {
        Message m = { .kind = MESSAGE_REFUSED, .seen = seen };

        post(delay_us, &m, false);
}

static void say_state(void) {
        const Installer *i = &world->installer;
        Message m = { .kind = MESSAGE_STATE,
                      .attempt_state = i->running ? ATTEMPT_RUNNING : i->ended ? ATTEMPT_ENDED : ATTEMPT_NONE };

        memcpy(m.attempt, i->attempt, sizeof(m.attempt));
        post(ANSWER_US, &m, false);
}

static void say_exited(void) {
        Message m = { .kind = MESSAGE_EXITED, .seen = world->installer.outcome };

        memcpy(m.attempt, world->installer.attempt, sizeof(m.attempt));
        if (client && client->connected)
                post(ANSWER_US, &m, false);
}

/* --- The installer ----------------------------------------------------------------------------- */

static void forget_installer(void) {
        world_forget(&world->installer);
}

static Observation conclude(int status, bool signalled) {
        const Installer *i = &world->installer;
        Evidence evidence = { .run_reached = i->rule->in_container, .run_watched = i->with_shim };

        if (i->adopted)
                return observe(ORIGIN_INSTALLER, -1,
                               i->ended_by == ENDED_BY_CLOCK     ? "timed-out"
                               : i->ended_by == ENDED_BY_REQUEST ? "terminated"
                                                                 : "status-lost",
                               NULL, NULL);
        evidence_line(&evidence, i->rule->saying);
        return evidence_conclude(&evidence, status, signalled, (EvidenceEnd) i->ended_by);
}

static void end_installer(int status, bool signalled) {
        Installer *i = &world->installer;

        forget_installer();
        i->running = false;
        i->ended = true;
        i->outcome = conclude(status, signalled);
        i->left_over = i->rule->leaves_container || (signalled && i->rule->ignores_term);
        world_tell("the installer ends with status %d%s%s", status, i->outcome.code[0] ? ": " : "", i->outcome.code);
        say_exited();
}

/* A token that is dead by the platform's clock lets nobody in. */
static void on_installer_end(void *subject) {
        Installer *i = subject;
        bool token_lives = world_platform_s() <= i->token_exp_s;
        bool joins = i->rule->kind == INSTALLER_WORKS || i->rule->joins;

        if (joins && token_lives)
                platform_join(i->token_roles, i->rule->without);
        if (i->rule->kind == INSTALLER_WORKS)
                end_installer(token_lives ? 0 : 1, false);
        else
                end_installer(i->rule->status, false);
}

static void on_kill(void *subject) {
        world_tell("the keeper kills the installer");
        end_installer(128 + 9, true);
}

static void on_term_obeyed(void *subject) {
        end_installer(128 + 15, true);
}

static void terminate(EvidenceEnd by) {
        Installer *i = &world->installer;

        if (i->ended_by != ENDED_ITSELF)
                return;
        forget_installer();
        i->ended_by = (int) by;
        if (i->rule->ignores_term)
                world_later(KILL_AFTER_US, SIDE_HOST, on_kill, i);
        else
                world_later(TERM_US, SIDE_HOST, on_term_obeyed, i);
}

static void on_limit(void *subject) {
        world_tell("the keeper finds that the installer has had its time");
        terminate(ENDED_BY_CLOCK);
}

static void arm_limit(void) {
        Installer *i = &world->installer;
        usec_t limit_us = usec_add(i->limit_us, SLACK_US);

        world_later(usec_sub(usec_add(i->started_us, limit_us), world->now_us), SIDE_HOST, on_limit, i);
}

static const InstallerRule *rule_for(unsigned number) {
        static const InstallerRule usual = { .kind = INSTALLER_WORKS, .takes_us = 6 * USEC_PER_MINUTE };
        /* The fixed name is taken; the script finds that out by itself. */
        static const InstallerRule conflict = {
                .kind = INSTALLER_FAILS,
                .status = 125,
                .takes_us = 3 * USEC_PER_SEC,
                .saying = "docker: The container name is already in use by container 7f3a",
        };
        const InstallerRule *found = &usual;

        if (host_trouble(TROUBLE_FOREIGN_INSTALLER))
                return &conflict;
        for (size_t i = 0; i < world->scenario->n_installer; i++)
                if (when_holds(&world->scenario->installer[i].when, world->now_us, number))
                        found = &world->scenario->installer[i];
        return found;
}

/* What every start must keep, however it came about. */
static void check_start(const TokenClaims *claims) {
        const Spec *spec = world->agent->spec;
        usec_t needed_us = usec_add(spec->installer.attempt_timeout_us,
                                    spec->token.validity_us / 20 < MARGIN_MAX_US ? spec->token.validity_us / 20
                                                                                 : MARGIN_MAX_US);
        Record record;

        if (world->installer.running)
                world_break("never two installers");
        if (world->installer.left_over)
                world_break("no installer while a container of the last one is left");
        /* One second: `exp` and Date have whole ones. */
        if (claims->has_exp && (claims->exp_s - world_platform_s() + 1) * (int64_t) USEC_PER_SEC < (int64_t) needed_us)
                world_break("a token outlives its attempt and the margin");
        if (!world->have_record || record_decode(buffer_string(&world->disk), world->disk.size, &record) < 0 ||
            !record.machine.installer_pending)
                world_break("a started installer is on record");
}

static void start_installer(const Message *m, const Secret *token) {
        Installer *i = &world->installer;
        TokenClaims claims = { 0 };

        if (!token || token_claims_decode(secret_bytes(token), secret_size(token), &claims) < 0) {
                world_break("an installer gets a token");
                return;
        }
        check_start(&claims);
        world->count.installers++;
        *i = (Installer) { .running = true, .rule = rule_for(++world->n_started), .started_us = world->now_us,
                           .with_shim = world->agent->spec->installer.handoff == HANDOFF_SHIM,
                           .limit_us = world->agent->spec->installer.attempt_timeout_us,
                           .token_exp_s = claims.has_exp ? claims.exp_s : INT64_MAX,
                           .token_roles = claims.roles, .ended_by = ENDED_ITSELF };
        memcpy(i->attempt, m->attempt, sizeof(i->attempt));
        world_tell("installer %u starts, its token has %lld s", world->n_started,
                   claims.has_exp ? (long long) (claims.exp_s - world_platform_s()) : -1LL);
        if (i->rule->kind != INSTALLER_HANGS)
                world_later(i->rule->takes_us, SIDE_INSTALLER, on_installer_end, i);
        arm_limit();
        say_state();
}

/* --- Requests ---------------------------------------------------------------------------------- */

static Observation busy(void) {
        return observe(ORIGIN_KEEPER, 0, "busy", world->installer.attempt, "an installer is running");
}

static void check_gates(void) {
        const TroubleRule *gate = host_trouble(TROUBLE_GATE);

        if (gate)
                refuse(ANSWER_US, observe(ORIGIN_HOST, 0, gate->text, NULL, "shut by the scenario"));
        else if (host_trouble(TROUBLE_ENGINE_DOWN))
                refuse(ANSWER_US, observe(ORIGIN_ENGINE, 0, "not-answering", NULL, "the engine is down"));
        else
                say(ANSWER_US, MESSAGE_GATES_OPEN);
}

static void prepare(void) {
        const TroubleRule *fails = host_trouble(TROUBLE_PULL_FAILS), *slow = host_trouble(TROUBLE_PULL_SLOW);

        if (fails)
                refuse(USEC_PER_SEC, observe(ORIGIN_ENGINE, 1, "pull-failed", NULL, "%s", fails->text));
        else
                say(slow ? slow->duration_us : PULL_US, MESSAGE_PREPARED);
}

static void settle(void) {
        if (world->installer.running)
                refuse(ANSWER_US, busy());
        else if (host_trouble(TROUBLE_ENGINE_DOWN))
                refuse(ANSWER_US, observe(ORIGIN_ENGINE, 0, "not-answering", NULL, "the engine is down"));
        else if (host_trouble(TROUBLE_FOREIGN_INSTALLER))
                refuse(SETTLE_US, observe(ORIGIN_ENGINE, 0, "foreign-installer", NULL, "an operator's upgrade"));
        else {
                say(world->installer.left_over ? STOP_CONTAINER_US : SETTLE_US, MESSAGE_SETTLED);
                world->installer.left_over = false;
        }
}

static void look(void) {
        Message m = { .kind = MESSAGE_VIEW };
        LocalView view;

        if (host_trouble(TROUBLE_ENGINE_DOWN))
                return refuse(ANSWER_US, observe(ORIGIN_ENGINE, 0, "not-answering", NULL, "the engine is down"));
        platform_containers(&view);
        if (host_trouble(TROUBLE_OTHER_ECE))
                view.state[LOCAL_RUNNER] = LOCAL_RUNNING;
        memcpy(m.local, view.state, sizeof(m.local));
        (void) snprintf(m.version, sizeof(m.version), "%s", view.version);
        post(ANSWER_US, &m, false);
}

static void install(const Message *m, const Secret *token) {
        if (world->installer.running || world->installer.ended)
                refuse(ANSWER_US, busy());
        else
                start_installer(m, token);
}

static void take(const Message *m, const Secret *token) {
        switch ((int) m->kind) {
        case MESSAGE_ATTACH:
                say_state();
                if (world->installer.ended)
                        say_exited();
                return;
        case MESSAGE_GATES:
                return check_gates();
        case MESSAGE_PREPARE:
                return prepare();
        case MESSAGE_INSTALL:
                return install(m, token);
        case MESSAGE_TERMINATE:
                if (world->installer.running)
                        terminate(ENDED_BY_REQUEST);
                else
                        say_exited();
                return;
        case MESSAGE_SETTLE:
                return settle();
        case MESSAGE_LOOK:
                return look();
        case MESSAGE_ACKNOWLEDGE:
                world->installer.ended = world->installer.ended && !streq(world->installer.attempt, m->attempt);
                return say_state();
        default:
                world_break("the agent asks what a keeper knows");
        }
}

/* --- Catastrophes ------------------------------------------------------------------------------ */

/* The next one finds the installer by its record; what was asked of this one is forgotten, and so
 * is its ladder: the new one has its own limit. */
void keeper_crash(void) {
        Installer *i = &world->installer;

        world_tell("the keeper dies");
        i->adopted = i->adopted || i->running;
        if (i->running && i->ended_by != ENDED_ITSELF && i->rule->ignores_term) {
                forget_installer();
                i->ended_by = ENDED_ITSELF;
                arm_limit();
        }
        forget_letters();
        if (client && client->connected)
                post(ANSWER_US, NULL, true);
}

void keeper_power_off(void) {
        Installer *i = &world->installer;

        forget_letters();
        forget_installer();
        if (!i->running)
                return;
        i->running = false;
        i->ended = true;
        i->left_over = true; /* the dead container blocks the name */
        i->outcome = observe(ORIGIN_INSTALLER, -1, "status-lost", NULL, "the host went down");
}

/* --- agent/installer/keeper-client.c ----------------------------------------------------------- */

int keeper_client_new(sd_event *event, const char *socket_path, const char *spec_digest, KeeperHandler handler,
                      void *userdata, KeeperClient **ret) {
        KeeperClient *c = calloc(1, sizeof(*c));

        if (!c)
                return -ENOMEM;
        *c = (KeeperClient) { .handler = handler, .userdata = userdata };
        *ret = client = c;
        return 0;
}

KeeperClient *keeper_client_free(KeeperClient *c) {
        if (c && c == client) {
                forget_letters();
                client = NULL;
        }
        free(c);
        return NULL;
}

int keeper_client_connect(KeeperClient *c, uid_t allowed_uid) {
        if (host_trouble(TROUBLE_KEEPER_ABSENT))
                return -ECONNREFUSED;
        c->connected = true;
        return 0;
}

bool keeper_client_connected(const KeeperClient *c) {
        return c->connected;
}

int keeper_client_request(KeeperClient *c, const Message *request, const Secret *token) {
        if (!c->connected)
                return -ENOTCONN;
        if (!world_touch())
                return 0;
        take(request, token);
        world_touched();
        return 0;
}
