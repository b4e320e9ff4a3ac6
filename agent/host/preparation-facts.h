/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What `ece-enroll check` looks at to say how a host is prepared (preparation.h): gathered without side effects, as plain
 * values. Each has an error of its own, a negative errno when it could not be read; then nothing else in it counts. */

#include "base/clock.h"
#include "host/host-files.h"
#include "model/spec.h"

#define PREPARATION_PATH_SIZE 512

/* What the items need of the spec and of the facts, copied: whoever looks may hang longer than both live. */
typedef struct PreparationQuestion {
        EngineKind engine;
        RoleSet roles;
        bool selinux;
        char user[FACT_SIZE], storage_path[PREPARATION_PATH_SIZE], engine_socket[PREPARATION_PATH_SIZE];
        char ece_version[64]; /* of the spec, else of the script; "" when neither says one */
        bool user_known;
        uid_t uid;
        gid_t gid;
} PreparationQuestion;

/* facts: NULL when they could not be had; the user is then looked for by preparation_gather(). */
void preparation_question(const Spec *spec, const HostFacts *facts, PreparationQuestion *ret);

typedef struct KnownNumber {
        int error;
        uint64_t value;
} KnownNumber;

typedef struct KnownText {
        int error;
        char text[FACT_SIZE];
} KnownText;

typedef struct UnitFacts {
        int error;
        bool running; /* has a control group, which systemd makes for a unit that runs */
        bool wanted;  /* linked into a .wants of /etc/systemd/system: starts at boot */
} UnitFacts;

typedef enum Sysctl { SYSCTL_MAX_MAP_COUNT, SYSCTL_IP_FORWARD, SYSCTL_TCP_RETRIES2, SYSCTL_SWAPPINESS, _SYSCTL_MAX } Sysctl;
const char *sysctl_to_string(Sysctl which); /* "vm.max_map_count" */

typedef struct PreparationFacts {
        struct {
                int error;
                OsRelease release;
        } os;
        KnownNumber memory_kb, swap_kb;
        KnownNumber sysctl[_SYSCTL_MAX];
        struct {
                int error;
                char text[4096]; /* no kernel accepts a longer one on the machines that ECE runs on */
        } command_line;
        KnownNumber cgroup_version; /* 1 or 2 */
        struct {
                int error;
                Limits limits;
        } user_limits, container_ulimits;
        struct {
                int error;
                Mount mount;
        } storage_mount;
        struct {
                int error;
                uid_t uid;
                mode_t mode;
                uint64_t size; /* of the file system, in bytes */
        } storage;
        struct {
                int error;
                bool exists, member;
        } group; /* docker or podman */
        UnitFacts engine_unit, nscd, firewalld;
        UnitFacts podman_restart;
        ClockSync clock;
        KnownText time_zone;       /* the TZ string: "UTC0" */
        KnownText wrapper;         /* /usr/bin/docker, its first bytes */
        KnownNumber sudo;          /* a SudoRule */
        KnownText network_backend; /* "" when no file sets one */
        KnownText selinux;         /* "enforcing", "permissive", "disabled" */
} PreparationFacts;

/* Two looks, because the second one is at a path of the spec, whose file system may be away. Neither fails. root: "" for
 * this machine, a directory for tests; adjtimex(2) and the user database are this machine's all the same. May hang where a
 * file system or the user database does: for a worker. */
void preparation_gather(const char *root, PreparationQuestion *question, PreparationFacts *ret);
void preparation_gather_storage(const char *root, const PreparationQuestion *question, PreparationFacts *facts);

/* Nobody has looked: each fact of the first look, or of the second one, has this error. */
void preparation_facts_missing(int error, PreparationFacts *ret);
void preparation_storage_missing(int error, PreparationFacts *facts);
