/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Facts: what this host is (gathered by host/host-facts.h) and what the platform says of itself (asked by
 * coordinator/api.h), as plain values, so that the Plan is a pure function of Spec and facts. */

#include <stdbool.h>
#include <sys/types.h>

#include "base/file.h"

#define FACT_SIZE 256

typedef struct HostFacts {
        char default_address[64];  /* source address of the default route, canonical; "" when there is none */
        char script_version[64];   /* CLOUD_ENTERPRISE_VERSION of the script; "" when not found */
        char script_sha256[SHA256_HEX_SIZE]; /* "" when the script can't be read */
        bool script_executable; /* else bash runs it */
        char script_objection[FACT_SIZE]; /* somebody else could change it, and how to mend that; "" when nobody can */
        char user_name[FACT_SIZE]; /* installer.user, resolved */
        bool user_known;
        uid_t uid;
        gid_t gid;
        char home[FACT_SIZE];
        bool engine_socket_present; /* exists and is a socket */
        bool storage_present;       /* storage_path exists and is a directory */
} HostFacts;

/* What the container engine says of itself; "" where it was not asked or does not say. */
typedef struct EngineFacts {
        char version[64];          /* "27.0.3" */
        char driver[32];           /* of images and containers: "overlay2" */
        char data_root[FACT_SIZE]; /* "/mnt/data/docker" */
        char bridge_icc[8];        /* may containers on the default bridge reach each other: "true", "false" */
} EngineFacts;

typedef struct PlatformFacts {
        char version[64]; /* allow-list checked; "" when not asked yet */
} PlatformFacts;
