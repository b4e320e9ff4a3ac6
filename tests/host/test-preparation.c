/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Two hosts that are prepared in all, one with Docker and one with Podman; then one thing after the other is taken
 * away, and the item that it belongs to says so, with a fix, while no other changes. What was not looked at is
 * untried, everywhere, and never advised.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "host/preparation.h"

typedef struct Bench {
        PreparationQuestion q;
        PreparationFacts f;
        EngineFacts e;
        const char *engine_why;
        Advices advices;
} Bench;

static void set(char *dst, size_t size, const char *text) {
        assert_true(strlen(text) < size);
        (void) memcpy(dst, text, strlen(text) + 1);
}
#define SET(array, text) set(array, sizeof(array), text)

static void set_limits(Limits *limits) {
        for (LimitKind kind = 0; kind < _LIMIT_MAX; kind++) {
                limits->soft[kind] = (Limit) {
                        .rank = LIMIT_OF_USER,
                        .value = kind == LIMIT_NOFILE ? 1024000 : LIMIT_UNLIMITED,
                        .where = "/etc/security/limits.conf",
                };
                limits->hard[kind] = limits->soft[kind];
        }
}

static void init_docker(Bench *b) {
        *b = (Bench) { .engine_why = "" };
        b->q = (PreparationQuestion) { .engine = ENGINE_DOCKER, .roles = role_bit(ROLE_ALLOCATOR), .user_known = true, .uid = 1234 };
        SET(b->q.user, "elastic");
        SET(b->q.storage_path, "/mnt/data/elastic");
        SET(b->q.engine_socket, "/var/run/docker.sock");
        SET(b->q.ece_version, "4.0.3");
        SET(b->f.os.release.id, "ubuntu");
        SET(b->f.os.release.version, "22.04");
        b->f.memory_kb.value = 7800000;
        b->f.swap_kb.value = 500000;
        b->f.sysctl[SYSCTL_MAX_MAP_COUNT].value = 1048576;
        b->f.sysctl[SYSCTL_IP_FORWARD].value = 1;
        b->f.sysctl[SYSCTL_TCP_RETRIES2].value = 5;
        b->f.sysctl[SYSCTL_SWAPPINESS].value = 1;
        SET(b->f.command_line.text, "quiet cgroup_enable=memory swapaccount=1 cgroup.memory=nokmem\n");
        b->f.cgroup_version.value = 1;
        set_limits(&b->f.user_limits.limits);
        set_limits(&b->f.container_ulimits.limits);
        b->f.storage_mount.mount = (Mount) { "/dev/sdb1", "/mnt/data", "xfs", true };
        b->f.storage.uid = 1234;
        b->f.storage.mode = 0700;
        b->f.storage.size = UINT64_C(10000000000);
        b->f.group.exists = b->f.group.member = true;
        b->f.engine_unit.wanted = b->f.engine_unit.running = true;
        b->f.podman_restart.wanted = true;
        b->f.clock = CLOCK_SYNCHRONISED;
        SET(b->f.time_zone.text, "UTC0");
        SET(b->f.selinux.text, "disabled");
        b->e = (EngineFacts) { "27.0.3", "overlay2", "/mnt/data/docker", "false" };
}

static void init_podman(Bench *b) {
        init_docker(b);
        b->q.engine = ENGINE_PODMAN;
        SET(b->f.os.release.id, "rhel");
        SET(b->f.os.release.version, "9.4");
        SET(b->f.wrapper.text, "podman-remote");
        b->f.sudo.value = SUDO_ALL;
        SET(b->f.network_backend.text, "cni");
        SET(b->f.selinux.text, "permissive");
        b->e = (EngineFacts) { "5.2.2", "overlay", "/mnt/data/docker", "" };
}

static void judge(Bench *b) {
        preparation_judge(&b->q, &b->f, &b->e, b->engine_why, &b->advices);
}

static const Advice *item(const Bench *b, const char *name) {
        for (size_t i = 0; i < b->advices.n; i++)
                if (streq(b->advices.items[i].name, name))
                        return &b->advices.items[i];
        fail_msg("there is no item %s", name);
        return NULL;
}

