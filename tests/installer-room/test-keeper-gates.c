/* SPDX-License-Identifier: Apache-2.0 */

/* The keeper's gates. Invariants: each is told once for each question, then comes one answer, which is that
 * of the first shut one; whatever hangs, the keeper answers in time, goes on serving, and never looks twice at
 * once. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/un.h>

#include "base/text.h"
#include "host/gates.h"
#include "installer/container-engine.h"
#include "installer/engine-gates.h"

#define BENCH_ATTEMPT "00112233445566778899aabbccddeef3"
#include "keeper-bench.h"

#define ID64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define WORLD(containers) "{\"images\": [], \"containers\": [" containers "]}"
#define CONTAINER(status, config) \
        "{\"Id\": \"" ID64 "\", \"Name\": \"" INSTALLER_CONTAINER "\", \"State\": {\"Status\": \"" status "\"}," \
        " \"Created\": \"2020-01-01T00:00:00Z\", \"Config\": {" config "}}"
#define OURS "\"Labels\": {\"" ATTEMPT_LABEL "\": \"" BENCH_ATTEMPT "\"}, \"Cmd\": [\"" INSTALLER_CONTAINER "\"]"

/* Long for a look at this machine, short for a test. */
#define LIMIT_US (500 * USEC_PER_MSEC)

/* --- A file system that hangs: statvfs() waits until the other end of a pipe is closed --- */

static int held = -1;
static atomic_uint looks, looks_at_once, most_at_once;
static uint64_t bytes_free;

int statvfs(const char *path, struct statvfs *ret) {
        struct pollfd p = { .fd = held };
        unsigned now = atomic_fetch_add(&looks_at_once, 1) + 1;

        atomic_fetch_add(&looks, 1);
        if (now > atomic_load(&most_at_once))
                atomic_store(&most_at_once, now);
        if (held >= 0)
                (void) poll(&p, 1, -1);
        atomic_fetch_sub(&looks_at_once, 1);
        *ret = (struct statvfs) { .f_frsize = 4096, .f_bavail = bytes_free / 4096 };
        return 0;
}

static int setup(void **state) {
        held = -1;
        bytes_free = GATE_DISK_BYTES;
        atomic_store(&looks, 0);
        atomic_store(&most_at_once, 0);
        return bench_setup(state);
}

/* --- Asking --- */

static void start(const char *world) {
        if (world)
                bench_engine(world);
        bench_keeper();
        bench_connect();
}

static void assert_open(void) {
        bench_ask(MESSAGE_GATES);
        (void) bench_wait(MESSAGE_GATES_OPEN);
}

/* The gate is shut and the answer is its own. */
static Message assert_shut(const char *gate, Origin origin, const char *code) {
        Message m;

        bench_ask(MESSAGE_GATES);
        m = bench_wait(MESSAGE_REFUSED);
        if (!streq(m.seen.code, code))
                fail_msg("refused for %s (%s), not for %s", m.seen.code, m.seen.detail, code);
        assert_int_equal(m.seen.origin, origin);
        assert_int_equal(bench_gate(gate), GATE_SHUT);
        assert_string_equal(gates_first_shut(bench_gates())->name, gate);
        assert_string_equal(gates_first_shut(bench_gates())->seen.detail, m.seen.detail);
        return m;
}

static void all_open(void **state) {
        size_t n = host_gates_n() + engine_gates_n();

        start(WORLD(""));
        assert_open();
        assert_int_equal(bench_gates()->n, n);
        for (size_t i = 0; i < n; i++) {
                const Gate *g = &bench_gates()->items[i];

                assert_string_equal(g->name, i < host_gates_n() ? host_gate_name(i)
                                                                : engine_gate_name(i - host_gates_n()));
                assert_int_equal(g->state, GATE_OPEN);
                assert_true(g->found[0] != 0);
        }
        assert_open(); /* and again, each once */
}

static void no_socket(void **state) {
        start(NULL);
        (void) assert_shut("engine-socket", ORIGIN_HOST, "engine-socket");
        assert_int_equal(bench_gate("group"), GATE_UNTRIED);
        assert_int_equal(bench_gate("engine"), GATE_UNTRIED);
        assert_int_equal(bench_gate("foreign-installer"), GATE_UNTRIED);
        /* All are looked at, also behind the shut one. */
        assert_int_equal(bench_gate("storage"), GATE_OPEN);
        bench_engine(WORLD(""));
        assert_open();
}

static void socket_of_others(void **state) {
        start(WORLD(""));
        assert_return_code(chmod(bench_path("engine.sock"), 0), errno);
        (void) assert_shut("group", ORIGIN_HOST, "group");
        assert_int_equal(bench_gate("engine"), GATE_UNTRIED);
        assert_return_code(chmod(bench_path("engine.sock"), 0600), errno);
        assert_open();
}

/* The first shut one is the answer, the others are told. */
static void several_shut(void **state) {
        start(NULL);
        assert_return_code(rmdir(bench_path("storage")), errno);
        (void) assert_shut("engine-socket", ORIGIN_HOST, "engine-socket");
        assert_int_equal(bench_gate("storage"), GATE_SHUT);
        assert_int_equal(bench_gate("disk-space"), GATE_UNTRIED);
}

static void full_disk(void **state) {
        start(WORLD(""));
        bytes_free = GATE_DISK_BYTES - 4096;
        (void) assert_shut("disk-space", ORIGIN_HOST, "disk-space");
        bytes_free = GATE_DISK_BYTES;
        assert_open();
}

/* --- The engine --- */

