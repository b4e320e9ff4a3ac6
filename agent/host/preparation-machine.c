/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Items of the machine and its system: memory, kernel, limits, time, and two services that are in ECE's way.
 *
 * What is right stands in the rows of preparation.c with its page; here is how what was seen is held against it. A
 * value that is better than the documented one is as documented: more memory, more descriptors. Nothing fails.
 */

#include "host/preparation-private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"

/* 8 GB, less what the kernel leaves out of MemTotal: itself, what the firmware has, and a crash kernel (proc_meminfo(5)). */
#define MEMORY_LEAST_BYTES UINT64_C(7500000000)
#define SWAP_LEAST_BYTES   UINT64_C(512000000)
#define NOFILE_LEAST       UINT64_C(1024000)

static double gigabytes(uint64_t kilobytes) {
        return (double) kilobytes * 1024 / 1e9;
}

void judge_memory(const Case *c, unsigned which, Advice *a) {
        const KnownNumber *memory = &c->facts->memory_kb;

        if (advice_unreadable(a, memory->error))
                return;
        if (memory->value * 1024 >= MEMORY_LEAST_BYTES)
                return advice_prepared(a, "%.1f GB", gigabytes(memory->value));
        advice_advised(a, "%.1f GB", gigabytes(memory->value));
        advice_fix(a, "Give this host 8 GB of memory or more.");
}

void judge_swap(const Case *c, unsigned which, Advice *a) {
        const KnownNumber *swap = &c->facts->swap_kb;
        bool director = role_set_has(c->question->roles, ROLE_DIRECTOR);
        const char *whose = director ? " on a director" : "";

        if (advice_unreadable(a, swap->error))
                return;
        if (director ? swap->value == 0 : swap->value * 1024 >= SWAP_LEAST_BYTES)
                return advice_prepared(a, "%.1f GB%s", gigabytes(swap->value), whose);
        advice_advised(a, "%.1f GB%s", gigabytes(swap->value), whose);
        if (director)
                return advice_fix(a, "Take the lines of type swap out of /etc/fstab; then: sudo swapoff -a");
        advice_fix(
                a,
                "sudo dd if=/dev/zero of=/swapfile bs=1M count=4096 && sudo chmod 600 /swapfile && sudo "
                "mkswap /swapfile && "
                "sudo swapon /swapfile && echo '/swapfile none swap defaults 0 0' | sudo tee -a /etc/fstab");
}

/* "vm.swappiness=1" of the row, and is more than that as good? */
void judge_sysctl(const Case *c, unsigned which, Advice *a) {
        const KnownNumber *seen = &c->facts->sysctl[which];
        bool more_is_fine = which == SYSCTL_MAX_MAP_COUNT;
        uint64_t wanted = 0;

        (void) text_to_u64(strchr(a->documented, '=') + 1, UINT64_MAX, &wanted);
        if (advice_unreadable(a, seen->error))
                return;
        if (more_is_fine ? seen->value >= wanted : seen->value == wanted)
                return advice_prepared(a, "%llu", (unsigned long long) seen->value);
        advice_advised(a, "%llu", (unsigned long long) seen->value);
        advice_fix(a, "echo '%s' | sudo tee -a /etc/sysctl.conf && sudo sysctl -p", a->documented);
}

/* The words of the row that are not there. */
void judge_command_line(const Case *c, unsigned which, Advice *a) {
        char missing[64] = "", word[64];
        size_t n = 0;

        if (advice_unreadable(a, c->facts->command_line.error))
                return;
        for (const char *rest = a->documented; *rest != '\0'; rest += strspn(rest, " ")) {
                size_t size = strcspn(rest, " ");

                (void) snprintf(word, sizeof(word), "%.*s", (int) size, rest);
                if (!command_line_has(c->facts->command_line.text, word))
                        n += (size_t) snprintf(missing + n, sizeof(missing) - n, "%s%s", n > 0 ? " " : "",
                                               word);
                rest += size;
        }
        if (n == 0)
                return advice_prepared(a, "all three words are there");
        advice_advised(a, "without %s", missing);
        advice_fix_command_line(c, a, missing);
}

/* kernel-command-line(7) of systemd. Its releases from 256 on want SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1 beside it, and
 * 258 has no version 1 any more (its NEWS). */
void judge_cgroup(const Case *c, unsigned which, Advice *a) {
        if (advice_unreadable(a, c->facts->cgroup_version.error))
                return;
        if (c->facts->cgroup_version.value == 1)
                return advice_prepared(a, "version 1");
        advice_advised(a, "version %u", (unsigned) c->facts->cgroup_version.value);
        advice_fix_command_line(c, a, "systemd.unified_cgroup_hierarchy=0");
}

/* --- Limits --- */

