/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The items of a host's preparation: one table, one function each.
 *
 * A row holds what ECE's documentation says and on which page; doc/host-preparation.md has the same rows, and a test
 * compares. The pages are those of https://www.elastic.co/docs/, which speak of the present release; where one
 * distribution's page differs from another's, the item's function knows.
 *
 * All is judged from facts that somebody else has gathered, so it is pure and nothing fails. An item that could not be
 * looked at says so, and so does one where this program does not know what would be right.
 */

#include "host/preparation-private.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"

#define PAGES "https://www.elastic.co/docs/deploy-manage/deploy/cloud-enterprise/"

typedef enum For { FOR_ALL, FOR_DOCKER, FOR_PODMAN } For;

typedef struct Row {
        const char *name;
        For engine;
        const char *documented;
        const char *source; /* a page below PAGES, or a whole address. "configure-host-*": that of the distribution */
        Judge judge;
        unsigned which;
} Row;

static const Row rows[] = {
        { "os-engine", FOR_ALL, "a pair of the support matrix", "https://www.elastic.co/support/matrix#elastic-cloud-enterprise", judge_os_engine, 0 },
        { "memory", FOR_ALL, "8 GB or more", "ece-hardware-prereq", judge_memory, 0 },
        { "swap", FOR_ALL, "none on a director, else 512 MB or more", "ece-software-prereq", judge_swap, 0 },
        { "sysctl-max-map-count", FOR_ALL, "vm.max_map_count=1048576", "configure-host-*", judge_sysctl, SYSCTL_MAX_MAP_COUNT },
        { "sysctl-ip-forward", FOR_ALL, "net.ipv4.ip_forward=1", "configure-host-*", judge_sysctl, SYSCTL_IP_FORWARD },
        { "sysctl-tcp-retries2", FOR_ALL, "net.ipv4.tcp_retries2=5", "configure-host-*", judge_sysctl, SYSCTL_TCP_RETRIES2 },
        { "sysctl-swappiness", FOR_ALL, "vm.swappiness=1", "configure-host-*", judge_sysctl, SYSCTL_SWAPPINESS },
        { "kernel-command-line", FOR_ALL, "cgroup_enable=memory swapaccount=1 cgroup.memory=nokmem", "configure-host-*", judge_command_line, 0 },
        { "cgroup-version", FOR_ALL, "1", "ece-software-prereq", judge_cgroup, 0 },
        { "limit-nofile", FOR_ALL, "1024000, soft and hard", "configure-host-*", judge_limit, LIMIT_NOFILE },
        { "limit-memlock", FOR_ALL, "unlimited, soft and hard", "configure-host-*", judge_limit, LIMIT_MEMLOCK },
        { "limit-nproc", FOR_ALL, "unlimited, soft and hard", "configure-host-*", judge_limit, LIMIT_NPROC },
        { "storage-filesystem", FOR_ALL, "XFS, on all allocators", "ece-software-prereq", judge_file_system, 0 },
        { "storage-quota", FOR_ALL, "mounted with prjquota, on all allocators", "configure-host-*", judge_quota, 0 },
        { "storage-owner", FOR_ALL, "the install user's, mode 700", "configure-host-*", judge_owner, 0 },
        { "storage-size", FOR_ALL, "10 GB or more, on a proxy 15 GB", "ece-hardware-prereq", judge_size, 0 },
        { "engine-group", FOR_ALL, "the install user is in the group docker, with Podman in podman", "ece-users-permissions", judge_group, 0 },
        { "engine-at-boot", FOR_ALL, "the engine's service is enabled", "configure-host-*", judge_at_boot, 0 },
        { "engine-data-root", FOR_ALL, "/mnt/data/docker", "configure-host-*", judge_data_root, 0 },
        { "engine-driver", FOR_ALL, "overlay2, with Podman overlay", "configure-host-*", judge_driver, 0 },
        { "engine-icc", FOR_DOCKER, "--icc=false", "configure-host-*", judge_icc, 0 },
        { "engine-ulimits", FOR_DOCKER, "default-ulimits: nofile 1024000, memlock and nproc unlimited", "configure-host-*", judge_ulimits, 0 },
        { "podman-wrapper", FOR_PODMAN, "/usr/bin/docker calls podman-remote", "configure-host-rhel", judge_wrapper, 0 },
        { "podman-sudoers", FOR_PODMAN, "the install user may do all by sudo without a password", "configure-host-rhel", judge_sudo, 0 },
        { "podman-network", FOR_PODMAN, "network_backend cni, on version 9 of RHEL and Rocky", "configure-host-rhel", judge_network_backend, 0 },
        { "selinux", FOR_PODMAN, "enforcing, or permissive where it is not used", "configure-host-rhel", judge_selinux, 0 },
        { "time-sync", FOR_ALL, "a time synchronization daemon", "ece-sysconfig", judge_clock, 0 },
        { "time-zone", FOR_ALL, "UTC", "ece-sysconfig", judge_time_zone, 0 },
        { "nscd", FOR_ALL, "stopped and disabled", "ece-sysconfig", judge_nscd, 0 },
        { "firewalld", FOR_ALL, "stopped and disabled, with Podman or the ports open", "configure-host-rhel", judge_firewalld, 0 },
};
_Static_assert(ELEMENTS(rows) <= ADVICES_MAX, "a list holds all items");

