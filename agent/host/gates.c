/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The gates: one table, one function each.
 *
 * Minting a token starts an hour that nobody can stop, so what can be known to be missing is looked
 * for before. A gate answers with what it found and, if it is shut, with an Observation; whether
 * that is worth waiting for (the engine of a booting host) or the end (a user that ECE refuses) is
 * decided by the classification table, not here.
 *
 * All of them are run, always, also after the first shut one: whoever reads `ece-enroll check`
 * wants the whole list. One that can't be judged while another is shut (the space on a path that is not
 * there) is left untried, so that each trouble is named once. None writes, none waits for a peer, none
 * fails.
 */

#include "host/gates.h"

#include <assert.h>
#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/text.h"
#include "host/access.h"
#include "host/address.h"
#include "host/host-facts.h"
#include "model/host-check.h"

typedef struct Context {
        const Spec *spec;
        const HostFacts *facts;
        const char *path;
} Context;

typedef struct GateRow {
        const char *name;
        int (*gather)(const Spec *spec, HostFacts *facts); /* what it needs and no earlier one has gathered */
        Observation (*check)(const Context *c, Gate *gate);
} GateRow;

/* A gate that nobody can judge now. */
static Observation untried(Gate *gate, const char *why) {
        gate_leave_untried(gate, why);
        return OBSERVATION_NONE;
}

static Observation check_user(const Context *c, Gate *gate) {
        const HostFacts *facts = c->facts;

        if (facts->user_known)
                gate_found(gate, "%s (uid %u, gid %u)", facts->user_name, (unsigned) facts->uid,
                      (unsigned) facts->gid);
        return host_check_user(c->spec, facts);
}

static Observation check_script(const Context *c, Gate *gate) {
        gate_found(gate, "%s", c->spec->installer.script);
        return host_check_script(c->spec, c->facts);
}

static Observation check_script_sha256(const Context *c, Gate *gate) {
        if (c->facts->script_sha256[0] == '\0')
                return untried(gate, "not known before there is a script");
        gate_found(gate, "%s%s", c->facts->script_sha256,
              c->spec->installer.sha256 ? "" : " (the spec names none)");
        return host_check_script_sha256(c->spec, c->facts);
}

static Observation check_script_version(const Context *c, Gate *gate) {
        Observation o = host_check_script_version(c->spec, c->facts);

        if (c->facts->script_sha256[0] == '\0')
                return untried(gate, "not known before there is a script");
        gate_found(gate, "%s", c->facts->script_version);
        if (observation_is_none(&o))
                return o;
        return observe(ORIGIN_HOST, 0, gate->name, o.where, "%s", o.detail);
}

/* What may be wrong with a path before the install user's rights matter: not there, or something
 * else. */
static Observation check_type(const char *gate_name, const char *path, mode_t type,
                              const char *type_name) {
        struct stat st;

        if (stat(path, &st) < 0)
                return observe(ORIGIN_HOST, errno, gate_name, path, "%s", strerror(errno));
        if ((st.st_mode & S_IFMT) != type)
                return observe(ORIGIN_HOST, 0, gate_name, path, "it is no %s", type_name);
        return OBSERVATION_NONE;
}

static Observation check_engine_socket(const Context *c, Gate *gate) {
        const char *path = c->spec->installer.engine_socket;
        Observation o = check_type(gate->name, path, S_IFSOCK, "socket");
        int r;

        if (!observation_is_none(&o))
                return o;
        gate_found(gate, "%s", path);
        r = unix_socket_probe(path);
        if (r == -EACCES || r == -EPERM)
                return OBSERVATION_NONE; /* it is there; who may use it is the next gate's question */
        if (r < 0)
                return observe(ORIGIN_HOST, -r, gate->name, path, "nobody answers there: %s",
                               strerror(-r));
        return OBSERVATION_NONE;
}

#define GROUP_NAME_SIZE 64

static const char *group_name(gid_t gid, char ret[static GROUP_NAME_SIZE]) {
        char record[4096];
        struct group group, *found = NULL;

        if (getgrgid_r(gid, &group, record, sizeof(record), &found) == 0 && found)
                (void) snprintf(ret, GROUP_NAME_SIZE, "%.*s", GROUP_NAME_SIZE - 1, found->gr_name);
        else
                (void) snprintf(ret, GROUP_NAME_SIZE, "%u", (unsigned) gid);
        return ret;
}

