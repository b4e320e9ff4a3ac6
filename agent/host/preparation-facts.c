/* SPDX-License-Identifier: Apache-2.0 */

/*
 * How this host is prepared, gathered.
 *
 * Only regular files with a bound, stat(2) and directory listings: nothing is started, nothing is written, no
 * daemon is asked. Whether a unit runs is seen by its control group, which anybody may see; whether it starts at boot
 * by its link in a .wants directory, which is all that `systemctl enable` makes.
 *
 * What can't be read keeps its errno, and whoever judges says so. Memory that is missing is one of these errors.
 */

#include "host/preparation-facts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "host/access.h"
#include "host/host-facts.h"

#define FILE_MAX (256U * 1024U)
#define WRAPPER_MAX 4096U
#define FILES_MAX 256 /* of a directory */
#define PATH_SIZE 1024

typedef struct Gathering {
        const char *root;
        const PreparationQuestion *question;
        PreparationFacts *facts;
} Gathering;

static int place(const Gathering *g, const char *path, char ret[static PATH_SIZE]) {
        return (size_t) snprintf(ret, PATH_SIZE, "%s%s", g->root, path) < PATH_SIZE ? 0 : -ENAMETOOLONG;
}

/* The whole of a file below the root. */
static int read_file(const Gathering *g, const char *path, Buffer *b) {
        char full[PATH_SIZE];
        int error = place(g, path, full);

        buffer_clear(b);
        return error < 0 ? error : file_read(full, b);
}

static void copy_text(char *dst, size_t size, const char *src) {
        if (src && strlen(src) < size)
                (void) memcpy(dst, src, strlen(src) + 1);
}

void preparation_question(const Spec *spec, const HostFacts *facts, PreparationQuestion *ret) {
        *ret = (PreparationQuestion) {
                .engine = spec->installer.engine,
                .roles = spec->host.roles,
                .selinux = spec->installer.selinux,
        };
        copy_text(ret->user, sizeof(ret->user), spec->installer.user);
        copy_text(ret->storage_path, sizeof(ret->storage_path), spec->installer.storage_path);
        copy_text(ret->engine_socket, sizeof(ret->engine_socket), spec->installer.engine_socket);
        copy_text(ret->ece_version, sizeof(ret->ece_version), spec->installer.version);
        if (!facts)
                return;
        if (ret->ece_version[0] == '\0')
                copy_text(ret->ece_version, sizeof(ret->ece_version), facts->script_version);
        ret->user_known = facts->user_known;
        ret->uid = facts->uid;
        ret->gid = facts->gid;
}

static void find_user(PreparationQuestion *question) {
        Spec spec = { .installer.user = question->user };
        HostFacts facts = { .user_known = false };

        if (question->user_known || question->user[0] == '\0' || host_facts_add_user(&spec, &facts) < 0)
                return;
        question->user_known = facts.user_known;
        question->uid = facts.uid;
        question->gid = facts.gid;
}

/* --- Who the install user is to files of rights --- */

static bool is_in_group(const Who *who, const char *name) {
        const PreparationQuestion *q = who->userdata;
        HostFacts facts = { .gid = q->gid };
        char record[16384];
        struct group group, *found = NULL;

        copy_text(facts.user_name, sizeof(facts.user_name), q->user);
        if (getgrnam_r(name, &group, record, sizeof(record), &found) != 0 || !found)
                return false;
        return user_has_group(&facts, found->gr_gid);
}

static Who install_user(const Gathering *g) {
        return (Who) { g->question->user, g->question->uid, is_in_group, g->question };
}

/* --- Directories --- */

typedef int (*OnFile)(const Gathering *g, const char *path, void *userdata);

/* Files are taken in the order of the C locale, as those who read them do. */
static int compare(const struct dirent **a, const struct dirent **b) {
        return strcmp((*a)->d_name, (*b)->d_name);
}

static int visible(const struct dirent *entry) {
        return entry->d_name[0] != '.';
}

static int each_file(const Gathering *g, const char *directory, OnFile on_file, void *userdata) {
        struct dirent **list = NULL;
        char full[PATH_SIZE], path[PATH_SIZE];
        int error = place(g, directory, full), n;

        if (error < 0)
                return error;
        n = scandir(full, &list, visible, compare);
        if (n < 0)
                return errno == ENOENT ? 0 : -errno;
        for (int i = 0; i < n; i++) {
                if (i < FILES_MAX && error >= 0 &&
                    (size_t) snprintf(path, sizeof(path), "%s/%s", directory, list[i]->d_name) < sizeof(path))
                        error = on_file(g, path, userdata);
                free(list[i]);
        }
        free(list);
        return error;
}

