/* SPDX-License-Identifier: Apache-2.0 */

/* A host made of one directory is looked at: each fact comes from the file that it is said to come from, and where there
 * is none the error says so. The user database and the clock are the real machine's. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "host/preparation-facts.h"
#include "scratch.h"
#include "../skip.h"

static void make_directories(const Scratch *s, const char *name) {
        char path[SCRATCH_PATH_SIZE];

        for (const char *slash = strchr(name, '/'); slash; slash = strchr(slash + 1, '/')) {
                (void) snprintf(path, sizeof(path), "%s/%.*s", s->directory, (int) (slash - name), name);
                assert_true(mkdir(path, 0755) == 0 || errno == EEXIST);
        }
}

static const char *put(const Scratch *s, const char *name, const char *text) {
        make_directories(s, name);
        return scratch_file(s, name, 0644, text);
}

/* The name is that of a user who is not in this machine's database, so its groups are its own alone. */
static PreparationQuestion question(EngineKind engine) {
        PreparationQuestion q = {
                .engine = engine,
                .user = "ece-test-user",
                .storage_path = "/mnt/data/elastic",
                .user_known = true,
                .uid = 54321,
                .gid = 54321,
        };

        return q;
}

static void a_prepared_host(const Scratch *s) {
        (void) put(s, "etc/os-release", "ID=ubuntu\nVERSION_ID=\"22.04\"\n");
        (void) put(s, "proc/meminfo", "MemTotal: 16000000 kB\nSwapTotal: 4000000 kB\n");
        (void) put(s, "proc/cmdline", "quiet swapaccount=1\n");
        (void) put(s, "proc/self/mounts", "/dev/sda1 / ext4 rw 0 0\ncgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n"
                                          "/dev/sdb1 /data xfs rw,prjquota 0 0\n");
        (void) put(s, "proc/sys/vm/max_map_count", "262144\n");
        (void) put(s, "proc/sys/vm/swappiness", "60\n");
        (void) put(s, "proc/sys/net/ipv4/ip_forward", "1\n");
        (void) put(s, "proc/sys/net/ipv4/tcp_retries2", "15\n");
        (void) put(s, "etc/security/limits.conf", "ece-test-user soft nofile 1\n* - memlock 1\n");
        (void) put(s, "etc/security/limits.d/20-more.conf", "ece-test-user soft nofile 2\n");
        (void) put(s, "etc/security/limits.d/10-less.conf", "ece-test-user soft nofile 3\n");
        (void) put(s, "etc/security/limits.d/30-no.txt", "ece-test-user soft nofile 4\n");
        (void) put(s, "etc/sudoers", "root ALL=(ALL) ALL\n");
        (void) put(s, "etc/sudoers.d/99-ece-users", "ece-test-user ALL=(ALL) NOPASSWD:ALL\n");
        (void) put(s, "etc/localtime", "TZif2\n and so on\nUTC0\n");
        (void) put(s, "etc/docker/daemon.json", "{\"default-ulimits\":{\"nofile\":{\"Hard\":9,\"Soft\":9}}}");
        (void) put(s, "etc/containers/containers.conf", "[network]\nnetwork_backend=\"cni\"\n");
        (void) put(s, "usr/bin/docker", "#!/bin/bash\npodman-remote --url unix:///var/run/docker.sock \"$@\"\n");
        (void) put(s, "sys/fs/selinux/enforce", "1");
        (void) put(s, "sys/fs/cgroup/system.slice/nscd.service/x", "");
        (void) put(s, "etc/systemd/system/multi-user.target.wants/docker.service", "");
        (void) put(s, "etc/systemd/system/default.target.wants/podman-restart.service", "");
        (void) put(s, "etc/systemd/system/docker.service.d/nscd.service", ""); /* no .wants */
        (void) put(s, "data/ece/x", "");
        (void) put(s, "mnt/data/x", "");
        assert_int_equal(symlink("../../data/ece", scratch_path(s, "mnt/data/elastic")), 0);
        assert_int_equal(chmod(scratch_path(s, "data/ece"), 0750), 0);
}

static void look(const Scratch *s, PreparationQuestion *q, PreparationFacts *ret) {
        preparation_gather(s->directory, q, ret);
        assert_int_equal(ret->storage.error, -ETIMEDOUT); /* until somebody has looked there */
        assert_int_equal(ret->storage_mount.error, -ETIMEDOUT);
        preparation_gather_storage(s->directory, q, ret);
}