/* May the install user write to the engine's socket, and if not, which group is wanted? A process has the groups that
 * its user had when it was started: one that was added since is told apart, as it looks right in every list. */
static Observation check_group(const Context *c, Gate *gate) {
        const char *path = c->spec->installer.engine_socket, *user = c->spec->installer.user;
        char group[GROUP_NAME_SIZE];
        struct stat st;
        int r;

        if (stat(path, &st) < 0 || !S_ISSOCK(st.st_mode))
                return untried(gate, "not known before there is a socket");
        if (!c->facts->user_known)
                return untried(gate, "not known before there is a user");
        if (!access_is_known(c->facts))
                return untried(gate, "only root and the install user can tell");
        (void) group_name(st.st_gid, group);
        r = access_for_user(c->facts, path, R_OK | W_OK);
        if (r >= 0) {
                gate_found(gate, "%s may use %s (group %s)", user, path, group);
                return OBSERVATION_NONE;
        }
        if ((st.st_mode & (S_IRGRP | S_IWGRP)) != (S_IRGRP | S_IWGRP))
                return observe(ORIGIN_HOST, -r, gate->name, path, "user '%s' may not use it, nor may its group '%s'",
                               user, group);
        if (user_has_group(c->facts, st.st_gid))
                return observe(ORIGIN_HOST, -r, gate->name, path,
                               "user '%s' is in its group '%s' now, but was not when this process was started", user,
                               group);
        return observe(ORIGIN_HOST, -r, gate->name, path, "user '%s' is not in its group '%s'", user, group);
}

/* The script asks `docker ps` by that name whatever the engine is; podman hosts have a wrapper
 * for it. */
static Observation check_engine_client(const Context *c, Gate *gate) {
        bool podman = c->spec->installer.engine == ENGINE_PODMAN;
        const char *name = podman ? "podman-remote" : "docker";
        char client[256], wrapper[256];

        if (path_find(c->path, name, client, sizeof(client)) < 0)
                return observe(ORIGIN_HOST, 0, gate->name, NULL, "there is no '%s' in %s", name,
                               c->path);
        if (!podman)
                gate_found(gate, "%s", client);
        else if (path_find(c->path, "docker", wrapper, sizeof(wrapper)) < 0)
                gate_found(gate, "%s; no 'docker' wrapper, which the installer's check calls", client);
        else
                gate_found(gate, "%s, %s", client, wrapper);
        return OBSERVATION_NONE;
}

static Observation check_storage(const Context *c, Gate *gate) {
        const char *path = c->spec->installer.storage_path;
        Observation o = check_type(gate->name, path, S_IFDIR, "directory");
        int r;

        if (!observation_is_none(&o))
                return o;
        gate_found(gate, "%s%s", path,
                   access_is_known(c->facts) ? "" : " (whether it is the install user's, only that user and root can tell)");
        r = access_for_user(c->facts, path, R_OK | W_OK | X_OK);
        if (r < 0)
                return observe(ORIGIN_HOST, -r, gate->name, path,
                               "user '%s' may not read, write and enter it",
                               c->spec->installer.user);
        return OBSERVATION_NONE;
}

static const char *bytes_format(uint64_t bytes, char ret[static 32]) {
        if (bytes < UINT64_C(1) << 30)
                (void) snprintf(ret, 32, "%.0f MiB", (double) bytes / (double) (1 << 20));
        else
                (void) snprintf(ret, 32, "%.1f GiB", (double) bytes / (double) (1 << 30));
        return ret;
}

static Observation check_disk_space(const Context *c, Gate *gate) {
        const char *path = c->spec->installer.storage_path;
        char has[32], wanted[32];
        struct statvfs fs;
        struct stat st;
        uint64_t bytes;

        if (stat(path, &st) < 0 || !S_ISDIR(st.st_mode))
                return untried(gate, "not known before there is a storage path");
        if (statvfs(path, &fs) < 0)
                return observe(ORIGIN_HOST, errno, gate->name, path, "%s", strerror(errno));
        bytes = (uint64_t) fs.f_bavail * fs.f_frsize;
        gate_found(gate, "%s free at %s", bytes_format(bytes, has), path);
        if (bytes < GATE_DISK_BYTES)
                return observe(ORIGIN_HOST, 0, gate->name, path, "%s free; the least that can do is %s", has,
                               bytes_format(GATE_DISK_BYTES, wanted));
        return OBSERVATION_NONE;
}