static const char *limit_format(const Limit *limit, char ret[static 32]) {
        if (limit->rank == LIMIT_UNSET)
                (void) snprintf(ret, 32, "not set");
        else if (limit->value == LIMIT_UNLIMITED)
                (void) snprintf(ret, 32, "unlimited");
        else
                (void) snprintf(ret, 32, "%llu", (unsigned long long) limit->value);
        return ret;
}

static bool suffices(const Limit *limit, unsigned which) {
        return limit->rank != LIMIT_UNSET &&
               limit->value >= (which == LIMIT_NOFILE ? NOFILE_LEAST : LIMIT_UNLIMITED);
}

/* A line of ours goes behind one that has overruled all others: it then is the last of equals. */
static const char *file_for(const Limit *limit) {
        return limit->rank == LIMIT_OF_USER ? limit->where : "/etc/security/limits.conf";
}

void judge_limit(const Case *c, unsigned which, Advice *a) {
        const Limit *soft = &c->facts->user_limits.limits.soft[which],
                    *hard = &c->facts->user_limits.limits.hard[which];
        const char *user = c->question->user, *kind = limit_kind_to_string((LimitKind) which);
        const char *value = which == LIMIT_NOFILE ? "1024000" : "unlimited";
        char soft_text[32], hard_text[32];

        if (!c->question->user_known)
                return advice_untried(a, "not known before there is a user");
        if (advice_unreadable(a, c->facts->user_limits.error))
                return;
        (void) limit_format(soft, soft_text);
        (void) limit_format(hard, hard_text);
        if (suffices(soft, which) && suffices(hard, which))
                return advice_prepared(a, "%s: soft %s, hard %s", user, soft_text, hard_text);
        advice_advised(a, "%s: soft %s, hard %s", user, soft_text, hard_text);
        advice_fix(a, "printf '%%s\\n' '%s soft %s %s' '%s hard %s %s' | sudo tee -a %s", user, kind, value,
                   user, kind, value, file_for(soft->rank == LIMIT_OF_USER ? soft : hard));
}

/* --- Time --- */

void judge_clock(const Case *c, unsigned which, Advice *a) {
        static const char *const installs[] = {
                [OS_OTHER] = "Install chrony, or another daemon that keeps the time, and start it.",
                [OS_UBUNTU] = "sudo apt-get install -y chrony && sudo systemctl enable --now chrony",
                [OS_RHEL] = "sudo dnf install -y chrony && sudo systemctl enable --now chronyd",
                [OS_SLES] = "sudo zypper install -y chrony && sudo systemctl enable --now chronyd",
        };

        if (c->facts->clock == CLOCK_SYNC_UNKNOWN)
                return advice_untried(a, "the kernel does not say");
        if (c->facts->clock == CLOCK_SYNCHRONISED)
                return advice_prepared(a, "synchronised");
        advice_advised(a, "the clock is not synchronised");
        advice_fix(a, "%s", installs[os_family(c)]);
}

/* Greenwich's zone has no other hours than UTC. */
void judge_time_zone(const Case *c, unsigned which, Advice *a) {
        const KnownText *zone = &c->facts->time_zone;

        if (zone->error == -EBADMSG)
                return advice_untried(a, "/etc/localtime is no file that says its zone");
        if (advice_unreadable(a, zone->error))
                return;
        if (streq(zone->text, "UTC0") || streq(zone->text, "GMT0"))
                return advice_prepared(a, "%s", zone->text);
        advice_advised(a, "%s", zone->text);
        advice_fix(a, "sudo timedatectl set-timezone UTC");
}

/* --- Services --- */

/* False: it is neither there now nor at the next boot, or nobody knows. */
static bool is_in_the_way(const UnitFacts *unit, Advice *a) {
        if (unit->running || unit->wanted) {
                advice_advised(a, "%s%s%s", unit->running ? "runs" : "",
                               unit->running && unit->wanted ? ", " : "",
                               unit->wanted ? "starts at boot" : "");
                return true;
        }
        if (!advice_unreadable(a, unit->error))
                advice_prepared(a, "neither runs nor starts at boot");
        return false;
}

void judge_nscd(const Case *c, unsigned which, Advice *a) {
        if (is_in_the_way(&c->facts->nscd, a))
                advice_fix(a, "sudo systemctl disable --now nscd");
}

/* For Docker see also https://www.elastic.co/guide/en/cloud-enterprise/3.5/ece-limitations.html; for Podman the page says
 * that it may stay where the ports are open. */
void judge_firewalld(const Case *c, unsigned which, Advice *a) {
        if (!is_in_the_way(&c->facts->firewalld, a))
                return;
        if (c->question->engine == ENGINE_DOCKER)
                return advice_fix(a, "sudo systemctl disable --now firewalld");
        advice_fix(a, "Open the ports of "
                      "https://www.elastic.co/docs/deploy-manage/deploy/cloud-enterprise/"
                      "ece-networking-prereq, or: "
                      "sudo systemctl disable --now firewalld");
}