static bool ends_with(const char *text, const char *end) {
        size_t n = strlen(text), m = strlen(end);

        return n >= m && streq(text + n - m, end);
}

/* --- Kernel --- */

static const char *const sysctl_names[_SYSCTL_MAX] = {
        [SYSCTL_MAX_MAP_COUNT] = "vm.max_map_count",
        [SYSCTL_IP_FORWARD] = "net.ipv4.ip_forward",
        [SYSCTL_TCP_RETRIES2] = "net.ipv4.tcp_retries2",
        [SYSCTL_SWAPPINESS] = "vm.swappiness",
};

const char *sysctl_to_string(Sysctl which) {
        return sysctl_names[which];
}

static void gather_sysctls(const Gathering *g) {
        _cleanup_buffer_ Buffer text = BUFFER_INIT(64);

        for (Sysctl i = 0; i < _SYSCTL_MAX; i++) {
                KnownNumber *number = &g->facts->sysctl[i];
                char path[64] = "/proc/sys/", digits[64];
                size_t n = strlen(path);

                (void) snprintf(path + n, sizeof(path) - n, "%s", sysctl_names[i]);
                for (char *dot = path; (dot = strchr(dot, '.')) != NULL;)
                        *dot = '/';
                number->error = read_file(g, path, &text);
                (void) snprintf(digits, sizeof(digits), "%.*s", (int) strcspn(buffer_string(&text), "\n"),
                                buffer_string(&text));
                if (number->error >= 0)
                        number->error = text_to_u64(digits, UINT64_MAX, &number->value);
        }
}

static void gather_memory(const Gathering *g) {
        _cleanup_buffer_ Buffer text = BUFFER_INIT(FILE_MAX);
        PreparationFacts *f = g->facts;
        int error = read_file(g, "/proc/meminfo", &text);

        f->memory_kb.error = error < 0 ? error : meminfo_find(buffer_string(&text), "MemTotal:", &f->memory_kb.value);
        f->swap_kb.error = error < 0 ? error : meminfo_find(buffer_string(&text), "SwapTotal:", &f->swap_kb.value);
}

static void gather_command_line(const Gathering *g) {
        _cleanup_buffer_ Buffer text = BUFFER_INIT(sizeof(g->facts->command_line.text) - 1);

        g->facts->command_line.error = read_file(g, "/proc/cmdline", &text);
        (void) memcpy(g->facts->command_line.text, buffer_string(&text), text.size + 1);
}

/* The last mount at that very place decides. */
static void gather_cgroup_version(const Gathering *g) {
        _cleanup_buffer_ Buffer text = BUFFER_INIT(4 * FILE_MAX);
        KnownNumber *version = &g->facts->cgroup_version;
        Mount mount = { .type = "" };

        version->error = read_file(g, "/proc/self/mounts", &text);
        if (version->error >= 0)
                version->error = mounts_find(buffer_string(&text), "/sys/fs/cgroup", &mount);
        if (version->error >= 0 && !streq(mount.point, "/sys/fs/cgroup"))
                version->error = -ENOENT;
        version->value = streq(mount.type, "cgroup2") ? 2 : 1;
}

/* --- Storage --- */

/* The path with its links followed, below the root and without it. */
static void resolve(const Gathering *g, const char *path, char ret[static PATH_SIZE]) {
        char full[PATH_SIZE], real[PATH_MAX], top[PATH_MAX];
        size_t n = g->root[0] && realpath(g->root, top) ? strlen(top) : 0;

        (void) snprintf(ret, PATH_SIZE, "%s", path);
        if (place(g, path, full) < 0 || !realpath(full, real) || (n > 0 && strncmp(real, top, n) != 0))
                return;
        if (strlen(real + n) < PATH_SIZE && real[n] == '/')
                (void) snprintf(ret, PATH_SIZE, "%.*s", PATH_SIZE - 1, real + n);
}

static void gather_mounts(const Gathering *g) {
        _cleanup_buffer_ Buffer text = BUFFER_INIT(4 * FILE_MAX);
        PreparationFacts *f = g->facts;
        int error = read_file(g, "/proc/self/mounts", &text);
        char path[PATH_SIZE];

        f->storage_mount.error = f->storage.error < 0 ? f->storage.error : error;
        if (f->storage_mount.error < 0)
                return;
        resolve(g, g->question->storage_path, path);
        f->storage_mount.error = mounts_find(buffer_string(&text), path, &f->storage_mount.mount);
}

static void gather_storage(const Gathering *g) {
        struct statvfs fs;
        struct stat st;
        char full[PATH_SIZE];
        int error = place(g, g->question->storage_path, full);

        if (error >= 0 && (stat(full, &st) < 0 || statvfs(full, &fs) < 0))
                error = -errno;
        g->facts->storage.error = error;
        if (error < 0)
                return;
        g->facts->storage.uid = st.st_uid;
        g->facts->storage.mode = st.st_mode & 07777;
        g->facts->storage.size = (uint64_t) fs.f_blocks * fs.f_frsize;
}