/* --- What functions say --- */

const char *advice_state_to_string(AdviceState state) {
        static const char *const words[_ADVICE_STATE_MAX] = {
                [ADVICE_UNTRIED] = "untried",
                [ADVICE_PREPARED] = "prepared",
                [ADVICE_ADVISED] = "advised",
        };

        assert(state < _ADVICE_STATE_MAX);
        return words[state];
}

static void end(Advice *a, AdviceState state, const char *format, va_list arguments) __attribute__((format(printf, 3, 0)));
static void end(Advice *a, AdviceState state, const char *format, va_list arguments) {
        char text[2 * GATE_FOUND_SIZE] = "";

        (void) vsnprintf(text, sizeof(text), format, arguments);
        (void) text_copy_printable(a->found, sizeof(a->found), text);
        a->state = state;
}

void advice_prepared(Advice *a, const char *format, ...) {
        va_list arguments;

        va_start(arguments, format);
        end(a, ADVICE_PREPARED, format, arguments);
        va_end(arguments);
}

void advice_advised(Advice *a, const char *format, ...) {
        va_list arguments;

        va_start(arguments, format);
        end(a, ADVICE_ADVISED, format, arguments);
        va_end(arguments);
}

void advice_untried(Advice *a, const char *format, ...) {
        va_list arguments;

        va_start(arguments, format);
        end(a, ADVICE_UNTRIED, format, arguments);
        va_end(arguments);
}

void advice_fix(Advice *a, const char *format, ...) {
        char text[ADVICE_FIX_SIZE] = "";
        va_list arguments;

        va_start(arguments, format);
        (void) vsnprintf(text, sizeof(text), format, arguments);
        va_end(arguments);
        (void) text_copy_printable(a->fix, sizeof(a->fix), text);
}

bool advice_unreadable(Advice *a, int error) {
        switch (-error) {
        case 0:
                return false;
        case EACCES:
        case EPERM:
                advice_untried(a, "only root can tell");
                return true;
        case ETIMEDOUT:
                advice_untried(a, "not looked at: the look at it hangs");
                return true;
        case ENODATA:
                advice_untried(a, "systemd's control groups, which would tell, are not there");
                return true;
        default:
                advice_untried(a, "can't be read: %s", strerror(-error));
                return true;
        }
}

/* --- Distributions --- */

OsFamily os_family(const Case *c) {
        static const struct {
                const char *id;
                OsFamily family;
        } families[] = { { "ubuntu", OS_UBUNTU }, { "rhel", OS_RHEL }, { "rocky", OS_RHEL }, { "sles", OS_SLES } };

        for (size_t i = 0; i < ELEMENTS(families); i++)
                if (streq(families[i].id, c->facts->os.release.id))
                        return families[i].family;
        return OS_OTHER;
}

/* grubby(8) and update-grub(8) are what the pages call; elsewhere the file is the same and the command may not be. */
void advice_fix_command_line(const Case *c, Advice *a, const char *words) {
        static const char *const commands[] = {
                [OS_OTHER] = "grub-mkconfig -o /boot/grub/grub.cfg",
                [OS_UBUNTU] = "update-grub",
                [OS_SLES] = "update-bootloader",
        };

        if (os_family(c) == OS_RHEL)
                return advice_fix(a, "sudo /sbin/grubby --update-kernel=ALL --args='%s' && sudo reboot", words);
        advice_fix(a, "In /etc/default/grub add to GRUB_CMDLINE_LINUX: %s; then: sudo %s && sudo reboot", words,
            commands[os_family(c)]);
}

/* A distribution without a page of its own gets the one that its engine is described on. */
static const char *host_page(const Case *c) {
        switch (os_family(c)) {
        case OS_RHEL:
                return "configure-host-rhel";
        case OS_SLES:
                return "configure-host-suse";
        case OS_UBUNTU:
                return "configure-host-ubuntu";
        case OS_OTHER:
                break;
        }
        return c->question->engine == ENGINE_PODMAN ? "configure-host-rhel" : "configure-host-ubuntu";
}

/* --- All --- */

static void set_source(const Case *c, const char *source, Advice *a) {
        const char *page = streq(source, "configure-host-*") ? host_page(c) : source;

        (void) snprintf(a->source, sizeof(a->source), "%s%s", text_starts_with(page, "https:") ? "" : PAGES, page);
}

void preparation_judge(const PreparationQuestion *question, const PreparationFacts *facts, const EngineFacts *engine,
                       const char *engine_why, Advices *ret) {
        const Case c = { question, facts, engine, engine_why };
        For other = question->engine == ENGINE_PODMAN ? FOR_DOCKER : FOR_PODMAN;

        ret->n = 0;
        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                Advice *a = &ret->items[ret->n];

                if (rows[i].engine == other)
                        continue;
                *a = (Advice) { .name = rows[i].name, .documented = rows[i].documented };
                set_source(&c, rows[i].source, a);
                rows[i].judge(&c, rows[i].which, a);
                ret->n++;
        }
}
