/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The agent's end. Nothing is queued here: a request is one small message into an empty socket; if
 * the kernel can't take it, the keeper is not reading and the caller hears so. One message is
 * handled per wake-up, last in the callback, so the handler may do what it likes with the client.
 */

#include "installer/keeper-client.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/cleanup.h"
#include "installer/message-codec.h"

struct KeeperClient {
        sd_event *event;
        char socket_path[sizeof(((struct sockaddr_un *) NULL)->sun_path)];
        char spec_digest[65];
        KeeperHandler handler;
        void *userdata;
        int fd;
        sd_event_source *io;
};

int keeper_client_new(sd_event *event, const char *socket_path, const char *spec_digest,
                      KeeperHandler handler, void *userdata, KeeperClient **ret) {
        KeeperClient *c;

        if (strlen(socket_path) >= sizeof(c->socket_path))
                return -ENAMETOOLONG;
        c = calloc(1, sizeof(*c));
        if (!c)
                return -ENOMEM;
        c->event = sd_event_ref(event);
        (void) snprintf(c->socket_path, sizeof(c->socket_path), "%s", socket_path);
        (void) snprintf(c->spec_digest, sizeof(c->spec_digest), "%s", spec_digest);
        c->handler = handler;
        c->userdata = userdata;
        c->fd = -1;
        *ret = c;
        return 0;
}

static void disconnect(KeeperClient *c) {
        c->io = sd_event_source_disable_unref(c->io);
        if (c->fd >= 0)
                (void) close(TAKE_FD(c->fd));
}

KeeperClient *keeper_client_free(KeeperClient *c) {
        if (!c)
                return NULL;
        disconnect(c);
        (void) sd_event_unref(c->event);
        free(c);
        return NULL;
}

static void lose(KeeperClient *c, const char *code, int error) {
        Observation lost = observe(ORIGIN_KEEPER, -error, code, c->socket_path, "%s",
                                   error == -ECONNRESET ? "the connection was closed" : strerror(-error));

        disconnect(c);
        c->handler(c->userdata, NULL, &lost);
}

static int on_readable(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        KeeperClient *c = userdata;
        Message event;
        int passed = -1, error;

        error = message_receive(fd, &event, &passed);
        if (error == -EAGAIN || error == -EINTR)
                return 0;
        if (passed >= 0) {
                (void) close(passed); /* no event carries one */
                error = -EBADMSG;
        }
        if (error >= 0 && message_kind_is_request(event.kind))
                error = -EBADMSG;
        if (error < 0)
                lose(c, error == -EBADMSG ? "protocol" : "lost", error);
        else
                c->handler(c->userdata, &event, NULL);
        return 0;
}

/* The one who listens: systemd (root) with socket activation, else the install user. */
static int check_peer(int fd, uid_t allowed_uid) {
        struct ucred peer;
        socklen_t size = sizeof(peer);

        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
                return -errno;
        return peer.uid == 0 || peer.uid == allowed_uid ? 0 : -EPERM;
}

int keeper_client_connect(KeeperClient *c, uid_t allowed_uid) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        _cleanup_close_ int fd = -1;
        int error;

        if (c->fd >= 0)
                return 0;
        (void) memcpy(address.sun_path, c->socket_path, sizeof(address.sun_path));
        fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return -errno;
        if (connect(fd, (struct sockaddr *) &address, sizeof(address)) < 0)
                return -errno;
        error = check_peer(fd, allowed_uid);
        if (error < 0)
                return error;
        error = sd_event_add_io(c->event, &c->io, fd, EPOLLIN, on_readable, c);
        if (error < 0)
                return error;
        c->fd = TAKE_FD(fd);
        return 0;
}

bool keeper_client_connected(const KeeperClient *c) {
        return c->fd >= 0;
}

int keeper_client_request(KeeperClient *c, const Message *request, const Secret *token) {
        Message m = *request;
        _cleanup_close_ int memfd = -1;

        assert(message_kind_is_request(m.kind));
        if (c->fd < 0)
                return -ENOTCONN;
        (void) snprintf(m.spec, sizeof(m.spec), "%s", c->spec_digest);
        if (m.kind == MESSAGE_INSTALL && token) {
                memfd = secret_to_memfd(token, NULL, NULL);
                if (memfd < 0)
                        return memfd;
        }
        return message_send(c->fd, &m, memfd);
}
