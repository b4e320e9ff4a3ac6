/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Items of the container engine: what it says of itself, and what Docker and Podman need around them.
 *
 * The pairs of distribution and engine are those that the installer of ECE 4.0 accepts; it refuses all others with exit
 * code 1. For another release of ECE they are not known here, which is then said: a table that is too old must not call
 * a good host a bad one. The support matrix is always right. Nothing fails.
 */

#include "host/preparation-private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"

static bool is_podman(const Case *c) {
        return c->question->engine == ENGINE_PODMAN;
}

static const char *engine_name(const Case *c) {
        return is_podman(c) ? "podman" : "docker";
}

/* Has the engine not said this? Then it is untried. */
static bool unsaid(const Case *c, const char *text, Advice *a) {
        if (text[0] != '\0')
                return false;
        advice_untried(a, "%s", c->engine_why[0] ? c->engine_why : "the engine does not say");
        return true;
}

/* --- The pair --- */

typedef struct Pair {
        const char *os, *os_version; /* a major version, or both numbers where the distribution counts so */
        EngineKind engine;
        const char *versions; /* Docker's by both numbers, Podman's by the first one; the best is the last one */
} Pair;

/* Of ECE 4.0. */
static const Pair pairs[] = {
        { "rhel", "8", ENGINE_PODMAN, "4" },
        { "rhel", "9", ENGINE_PODMAN, "4 5" },
        { "rocky", "8", ENGINE_PODMAN, "4" },
        { "rocky", "9", ENGINE_PODMAN, "5" },
        { "ubuntu", "20.04", ENGINE_DOCKER, "25.0 26.0 27.0" },
        { "ubuntu", "22.04", ENGINE_DOCKER, "25.0 26.0 27.0" },
        { "ubuntu", "24.04", ENGINE_DOCKER, "26.0 27.0" },
        { "sles", "12", ENGINE_DOCKER, "25.0" },
        { "sles", "15", ENGINE_DOCKER, "25.0" },
};

/* Is version "9.3" one of "9", "27.0.3" one of "27.0"? */
static bool is_release_of(const char *version, const char *release, size_t n) {
        return strncmp(version, release, n) == 0 &&
               (version[n] == '\0' || version[n] == '.' || version[n] == '-');
}

static const Pair *find_pair(const Case *c) {
        const OsRelease *os = &c->facts->os.release;

        for (size_t i = 0; i < ELEMENTS(pairs); i++)
                if (streq(pairs[i].os, os->id) && pairs[i].engine == c->question->engine &&
                    is_release_of(os->version, pairs[i].os_version, strlen(pairs[i].os_version)))
                        return &pairs[i];
        return NULL;
}

static bool has_version(const Pair *pair, const char *version) {
        for (const char *one = pair->versions; *one != '\0'; one += strspn(one, " ")) {
                size_t n = strcspn(one, " ");

                if (is_release_of(version, one, n))
                        return true;
                one += n;
        }
        return false;
}

static void fix_pair(const Case *c, const Pair *pair, Advice *a) {
        const char *blank = pair ? strrchr(pair->versions, ' ') : NULL;
        const char *best = blank ? blank + 1 : pair ? pair->versions : "";

        if (!pair)
                return advice_fix(a, "Use a distribution and an engine of %s", a->source);
        switch (os_family(c)) {
        case OS_UBUNTU:
                return advice_fix(a,
                                  "sudo apt-get install -y --allow-downgrades 'docker-ce=5:%s.*' "
                                  "'docker-ce-cli=5:%s.*' containerd.io && "
                                  "sudo apt-mark hold docker-ce docker-ce-cli containerd.io",
                                  best, best);
        case OS_RHEL:
                return advice_fix(a, "sudo dnf install -y 'podman-%s.*' 'podman-remote-%s.*'", best, best);
        case OS_SLES:
                return advice_fix(a,
                                  "sudo zypper search -s -t package --match-exact docker; then, with a "
                                  "version %s of this list: sudo zypper install docker=VERSION",
                                  best);
        case OS_OTHER:
                break;
        }
}

void judge_os_engine(const Case *c, unsigned which, Advice *a) {
        const OsRelease *os = &c->facts->os.release;
        const char *version = c->engine->version, *ece = c->question->ece_version;
        const Pair *pair = find_pair(c);

        if (advice_unreadable(a, c->facts->os.error) || unsaid(c, version, a))
                return;
        if (ece[0] == '\0')
                return advice_untried(a, "%s %s with %s %s; the version of ECE is not known", os->id, os->version,
                                      engine_name(c), version);
        if (!is_release_of(ece, "4.0", strlen("4.0")))
                return advice_untried(a, "%s %s with %s %s; which pairs ECE %s takes is not known here", os->id,
                                      os->version, engine_name(c), version, ece);
        if (pair && has_version(pair, version))
                return advice_prepared(a, "%s %s with %s %s", os->id, os->version, engine_name(c), version);
        advice_advised(a, "%s %s with %s %s; ECE 4.0 takes %s%s", os->id, os->version, engine_name(c),
                       version, pair ? pair->versions : "no such pair", pair ? " there" : "");
        fix_pair(c, pair, a);
}