static void everything_is_found(void **state) {
        const Scratch *s = *state;
        PreparationQuestion q = question(ENGINE_DOCKER);
        PreparationFacts f;

        a_prepared_host(s);
        look(s, &q, &f);
        assert_int_equal(f.os.error, 0);
        assert_string_equal(f.os.release.id, "ubuntu");
        assert_int_equal(f.memory_kb.value, 16000000);
        assert_int_equal(f.swap_kb.value, 4000000);
        assert_int_equal(f.sysctl[SYSCTL_MAX_MAP_COUNT].value, 262144);
        assert_int_equal(f.sysctl[SYSCTL_IP_FORWARD].value, 1);
        assert_int_equal(f.sysctl[SYSCTL_TCP_RETRIES2].value, 15);
        assert_int_equal(f.sysctl[SYSCTL_SWAPPINESS].value, 60);
        assert_true(command_line_has(f.command_line.text, "swapaccount=1"));
        assert_int_equal(f.cgroup_version.value, 2);
        assert_int_equal(f.sudo.value, SUDO_ALL);
        assert_string_equal(f.time_zone.text, "UTC0");
        assert_int_equal(f.container_ulimits.limits.hard[LIMIT_NOFILE].value, 9);
        assert_string_equal(f.network_backend.text, "cni");
        assert_string_equal(f.wrapper.text, "podman-remote");
        assert_string_equal(f.selinux.text, "enforcing");
}

/* The order of limits.d is that of its names, and the file that had the last word is named. */
static void limits_come_from_all_files(void **state) {
        const Scratch *s = *state;
        PreparationQuestion q = question(ENGINE_DOCKER);
        PreparationFacts f;

        a_prepared_host(s);
        look(s, &q, &f);
        assert_int_equal(f.user_limits.error, 0);
        assert_int_equal(f.user_limits.limits.soft[LIMIT_NOFILE].value, 2);
        assert_string_equal(f.user_limits.limits.soft[LIMIT_NOFILE].where, "/etc/security/limits.d/20-more.conf");
        assert_int_equal(f.user_limits.limits.hard[LIMIT_MEMLOCK].rank, LIMIT_OF_ALL);
}

/* A link leads to another mount, and that one counts. */
static void storage_is_where_links_lead(void **state) {
        const Scratch *s = *state;
        PreparationQuestion q = question(ENGINE_DOCKER);
        PreparationFacts f;

        a_prepared_host(s);
        look(s, &q, &f);
        assert_int_equal(f.storage_mount.error, 0);
        assert_string_equal(f.storage_mount.mount.point, "/data");
        assert_true(f.storage_mount.mount.project_quota);
        assert_int_equal(f.storage.error, 0);
        assert_int_equal(f.storage.mode, 0750);
        assert_int_equal(f.storage.uid, geteuid());
        assert_true(f.storage.size > 0);
}

static void units(void **state) {
        const Scratch *s = *state;
        PreparationQuestion q = question(ENGINE_DOCKER);
        PreparationFacts f;

        a_prepared_host(s);
        look(s, &q, &f);
        assert_int_equal(f.nscd.error, 0);
        assert_true(f.nscd.running && !f.nscd.wanted);
        assert_true(f.engine_unit.wanted && !f.engine_unit.running);
        assert_true(f.podman_restart.wanted);
        assert_false(f.firewalld.running || f.firewalld.wanted);
        q.engine = ENGINE_PODMAN;
        look(s, &q, &f);
        assert_false(f.engine_unit.wanted);
}

static void a_bare_host(void **state) {
        const Scratch *s = *state;
        PreparationQuestion q = question(ENGINE_PODMAN);
        PreparationFacts f;

        look(s, &q, &f);
        assert_int_equal(f.os.error, -ENOENT);
        assert_int_equal(f.memory_kb.error, -ENOENT);
        assert_int_equal(f.sysctl[SYSCTL_SWAPPINESS].error, -ENOENT);
        assert_int_equal(f.command_line.error, -ENOENT);
        assert_int_equal(f.cgroup_version.error, -ENOENT);
        assert_int_equal(f.storage.error, -ENOENT);
        assert_int_equal(f.storage_mount.error, -ENOENT);
        assert_int_equal(f.wrapper.error, -ENOENT);
        assert_int_equal(f.nscd.error, -ENODATA); /* no control groups: nobody knows */
        /* What is not there is what it is without it. */
        assert_int_equal(f.user_limits.error, 0);
        assert_int_equal(f.user_limits.limits.soft[LIMIT_NOFILE].rank, LIMIT_UNSET);
        assert_int_equal(f.sudo.error, 0);
        assert_int_equal(f.sudo.value, SUDO_NONE);
        assert_string_equal(f.time_zone.text, "UTC0");
        assert_string_equal(f.network_backend.text, "");
        assert_string_equal(f.selinux.text, "disabled");
        assert_int_equal(f.container_ulimits.error, 0);
}