/* What holds of each item, whatever it says. */
static void expect_whole(const Bench *b) {
        for (size_t i = 0; i < b->advices.n; i++) {
                const Advice *a = &b->advices.items[i];

                assert_true(a->found[0] != '\0' && a->documented[0] != '\0');
                assert_int_equal(a->state == ADVICE_ADVISED, a->fix[0] != '\0');
                assert_true(text_starts_with(a->source, "https://www.elastic.co/"));
                assert_null(strchr(a->source, '*'));
                assert_true(strlen(a->fix) < sizeof(a->fix) - 4 && !strstr(a->fix, "...")); /* not cut */
        }
}

static void all_is_as_documented(void **state) {
        static void (*const inits[])(Bench *) = { init_docker, init_podman };
        static const size_t n[] = { 26, 28 };
        Bench b;

        for (size_t i = 0; i < ELEMENTS(inits); i++) {
                inits[i](&b);
                judge(&b);
                assert_int_equal(b.advices.n, n[i]);
                for (size_t k = 0; k < b.advices.n; k++)
                        if (b.advices.items[k].state != ADVICE_PREPARED)
                                fail_msg("%s: %s", b.advices.items[k].name, b.advices.items[k].found);
                expect_whole(&b);
        }
}

/* --- One thing after the other --- */

#define CHANGE(name, ...) \
        static void name(Bench *b) { __VA_ARGS__; }

CHANGE(old_docker, SET(b->e.version, "24.0.9"))
CHANGE(newer_docker, SET(b->e.version, "27.5.1"))
CHANGE(noble_docker_25, SET(b->f.os.release.version, "24.04"); SET(b->e.version, "25.0.1"))
CHANGE(debian, SET(b->f.os.release.id, "debian"); SET(b->f.os.release.version, "12"))
CHANGE(sles_docker_27, SET(b->f.os.release.id, "sles"); SET(b->f.os.release.version, "15.6"))
CHANGE(podman_3, SET(b->e.version, "3.4.4"))
CHANGE(rocky_9_podman_4, SET(b->f.os.release.id, "rocky"); SET(b->e.version, "4.9.4-rhel"))
CHANGE(little_memory, b->f.memory_kb.value = 7000000)
CHANGE(little_swap, b->f.swap_kb.value = 499999)
CHANGE(swap_on_director, b->q.roles = role_bit(ROLE_DIRECTOR) | role_bit(ROLE_ALLOCATOR))
CHANGE(few_maps, b->f.sysctl[SYSCTL_MAX_MAP_COUNT].value = 262144)
CHANGE(no_forward, b->f.sysctl[SYSCTL_IP_FORWARD].value = 0)
CHANGE(many_retries, b->f.sysctl[SYSCTL_TCP_RETRIES2].value = 15)
CHANGE(swappy, b->f.sysctl[SYSCTL_SWAPPINESS].value = 60)
CHANGE(no_swapaccount, SET(b->f.command_line.text, "cgroup_enable=memory swapaccount=0 cgroup.memory=nokmem"))
CHANGE(empty_command_line, SET(b->f.command_line.text, ""))
CHANGE(cgroup2, b->f.cgroup_version.value = 2)
CHANGE(few_files, b->f.user_limits.limits.hard[LIMIT_NOFILE].value = 65536)
CHANGE(no_memlock, b->f.user_limits.limits.soft[LIMIT_MEMLOCK] = b->f.user_limits.limits.hard[LIMIT_MEMLOCK] = (Limit) { 0 })
CHANGE(few_processes, b->f.user_limits.limits.soft[LIMIT_NPROC].value = 4096;
       SET(b->f.user_limits.limits.soft[LIMIT_NPROC].where, "/etc/security/limits.d/90-x.conf"))
