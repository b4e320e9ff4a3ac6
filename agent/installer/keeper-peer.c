/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The connection to the agent. One at a time: a newer one replaces the older, because the agent
 * that restarted is the one that counts, and the older may be a dead process's socket that nobody
 * closed yet.
 *
 * Sending never waits. What the socket does not take now stands in a bounded outbox; an agent that
 * lets it run full of answers is cut off, and finds everything again when it attaches. The installer's lines come from a ring of
 * their own as there is room (keeper-lines.c), and cut nobody off. Losing the agent
 * changes nothing for what is under way, only that nobody is told.
 *
 * How often somebody connects or asks is bounded, so that an agent gone wild takes a share of a processor and
 * neither all of it nor the journal.
 */

#include "installer/keeper-private.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <syslog.h>

#include "base/text.h"
#include "installer/message-codec.h"

/* Far above what an agent that is well ever does. */
#define CONNECTIONS_PER_SECOND 50
#define REQUESTS_PER_SECOND 500

void keeper_peer_drop(Keeper *k) {
        k->peer = sd_event_source_disable_unref(k->peer);
        if (k->peer_fd >= 0)
                (void) close(TAKE_FD(k->peer_fd));
        k->first_out = k->n_out = 0;
        k->preparing.wanted = k->settling.wanted = k->looking.wanted = false;
        keeper_gates_forget(k);
}

static void lose_peer(Keeper *k, int level, const char *why) {
        keeper_notice(k, level, "connection to the agent ended: %s", why);
        keeper_peer_drop(k);
        keeper_idle_update(k);
}

/* --- Sending --- */

static void watch(Keeper *k, uint32_t events) {
        if (k->peer)
                (void) sd_event_source_set_io_events(k->peer, events);
}

static void flush(Keeper *k) {
        while (k->n_out > 0) {
                int error = message_send(k->peer_fd, &k->outbox[k->first_out], -1);

                if (error == -EAGAIN)
                        return;
                if (error < 0)
                        return lose_peer(k, LOG_INFO, strerror(-error));
                k->first_out = (k->first_out + 1) % OUTBOX_MAX;
                k->n_out--;
        }
        watch(k, EPOLLIN);
}

void keeper_send(Keeper *k, const Message *m) {
        if (k->peer_fd < 0)
                return;
        if (k->n_out == OUTBOX_MAX)
                return lose_peer(k, LOG_WARNING, "it does not read");
        k->outbox[(k->first_out + k->n_out++) % OUTBOX_MAX] = *m;
        if (k->n_out == 1)
                flush(k);
        if (k->n_out > 0)
                watch(k, EPOLLIN | EPOLLOUT);
}

void keeper_send_state(Keeper *k) {
        const AttemptRecord *r = &k->attempt.record;
        Message m = { .kind = MESSAGE_STATE };

        if (r->state == RECORD_RUNNING || r->state == RECORD_ENDED) {
                m.attempt_state = r->state == RECORD_RUNNING ? ATTEMPT_RUNNING : ATTEMPT_ENDED;
                (void) snprintf(m.attempt, sizeof(m.attempt), "%s", r->id);
        }
        if (r->state == RECORD_RUNNING)
                m.running_s = usec_sub(clock_boottime_us(), r->started_boottime_us) / USEC_PER_SEC;
        keeper_send(k, &m);
}

void keeper_send_text(Keeper *k, MessageKind kind, const char *text) {
        Message m = { .kind = kind };
        RecordState state = k->attempt.record.state;
        bool said = kind == MESSAGE_LINE || kind == MESSAGE_STAGE; /* by an installer, the end of which may be known already */

        if (said && (state == RECORD_RUNNING || state == RECORD_ENDED))
                (void) snprintf(m.attempt, sizeof(m.attempt), "%s", k->attempt.record.id);
        (void) text_copy_printable(m.text, sizeof(m.text), text);
        keeper_send(k, &m);
}

void keeper_refuse(Keeper *k, const Observation *seen) {
        Message m = { .kind = MESSAGE_REFUSED, .seen = *seen };

        keeper_notice(k, LOG_NOTICE, "refused: %s: %s", seen->code, seen->detail);
        keeper_send(k, &m);
}

/* --- Receiving --- */

/* A memfd belongs to an install request and to nothing else. */
static bool descriptor_fits(const Message *m, int fd) {
        return (m->kind == MESSAGE_INSTALL) == (fd >= 0);
}

static void receive(Keeper *k) {
        _cleanup_close_ int fd = -1;
        Message m;
        int error = message_receive(k->peer_fd, &m, &fd);

        if (error == -EAGAIN || error == -EINTR)
                return;
        if (error >= 0 && (!message_kind_is_request(m.kind) || !descriptor_fits(&m, fd)))
                error = -EBADMSG;
        if (error == -ECONNRESET)
                return lose_peer(k, LOG_DEBUG, "closed");
        if (error < 0)
                return lose_peer(k, LOG_WARNING, strerror(-error));
        keeper_dispatch(k, &m, fd);
}

static int on_peer(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        Keeper *k = userdata;

        if (revents & EPOLLOUT) {
                flush(k);
                lines_pump(k);
        }
        if (k->peer_fd >= 0 && (revents & (EPOLLIN | EPOLLHUP | EPOLLERR)))
                receive(k);
        return 0;
}

/* --- Accepting --- */

static bool peer_allowed(Keeper *k, int fd) {
        struct ucred peer;
        socklen_t size = sizeof(peer);

        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
                return false;
        if (peer.uid == 0 || peer.uid == geteuid() ||
            (k->options.agent_uid != (uid_t) -1 && peer.uid == k->options.agent_uid))
                return true;
        keeper_notice(k, LOG_WARNING, "connection of uid %u (pid %d) refused", (unsigned) peer.uid, (int) peer.pid);
        return false;
}

static int on_listen(sd_event_source *source, int listen_fd, uint32_t revents, void *userdata) {
        Keeper *k = userdata;
        _cleanup_close_ int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (fd < 0 || !peer_allowed(k, fd))
                return 0;
        keeper_peer_drop(k);
        if (sd_event_add_io(k->event, &k->peer, fd, EPOLLIN, on_peer, k) < 0)
                return 0;
        (void) sd_event_source_set_ratelimit(k->peer, USEC_PER_SEC, REQUESTS_PER_SECOND);
        k->peer_fd = TAKE_FD(fd);
        k->had_peer = true;
        keeper_idle_update(k);
        return 0;
}

int keeper_listen(Keeper *k, int listen_fd) {
        k->listen_fd = listen_fd;
        if (fcntl(listen_fd, F_SETFL, O_NONBLOCK) < 0) /* who connects may be gone before we accept */
                return -errno;
        int error = sd_event_add_io(k->event, &k->listen, listen_fd, EPOLLIN, on_listen, k);
        return error < 0 ? error : sd_event_source_set_ratelimit(k->listen, USEC_PER_SEC, CONNECTIONS_PER_SECOND);
}