/* --- The install user --- */

static int add_limits(const Gathering *g, const char *path, void *userdata) {
        _cleanup_buffer_ Buffer text = BUFFER_INIT(FILE_MAX);
        const Who who = install_user(g);
        int error;

        if (!ends_with(path, ".conf"))
                return 0;
        error = read_file(g, path, &text);
        if (error >= 0)
                limits_read(buffer_string(&text), path, &who, userdata);
        return error == -ENOENT ? 0 : error;
}

static void gather_limits(const Gathering *g) {
        Limits *limits = &g->facts->user_limits.limits;
        int error = add_limits(g, "/etc/security/limits.conf", limits);

        if (error >= 0)
                error = each_file(g, "/etc/security/limits.d", add_limits, limits);
        g->facts->user_limits.error = error;
}

static void gather_group(const Gathering *g) {
        const char *name = g->question->engine == ENGINE_PODMAN ? "podman" : "docker";
        char record[16384];
        struct group group, *found = NULL;
        const Who who = install_user(g);
        int error = getgrnam_r(name, &group, record, sizeof(record), &found);

        g->facts->group.error = -error;
        g->facts->group.exists = found != NULL;
        g->facts->group.member = is_in_group(&who, name);
}

static int add_sudoers(const Gathering *g, const char *path, void *userdata) {
        _cleanup_buffer_ Buffer text = BUFFER_INIT(FILE_MAX);
        const Who who = install_user(g);
        const char *name = strrchr(path, '/');
        SudoRule rule, *most = userdata;
        int error;

        /* sudoers(5): files whose names hold a dot or end in "~" are left out. */
        if (strchr(name, '.') || ends_with(name, "~"))
                return 0;
        error = read_file(g, path, &text);
        if (error < 0)
                return error == -ENOENT ? 0 : error;
        rule = sudoers_read(buffer_string(&text), &who);
        if (rule > *most)
                *most = rule;
        return 0;
}

static void gather_sudo(const Gathering *g) {
        SudoRule most = SUDO_NONE;
        int error = add_sudoers(g, "/etc/sudoers", &most);

        if (error >= 0)
                error = each_file(g, "/etc/sudoers.d", add_sudoers, &most);
        g->facts->sudo = (KnownNumber) { error, most };
}

/* --- Services --- */

static const char *const cgroup_roots[] = {
        "/sys/fs/cgroup/systemd", /* version 1, and both mixed */
        "/sys/fs/cgroup/unified",
        "/sys/fs/cgroup", /* version 2 */
};

static bool exists(const Gathering *g, const char *directory, const char *middle, const char *name) {
        char path[PATH_SIZE], full[PATH_SIZE];
        struct stat st;

        (void) snprintf(path, sizeof(path), "%s%s%s", directory, middle, name);
        return place(g, path, full) >= 0 && lstat(full, &st) == 0;
}

typedef struct Unit {
        const char *name;
        UnitFacts *facts;
} Unit;

static int is_wanted(const Gathering *g, const char *path, void *userdata) {
        const Unit *unit = userdata;

        if (ends_with(path, ".wants") && exists(g, path, "/", unit->name))
                unit->facts->wanted = true;
        return 0;
}

static void gather_unit(const Gathering *g, const char *name, UnitFacts *ret) {
        Unit unit = { name, ret };
        bool seen = false;

        for (size_t i = 0; i < ELEMENTS(cgroup_roots); i++) {
                seen = seen || exists(g, cgroup_roots[i], "/", "system.slice");
                if (exists(g, cgroup_roots[i], "/system.slice/", name))
                        ret->running = true;
        }
        ret->error = each_file(g, "/etc/systemd/system", is_wanted, &unit);
        /* Without systemd's control groups nobody knows what runs. */
        if (ret->error >= 0 && !seen)
                ret->error = -ENODATA;
}

/* --- Files of one value --- */

static void gather_os(const Gathering *g) {
        _cleanup_buffer_ Buffer text = BUFFER_INIT(FILE_MAX);
        int error = read_file(g, "/etc/os-release", &text);

        if (error == -ENOENT)
                error = read_file(g, "/usr/lib/os-release", &text);
        g->facts->os.error = error;
        os_release_read(buffer_string(&text), &g->facts->os.release);
}