CHANGE(on_ext4, b->f.storage_mount.mount = (Mount) { "/dev/sda1", "/", "ext4", false }; SET(b->e.data_root, "/mnt/data/docker"))
CHANGE(no_quota, b->f.storage_mount.mount.project_quota = false)
CHANGE(no_quota_on_root, b->f.storage_mount.mount = (Mount) { "/dev/sda1", "/", "xfs", false })
CHANGE(odd_device, b->f.storage_mount.mount = (Mount) { "/dev/$(reboot)", "/mnt/data", "xfs", false })
CHANGE(roots_storage, b->f.storage.uid = 0)
CHANGE(open_storage, b->f.storage.mode = 0755)
CHANGE(small_storage, b->f.storage.size = UINT64_C(9999999999))
CHANGE(small_for_a_proxy, b->q.roles = role_bit(ROLE_PROXY))
CHANGE(no_member, b->f.group.member = false)
CHANGE(no_group, b->f.group.exists = b->f.group.member = false)
CHANGE(not_enabled, b->f.engine_unit.wanted = false)
CHANGE(no_restart, b->f.podman_restart.wanted = false)
CHANGE(usual_data_root, SET(b->e.data_root, "/var/lib/docker"))
CHANGE(data_root_beside, SET(b->e.data_root, "/mnt/data2/docker"))
CHANGE(other_driver, SET(b->e.driver, "vfs"))
CHANGE(icc, SET(b->e.bridge_icc, "true"))
CHANGE(no_ulimits, b->f.container_ulimits.limits = (Limits) { .soft[LIMIT_NOFILE].rank = LIMIT_UNSET })
CHANGE(no_wrapper, b->f.wrapper.error = -ENOENT)
CHANGE(other_wrapper, SET(b->f.wrapper.text, ""))
CHANGE(no_sudo, b->f.sudo.value = SUDO_NONE)
CHANGE(netavark, SET(b->f.network_backend.text, "netavark"))
CHANGE(no_backend, SET(b->f.network_backend.text, ""))
CHANGE(enforcing, SET(b->f.selinux.text, "enforcing"))
CHANGE(wants_selinux, b->q.selinux = true)
CHANGE(no_clock, b->f.clock = CLOCK_UNSYNCHRONISED)
CHANGE(berlin, SET(b->f.time_zone.text, "CET-1CEST,M3.5.0,M10.5.0/3"))
CHANGE(nscd, b->f.nscd.running = true)
CHANGE(nscd_at_boot, b->f.nscd.wanted = true; b->f.nscd.error = -ENODATA)
CHANGE(firewalld, b->f.firewalld.running = b->f.firewalld.wanted = true)

