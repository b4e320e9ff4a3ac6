/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The protocol between agent and keeper: SOCK_SEQPACKET, one bounded JSON object per message, the
 * token only ever as a sealed memfd passed with SCM_RIGHTS. Both sides decode strictly: unknown
 * kind, missing or mistyped member, too long a message, a descriptor where none belongs: the
 * connection is closed.
 *
 * Requests (agent -> keeper), each with "spec" (digest of the spec the agent has read; terminate and
 * acknowledge, which only name an attempt, are served whatever it says):
 *   probe                                  -> state
 *   gates                                  -> gate... (each one once), gates-open or refused by the first shut
 *   prepare   version                      -> line..., prepared or refused
 *   install   attempt coordinator version + memfd
 *                                          -> state(running), line..., stage..., exited; or refused
 *   attach    -> state; with a running attempt its events follow; with an ended one `exited` again
 *   terminate attempt                      -> exited
 *   settle                                 -> settled or refused
 *   look                                   -> view or refused
 *   acknowledge attempt                    -> state
 * Events (keeper -> agent): state, gate, gates-open, stage, line, prepared, exited, settled, view, refused.
 */

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/secret.h"
#include "model/gate.h"
#include "model/local-view.h"
#include "model/outcome.h"

#define PROTOCOL_VERSION 1
#define MESSAGE_SIZE_MAX (16U * 1024U)
#define LINE_TEXT_MAX 1024U

typedef enum MessageKind {
        MESSAGE_PROBE, MESSAGE_GATES, MESSAGE_PREPARE, MESSAGE_INSTALL, MESSAGE_ATTACH,
        MESSAGE_TERMINATE, MESSAGE_SETTLE, MESSAGE_LOOK, MESSAGE_ACKNOWLEDGE, /* requests */
        MESSAGE_STATE, MESSAGE_GATE, MESSAGE_GATES_OPEN, MESSAGE_STAGE, MESSAGE_LINE, MESSAGE_PREPARED,
        MESSAGE_EXITED, MESSAGE_SETTLED, MESSAGE_VIEW, MESSAGE_REFUSED, /* events */
        _MESSAGE_KIND_MAX,
        _MESSAGE_KIND_INVALID = -EINVAL,
} MessageKind;

typedef enum AttemptState {
        ATTEMPT_NONE,
        ATTEMPT_RUNNING,
        ATTEMPT_ENDED, /* outcome not acknowledged yet */
} AttemptState;

typedef struct Message {
        MessageKind kind;
        char spec[65];             /* requests: digest */
        char attempt[33];          /* 32 hex digits, "" where none belongs */
        char coordinator[256];     /* install: host to join at; must be one of the spec's */
        char version[64];          /* prepare, install; view: of the runner's image, or "" */
        AttemptState attempt_state;/* state */
        uint64_t running_s;        /* state: how long it has run */
        char text[LINE_TEXT_MAX + 1]; /* line: redacted, printable; stage: name; settled: what was done */
        Observation seen;          /* exited (none: status 0), refused */
        Gate gate;                 /* gate: its seen is none unless it is shut */
        LocalState local[_LOCAL_PART_MAX]; /* view */
} Message;

/* Appends the JSON text. 0, -EMSGSIZE, -ENOMEM. */
int message_encode(const Message *m, Buffer *ret);
/* 0, -EBADMSG or -ENOMEM. Pure; fuzzed. *ret untouched on failure. */
int message_decode(const char *text, size_t n, Message *ret);

/* Sends one message with an optional descriptor (-1: none; not consumed). Non-blocking: 0, -EAGAIN,
 * or sendmsg's errno. */
int message_send(int socket_fd, const Message *m, int fd);
/* Receives one. 0; -EAGAIN; -ECONNRESET at end of stream; -EBADMSG (malformed, truncated, more than
 * one fd). *ret_fd: the descriptor that came along (CLOEXEC, owned by the caller) or -1. */
int message_receive(int socket_fd, Message *ret, int *ret_fd);