/* A fifo does not hang us, a directory is no file, and what is no number is none. */
static void odd_files(void **state) {
        const Scratch *s = *state;
        PreparationQuestion q = question(ENGINE_DOCKER);
        PreparationFacts f;

        make_directories(s, "etc/localtime/x");
        make_directories(s, "proc/sys/vm/x");
        assert_int_equal(mkfifo(scratch_path(s, "proc/meminfo"), 0600), 0);
        (void) put(s, "proc/sys/vm/swappiness", "sixty\n");
        (void) put(s, "etc/docker/daemon.json", "no JSON");
        look(s, &q, &f);
        assert_int_equal(f.memory_kb.error, -EINVAL);
        assert_int_equal(f.time_zone.error, -EISDIR);
        assert_int_equal(f.sysctl[SYSCTL_SWAPPINESS].error, -EINVAL);
        assert_int_equal(f.container_ulimits.error, -EBADMSG);
}

static void what_only_root_may_read(void **state) {
        const Scratch *s = *state;
        PreparationQuestion q = question(ENGINE_PODMAN);
        PreparationFacts f;

        if (geteuid() == 0)
                skip_for_want_of("a user who is not root");
        a_prepared_host(s);
        assert_int_equal(chmod(scratch_path(s, "etc/sudoers"), 0), 0);
        look(s, &q, &f);
        assert_int_equal(f.sudo.error, -EACCES);
}

static void the_question(void **state) {
        Spec spec = { .host.roles = role_bit(ROLE_PROXY) };
        char user[] = "elastic", version[] = "4.0.3", storage[] = "/mnt/data/elastic";
        HostFacts facts = { .script_version = "4.1.0", .user_known = true, .uid = 1234, .gid = 1235 };
        PreparationQuestion q;

        spec.installer.user = user;
        spec.installer.storage_path = storage;
        spec.installer.engine = ENGINE_PODMAN;
        spec.installer.selinux = true;
        preparation_question(&spec, &facts, &q);
        assert_int_equal(q.engine, ENGINE_PODMAN);
        assert_true(q.selinux && q.user_known && q.roles == role_bit(ROLE_PROXY));
        assert_string_equal(q.ece_version, "4.1.0");
        assert_string_equal(q.storage_path, storage);
        spec.installer.version = version;
        preparation_question(&spec, &facts, &q);
        assert_string_equal(q.ece_version, "4.0.3");
        preparation_question(&spec, NULL, &q);
        assert_false(q.user_known);
}

/* Nobody has said who the user is: the database is asked. */
static void the_user_is_looked_for(void **state) {
        const Scratch *s = *state;
        PreparationQuestion q = { .user = "root" };
        PreparationFacts f;

        look(s, &q, &f);
        assert_true(q.user_known);
        assert_int_equal(q.uid, 0);
        q = (PreparationQuestion) { .user = "no-such-user-here" };
        look(s, &q, &f);
        assert_false(q.user_known);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(everything_is_found, scratch_setup, scratch_teardown),
                cmocka_unit_test_setup_teardown(limits_come_from_all_files, scratch_setup, scratch_teardown),
                cmocka_unit_test_setup_teardown(storage_is_where_links_lead, scratch_setup, scratch_teardown),
                cmocka_unit_test_setup_teardown(units, scratch_setup, scratch_teardown),
                cmocka_unit_test_setup_teardown(a_bare_host, scratch_setup, scratch_teardown),
                cmocka_unit_test_setup_teardown(odd_files, scratch_setup, scratch_teardown),
                cmocka_unit_test_setup_teardown(what_only_root_may_read, scratch_setup, scratch_teardown),
                cmocka_unit_test(the_question),
                cmocka_unit_test_setup_teardown(the_user_is_looked_for, scratch_setup, scratch_teardown),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