static const struct {
        void (*init)(Bench *b), (*change)(Bench *b);
        const char *name, *found, *fix; /* the latter two: a piece of it */
        const char *also;               /* another item that must change with it, or NULL */
} rows[] = {
        { init_docker, old_docker, "os-engine", "docker 24.0.9; ECE 4.0 takes 25.0 26.0 27.0", "docker-ce=5:27.0.*", NULL },
        { init_docker, newer_docker, "os-engine", "27.5.1", "docker-ce-cli=5:27.0.*", NULL },
        { init_docker, noble_docker_25, "os-engine", "takes 26.0 27.0 there", "5:27.0.*", NULL },
        { init_docker, debian, "os-engine", "no such pair", "https://www.elastic.co/support/matrix", NULL },
        { init_docker, sles_docker_27, "os-engine", "sles 15.6", "zypper install docker=", NULL },
        { init_podman, podman_3, "os-engine", "takes 4 5", "'podman-5.*' 'podman-remote-5.*'", NULL },
        { init_podman, rocky_9_podman_4, "os-engine", "takes 5", "'podman-5.*'", NULL },
        { init_docker, little_memory, "memory", "7.2 GB", "8 GB", NULL },
        { init_docker, little_swap, "swap", "0.5 GB", "sudo swapon", NULL },
        { init_docker, swap_on_director, "swap", "on a director", "sudo swapoff -a", NULL },
        { init_docker, few_maps, "sysctl-max-map-count", "262144", "echo 'vm.max_map_count=1048576' | sudo tee -a /etc/sysctl.conf", NULL },
        { init_docker, no_forward, "sysctl-ip-forward", "0", "net.ipv4.ip_forward=1", NULL },
        { init_docker, many_retries, "sysctl-tcp-retries2", "15", "net.ipv4.tcp_retries2=5", NULL },
        { init_docker, swappy, "sysctl-swappiness", "60", "vm.swappiness=1", NULL },
        { init_docker, no_swapaccount, "kernel-command-line", "without swapaccount=1", "GRUB_CMDLINE_LINUX: swapaccount=1; then: sudo update-grub", NULL },
        { init_podman, empty_command_line, "kernel-command-line", "cgroup.memory=nokmem",
          "grubby --update-kernel=ALL --args='cgroup_enable=memory swapaccount=1 cgroup.memory=nokmem'", NULL },
        { init_docker, cgroup2, "cgroup-version", "version 2", "systemd.unified_cgroup_hierarchy=0", NULL },
        { init_docker, few_files, "limit-nofile", "soft 1024000, hard 65536",
          "'elastic soft nofile 1024000' 'elastic hard nofile 1024000' | sudo tee -a /etc/security/limits.conf", NULL },
        { init_docker, no_memlock, "limit-memlock", "not set", "'elastic hard memlock unlimited'", NULL },
        { init_docker, few_processes, "limit-nproc", "soft 4096", "| sudo tee -a /etc/security/limits.d/90-x.conf", NULL },
        { init_docker, on_ext4, "storage-filesystem", "ext4 at /", "mkfs.xfs DEVICE", "storage-quota" },
        { init_docker, no_quota, "storage-quota", "/mnt/data", "/dev/sdb1 /mnt/data xfs defaults,nofail,x-systemd.automount,prjquota,pquota 0 2", NULL },
        { init_docker, no_quota_on_root, "storage-quota", "at /", "rootflags=prjquota", NULL },
        { init_docker, odd_device, "storage-quota", "/mnt/data", "In /etc/fstab: DEVICE /mnt/data xfs", NULL },
        { init_docker, roots_storage, "storage-owner", "uid 0", "sudo chown elastic: /mnt/data/elastic", NULL },
        { init_docker, open_storage, "storage-owner", "mode 755", "sudo chmod 700 /mnt/data/elastic", NULL },
        { init_docker, small_storage, "storage-size", "10.0 GB", "10 GB or more", NULL },
        { init_docker, small_for_a_proxy, "storage-size", "10.0 GB", "15 GB or more", NULL },
        { init_docker, no_member, "engine-group", "elastic is not in docker", "sudo usermod -aG docker elastic", NULL },
        { init_podman, no_group, "engine-group", "no group podman", "sudo groupadd podman && sudo usermod -aG podman elastic", NULL },
        { init_docker, not_enabled, "engine-at-boot", "docker.service", "sudo systemctl enable docker.service", NULL },
        { init_podman, no_restart, "engine-at-boot", "podman-restart.service", "sudo systemctl enable podman.service podman-restart", NULL },
        { init_docker, usual_data_root, "engine-data-root", "/var/lib/docker", "\"data-root\": \"/mnt/data/docker\"", NULL },
        { init_podman, data_root_beside, "engine-data-root", "/mnt/data2/docker", "graphroot = \"/mnt/data/docker\"", NULL },
        { init_docker, other_driver, "engine-driver", "vfs", "\"storage-driver\": \"overlay2\"", NULL },
        { init_podman, other_driver, "engine-driver", "vfs", "driver = \"overlay\"", NULL },
        { init_docker, icc, "engine-icc", "reach each other", "\"icc\": false", NULL },
        { init_docker, no_ulimits, "engine-ulimits", "nofile, memlock, nproc", "\"default-ulimits\"", NULL },
        { init_podman, no_wrapper, "podman-wrapper", "no /usr/bin/docker", "'podman-remote --url unix:///var/run/docker.sock \"$@\"'", NULL },
        { init_podman, other_wrapper, "podman-wrapper", "does not call", "sudo chmod 0755 /usr/bin/docker", NULL },
        { init_podman, no_sudo, "podman-sudoers", "no rule", "'elastic ALL=(ALL) NOPASSWD:ALL' | sudo tee /etc/sudoers.d/99-ece-users", NULL },
        { init_podman, netavark, "podman-network", "netavark", "network_backend = \"cni\"", NULL },
        { init_podman, no_backend, "podman-network", "not set", "[network]", NULL },
        { init_podman, enforcing, "selinux", "enforcing", "installer.selinux: true", NULL },
        { init_podman, wants_selinux, "selinux", "permissive", "SELINUX=enforcing", NULL },
        { init_docker, no_clock, "time-sync", "not synchronised", "sudo apt-get install -y chrony", NULL },
        { init_docker, berlin, "time-zone", "CET-1CEST", "sudo timedatectl set-timezone UTC", NULL },
        { init_docker, nscd, "nscd", "runs", "sudo systemctl disable --now nscd", NULL },
        { init_docker, nscd_at_boot, "nscd", "starts at boot", "disable --now nscd", NULL },
        { init_docker, firewalld, "firewalld", "runs, starts at boot", "sudo systemctl disable --now firewalld", NULL },
        { init_podman, firewalld, "firewalld", "runs", "Open the ports of", NULL },
};

