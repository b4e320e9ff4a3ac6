/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The gates on a host made of one directory: all open, then each shut by the one thing that it
 * guards, the others staying as they were. The ports are the real machine's; only what a busy one
 * does is tested.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/statvfs.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "host/gates.h"
#include "scratch.h"
#include "../skip.h"

#define SHA256 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* How much is free at the storage path, as the program under test is told. */
static uint64_t bytes_free;

int statvfs(const char *path, struct statvfs *ret) {
        *ret = (struct statvfs) { .f_frsize = 4096, .f_bavail = bytes_free / 4096, .f_blocks = UINT32_MAX };
        return 0;
}

typedef struct Bench {
        const Scratch *scratch;
        Spec spec;
        HostFacts facts;
        char script[SCRATCH_PATH_SIZE], socket[SCRATCH_PATH_SIZE], storage[SCRATCH_PATH_SIZE],
                path[SCRATCH_PATH_SIZE];
        int listener;
        char user[32], sha256[65], address[64];
        Gates gates;
} Bench;

static void set_text(char *dst, size_t size, const char *text) {
        assert_true((size_t) snprintf(dst, size, "%s", text) < size);
}

static void bench_init(Bench *b, void **state) {
        *b = (Bench) { .scratch = *state, .user = "elastic" };
        bytes_free = GATE_DISK_BYTES;
        set_text(b->script, sizeof(b->script), "/opt/ece/elastic-cloud-enterprise.sh");
        set_text(b->socket, sizeof(b->socket), scratch_path(b->scratch, "engine.sock"));
        set_text(b->storage, sizeof(b->storage), scratch_directory(b->scratch, "storage", 0700));
        set_text(b->path, sizeof(b->path), scratch_directory(b->scratch, "bin", 0755));
        (void) scratch_file(b->scratch, "bin/docker", 0755, "");
        b->listener = scratch_socket(b->scratch, "engine.sock", 1);

        b->spec.installer.user = b->user;
        b->spec.installer.script = b->script;
        b->spec.installer.engine_socket = b->socket;
        b->spec.installer.storage_path = b->storage;
        b->facts = (HostFacts) {
                .default_address = "192.0.2.7",
                .script_version = "4.0.3",
                .script_sha256 = SHA256,
                .script_executable = true,
                .user_name = "elastic",
                .user_known = true,
                .uid = geteuid(), /* below 1000 for root: see expect_user() */
                .gid = getegid(),
                .home = "/home/elastic",
                .engine_socket_present = true,
                .storage_present = true,
        };
}

static void bench_done(Bench *b) {
        if (b->listener >= 0)
                assert_int_equal(close(b->listener), 0);
}

static const Gate *result(const Bench *b, const char *name) {
        const Gate *gate = gates_find(&b->gates, name);

        if (!gate)
                fail_msg("there is no gate %s", name);
        return gate;
}

static bool is_open(const Bench *b, const char *name) {
        return result(b, name)->state == GATE_OPEN;
}

static void run(Bench *b) {
        host_gates_check(&b->spec, &b->facts, b->path, &b->gates);
        assert_int_equal(b->gates.n, host_gates_n());
        for (size_t i = 0; i < b->gates.n; i++) {
                const Gate *g = &b->gates.items[i];

                assert_string_equal(g->name, host_gate_name(i));
                assert_int_equal(g->state == GATE_SHUT, !observation_is_none(&g->seen));
                if (g->state == GATE_SHUT) {
                        print_message("# %s: %s %s\n", g->name, g->seen.where, g->seen.detail);
                        assert_true(g->seen.detail[0] != '\0');
                } else
                        assert_true(g->found[0] != '\0');
        }
}

/* What depends on the machine and its user is left out of "all": ports, and the user's number. */
static bool depends_on_machine(const char *name) {
        return streq(name, "ports") || streq(name, "user");
}

static bool is_one_of(const char *name, const char *const names[2]) {
        return (names[0] && streq(name, names[0])) || (names[1] && streq(name, names[1]));
}

/* Shut are these, untried what can't be known beside them, all else is open. */
static void expect_all_open_but(const Bench *b, const char *const shut[2], const char *const untried[2]) {
        for (size_t i = 0; i < b->gates.n; i++) {
                const Gate *g = &b->gates.items[i];

                if (!depends_on_machine(g->name))
                        assert_int_equal(g->state, is_one_of(g->name, shut)      ? GATE_SHUT
                                                   : is_one_of(g->name, untried) ? GATE_UNTRIED
                                                                                 : GATE_OPEN);
        }
}

#define NO_GATE ((const char *const[2]) { NULL, NULL })

