/* SPDX-License-Identifier: Apache-2.0 */

/* A keeper on a socket of its own with a stand-in engine, and the agent's end of it, for the tests
 * of the keeper. */

#include "keeper-bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <linux/close_range.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "base/text.h"
#include "installer/keeper-private.h"
#include "installer/message-codec.h"
#include "model/spec.h"

#define WATCHDOG_US (60 * USEC_PER_SEC)

extern char **environ;

static char root[128], user[64];
static sd_event *event;
static Keeper *keeper;
static KeeperClient *client;
static KeeperOptions options;
static char digest[SHA256_HEX_SIZE];
static pid_t engine;
static Buffer lines, stages, notices;
static Gates gates;

static Message last;
static bool arrived, lost;

/* --- Files --- */

const char *bench_path(const char *name) {
        static char ring[8][256];
        static unsigned next;
        char *path = ring[next++ % ELEMENTS(ring)];

        (void) snprintf(path, sizeof(ring[0]), "%s/%s", root, name);
        return path;
}

void bench_write(const char *name, const char *text, unsigned mode) {
        int fd = open(bench_path(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        assert_true(fd >= 0);
        assert_true(write(fd, text, strlen(text)) == (ssize_t) strlen(text));
        assert_return_code(fchmod(fd, mode), errno);
        (void) close(fd);
}

char *bench_read(const char *name) {
        Buffer b = BUFFER_INIT(1024 * 1024);

        (void) file_read(bench_path(name), &b);
        return buffer_take(&b);
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw) {
        return remove(path);
}

static void copy_file(const char *from, const char *name, unsigned mode) {
        _cleanup_buffer_ Buffer b = BUFFER_INIT(8 * 1024 * 1024);
        _cleanup_close_ int fd = open(bench_path(name), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

        if (file_read(from, &b) < 0 || fd < 0 || write(fd, b.data, b.size) != (ssize_t) b.size || fchmod(fd, mode) < 0) {
                (void) fprintf(stderr, "can't copy %s\n", from);
                exit(1);
        }
}

/* --- Once --- */

static bool become_install_user(void) {
        const struct passwd *entry = geteuid() == 0 ? getpwnam("nobody") : getpwuid(geteuid());

        if (!entry || entry->pw_uid < 1000 || entry->pw_gid < 1000) {
                (void) printf("1..0 # SKIP needs a user with uid and gid of 1000 or above\n");
                return false;
        }
        (void) snprintf(user, sizeof(user), "%s", entry->pw_name);
        if (geteuid() != 0)
                return true;
        if (chown(root, entry->pw_uid, entry->pw_gid) < 0 || setgroups(0, NULL) < 0 ||
            setresgid(entry->pw_gid, entry->pw_gid, entry->pw_gid) < 0 ||
            setresuid(entry->pw_uid, entry->pw_uid, entry->pw_uid) < 0 || prctl(PR_SET_DUMPABLE, 1) < 0) {
                (void) printf("1..0 # SKIP can't become %s\n", user);
                return false;
        }
        return true;
}

static bool has_pidfd(void) {
        _cleanup_close_ int fd = (int) syscall(SYS_pidfd_open, getpid(), 0);

        return fd >= 0;
}

bool bench_open(void) {
        sigset_t set;

        if (!has_pidfd()) {
                (void) printf("1..0 # SKIP no pidfd_open here; valgrind 3.19 does not know it\n");
                return false;
        }
        (void) snprintf(root, sizeof(root), "/tmp/keeper-bench.XXXXXX");
        if (!mkdtemp(root))
                return false;
        copy_file(TOP_BUILDDIR "/ece-enroll-shim", "shim", 0755);
        copy_file(TOP_SRCDIR "/tests/installer-room/engine.py", "engine.py", 0755);
        (void) signal(SIGPIPE, SIG_IGN);
        (void) sigemptyset(&set);
        (void) sigaddset(&set, SIGTERM);
        (void) sigprocmask(SIG_BLOCK, &set, NULL);
        if (!become_install_user()) {
                bench_close();
                return false;
        }
        (void) umask(022);
        /* What the test program has inherited is not the keeper's to give on. */
        (void) close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
        return true;
}

void bench_close(void) {
        (void) nftw(root, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* --- World --- */

void bench_spec(const char *extra) {
        _cleanup_problems_ Problems problems = { 0 };
        _cleanup_(spec_freep) Spec *spec = NULL;
        char text[4096];

        (void) snprintf(text, sizeof(text),
                        "version: 1\n"
                        "coordinators: [\"https://192.0.2.10:12443\", \"https://[2001:db8::1]:12443\"]\n"
                        "credential:\n  api_key: {from: credential, name: key}\n"
                        "host:\n  roles: [allocator]\n  host_ip: 192.0.2.20\n"
                        "installer:\n  script: %s/script.sh\n  user: %s\n  storage_path: %s/storage\n"
                        "  engine_socket: %s/engine.sock\n%s",
                        root, user, root, root, extra ?: "");
        bench_write("enroll.yaml", text, 0600);
        if (spec_load(bench_path("enroll.yaml"), &problems, &spec) < 0)
                fail_msg("spec: %s", problems.n > 0 ? problems.items[0].text : "unreadable");
        (void) snprintf(digest, sizeof(digest), "%s", spec->digest);
}

const char *bench_digest(void) {
        return digest;
}

void bench_script(const char *body) {
        char text[8192];

        (void) snprintf(text, sizeof(text), "#!/bin/bash\nCLOUD_ENTERPRISE_VERSION=4.0.3\n%s\n", body);
        (void) unlink(bench_path("script.sh")); /* an earlier one may still be running */
        bench_write("script.sh", text, 0755);
}

void bench_engine(const char *world) {
        posix_spawn_file_actions_t files;
        char *socket_path = strdup(bench_path("engine.sock")), *file = strdup(bench_path("engine.json"));
        char *program = strdup(bench_path("engine.py")), *log = strdup(bench_path("engine.log"));
        char python[] = "python3", word;
        char *argv[] = { python, program, socket_path, file, log, NULL };
        int ready[2];

        bench_write("engine.json", world, 0600);
        assert_return_code(pipe2(ready, O_CLOEXEC), errno);
        (void) posix_spawn_file_actions_init(&files);
        (void) posix_spawn_file_actions_adddup2(&files, ready[1], STDOUT_FILENO);
        assert_int_equal(posix_spawnp(&engine, python, &files, NULL, argv, environ), 0);
        (void) posix_spawn_file_actions_destroy(&files);
        (void) close(ready[1]);
        assert_int_equal(read(ready[0], &word, 1), 1);
        (void) close(ready[0]);
        free(socket_path);
        free(file);
        free(program);
        free(log);
}

void bench_client(const char *body) {
        static char path[512];
        char text[1024];

        (void) mkdir(bench_path("bin"), 0700);
        (void) snprintf(text, sizeof(text), "#!/bin/bash\n%s\n", body);
        bench_write("bin/docker", text, 0755);
        (void) snprintf(path, sizeof(path), "%s:/usr/bin:/bin", bench_path("bin"));
        options.path = path;
}

static void end_engine(void) {
        if (engine > 0) {
                (void) kill(engine, SIGKILL);
                (void) waitpid(engine, NULL, 0);
        }
        engine = 0;
}

/* --- Each test --- */

static int on_watchdog(sd_event_source *source, uint64_t at, void *userdata) {
        (void) fprintf(stderr, "waited too long; lines %s, stages %s, notices:\n%s", bench_lines(), bench_stages(),
                       bench_notices());
        abort();
}

static void note(void *userdata, int level, const char *text) {
        (void) buffer_append_format(&notices, "%s\n", text);
}

int bench_setup(void **state) {
        static char path[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        static char paths[4][256];

        (void) mkdir(bench_path("storage"), 0700);
        (void) unlink(bench_path("state/attempt.json"));
        (void) unlink(bench_path("engine.sock"));
        (void) unlink(bench_path("engine.log"));
        (void) snprintf(paths[0], sizeof(paths[0]), "%s", bench_path("enroll.yaml"));
        (void) snprintf(paths[1], sizeof(paths[1]), "%s", bench_path("state"));
        (void) snprintf(paths[2], sizeof(paths[2]), "%s", bench_path("run"));
        (void) snprintf(paths[3], sizeof(paths[3]), "%s", bench_path("shim"));
        options = (KeeperOptions) {
                .spec_path = paths[0],
                .state_dir = paths[1],
                .runtime_dir = paths[2],
                .shim = paths[3],
                .path = path,
                .agent_uid = (uid_t) -1,
                .notice = note,
                .round_us = 10 * USEC_PER_MSEC,
        };
        lines = stages = notices = BUFFER_INIT(256 * 1024);
        assert_return_code(sd_event_new(&event), -1);
        assert_return_code(sd_event_add_time_relative(event, NULL, CLOCK_BOOTTIME, WATCHDOG_US, 0, on_watchdog, NULL), -1);
        bench_spec(NULL);
        bench_script("exit 0");
        return 0;
}

int bench_teardown(void **state) {
        bench_disconnect();
        bench_keeper_stop();
        end_engine();
        event = sd_event_unref(event);
        buffer_done(&lines);
        buffer_done(&stages);
        buffer_done(&notices);
        return 0;
}

KeeperOptions *bench_options(void) {
        return &options;
}

void bench_keeper(void) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
        int error;

        (void) snprintf(address.sun_path, sizeof(address.sun_path), "%s", bench_path("installd.sock"));
        (void) unlink(address.sun_path);
        assert_true(fd >= 0);
        assert_return_code(bind(fd, (struct sockaddr *) &address, sizeof(address)), errno);
        assert_return_code(listen(fd, 4), errno);
        error = keeper_new(event, fd, &options, &keeper);
        if (error < 0)
                fail_msg("keeper_new: %s\n%s", strerror(-error), bench_notices());
}

void bench_keeper_stop(void) {
        keeper = keeper_free(keeper);
}

static void on_keeper(void *userdata, const Message *m, const Observation *gone) {
        if (!m) {
                lost = true;
                return;
        }
        if (m->kind == MESSAGE_LINE)
                (void) buffer_append_format(&lines, "%s|", m->text);
        else if (m->kind == MESSAGE_STAGE)
                (void) buffer_append_format(&stages, "%s|", m->text);
        else if (m->kind == MESSAGE_GATE) {
                assert_null(gates_find(&gates, m->gate.name)); /* each one once */
                (void) gates_put(&gates, &m->gate);
        }
        else {
                assert_false(arrived); /* each test waits for every answer */
                last = *m;
                arrived = true;
        }
}

void bench_connect(void) {
        bench_disconnect();
        lost = arrived = false;
        assert_int_equal(keeper_client_new(event, bench_path("installd.sock"), digest, on_keeper, NULL, &client), 0);
        assert_int_equal(keeper_client_connect(client, geteuid()), 0);
}

void bench_disconnect(void) {
        client = keeper_client_free(client);
}

void bench_request(const Message *request) {
        _cleanup_(secret_freep) Secret *token = NULL;

        if (request->kind == MESSAGE_GATES)
                gates.n = 0;
        assert_int_equal(secret_new(BENCH_TOKEN, strlen(BENCH_TOKEN), &token), 0);
        assert_int_equal(keeper_client_request(client, request, token), 0);
}

void bench_ask(MessageKind kind) {
        Message m = { .kind = kind };

        if (kind == MESSAGE_PREPARE)
                (void) snprintf(m.version, sizeof(m.version), "4.0.3");
        if (kind == MESSAGE_TERMINATE || kind == MESSAGE_ACKNOWLEDGE)
                (void) snprintf(m.attempt, sizeof(m.attempt), "%s", bench_attempt);
        bench_request(&m);
}

void bench_install(const char *attempt) {
        Message m = { .kind = MESSAGE_INSTALL };

        (void) snprintf(m.attempt, sizeof(m.attempt), "%s", attempt);
        (void) snprintf(m.coordinator, sizeof(m.coordinator), "192.0.2.10");
        (void) snprintf(m.version, sizeof(m.version), "4.0.3");
        bench_request(&m);
}

int bench_raw_connect(void) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

        (void) snprintf(address.sun_path, sizeof(address.sun_path), "%s", bench_path("installd.sock"));
        assert_return_code(connect(fd, (struct sockaddr *) &address, sizeof(address)), errno);
        return fd;
}

/* --- Waiting --- */

static void run_once(void) {
        assert_return_code(sd_event_run(event, UINT64_MAX), -1);
}

Message bench_wait(MessageKind kind) {
        while (!arrived && !lost)
                run_once();
        if (lost)
                fail_msg("the connection was lost\n%s", bench_notices());
        arrived = false;
        if (last.kind != kind)
                fail_msg("kind %d instead of %d: %s: %s\n%s", (int) last.kind, (int) kind, last.seen.code,
                         last.seen.detail, bench_notices());
        return last;
}

void bench_wait_lost(void) {
        while (!lost)
                run_once();
}

void bench_until(bool (*condition)(void *), void *userdata) {
        while (!condition(userdata))
                run_once();
}

bool bench_is_left_alone(void *userdata) {
        return keeper->peer_fd < 0;
}

bool bench_keeper_is_idle(void) {
        return keeper_is_idle(keeper);
}

void bench_until_exit(void) {
        assert_int_equal(sd_event_loop(event), 0);
}

const char *bench_lines(void) {
        return buffer_string(&lines);
}

const char *bench_stages(void) {
        return buffer_string(&stages);
}

GateState bench_gate(const char *name) {
        const Gate *gate = gates_find(&gates, name);

        if (!gate)
                fail_msg("gate %s was not told", name);
        return gate->state;
}

const Gates *bench_gates(void) {
        return &gates;
}

const char *bench_notices(void) {
        return buffer_string(&notices);
}
