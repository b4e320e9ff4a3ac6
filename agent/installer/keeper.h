/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Keeper: everything ece-installd does, behind one object. It listens on a socket it was given,
 * serves one agent at a time (a newer connection replaces an older one), runs at most one
 * installer, keeps the outcome of the last attempt until it is acknowledged, survives the agent
 * and, through its own record, its own restart.
 */

#include <stdbool.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

#include "base/clock.h"

typedef struct Keeper Keeper;

typedef struct KeeperOptions {
        const char *spec_path;
        const char *state_dir;   /* the attempt's record: DIR/attempt.json */
        const char *runtime_dir; /* private working directories of attempts */
        const char *shim;        /* absolute path of the ece-enroll-shim program */
        const char *path;        /* PATH for the installer (gates.h: installer_path_make()) */
        uid_t agent_uid;         /* who may connect beside root and ourselves; (uid_t) -1: nobody */
        bool idle_exit;          /* leave when nobody is connected, nothing runs, and all that is known is on record */

        /* Something for the log: level as in syslog.h. May be NULL; this room does not log itself.
         * */
        void (*notice)(void *userdata, int level, const char *text);
        void *userdata;

        /* 0 for each means what is said here. Tests shrink them. */
        usec_t slack_us;      /* 60 s: over the spec's attempt_timeout, before the keeper ends an attempt by itself */
        usec_t kill_after_us; /* 10 s: between SIGTERM and SIGKILL to the installer's process group */
        usec_t drain_us;      /* 5 s: for output that comes after the installer has exited */
        usec_t round_us;      /* 500 ms: between two looks for the installer's container */
        usec_t gate_limit_us; /* GATE_LIMIT_US: for each look at the host; ENGINE_GATE_LIMIT_US at the engine */
        usec_t idle_us;       /* 300 ms: idle for so long before leaving; fifteen times that before the first connection */
} KeeperOptions;

/*
 * Reads the spec and the record, adopts the installer that an earlier keeper left running, listens.
 * Takes listen_fd over (also on failure); options are copied. 0; -EINVAL or -ENOENT: there is no
 * usable spec; other negative errno. Does not insist on a uid: whoever calls it decides as whom the
 * installer runs.
 */
int keeper_new(sd_event *event, int listen_fd, const KeeperOptions *options, Keeper **ret);

/* Lets go of everything; a running installer goes on and waits for the next keeper. */
Keeper *keeper_free(Keeper *k);
static inline void keeper_freep(Keeper **slot) {
        (void) keeper_free(*slot);
}