static void test_all_open(void **state) {
        static const char *const names[] = {
                "user",          "script",  "script-sha256", "script-version", "engine-socket", "group",
                "engine-client", "storage", "disk-space",    "address",        "ports",
        };
        Bench b;

        bench_init(&b, state);
        run(&b);
        assert_int_equal(b.gates.n, ELEMENTS(names));
        for (size_t i = 0; i < ELEMENTS(names); i++)
                assert_string_equal(b.gates.items[i].name, names[i]);
        expect_all_open_but(&b, NO_GATE, NO_GATE);
        assert_string_equal(result(&b, "engine-socket")->found, b.socket);
        assert_string_equal(result(&b, "script-version")->found, "4.0.3");
        assert_non_null(strstr(result(&b, "address")->found, "192.0.2.7"));
        bench_done(&b);
}

/* --- Each by itself ---------------------------------------------------------------------------- */

static void lose_script(Bench *b) { b->facts.script_sha256[0] = '\0'; }
static void lose_version(Bench *b) { b->facts.script_version[0] = '\0'; }
static void other_digest(Bench *b) {
        set_text(b->sha256, sizeof(b->sha256), "ffff");
        b->spec.installer.sha256 = b->sha256;
}
static void lose_socket(Bench *b) { assert_int_equal(unlink(b->socket), 0); }
static void no_socket(Bench *b) {
        lose_socket(b);
        (void) scratch_file(b->scratch, "engine.sock", 0600, "");
}
static void stop_engine(Bench *b) {
        assert_int_equal(close(b->listener), 0);
        b->listener = -1;
}
static void lose_client(Bench *b) { assert_int_equal(unlink(scratch_path(b->scratch, "bin/docker")), 0); }
static void want_podman(Bench *b) { b->spec.installer.engine = ENGINE_PODMAN; }
static void lose_storage(Bench *b) { assert_int_equal(rmdir(b->storage), 0); }
static void file_for_storage(Bench *b) {
        lose_storage(b);
        (void) scratch_file(b->scratch, "storage", 0700, "");
}
static void fill_disk(Bench *b) { bytes_free = GATE_DISK_BYTES - 4096; }
static void lose_route(Bench *b) { b->facts.default_address[0] = '\0'; }

static const struct {
        void (*break_it)(Bench *b);
        const char *gate;
        int number;
        const char *untried[2];
} breakages[] = {
        { lose_version, "script-version", 0, { NULL, NULL } },
        { other_digest, "script-sha256", 0, { NULL, NULL } },
        { lose_socket, "engine-socket", ENOENT, { "group", NULL } },
        { no_socket, "engine-socket", 0, { "group", NULL } },
        { stop_engine, "engine-socket", ECONNREFUSED, { NULL, NULL } },
        { lose_client, "engine-client", 0, { NULL, NULL } },
        { want_podman, "engine-client", 0, { NULL, NULL } },
        { lose_storage, "storage", ENOENT, { "disk-space", NULL } },
        { file_for_storage, "storage", 0, { "disk-space", NULL } },
        { lose_script, "script", 0, { "script-sha256", "script-version" } },
        { fill_disk, "disk-space", 0, { NULL, NULL } },
        { lose_route, "address", 0, { NULL, NULL } },
};

static void break_and_expect(void **state, size_t i) {
        const Gate *r;
        Bench b;

        bench_init(&b, state);
        breakages[i].break_it(&b);
        run(&b);
        expect_all_open_but(&b, (const char *const[2]) { breakages[i].gate, NULL }, breakages[i].untried);
        r = result(&b, breakages[i].gate);
        assert_int_equal(r->seen.origin, ORIGIN_HOST);
        assert_string_equal(r->seen.code, breakages[i].gate);
        assert_int_equal(r->seen.number, breakages[i].number);
        bench_done(&b);
}

static void test_each_shuts_its_own(void **state) {
        for (size_t i = 0; i < ELEMENTS(breakages); i++) {
                void *scratch = NULL;

                print_message("# %zu %s\n", i, breakages[i].gate);
                assert_int_equal(scratch_setup(&scratch), 0);
                break_and_expect(&scratch, i);
                assert_int_equal(scratch_teardown(&scratch), 0);
        }
}

static const struct {
        bool known;
        uid_t uid;
        gid_t gid;
        bool open;
} users[] = {
        { true, 1000, 1000, true }, { true, 999, 1000, false }, { true, 1000, 999, false },
        { true, 0, 0, false },      { false, 0, 0, false },
};

static void test_users(void **state) {
        Bench b;

        bench_init(&b, state);
        for (size_t i = 0; i < ELEMENTS(users); i++) {
                b.facts.user_known = users[i].known;
                b.facts.uid = users[i].uid;
                b.facts.gid = users[i].gid;
                run(&b);
                assert_int_equal(result(&b, "user")->state, users[i].open ? GATE_OPEN : GATE_SHUT);
                if (!users[i].open) {
                        assert_int_equal(result(&b, "user")->seen.origin, ORIGIN_HOST);
                        assert_string_equal(result(&b, "user")->seen.code, users[i].known ? "user" : "user-missing");
                }
        }
        bench_done(&b);
}

