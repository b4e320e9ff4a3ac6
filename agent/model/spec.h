/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Spec: what the file says, parsed and typed, nothing resolved yet ("auto" stays "auto").
 *
 * The contract of every key stands in enroll.yaml(5). Files are read by libyaml's event API into a bounded node tree
 * (yaml-tree.h), drop-ins are merged over it, and one table (spec-schema.c) says for each key its type,
 * default, bounds and allow-list kind. A Spec is complete or there is none: all problems come at once.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/file.h"
#include "model/problem.h"
#include "model/role.h"

#define SPEC_FILE_DEFAULT "/etc/ece-enroll/enroll.yaml"
#define SPEC_SIZE_MAX (64U * 1024U) /* bytes of one file */
#define SPEC_DEPTH_MAX 8U
#define SPEC_NODES_MAX 512U /* of one file */
#define SPEC_DROP_INS_MAX 32U
#define SPEC_COORDINATORS_MAX 16U
#define SPEC_LIST_MAX 64U

/* NULL-terminated list of strings, owned. NULL is the empty list. */
typedef char **StringList;
size_t string_list_size(char *const *list);
void string_list_free(char **list);

typedef enum SecretSourceKind {
        SECRET_FROM_NOWHERE,    /* key absent */
        SECRET_FROM_CREDENTIAL, /* systemd credential `name` */
        SECRET_FROM_FILE,       /* file `path` */
        SECRET_FROM_COMMAND,    /* output of `argv` */
        SECRET_FROM_ENV,        /* environment variable `name`; only for `ece-enroll run` */
} SecretSourceKind;

/* Where a secret is to be had; never the secret itself. */
typedef struct SecretSource {
        SecretSourceKind kind;
        char *name;      /* credential, env */
        char *path;      /* file */
        StringList argv; /* command: absolute program first */
} SecretSource;

typedef enum CredentialKind {
        CREDENTIAL_NONE,
        CREDENTIAL_API_KEY,
        CREDENTIAL_BASIC,
        CREDENTIAL_BEARER,
} CredentialKind;

typedef struct CredentialSpec {
        CredentialKind kind;
        char *user;          /* basic, bearer */
        SecretSource secret; /* the key or the password */
} CredentialSpec;

typedef enum TokenSource {
        TOKEN_FROM_COORDINATOR, /* minted by us */
        TOKEN_PRE_MINTED,       /* read from `pre_minted` */
} TokenSource;

typedef enum HandOff { HANDOFF_SHIM, HANDOFF_ARGV } HandOff;
typedef enum EngineKind { ENGINE_DOCKER, ENGINE_PODMAN } EngineKind;
typedef enum VerifyBy { VERIFY_BY_COORDINATOR, VERIFY_BY_LOCAL, VERIFY_BY_BOTH } VerifyBy;
typedef enum OnMember { ON_MEMBER_VERIFY, ON_MEMBER_IGNORE } OnMember;
typedef enum OnStaleRunner { ON_STALE_REFUSE, ON_STALE_REPLACE } OnStaleRunner;

typedef struct Spec {
        char **files; /* NULL-terminated: the main file, then the drop-ins in merge order. Place.file points here */
        uid_t owner;  /* of the main file: whoever may write it may write what it names */
        char digest[SHA256_HEX_SIZE]; /* of all files' bytes in order: do agent and keeper read the same spec? */

        StringList coordinators; /* "https://host:port", canonical: no path, no trailing slash, port always there */
        struct {
                char *ca_file;
                StringList pins; /* "sha256//BASE64=" */
        } trust;
        struct {
                char *certificate; /* path, or NULL */
                SecretSource key;
        } client;
        struct {
                char *url;             /* "http://host:port", or NULL: none, whatever the environment says */
                StringList exceptions; /* see no-proxy.h */
                char *user;            /* NULL: it wants none */
                SecretSource password;
        } proxy;
        CredentialSpec credential;
        struct {
                TokenSource source;
                SecretSource pre_minted;
                usec_t validity_us;
                bool persistent;
        } token;
        struct {
                RoleSet roles;
                char *runner_id; /* NULL: auto (host_ip) */
                char *host_ip;   /* NULL: auto (address of the default route); else canonical */
                char *availability_zone; /* NULL: the platform's default (ece-zone-1) */
                uint64_t capacity_mb;    /* 0: the installer's own default */
                char *memory_settings;   /* compact JSON, or NULL */
                char *allocator_tags;    /* "k:v,k:v" in file order, or NULL */
                StringList external_hostnames;
        } host;
        struct {
                char *script;
                char *sha256;  /* 64 lower-case hex digits, or NULL */
                char *version; /* NULL: auto (the coordinator's) */
                char *user;
                char *storage_path;
                EngineKind engine;
                char *engine_socket;
                char *docker_registry;       /* or NULL */
                char *ece_docker_repository; /* or NULL */
                HandOff handoff;
                bool prepull;
                usec_t attempt_timeout_us;
                char *timeout_factor; /* as written ("2.5"), or NULL for the default */
                bool force;
                bool selinux;
                StringList extra_args;
        } installer;
        struct {
                usec_t splay_us;
                usec_t backoff_min_us, backoff_max_us;
                unsigned windows;
                usec_t give_up_after_us;
        } retry;
        struct {
                VerifyBy by;
                usec_t timeout_us;
                usec_t stable_for_us;
                usec_t drift_every_us; /* 0: an enrolled host is not looked at again */
        } verify;
        OnMember on_member;
        OnStaleRunner on_stale_runner;
        struct {
                char *hooks_dir;
                char *metrics_textfile;
                char *webhook_url;
                char *webhook_ca_file; /* NULL: the system's authorities */
                SecretSource webhook_hmac_key;
        } report;
        bool forget_credential;
} Spec;

Spec *spec_free(Spec *spec); /* accepts NULL, returns NULL */
static inline void spec_freep(Spec **slot) {
        (void) spec_free(*slot);
}

/*
 * Reads path and its drop-ins (path with ".d" behind it, "*.yaml" in byte order of the names), checks
 * everything, fills problems (errors and warnings). A file that others than root and we ourselves can change is a problem
 * (base/guarded.h).
 * 0: *ret is a whole Spec (warnings possible). -EINVAL: problems has at least one error. -ENOENT: the main
 * file does not exist. Other negative errno: the machine's fault (-ENOMEM, -EACCES, -EIO).
 */
int spec_load(const char *path, Problems *problems, Spec **ret);

/* The same from memory, one file without drop-ins, for tests and fuzzing. */
int spec_parse(const char *file_name, const char *text, size_t n, Problems *problems, Spec **ret);

/* Every key of the contract as a dotted path ("host.roles"), in the order of the manual. NULL after the last.
 * Documentation tests hold the manual page against it. */
const char *spec_key(size_t n);