/* An address that the spec names may be translated on the way: if no interface has it, that is
 * told and let pass. */
static Observation check_address(const Context *c, Gate *gate) {
        const char *named = c->spec->host.host_ip;

        if (named) {
                gate_found(gate, "%s%s", named,
                      address_is_local(named) ? "" : " (no interface of this host has it)");
                return OBSERVATION_NONE;
        }
        if (c->facts->default_address[0] == '\0')
                return observe(
                        ORIGIN_HOST, 0, gate->name, NULL,
                        "there is no default route to take an address from, and no host.host_ip");
        gate_found(gate, "%s (of the default route)", c->facts->default_address);
        return OBSERVATION_NONE;
}

/* The installer's container publishes these. */
static const uint16_t installer_ports[] = { 20000, 21000, 22000 };

static Observation check_ports(const Context *c, Gate *gate) {
        _cleanup_buffer_ Buffer busy = BUFFER_INIT(64), free_ones = BUFFER_INIT(64);

        for (size_t i = 0; i < ELEMENTS(installer_ports); i++) {
                Buffer *list = port_is_free(installer_ports[i]) ? &free_ones : &busy;

                if (buffer_append_format(list, "%s%u", list->size > 0 ? ", " : "",
                                         installer_ports[i]) < 0)
                        return OBSERVATION_NONE; /* no memory for a sentence: somebody else will notice */
        }
        gate_found(gate, "free: %s", free_ones.size > 0 ? buffer_string(&free_ones) : "none");
        if (busy.size > 0)
                return observe(ORIGIN_HOST, 0, gate->name, NULL,
                               "somebody on this host uses port %s", buffer_string(&busy));
        return OBSERVATION_NONE;
}

static const GateRow rows[] = {
        { "user", host_facts_add_user, check_user },
        { "script", host_facts_add_script, check_script },
        { "script-sha256", NULL, check_script_sha256 },
        { "script-version", NULL, check_script_version },
        { "engine-socket", NULL, check_engine_socket },
        { "group", NULL, check_group },
        { "engine-client", NULL, check_engine_client },
        { "storage", NULL, check_storage },
        { "disk-space", NULL, check_disk_space },
        { "address", host_facts_add_address, check_address },
        { "ports", NULL, check_ports },
};
_Static_assert(ELEMENTS(rows) <= GATES_MAX, "a list holds all gates");

size_t host_gates_n(void) {
        return ELEMENTS(rows);
}

const char *host_gate_name(size_t which) {
        assert(which < ELEMENTS(rows));
        return rows[which].name;
}

static void check(const GateRow *row, const Context *c, Gate *gate) {
        Observation seen;

        gate->state = GATE_OPEN; /* unless its function leaves it untried */
        seen = row->check(c, gate);
        if (!observation_is_none(&seen))
                gate_judge(gate, &seen);
}

Gate host_gate_check(size_t which, const Spec *spec, HostFacts *facts, const char *path) {
        Gate gate = gate_named(host_gate_name(which));
        const GateRow *row = &rows[which];
        usec_t began_us = clock_boottime_us();
        int error = row->gather ? row->gather(spec, facts) : 0;

        if (error < 0) {
                Observation seen = observe(ORIGIN_HOST, -error, "no-answer", gate.name, "%s", strerror(-error));

                gate_judge(&gate, &seen);
        } else
                check(row, &(Context) { spec, facts, path }, &gate);
        gate.took_us = usec_sub(clock_boottime_us(), began_us);
        return gate;
}

void host_gates_check(const Spec *spec, const HostFacts *facts, const char *path, Gates *ret) {
        const Context context = { spec, facts, path };

        *ret = (Gates) { 0 };
        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                Gate gate = gate_named(rows[i].name);

                check(&rows[i], &context, &gate);
                (void) gates_put(ret, &gate);
        }
}