/* Root's own rights say nothing of the install user's: owner and mode do. */
static void test_rights_of_another_user(void **state) {
        Bench b;

        if (geteuid() != 0)
                skip_for_want_of("root");
        bench_init(&b, state);
        b.facts.uid = b.facts.gid = 54321;
        assert_int_equal(chmod(b.socket, 0600), 0);
        run(&b);
        expect_all_open_but(&b, (const char *const[2]) { "group", "storage" }, NO_GATE);
        assert_int_equal(result(&b, "group")->seen.number, EACCES);
        assert_non_null(strstr(result(&b, "group")->seen.detail, "elastic"));
        assert_non_null(strstr(result(&b, "group")->seen.detail, "nor may its group"));

        /* A group that has a name is named. */
        assert_int_equal(chmod(b.socket, 0660), 0);
        run(&b);
        assert_non_null(strstr(result(&b, "group")->seen.detail, "is not in its group 'root'"));

        assert_int_equal(chown(b.storage, 54321, 0), 0);
        assert_int_equal(chown(b.socket, 0, 54321), 0);
        run(&b);
        expect_all_open_but(&b, NO_GATE, NO_GATE);
        assert_non_null(strstr(result(&b, "group")->found, "group 54321"));
        bench_done(&b);
}

/* Who is neither root nor the install user can't tell, and says so. */
static void test_nobody_can_tell(void **state) {
        uid_t me = geteuid();
        Bench b;

        bench_init(&b, state);
        if (me == 0) /* who knows everything */
                assert_int_equal(seteuid(65534), 0);
        b.facts.uid = geteuid() - 1;
        run(&b);
        assert_int_equal(seteuid(me), 0);
        assert_int_equal(result(&b, "group")->state, GATE_UNTRIED);
        bench_done(&b);
}

static void test_podman_clients(void **state) {
        Bench b;

        bench_init(&b, state);
        want_podman(&b);
        (void) scratch_file(b.scratch, "bin/podman-remote", 0755, "");
        run(&b);
        assert_true(is_open(&b, "engine-client"));
        assert_null(strstr(result(&b, "engine-client")->found, "no 'docker'"));
        lose_client(&b);
        run(&b);
        assert_true(is_open(&b, "engine-client"));
        assert_non_null(strstr(result(&b, "engine-client")->found, "no 'docker'"));
        bench_done(&b);
}

/* An address that is translated on its way is on no interface; that is said and stops nobody. */
static void test_named_address(void **state) {
        Bench b;

        bench_init(&b, state);
        b.spec.host.host_ip = b.address;
        set_text(b.address, sizeof(b.address), "192.0.2.99");
        run(&b);
        assert_true(is_open(&b, "address"));
        assert_non_null(strstr(result(&b, "address")->found, "no interface"));
        bench_done(&b);
}

static void test_a_busy_port(void **state) {
        const struct sockaddr_in address = {
                .sin_family = AF_INET,
                .sin_port = htons(21000),
                .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
        };
        _cleanup_close_ int fd = -1;
        Bench b;

        /* The ports of a machine are one for all: who can has a network of its own from here on, and disturbs nobody. */
        if (geteuid() == 0)
                (void) unshare(CLONE_NEWNET);
        fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        /* If somebody else has it, so much the better. */
        assert_true(fd >= 0);
        if (bind(fd, (const struct sockaddr *) &address, sizeof(address)) == 0)
                assert_int_equal(listen(fd, 1), 0);
        else
                assert_int_equal(errno, EADDRINUSE);
        bench_init(&b, state);
        run(&b);
        assert_false(is_open(&b, "ports"));
        assert_int_equal(result(&b, "ports")->seen.origin, ORIGIN_HOST);
        assert_string_equal(result(&b, "ports")->seen.code, "ports");
        assert_non_null(strstr(result(&b, "ports")->seen.detail, "21000"));
        bench_done(&b);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_all_open, scratch_setup, scratch_teardown),
                cmocka_unit_test(test_each_shuts_its_own),
                cmocka_unit_test_setup_teardown(test_users, scratch_setup, scratch_teardown),
                cmocka_unit_test_setup_teardown(test_rights_of_another_user, scratch_setup,
                                                scratch_teardown),
                cmocka_unit_test_setup_teardown(test_nobody_can_tell, scratch_setup, scratch_teardown),
                cmocka_unit_test_setup_teardown(test_podman_clients, scratch_setup,
                                                scratch_teardown),
                cmocka_unit_test_setup_teardown(test_named_address, scratch_setup,
                                                scratch_teardown),
                cmocka_unit_test_setup_teardown(test_a_busy_port, scratch_setup, scratch_teardown),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