/* --- Both engines --- */

void judge_group(const Case *c, unsigned which, Advice *a) {
        const char *user = c->question->user, *name = engine_name(c);

        if (!c->question->user_known)
                return advice_untried(a, "not known before there is a user");
        if (advice_unreadable(a, c->facts->group.error))
                return;
        if (c->facts->group.exists && c->facts->group.member)
                return advice_prepared(a, "%s is in %s", user, name);
        if (c->facts->group.exists) {
                advice_advised(a, "%s is not in %s", user, name);
                return advice_fix(a, "sudo usermod -aG %s %s", name, user);
        }
        advice_advised(a, "there is no group %s", name);
        advice_fix(a, "sudo groupadd %s && sudo usermod -aG %s %s", name, name, user);
}

void judge_at_boot(const Case *c, unsigned which, Advice *a) {
        bool engine = c->facts->engine_unit.wanted, restart = c->facts->podman_restart.wanted;
        const char *units = is_podman(c) ? "podman.service podman-restart.service" : "docker.service";

        if (engine && (restart || !is_podman(c)))
                return advice_prepared(a, "%s starts at boot", engine_name(c));
        /* What is enabled is seen without the control groups, too. */
        if (c->facts->engine_unit.error < 0 && c->facts->engine_unit.error != -ENODATA) {
                (void) advice_unreadable(a, c->facts->engine_unit.error);
                return;
        }
        advice_advised(a, "not enabled: %s", engine ? "podman-restart.service" : units);
        advice_fix(a, "sudo systemctl enable %s", units);
}

/* Beside the storage path, as /mnt/data/docker is beside /mnt/data/elastic. */
static void wanted_data_root(const char *storage_path, char ret[static PREPARATION_PATH_SIZE]) {
        const char *slash = strrchr(storage_path, '/');

        (void) snprintf(ret, PREPARATION_PATH_SIZE, "%.*s/docker", (int) (slash ? slash - storage_path : 0),
                        storage_path);
}

/* On the storage's own file system it is where it belongs, under whatever name. */
static bool shares_storage(const Case *c, const char *data_root) {
        const Mount *mount = &c->facts->storage_mount.mount;
        size_t n = strlen(mount->point);

        return c->facts->storage_mount.error >= 0 && n > 1 && strncmp(data_root, mount->point, n) == 0 &&
               data_root[n] == '/';
}

void judge_data_root(const Case *c, unsigned which, Advice *a) {
        const char *seen = c->engine->data_root;
        char wanted[PREPARATION_PATH_SIZE];

        wanted_data_root(c->question->storage_path, wanted);
        if (unsaid(c, seen, a))
                return;
        if (streq(seen, wanted) || shares_storage(c, seen))
                return advice_prepared(a, "%s", seen);
        advice_advised(a, "%s", seen);
        if (is_podman(c))
                return advice_fix(a,
                                  "In /etc/containers/storage.conf, section [storage]: graphroot = \"%s\" "
                                  "and runroot = \"%s/runroot/\"; "
                                  "then: sudo systemctl restart podman",
                                  wanted, wanted);
        advice_fix(a,
                   "In /etc/docker/daemon.json: \"data-root\": \"%s\"; then: sudo systemctl restart docker",
                   wanted);
}

void judge_driver(const Case *c, unsigned which, Advice *a) {
        const char *wanted = is_podman(c) ? "overlay" : "overlay2";

        if (unsaid(c, c->engine->driver, a))
                return;
        if (streq(c->engine->driver, wanted))
                return advice_prepared(a, "%s", wanted);
        advice_advised(a, "%s", c->engine->driver);
        if (is_podman(c))
                return advice_fix(a, "In /etc/containers/storage.conf, section [storage]: driver = "
                                     "\"overlay\"; then: sudo systemctl restart podman");
        advice_fix(a, "In /etc/docker/daemon.json: \"storage-driver\": \"overlay2\"; then: sudo systemctl "
                      "restart docker");
}

/* --- Docker --- */

void judge_icc(const Case *c, unsigned which, Advice *a) {
        if (unsaid(c, c->engine->bridge_icc, a))
                return;
        if (streq(c->engine->bridge_icc, "false"))
                return advice_prepared(a, "off");
        advice_advised(a, "containers on the default bridge reach each other");
        advice_fix(a, "In /etc/docker/daemon.json: \"icc\": false; then: sudo systemctl restart docker");
}

static bool has_ulimit(const Limits *limits, LimitKind kind, uint64_t least) {
        const Limit *soft = &limits->soft[kind], *hard = &limits->hard[kind];

        return soft->rank != LIMIT_UNSET && hard->rank != LIMIT_UNSET && soft->value >= least &&
               hard->value >= least;
}