/* localtime(5): without the file it is UTC. */
static void gather_time_zone(const Gathering *g) {
        _cleanup_buffer_ Buffer bytes = BUFFER_INIT(FILE_MAX);
        KnownText *zone = &g->facts->time_zone;

        zone->error = read_file(g, "/etc/localtime", &bytes);
        if (zone->error == -ENOENT) {
                (void) snprintf(zone->text, sizeof(zone->text), "UTC0");
                zone->error = 0;
        } else if (zone->error >= 0)
                zone->error = time_zone_read(buffer_string(&bytes), bytes.size, zone->text);
}

static void gather_wrapper(const Gathering *g) {
        _cleanup_buffer_ Buffer text = BUFFER_INIT(WRAPPER_MAX);
        KnownText *wrapper = &g->facts->wrapper;

        wrapper->error = read_file(g, "/usr/bin/docker", &text);
        (void) snprintf(wrapper->text, sizeof(wrapper->text), "%s",
                        strstr(buffer_string(&text), "podman-remote") ? "podman-remote" : "");
        if (wrapper->error == -EMSGSIZE) /* no script of two lines, but a program: the engine's own client, perhaps */
                wrapper->error = 0;
}

static void gather_network_backend(const Gathering *g) {
        _cleanup_buffer_ Buffer text = BUFFER_INIT(FILE_MAX);
        KnownText *backend = &g->facts->network_backend;

        backend->error = read_file(g, "/etc/containers/containers.conf", &text);
        if (backend->error == -ENOENT)
                backend->error = 0;
        (void) setting_find(buffer_string(&text), "network", "network_backend", backend->text);
}

/* Without the file there is no SELinux in this kernel, or it is switched off. */
static void gather_selinux(const Gathering *g) {
        _cleanup_buffer_ Buffer text = BUFFER_INIT(16);
        KnownText *mode = &g->facts->selinux;
        int error = read_file(g, "/sys/fs/selinux/enforce", &text);
        const char *word = error == -ENOENT ? "disabled" : buffer_string(&text)[0] == '1' ? "enforcing" : "permissive";

        mode->error = error == -ENOENT ? 0 : error;
        (void) snprintf(mode->text, sizeof(mode->text), "%s", word);
}

static void gather_ulimits(const Gathering *g) {
        _cleanup_buffer_ Buffer text = BUFFER_INIT(FILE_MAX);
        int error = read_file(g, "/etc/docker/daemon.json", &text);

        if (error >= 0)
                error = ulimits_read(buffer_string(&text), text.size, &g->facts->container_ulimits.limits);
        g->facts->container_ulimits.error = error == -ENOENT ? 0 : error;
}

void preparation_gather(const char *root, PreparationQuestion *question, PreparationFacts *ret) {
        const Gathering g = { root, question, ret };
        bool podman = question->engine == ENGINE_PODMAN;

        find_user(question);
        *ret = (PreparationFacts) { .clock = clock_sync() };
        preparation_storage_missing(-ETIMEDOUT, ret);
        gather_os(&g);
        gather_memory(&g);
        gather_sysctls(&g);
        gather_command_line(&g);
        gather_cgroup_version(&g);
        if (question->user_known) {
                gather_limits(&g);
                gather_group(&g);
                gather_sudo(&g);
        }
        gather_unit(&g, podman ? "podman.service" : "docker.service", &ret->engine_unit);
        gather_unit(&g, "podman-restart.service", &ret->podman_restart);
        gather_unit(&g, "nscd.service", &ret->nscd);
        gather_unit(&g, "firewalld.service", &ret->firewalld);
        gather_time_zone(&g);
        gather_wrapper(&g);
        gather_network_backend(&g);
        gather_selinux(&g);
        gather_ulimits(&g);
}

void preparation_gather_storage(const char *root, const PreparationQuestion *question, PreparationFacts *facts) {
        const Gathering g = { root, question, facts };

        gather_storage(&g);
        gather_mounts(&g);
}

void preparation_storage_missing(int error, PreparationFacts *facts) {
        facts->storage_mount.error = facts->storage.error = error;
}

void preparation_facts_missing(int error, PreparationFacts *ret) {
        *ret = (PreparationFacts) { .clock = CLOCK_SYNC_UNKNOWN };
        preparation_storage_missing(error, ret);
        ret->os.error = ret->memory_kb.error = ret->swap_kb.error = ret->command_line.error = error;
        for (Sysctl i = 0; i < _SYSCTL_MAX; i++)
                ret->sysctl[i].error = error;
        ret->cgroup_version.error = ret->user_limits.error = ret->container_ulimits.error = error;
        ret->group.error = ret->sudo.error = error;
        ret->engine_unit.error = ret->podman_restart.error = ret->nscd.error = ret->firewalld.error = error;
        ret->time_zone.error = ret->wrapper.error = ret->network_backend.error = ret->selinux.error = error;
}