/* It takes connections and says nothing. */
static void silent_engine(void **state) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        Message m;

        (void) snprintf(address.sun_path, sizeof(address.sun_path), "%s", bench_path("engine.sock"));
        assert_return_code(bind(fd, (struct sockaddr *) &address, sizeof(address)), errno);
        assert_return_code(listen(fd, 4), errno);
        bench_options()->gate_limit_us = LIMIT_US;
        start(NULL);
        m = assert_shut("engine", ORIGIN_ENGINE, "not-answering");
        assert_non_null(strstr(m.seen.detail, "no answer within 0.5 s"));
        assert_int_equal(bench_gate("engine-socket"), GATE_OPEN);
        assert_int_equal(bench_gate("foreign-installer"), GATE_UNTRIED);
        (void) close(fd);
}

static void foreign_installer(void **state) {
        start(WORLD(CONTAINER("running", "\"Cmd\": [\"" UPGRADER_COMMAND "\"]")));
        (void) assert_shut("foreign-installer", ORIGIN_ENGINE, "foreign-installer");
        bench_write("engine.json", WORLD(""), 0600);
        assert_open();
}

/* Made by a shim, but not by the attempt on record: there is none. */
static void label_without_a_record(void **state) {
        start(WORLD(CONTAINER("running", OURS)));
        (void) assert_shut("foreign-installer", ORIGIN_ENGINE, "foreign-installer");
}

static void dead_one_is_no_hindrance(void **state) {
        start(WORLD(CONTAINER("exited", "\"Cmd\": [\"" UPGRADER_COMMAND "\"]")));
        assert_open();
        assert_non_null(strstr(gates_find(bench_gates(), "foreign-installer")->found, "dead"));
}

static void ours_is_not_foreign(void **state) {
        bench_engine(WORLD(CONTAINER("running", OURS)));
        bench_script("exit 1");
        bench_keeper();
        bench_connect();
        bench_install(BENCH_ATTEMPT);
        (void) bench_wait(MESSAGE_STATE);
        (void) bench_wait(MESSAGE_EXITED);
        bench_ask(MESSAGE_ACKNOWLEDGE);
        (void) bench_wait(MESSAGE_STATE);
        assert_open();
}

/* --- What hangs --- */

static void hanging_file_system(void **state) {
        int pipe_fds[2];
        Message m;

        assert_return_code(pipe2(pipe_fds, O_CLOEXEC), errno);
        bench_options()->gate_limit_us = LIMIT_US;
        start(WORLD(""));
        held = pipe_fds[0];
        m = assert_shut("disk-space", ORIGIN_HOST, "no-answer");
        assert_string_equal(m.seen.where, "disk-space");
        assert_non_null(strstr(m.seen.detail, "no answer within 0.5 s"));
        assert_int_equal(bench_gate("storage"), GATE_OPEN);
        assert_int_equal(bench_gate("address"), GATE_UNTRIED);
        assert_int_equal(bench_gate("ports"), GATE_UNTRIED);

        /* The keeper serves others meanwhile, and says the same when it is asked again. */
        bench_ask(MESSAGE_PROBE);
        (void) bench_wait(MESSAGE_STATE);
        (void) assert_shut("disk-space", ORIGIN_HOST, "no-answer");
        assert_int_equal(atomic_load(&looks), 1);

        /* Released while somebody asks: a look that is all of now, and nothing of the old one. */
        bench_ask(MESSAGE_GATES);
        held = -1;
        (void) close(pipe_fds[1]);
        (void) bench_wait(MESSAGE_GATES_OPEN);
        assert_int_equal(atomic_load(&looks), 2);
        assert_int_equal(atomic_load(&most_at_once), 1);
        (void) close(pipe_fds[0]);
}

/* Who goes away while a look is under way is not answered, and the next one is. */
static void agent_that_leaves(void **state) {
        int pipe_fds[2];

        assert_return_code(pipe2(pipe_fds, O_CLOEXEC), errno);
        start(WORLD(""));
        held = pipe_fds[0];
        bench_ask(MESSAGE_GATES);
        bench_connect();
        bench_ask(MESSAGE_GATES);
        held = -1;
        (void) close(pipe_fds[1]);
        (void) bench_wait(MESSAGE_GATES_OPEN);
        assert_int_equal(atomic_load(&most_at_once), 1);
        (void) close(pipe_fds[0]);
}

static void keeper_that_ends_meanwhile(void **state) {
        int pipe_fds[2];

        assert_return_code(pipe2(pipe_fds, O_CLOEXEC), errno);
        bench_options()->gate_limit_us = LIMIT_US;
        start(WORLD(""));
        held = pipe_fds[0];
        (void) assert_shut("disk-space", ORIGIN_HOST, "no-answer");
        bench_disconnect();
        bench_keeper_stop(); /* does not wait for the thread */
        (void) close(pipe_fds[1]);
        while (atomic_load(&looks_at_once) > 0)
                (void) sched_yield();
        (void) close(pipe_fds[0]);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, bench_teardown)

int main(void) {
        static const struct CMUnitTest tests[] = {
                TEST(all_open),
                TEST(no_socket),
                TEST(socket_of_others),
                TEST(several_shut),
                TEST(full_disk),
                TEST(silent_engine),
                TEST(foreign_installer),
                TEST(label_without_a_record),
                TEST(dead_one_is_no_hindrance),
                TEST(ours_is_not_foreign),
                TEST(hanging_file_system),
                TEST(agent_that_leaves),
                TEST(keeper_that_ends_meanwhile),
        };
        int failed;

        /* The ports of a machine are one for all: in a network of our own nobody else has them. */
        if (geteuid() == 0)
                (void) unshare(CLONE_NEWNET);
        if (!bench_open())
                return 0;
        cmocka_set_message_output(CM_OUTPUT_TAP);
        failed = cmocka_run_group_tests(tests, NULL, NULL);
        bench_close();
        return failed;
}