void judge_ulimits(const Case *c, unsigned which, Advice *a) {
        static const uint64_t least[_LIMIT_MAX] = { 1024000, LIMIT_UNLIMITED, LIMIT_UNLIMITED };
        const Limits *limits = &c->facts->container_ulimits.limits;
        char missing[64] = "";
        size_t n = 0;

        if (c->facts->container_ulimits.error == -EBADMSG)
                return advice_untried(a, "/etc/docker/daemon.json is no JSON object");
        if (advice_unreadable(a, c->facts->container_ulimits.error))
                return;
        for (LimitKind kind = 0; kind < _LIMIT_MAX; kind++)
                if (!has_ulimit(limits, kind, least[kind]))
                        n += (size_t) snprintf(missing + n, sizeof(missing) - n, "%s%s", n > 0 ? ", " : "",
                                               limit_kind_to_string(kind));
        if (n == 0)
                return advice_prepared(a, "nofile, memlock and nproc in /etc/docker/daemon.json");
        /* An option of dockerd does as well, and can't be seen. */
        advice_advised(a, "/etc/docker/daemon.json does not set %s (unless dockerd has --default-ulimit)",
                       missing);
        advice_fix(a, "In /etc/docker/daemon.json: \"default-ulimits\": {\"nofile\": {\"Name\": \"nofile\", "
                      "\"Hard\": 1024000, \"Soft\": 1024000}, \"memlock\": {\"Name\": \"memlock\", \"Hard\": -1, \"Soft\": -1}, "
                      "\"nproc\": {\"Name\": \"nproc\", \"Hard\": -1, \"Soft\": -1}}; then: sudo systemctl restart docker");
}

/* --- Podman --- */

void judge_wrapper(const Case *c, unsigned which, Advice *a) {
        int error = c->facts->wrapper.error;

        if (error != -ENOENT && advice_unreadable(a, error))
                return;
        if (error == 0 && streq(c->facts->wrapper.text, "podman-remote"))
                return advice_prepared(a, "/usr/bin/docker calls podman-remote");
        advice_advised(a, "%s",
                       error < 0 ? "there is no /usr/bin/docker"
                                 : "/usr/bin/docker does not call podman-remote");
        advice_fix(a,
                   "printf '%%s\\n' '#!/bin/bash' 'podman-remote --url unix://%s \"$@\"' | sudo tee "
                   "/usr/bin/docker && sudo chmod 0755 "
                   "/usr/bin/docker",
                   c->question->engine_socket);
}

void judge_sudo(const Case *c, unsigned which, Advice *a) {
        const char *user = c->question->user;

        if (!c->question->user_known)
                return advice_untried(a, "not known before there is a user");
        if (advice_unreadable(a, c->facts->sudo.error))
                return;
        if (c->facts->sudo.value == SUDO_ALL)
                return advice_prepared(a, "%s may do all", user);
        if (c->facts->sudo.value == SUDO_UNCLEAR)
                return advice_untried(a, "sudoers has aliases or further files, which are not followed");
        advice_advised(a, "no rule gives %s all without a password", user);
        advice_fix(a, "echo '%s ALL=(ALL) NOPASSWD:ALL' | sudo tee /etc/sudoers.d/99-ece-users", user);
}

void judge_network_backend(const Case *c, unsigned which, Advice *a) {
        const KnownText *backend = &c->facts->network_backend;

        if (advice_unreadable(a, c->facts->os.error))
                return;
        if (os_family(c) != OS_RHEL || !is_release_of(c->facts->os.release.version, "9", 1))
                return advice_prepared(a, "wanted on version 9 of RHEL and Rocky only");
        if (advice_unreadable(a, backend->error))
                return;
        if (streq(backend->text, "cni"))
                return advice_prepared(a, "cni");
        advice_advised(a, "%s",
                       backend->text[0] ? backend->text : "not set in /etc/containers/containers.conf");
        advice_fix(a, "In /etc/containers/containers.conf, section [network]: network_backend = \"cni\"; "
                      "then: sudo reboot");
}

/* Off altogether is also "not used". */
void judge_selinux(const Case *c, unsigned which, Advice *a) {
        const char *mode = c->facts->selinux.text;
        bool enforcing = streq(mode, "enforcing");

        if (advice_unreadable(a, c->facts->selinux.error))
                return;
        if (enforcing == c->question->selinux)
                return advice_prepared(a, "%s", mode);
        if (enforcing) {
                advice_advised(a, "enforcing, and installer.selinux is not set");
                return advice_fix(a, "In the spec: installer.selinux: true; or: sudo sed -i "
                                     "'s/^SELINUX=.*/SELINUX=permissive/' "
                                     "/etc/selinux/config && sudo reboot");
        }
        advice_advised(a, "%s, and installer.selinux is set", mode);
        advice_fix(a, "sudo sed -i 's/^SELINUX=.*/SELINUX=enforcing/' /etc/selinux/config && sudo reboot");
}
