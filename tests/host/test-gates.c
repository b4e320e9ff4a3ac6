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

#include "base/cleanup.h"
#include "base/text.h"
#include "host/gates.h"
#include "scratch.h"

#define SHA256 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

typedef struct Bench {
        const Scratch *scratch;
        Spec spec;
        HostFacts facts;
        char script[SCRATCH_PATH_SIZE], socket[SCRATCH_PATH_SIZE], storage[SCRATCH_PATH_SIZE],
                path[SCRATCH_PATH_SIZE];
        int listener;
        char user[32], sha256[65], address[64];
        size_t n;
        GateResult results[GATES_MAX];
} Bench;

static void set_text(char *dst, size_t size, const char *text) {
        assert_true((size_t) snprintf(dst, size, "%s", text) < size);
}

static void bench_init(Bench *b, void **state) {
        *b = (Bench) { .scratch = *state, .user = "elastic" };
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

static const GateResult *result(const Bench *b, const char *name) {
        for (size_t i = 0; i < b->n; i++)
                if (streq(b->results[i].name, name))
                        return &b->results[i];
        fail_msg("there is no gate %s", name);
        return NULL;
}

static void run(Bench *b) {
        b->n = gates_check(&b->spec, &b->facts, b->path, b->results);
        assert_true(b->n <= GATES_MAX);
        for (size_t i = 0; i < b->n; i++) {
                const GateResult *r = &b->results[i];

                assert_int_equal(r->open, observation_is_none(&r->seen));
                if (!r->open) {
                        print_message("# %s: %s %s\n", r->name, r->seen.where, r->seen.detail);
                        assert_true(r->seen.detail[0] != '\0');
                } else
                        assert_true(r->found[0] != '\0');
        }
}

/* What depends on the machine and its user is left out of "all": ports, and the user's number. */
static bool depends_on_machine(const char *name) {
        return streq(name, "ports") || streq(name, "user");
}

static void expect_all_open_but(const Bench *b, const char *const shut[2]) {
        for (size_t i = 0; i < b->n; i++) {
                const char *name = b->results[i].name;

                if (!depends_on_machine(name))
                        assert_int_equal(b->results[i].open,
                                         !(shut[0] && streq(name, shut[0])) &&
                                                 !(shut[1] && streq(name, shut[1])));
        }
}

static void test_all_open(void **state) {
        static const char *const names[] = {
                "user",          "script",  "script-sha256", "script-version", "engine-socket",
                "engine-client", "storage", "address",       "ports",
        };
        Bench b;

        bench_init(&b, state);
        run(&b);
        assert_int_equal(b.n, ELEMENTS(names));
        for (size_t i = 0; i < ELEMENTS(names); i++)
                assert_string_equal(b.results[i].name, names[i]);
        expect_all_open_but(&b, (const char *const[2]) { NULL, NULL });
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
static void lose_route(Bench *b) { b->facts.default_address[0] = '\0'; }

static const struct {
        void (*break_it)(Bench *b);
        const char *gate;
        int number;
} breakages[] = {
        { lose_version, "script-version", 0 },
        { other_digest, "script-sha256", 0 },
        { lose_socket, "engine-socket", ENOENT },
        { no_socket, "engine-socket", 0 },
        { stop_engine, "engine-socket", ECONNREFUSED },
        { lose_client, "engine-client", 0 },
        { want_podman, "engine-client", 0 },
        { lose_storage, "storage", ENOENT },
        { file_for_storage, "storage", 0 },
        { lose_route, "address", 0 },
};

static void break_and_expect(void **state, size_t i) {
        const GateResult *r;
        Bench b;

        bench_init(&b, state);
        breakages[i].break_it(&b);
        run(&b);
        expect_all_open_but(&b, (const char *const[2]) { breakages[i].gate, NULL });
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

/* Without the script nothing is known of it, and the three gates say the same. */
static void test_no_script(void **state) {
        Bench b;

        bench_init(&b, state);
        lose_script(&b);
        run(&b);
        assert_string_equal(result(&b, "script")->seen.code, "script");
        assert_string_equal(result(&b, "script-sha256")->seen.code, "script");
        assert_string_equal(result(&b, "script-version")->seen.code, "script");
        bench_done(&b);
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
                assert_int_equal(result(&b, "user")->open, users[i].open);
                if (!users[i].open) {
                        assert_int_equal(result(&b, "user")->seen.origin, ORIGIN_HOST);
                        assert_string_equal(result(&b, "user")->seen.code, "user");
                }
        }
        bench_done(&b);
}

/* Root's own rights say nothing of the install user's: owner and mode do. */
static void test_rights_of_another_user(void **state) {
        Bench b;

        if (geteuid() != 0)
                skip();
        bench_init(&b, state);
        b.facts.uid = b.facts.gid = 54321;
        assert_int_equal(chmod(b.socket, 0600), 0);
        run(&b);
        expect_all_open_but(&b, (const char *const[2]) { "engine-socket", "storage" });
        assert_int_equal(result(&b, "engine-socket")->seen.number, EACCES);
        assert_non_null(strstr(result(&b, "engine-socket")->seen.detail, "elastic"));

        assert_int_equal(chown(b.storage, 54321, 0), 0);
        assert_int_equal(chown(b.socket, 0, 54321), 0);
        assert_int_equal(chmod(b.socket, 0660), 0);
        run(&b);
        expect_all_open_but(&b, (const char *const[2]) { NULL, NULL });
        bench_done(&b);
}

static void test_podman_clients(void **state) {
        Bench b;

        bench_init(&b, state);
        want_podman(&b);
        (void) scratch_file(b.scratch, "bin/podman-remote", 0755, "");
        run(&b);
        assert_true(result(&b, "engine-client")->open);
        assert_null(strstr(result(&b, "engine-client")->found, "no 'docker'"));
        lose_client(&b);
        run(&b);
        assert_true(result(&b, "engine-client")->open);
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
        assert_true(result(&b, "address")->open);
        assert_non_null(strstr(result(&b, "address")->found, "no interface"));
        bench_done(&b);
}

static void test_a_busy_port(void **state) {
        const struct sockaddr_in address = {
                .sin_family = AF_INET,
                .sin_port = htons(21000),
                .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
        };
        _cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        Bench b;

        /* If somebody else has it, so much the better. */
        assert_true(fd >= 0);
        if (bind(fd, (const struct sockaddr *) &address, sizeof(address)) == 0)
                assert_int_equal(listen(fd, 1), 0);
        else
                assert_int_equal(errno, EADDRINUSE);
        bench_init(&b, state);
        run(&b);
        assert_false(result(&b, "ports")->open);
        assert_int_equal(result(&b, "ports")->seen.origin, ORIGIN_HOST);
        assert_string_equal(result(&b, "ports")->seen.code, "ports");
        assert_non_null(strstr(result(&b, "ports")->seen.detail, "21000"));
        bench_done(&b);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_all_open, scratch_setup, scratch_teardown),
                cmocka_unit_test(test_each_shuts_its_own),
                cmocka_unit_test_setup_teardown(test_no_script, scratch_setup, scratch_teardown),
                cmocka_unit_test_setup_teardown(test_users, scratch_setup, scratch_teardown),
                cmocka_unit_test_setup_teardown(test_rights_of_another_user, scratch_setup,
                                                scratch_teardown),
                cmocka_unit_test_setup_teardown(test_podman_clients, scratch_setup,
                                                scratch_teardown),
                cmocka_unit_test_setup_teardown(test_named_address, scratch_setup,
                                                scratch_teardown),
                cmocka_unit_test_setup_teardown(test_a_busy_port, scratch_setup, scratch_teardown),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
