/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Draining a pipe. A bounded piece per wake-up, so that a child that prints without end can't keep
 * the loop from its other work. A read error is the end of the stream: there is nothing else to be
 * had from it.
 */

#include "installer/output.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>

#define CHUNK_SIZE 8192U
#define LEFTOVER_CHUNKS_MAX 16U /* a pipe holds 64 KiB */

void output_close(Output *o) {
        o->io = sd_event_source_disable_unref(o->io);
        if (o->fd >= 0) {
                (void) close(TAKE_FD(o->fd));
                line_reader_finish(&o->lines);
                line_reader_done(&o->lines);
        }
}

/* 1: there may be more, 0: nothing now, -1: at its end. */
static int read_chunk(Output *o) {
        char chunk[CHUNK_SIZE];
        ssize_t n = read(o->fd, chunk, sizeof(chunk));

        if (n > 0) {
                (void) line_reader_feed(&o->lines, chunk, (size_t) n); /* no memory: the line is lost, not the child */
                secret_wipe(chunk, (size_t) n);
                return 1;
        }
        return n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
}

static int on_readable(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        Output *o = userdata;

        if (read_chunk(o) >= 0)
                return 0;
        output_close(o);
        o->on_end(o->userdata);
        return 0;
}

int output_start(Output *o, sd_event *event, int fd, const Fingerprint *print, LineHandler line,
                 OutputEndHandler end, void *userdata) {
        _cleanup_close_ int owned = fd;
        int error;

        if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
                return -errno;
        *o = (Output) { .fd = -1, .on_end = end, .userdata = userdata };
        error = sd_event_add_io(event, &o->io, fd, EPOLLIN, on_readable, o);
        if (error < 0)
                return error;
        line_reader_init(&o->lines, print, line, userdata);
        o->fd = TAKE_FD(owned);
        return 0;
}

void output_stop(Output *o) {
        for (unsigned i = 0; o->fd >= 0 && i < LEFTOVER_CHUNKS_MAX; i++)
                if (read_chunk(o) <= 0)
                        break;
        output_close(o);
}
