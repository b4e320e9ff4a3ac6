/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The inside of the keeper, shared by its files: keeper.c (life, dispatch), keeper-peer.c (the
 * connection), keeper-request.c (what every request is held against), keeper-install.c (starting an
 * installer), keeper-attempt.c (watching it to its end), keeper-adopt.c (finding it again),
 * keeper-gates.c (may it begin?), keeper-prepare.c (the image), keeper-settle.c (proving that nothing is left),
 * keeper-look.c (what runs here).
 */

#include "host/gate-run.h"
#include "http/http.h"
#include "installer/attempt-record.h"
#include "installer/container-engine.h"
#include "installer/container-judge.h"
#include "installer/engine-gates.h"
#include "installer/evidence.h"
#include "installer/keeper.h"
#include "installer/output.h"
#include "installer/protocol.h"
#include "model/plan.h"

/* Numbers under which an installer inherits what is meant for it. The read ends are its own: its
 * output survives us, and the next keeper finds the pipes through /proc/PID/fd. */
#define CHILD_FD_TOKEN 200
#define CHILD_FD_NOTE 201
#define CHILD_FD_OUTPUT_READ 202
#define CHILD_FD_ERRORS_READ 203
#define CHILD_FD_NOTE_READ 204

#define KEPT_LINES 200U /* of an attempt, for an agent that attaches later */
#define OUTBOX_MAX 320U /* messages that the agent has not taken yet; with more the connection is dropped */
#define OUTBOX_LINES 100U  /* as long as there are fewer, the installer's lines join them */
#define OUTBOX_ANSWERS 16U /* room that lines leave in any case */

/* The installer on its way from exec to reaped. */
typedef struct Attempt {
        AttemptRecord record;
        int pidfd; /* -1: nothing runs */
        sd_event_source *exit;
        Output output, errors, notes;
        Fingerprint print;
        Evidence evidence;
        EvidenceEnd end;
        bool exited, adopted;
        bool end_only_here; /* the disk did not take the attempt's end: nobody knows it but this process */
        sd_event_source *limit, *kill, *drain;
        char stage[64];
        bool stage_owed;      /* the agent has not been told of it */
        uint64_t heard, told; /* lines in all; of these, sent to the agent that is there, or left out */
        char (*lines)[LINE_TEXT_MAX + 1]; /* ring of KEPT_LINES */
        size_t first_line, n_lines;
} Attempt;

/* The engine's client that pulls the image. */
typedef struct Pull {
        int pidfd;
        pid_t pid;
        sd_event_source *exit;
        Output output, errors;
        Evidence evidence;
        bool exited;
        sd_event_source *limit, *drain;
        char image[512];
} Pull;

typedef struct Settle {
        bool active;
        unsigned rounds;
        sd_event_source *again;
        bool stopped;
        char text[160]; /* what was done, for `settled` */
} Settle;

/* One question of the engine at a time for each kind of request. */
typedef struct Operation {
        EngineCall *call; /* NULL: nothing is asked */
        bool wanted;      /* the agent that asked is still there */
} Operation;

/* The gates, and who wants to know of them. */
typedef struct GateQuestion {
        GateRun *run;
        EngineGates *engine; /* NULL: the engine is not being asked */
        bool wanted;         /* under way, and the agent that asked is still there */
        bool groups_are_old; /* the user has groups that this process was not started with */
        Gates gates;
} GateQuestion;

struct Keeper {
        sd_event *event;
        KeeperOptions options; /* its texts are owned */
        Spec *spec;
        char *user; /* installer.user as it was at the start: it can't change under us */
        Http *http;
        int state_fd, runtime_fd;

        int listen_fd;
        sd_event_source *listen;
        int peer_fd; /* -1: nobody is connected */
        sd_event_source *peer;
        Message *outbox; /* ring of OUTBOX_MAX */
        size_t first_out, n_out;
        bool had_peer;
        sd_event_source *idle;

        Attempt attempt;
        Pull pull;
        Settle settle;
        GateQuestion gates;
        Operation preparing, settling, looking;
};

/* keeper.c */
void keeper_notice(Keeper *k, int level, const char *format, ...) __attribute__((format(printf, 3, 4)));
bool keeper_is_idle(const Keeper *k); /* nobody is connected and nothing is left to be kept */
void keeper_idle_update(Keeper *k);
int keeper_arm(Keeper *k, sd_event_source **source, usec_t delay_us, sd_event_time_handler_t handler);
void keeper_dispatch(Keeper *k, const Message *request, int fd); /* fd stays the caller's */

/* keeper-peer.c */
int keeper_listen(Keeper *k, int listen_fd);
void keeper_peer_drop(Keeper *k);
void keeper_send(Keeper *k, const Message *m);
void keeper_send_state(Keeper *k);
void keeper_send_text(Keeper *k, MessageKind kind, const char *text); /* line, stage, settled */
void keeper_refuse(Keeper *k, const Observation *seen);

/* keeper-request.c: false or NULL means that a refusal was sent. */
int keeper_load_spec(Keeper *k, Spec **ret); /* for the first time, and again */
bool keeper_spec_agrees(Keeper *k, const char *digest);
Plan *keeper_plan(Keeper *k, const char *version, HostFacts *facts);
bool keeper_knows_coordinator(Keeper *k, const char *host);
Secret *keeper_token(Keeper *k, int fd);
int token_from_memfd(int fd, Secret **ret, const char **ret_why); /* -EINVAL with a sentence */

/* keeper-install.c */
void keeper_install(Keeper *k, const Message *request, int fd);

/* keeper-attempt.c */
void attempt_watch(Keeper *k, bool adopted, int pidfd, int output, int errors, int notes); /* takes the descriptors over */
void attempt_terminate(Keeper *k, EvidenceEnd end);
void attempt_lost(Keeper *k); /* it ended while nobody was there */
void attempt_exited_again(Keeper *k);
void attempt_acknowledge(Keeper *k);
void attempt_done(Attempt *a);

/* keeper-lines.c: what the installer says, to the agent that is there; none of it is waited for. */
void lines_begin(Attempt *a);                      /* another installer */
void lines_add(Keeper *k, const char *line);       /* redacted and of a line's length */
void lines_stage(Keeper *k, const char *stage);
void lines_pump(Keeper *k);                        /* there may be room again */
void lines_replay(Keeper *k);                      /* the last ones once more, for an agent that has just come */
void lines_finish(Keeper *k);                      /* the last ones before the attempt's end is told */

/* keeper-adopt.c */
int keeper_adopt(Keeper *k); /* 0, or why the record can't be read at the moment (negative errno) */

/* keeper-gates.c */
void keeper_gates(Keeper *k);
void keeper_gates_forget(Keeper *k); /* who asked is gone */

/* keeper-prepare.c */
void keeper_prepare(Keeper *k, const char *version);
void pull_done(Pull *p);

/* keeper-look.c */
void keeper_look(Keeper *k);

/* keeper-settle.c */
void keeper_settle(Keeper *k);