static void each_thing_is_told_once(void **state) {
        Bench b;

        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                const Advice *a;

                rows[i].init(&b);
                rows[i].change(&b);
                judge(&b);
                expect_whole(&b);
                a = item(&b, rows[i].name);
                if (a->state != ADVICE_ADVISED || !strstr(a->found, rows[i].found) || !strstr(a->fix, rows[i].fix))
                        fail_msg("row %zu, %s: %s; %s", i, a->name, a->found, a->fix);
                for (size_t k = 0; k < b.advices.n; k++) {
                        const Advice *other = &b.advices.items[k];

                        if (other != a && other->state != ADVICE_PREPARED && !(rows[i].also && streq(other->name, rows[i].also)))
                                fail_msg("row %zu, %s: also %s: %s", i, a->name, other->name, other->found);
                }
        }
}

/* --- As good as documented, or not documented --- */

CHANGE(more_maps, b->f.sysctl[SYSCTL_MAX_MAP_COUNT].value = 2097152)
CHANGE(more_files, b->f.user_limits.limits.soft[LIMIT_NOFILE].value = LIMIT_UNLIMITED)
CHANGE(no_allocator, b->q.roles = role_bit(ROLE_COORDINATOR); b->f.storage_mount.mount = (Mount) { "/dev/sda1", "/", "ext4", false })
CHANGE(director_without_swap, b->q.roles = role_bit(ROLE_DIRECTOR); b->f.swap_kb.value = 0)
CHANGE(elsewhere_on_storage, SET(b->e.data_root, "/mnt/data/containers"))
CHANGE(greenwich, SET(b->f.time_zone.text, "GMT0"))
CHANGE(selinux_wanted, b->q.selinux = true; SET(b->f.selinux.text, "enforcing"))
CHANGE(docker_25, SET(b->e.version, "25.0.0"))
CHANGE(podman_4_on_8, SET(b->f.os.release.version, "8.10"); SET(b->e.version, "4.4.1"); SET(b->f.network_backend.text, ""))

static const struct {
        void (*init)(Bench *b), (*change)(Bench *b);
} fine[] = {
        { init_docker, more_maps },
        { init_docker, more_files },
        { init_docker, no_allocator },
        { init_docker, director_without_swap },
        { init_docker, elsewhere_on_storage },
        { init_docker, greenwich },
        { init_podman, selinux_wanted },
        { init_docker, docker_25 },
        { init_podman, podman_4_on_8 },
};

static void other_values_are_fine_too(void **state) {
        Bench b;

        for (size_t i = 0; i < ELEMENTS(fine); i++) {
                fine[i].init(&b);
                fine[i].change(&b);
                judge(&b);
                for (size_t k = 0; k < b.advices.n; k++) {
                        const Advice *a = &b.advices.items[k];

                        if (a->state != ADVICE_PREPARED)
                                fail_msg("row %zu, %s: %s", i, a->name, a->found);
                }
        }
}

/* --- What nobody knows --- */

