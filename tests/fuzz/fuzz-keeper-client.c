/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A hostile keeper: each line of the input is one packet that the agent's end receives; a line that begins with '!'
 * brings a descriptor along. Nothing but whole events reaches the agent, what the story prints of them holds no
 * control character, no descriptor stays open, and the connection is lost at most once.
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "installer/keeper-client.h"
#include "installer/message-codec.h"
#include "report/story.h"

#define PACKETS_MAX 32

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct Agent {
        Story story;
        unsigned events, lost;
} Agent;

static struct {
        char path[64];
        sd_event *event;
        int listener, shown[2]; /* what the story prints goes through a pipe of ours */
} bench = { .listener = -1 };

static void expect(int condition) {
        if (!condition)
                abort();
}

static void remove_socket(void) {
        (void) unlink(bench.path);
}

static void prepare(void) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };

        if (bench.event)
                return;
        (void) snprintf(bench.path, sizeof(bench.path), "/tmp/fuzz-keeper-client.%d", (int) getpid());
        (void) snprintf(address.sun_path, sizeof(address.sun_path), "%s", bench.path);
        (void) unlink(bench.path);
        bench.listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
        expect(bench.listener >= 0 && bind(bench.listener, (struct sockaddr *) &address, sizeof(address)) == 0 &&
               listen(bench.listener, 1) == 0 && atexit(remove_socket) == 0);
        expect(pipe2(bench.shown, O_CLOEXEC | O_NONBLOCK) == 0 && sd_event_new(&bench.event) >= 0);
}

static void expect_clean_output(void) {
        char text[8192];

        for (ssize_t n; (n = read(bench.shown[0], text, sizeof(text) - 1)) > 0;) {
                text[n] = '\0';
                expect(strlen(text) == (size_t) n);
                for (char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
                        char copy[sizeof(text)];

                        (void) snprintf(copy, sizeof(copy), "%.*s", (int) strcspn(line, "\n"), line);
                        expect(text_is_printable(copy));
                }
        }
}

static void on_event(void *userdata, const Message *event, const Observation *lost) {
        Agent *agent = userdata;

        if (!event) {
                expect(agent->lost++ == 0 && lost->origin == ORIGIN_KEEPER);
                return;
        }
        expect(agent->lost == 0 && !message_kind_is_request(event->kind));
        agent->events++;
        if (event->kind == MESSAGE_LINE || event->kind == MESSAGE_STAGE || event->kind == MESSAGE_SETTLED)
                story_installer_line(&agent->story, event->text, clock_boottime_us());
        story_note(&agent->story, event->seen.detail, clock_boottime_us());
        expect_clean_output();
}

static void send_packet(int fd, const uint8_t *bytes, size_t n) {
        char control[CMSG_SPACE(sizeof(int))] = { 0 };
        struct iovec part = { (void *) (uintptr_t) bytes, n };
        struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1 };

        if (n > 0 && *bytes == '!') {
                header.msg_control = control;
                header.msg_controllen = sizeof(control);
                struct cmsghdr *c = CMSG_FIRSTHDR(&header);
                *c = (struct cmsghdr) { CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS };
                memcpy(CMSG_DATA(c), &bench.listener, sizeof(int));
                part = (struct iovec) { (void *) (uintptr_t) (bytes + 1), n - 1 };
        }
        (void) sendmsg(fd, &header, MSG_NOSIGNAL | MSG_DONTWAIT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static const char digest[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
        _cleanup_(keeper_client_freep) KeeperClient *client = NULL;
        Agent agent = { .events = 0 };
        unsigned packets = 0;

        prepare();
        int before = dup(bench.listener);
        agent.story = story_begin(bench.shown[1], clock_boottime_us());
        expect(keeper_client_new(bench.event, bench.path, digest, on_event, &agent, &client) == 0);
        expect(keeper_client_connect(client, geteuid()) == 0);
        _cleanup_close_ int keeper = accept4(bench.listener, NULL, NULL, SOCK_CLOEXEC);
        expect(keeper >= 0);
        while (size > 0 && packets++ < PACKETS_MAX) {
                const uint8_t *end = memchr(data, '\n', size);
                size_t n = end ? (size_t) (end - data) : size;

                send_packet(keeper, data, n);
                while (sd_event_run(bench.event, 0) > 0)
                        ;
                data += end ? n + 1 : n;
                size -= end ? n + 1 : n;
        }
        client = keeper_client_free(client);
        (void) close(TAKE_FD(keeper));
        (void) close(before);
        int after = dup(bench.listener);
        expect(after == before); /* the lowest free number: nothing that was passed has stayed */
        (void) close(after);
        return 0;
}
