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
 * wants the whole list. None writes, none waits for a peer, none fails.
 */

#include "host/gates.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/text.h"
#include "host/access.h"
#include "host/address.h"
#include "model/host-check.h"

#define FOUND_SIZE sizeof(((GateResult *) NULL)->found)

typedef struct Context {
        const Spec *spec;
        const HostFacts *facts;
        const char *path;
} Context;

typedef struct Gate {
        const char *name;
        Observation (*check)(const Context *c, GateResult *gate);
} Gate;

static void found(GateResult *gate, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void found(GateResult *gate, const char *format, ...) {
        char text[2 * FOUND_SIZE] = "";
        va_list arguments;

        va_start(arguments, format);
        (void) vsnprintf(text, sizeof(text), format, arguments);
        va_end(arguments);
        (void) text_copy_printable(gate->found, FOUND_SIZE, text);
}

static Observation check_user(const Context *c, GateResult *gate) {
        const HostFacts *facts = c->facts;

        if (facts->user_known)
                found(gate, "%s (uid %u, gid %u)", facts->user_name, (unsigned) facts->uid,
                      (unsigned) facts->gid);
        return host_check_user(c->spec, facts);
}

static Observation check_script(const Context *c, GateResult *gate) {
        found(gate, "%s", c->spec->installer.script);
        return host_check_script(c->spec, c->facts);
}

static Observation check_script_sha256(const Context *c, GateResult *gate) {
        if (c->facts->script_sha256[0] == '\0')
                return host_check_script(c->spec, c->facts);
        found(gate, "%s%s", c->facts->script_sha256,
              c->spec->installer.sha256 ? "" : " (the spec names none)");
        return host_check_script_sha256(c->spec, c->facts);
}

static Observation check_script_version(const Context *c, GateResult *gate) {
        Observation o = host_check_script_version(c->spec, c->facts);

        if (c->facts->script_sha256[0] == '\0')
                return host_check_script(c->spec, c->facts);
        found(gate, "%s", c->facts->script_version);
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

static Observation check_engine_socket(const Context *c, GateResult *gate) {
        const char *path = c->spec->installer.engine_socket;
        Observation o = check_type(gate->name, path, S_IFSOCK, "socket");
        int r;

        if (!observation_is_none(&o))
                return o;
        found(gate, "%s", path);
        r = access_for_user(c->facts, path, W_OK);
        if (r < 0)
                return observe(ORIGIN_HOST, -r, gate->name, path,
                               "user '%s' may not use it; is the user in the engine's group?",
                               c->spec->installer.user);
        if (!access_is_known(c->facts))
                return OBSERVATION_NONE;
        r = unix_socket_probe(path);
        if (r < 0)
                return observe(ORIGIN_HOST, -r, gate->name, path, "nobody answers there: %s",
                               strerror(-r));
        return OBSERVATION_NONE;
}

/* The script asks `docker ps` by that name whatever the engine is; podman hosts have a wrapper
 * for it. */
static Observation check_engine_client(const Context *c, GateResult *gate) {
        bool podman = c->spec->installer.engine == ENGINE_PODMAN;
        const char *name = podman ? "podman-remote" : "docker";
        char client[256], wrapper[256];

        if (path_find(c->path, name, client, sizeof(client)) < 0)
                return observe(ORIGIN_HOST, 0, gate->name, NULL, "there is no '%s' in %s", name,
                               c->path);
        if (!podman)
                found(gate, "%s", client);
        else if (path_find(c->path, "docker", wrapper, sizeof(wrapper)) < 0)
                found(gate, "%s; no 'docker' wrapper, which the installer's check calls", client);
        else
                found(gate, "%s, %s", client, wrapper);
        return OBSERVATION_NONE;
}

static Observation check_storage(const Context *c, GateResult *gate) {
        const char *path = c->spec->installer.storage_path;
        Observation o = check_type(gate->name, path, S_IFDIR, "directory");
        int r;

        if (!observation_is_none(&o))
                return o;
        found(gate, "%s", path);
        r = access_for_user(c->facts, path, R_OK | W_OK | X_OK);
        if (r < 0)
                return observe(ORIGIN_HOST, -r, gate->name, path,
                               "user '%s' may not read, write and enter it",
                               c->spec->installer.user);
        return OBSERVATION_NONE;
}

/* An address that the spec names may be translated on the way: if no interface has it, that is
 * told and let pass. */
static Observation check_address(const Context *c, GateResult *gate) {
        const char *named = c->spec->host.host_ip;

        if (named) {
                found(gate, "%s%s", named,
                      address_is_local(named) ? "" : " (no interface of this host has it)");
                return OBSERVATION_NONE;
        }
        if (c->facts->default_address[0] == '\0')
                return observe(
                        ORIGIN_HOST, 0, gate->name, NULL,
                        "there is no default route to take an address from, and no host.host_ip");
        found(gate, "%s (of the default route)", c->facts->default_address);
        return OBSERVATION_NONE;
}

/* The installer's container publishes these. */
static const uint16_t installer_ports[] = { 20000, 21000, 22000 };

static Observation check_ports(const Context *c, GateResult *gate) {
        _cleanup_buffer_ Buffer busy = BUFFER_INIT(64), free_ones = BUFFER_INIT(64);

        for (size_t i = 0; i < ELEMENTS(installer_ports); i++) {
                Buffer *list = port_is_free(installer_ports[i]) ? &free_ones : &busy;

                if (buffer_append_format(list, "%s%u", list->size > 0 ? ", " : "",
                                         installer_ports[i]) < 0)
                        return OBSERVATION_NONE; /* no memory for a sentence: somebody else will notice */
        }
        found(gate, "free: %s", free_ones.size > 0 ? buffer_string(&free_ones) : "none");
        if (busy.size > 0)
                return observe(ORIGIN_HOST, 0, gate->name, NULL,
                               "somebody on this host uses port %s", buffer_string(&busy));
        return OBSERVATION_NONE;
}

static const Gate gates[] = {
        { "user", check_user },
        { "script", check_script },
        { "script-sha256", check_script_sha256 },
        { "script-version", check_script_version },
        { "engine-socket", check_engine_socket },
        { "engine-client", check_engine_client },
        { "storage", check_storage },
        { "address", check_address },
        { "ports", check_ports },
};
_Static_assert(ELEMENTS(gates) <= GATES_MAX, "the caller's array holds all gates");

size_t gates_check(const Spec *spec, const HostFacts *facts, const char *path,
                   GateResult ret[static GATES_MAX]) {
        const Context context = { spec, facts, path };

        for (size_t i = 0; i < ELEMENTS(gates); i++) {
                ret[i] = (GateResult) { .name = gates[i].name };
                ret[i].seen = gates[i].check(&context, &ret[i]);
                ret[i].open = observation_is_none(&ret[i].seen);
        }
        return ELEMENTS(gates);
}