static void what_was_not_looked_at_is_untried(void **state) {
        static const int errors[] = { -EACCES, -EIO, -ETIMEDOUT };
        static const char *const words[] = { "only root can tell", "can't be read: Input/output error", "hangs" };
        Bench b;

        for (size_t i = 0; i < ELEMENTS(errors); i++)
                for (size_t podman = 0; podman < 2; podman++) {
                        (podman ? init_podman : init_docker)(&b);
                        preparation_facts_missing(errors[i], &b.f);
                        b.e = (EngineFacts) { .version = "" };
                        b.engine_why = "the engine is away";
                        judge(&b);
                        expect_whole(&b);
                        for (size_t k = 0; k < b.advices.n; k++)
                                assert_int_equal(b.advices.items[k].state, ADVICE_UNTRIED);
                        assert_non_null(strstr(item(&b, "memory")->found, words[i]));
                        assert_string_equal(item(&b, "engine-driver")->found, "the engine is away");
                }
}

static void without_a_user(void **state) {
        static const char *const names[] = { "limit-nofile", "limit-memlock", "limit-nproc", "storage-owner", "engine-group", "podman-sudoers" };
        Bench b;

        init_podman(&b);
        b.q.user_known = false;
        judge(&b);
        for (size_t i = 0; i < ELEMENTS(names); i++) {
                assert_int_equal(item(&b, names[i])->state, ADVICE_UNTRIED);
                assert_string_equal(item(&b, names[i])->found, "not known before there is a user");
        }
}

/* Another release of ECE may take other pairs: nobody is warned by a table that does not speak of it. */
static void pairs_of_other_releases_are_not_judged(void **state) {
        static const char *const versions[] = { "4.1.0", "3.8.1", "40.0.0", "" };
        const char *words;
        Bench b;

        for (size_t i = 0; i < ELEMENTS(versions); i++) {
                init_docker(&b);
                SET(b.q.ece_version, versions[i]);
                SET(b.e.version, "24.0.9");
                judge(&b);
                assert_int_equal(item(&b, "os-engine")->state, ADVICE_UNTRIED);
                words = versions[i][0] ? "takes is not known here" : "the version of ECE is not known";
                assert_non_null(strstr(item(&b, "os-engine")->found, words));
        }
}

static void odd_ends(void **state) {
        Bench b;

        init_podman(&b);
        b.f.sudo.value = SUDO_UNCLEAR;
        b.f.storage.error = b.f.storage_mount.error = -ENOENT;
        b.f.nscd.error = -ENODATA;
        b.f.time_zone.error = -EBADMSG;
        judge(&b);
        assert_string_equal(item(&b, "podman-sudoers")->found, "sudoers has aliases or further files, which are not followed");
        assert_string_equal(item(&b, "storage-size")->found, "not known before there is a storage path");
        assert_int_equal(item(&b, "storage-filesystem")->state, ADVICE_UNTRIED);
        assert_int_equal(item(&b, "nscd")->state, ADVICE_UNTRIED);
        assert_int_equal(item(&b, "time-zone")->state, ADVICE_UNTRIED);
        init_docker(&b);
        b.f.container_ulimits.error = -EBADMSG;
        judge(&b);
        assert_int_equal(item(&b, "engine-ulimits")->state, ADVICE_UNTRIED);
}

static void pages_are_those_of_the_distribution(void **state) {
        static const struct {
                const char *id, *page;
        } pages[] = { { "ubuntu", "ubuntu" }, { "rhel", "rhel" }, { "rocky", "rhel" }, { "sles", "suse" }, { "debian", "ubuntu" } };
        char wanted[128];
        Bench b;

        for (size_t i = 0; i < ELEMENTS(pages); i++) {
                init_docker(&b);
                SET(b.f.os.release.id, pages[i].id);
                judge(&b);
                (void) snprintf(wanted, sizeof(wanted), "https://www.elastic.co/docs/deploy-manage/deploy/cloud-enterprise/configure-host-%s",
                                pages[i].page);
                assert_string_equal(item(&b, "sysctl-swappiness")->source, wanted);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(all_is_as_documented),
                cmocka_unit_test(each_thing_is_told_once),
                cmocka_unit_test(other_values_are_fine_too),
                cmocka_unit_test(what_was_not_looked_at_is_untried),
                cmocka_unit_test(without_a_user),
                cmocka_unit_test(pairs_of_other_releases_are_not_judged),
                cmocka_unit_test(odd_ends),
                cmocka_unit_test(pages_are_those_of_the_distribution),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
