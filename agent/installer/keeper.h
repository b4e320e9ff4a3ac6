/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Keeper: everything ece-installd does, behind one object. It listens on a socket it was given, serves one agent
 * at a time (a newer connection replaces an older one), runs at most one installer, keeps the outcome of the last attempt until it is
 * acknowledged, survives the agent and, through its own record, its own restart.
 */

#include <stdbool.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

typedef struct Keeper Keeper;

typedef struct KeeperOptions {
        const char *spec_path;
        const char *state_dir;   /* the attempt's record: DIR/attempt.json */
        const char *runtime_dir; /* private working directories of attempts */
        const char *shim;        /* absolute path of the ece-enroll-shim program */
        const char *path;        /* PATH for the installer (gates.h: installer_path_make()) */
        uid_t agent_uid;         /* who may connect beside root and ourselves; (uid_t) -1: nobody */
        bool idle_exit;          /* leave when nobody is connected, nothing runs and nothing is unacknowledged */
} KeeperOptions;

int keeper_new(sd_event *event, int listen_fd, const KeeperOptions *options, Keeper **ret); /* takes listen_fd over */
Keeper *keeper_free(Keeper *k);
static inline void keeper_freep(Keeper **slot) {
        (void) keeper_free(*slot);
}
