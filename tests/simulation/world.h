/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The modelled world, in which the real agent lives.
 *
 * The agent is linked whole: machine, policy, classification, record, the client of the
 * coordinators, the wiring between them. What it would reach outside of itself is replaced when the
 * test is linked, at the places where the agent ends: the event loop and the clocks (loop.c), HTTP
 * transfers (model-coordinators.c), names and routes (model-network.c), the keeper's client
 * (model-keeper.c), files and facts of the host (model-host.c). There is one world at a time, since
 * replaced functions have no other way to find it.
 *
 * Time is a number. `now_us` counts from the beginning of the scenario and never stops; the host's
 * two clocks are made of it.
 */

#include "enrolld/agent-private.h"
#include "scenario.h"

#define OUR_ADDRESS "192.0.2.7"
#define GOOD_SECRET "the-good-key"
#define RUNNING_FOR_US (100 * USEC_PER_SEC) /* boottime when a scenario begins: a host is never that new */
#define BOOT_US (20 * USEC_PER_SEC)         /* boottime when the agent starts after a reboot */
#define AGENT_RESTART_US (5 * USEC_PER_SEC) /* RestartSec= of the unit */
#define HORIZON_US (72 * USEC_PER_HOUR)     /* who is not at an end by then never will be, */
#define TURNS_MAX 500000U                   /* nor who goes round in circles without letting time pass */

/* Who is hit when the host sleeps or dies. */
typedef enum Side {
        SIDE_WORLD,     /* goes on whatever the host does */
        SIDE_HOST,      /* late after a suspend, gone with the power */
        SIDE_INSTALLER, /* stands still during a suspend */
} Side;

typedef void (*Happening)(void *subject);

typedef struct Due {
        usec_t at_us;
        uint64_t order;
        Side side;
        Happening happening;
        void *subject;
} Due;

#define DUE_MAX 128U

/* The platform's idea of a runner under our id. */
typedef struct Runner {
        bool there;
        RunnerKind kind; /* HEALTHY, DISCONNECTED, FOREIGN */
        usec_t joined_us;
        bool joined; /* by an installer of ours */
        RoleSet roles, without;
} Runner;

typedef struct Installer {
        bool running, ended; /* ended: and not acknowledged */
        const InstallerRule *rule;
        char attempt[33];
        usec_t started_us, limit_us;
        int64_t token_exp_s;
        RoleSet token_roles;
        bool with_shim;
        bool adopted; /* by a keeper that is not its parent: the status is lost */
        Observation outcome;
        int ended_by; /* EvidenceEnd */
        bool left_over; /* its container */
} Installer;

/* What stood on record when the last token was made. */
typedef struct MintOnRecord {
        unsigned window, boot;
        usec_t started_us;
} MintOnRecord;

typedef struct Count {
        unsigned tokens, installers, requests, deletions;
        unsigned after_permanent; /* requests begun since the machine heard of `permanent` */
        unsigned crashes;
        unsigned asked[COORDINATORS_MAX]; /* requests, by coordinator */
} Count;

typedef struct Sighting {
        char reason[REASON_ID_SIZE];
} Sighting;

/* How an agent left, or where it stands. */
typedef struct Ending {
        State state;
        char reason[REASON_ID_SIZE];
        int exit_code;
} Ending;

#define STORED_MAX 64U

typedef struct World {
        const Scenario *scenario;
        Agent *agent; /* NULL while it is not running */
        bool agent_dead; /* it died in the middle of a step: what it still does has no effect */
        bool start_wanted, powered_off;
        unsigned deeds_left;
        Ending ending;

        usec_t now_us;
        usec_t awake_us; /* of a suspend: nothing happens on the host before */
        int64_t boot_offset_us; /* boottime - now */
        unsigned boot;
        int64_t wall_error_us;
        uint64_t chance;
        unsigned turns;

        Due due[DUE_MAX];
        size_t n_due;
        uint64_t order;

        Buffer disk; /* the record */
        bool have_record;
        MintOnRecord last_mint;
        Runner runner;
        Installer installer;
        struct {
                bool there, told; /* told: its identifier has come to the agent's record */
        } stored[STORED_MAX];     /* persistent tokens, "stored-N" */
        unsigned n_stored;
        bool roles_set; /* by the API */
        bool watch_over;
        unsigned n_started; /* installers, for `installer the 2` */
        unsigned seen_rule[RULES_MAX]; /* questions that matched a coordinator's rule but for its number */

        Count count;
        char permanent[REASON_ID_SIZE]; /* the last trouble that asking again does not mend */
        usec_t final_us;     /* when the last final state was entered */
        usec_t verifying_us; /* when VERIFYING was */
        Sighting sighting[64];
        size_t n_sightings;
        usec_t request_us[4096];
        size_t n_request_us;
        usec_t handshake_us[4096]; /* of those that nothing follows */
        size_t n_handshake_us;

        /* The crash under trial: when the agent touches the world for the n-th time. */
        unsigned touches, crash_at;
        bool crash_before;
        bool crashed_at_rest; /* when the record said that the enrollment is over */

        bool story; /* tell what happens */
        const char *broken; /* the first promise that was broken */
        usec_t broken_us;
} World;

extern World *world;

/* --- loop.c ------------------------------------------------------------------------------------ */

void world_later(usec_t delay_us, Side side, Happening happening, void *subject);
void world_forget(const void *subject); /* what was to happen to it does not */
void world_suspend(usec_t duration_us);
void world_loop_reset(void); /* the agent's sources are gone */
bool world_turn(void);       /* one thing happens. False: nothing is left that could */
bool world_idle(void);       /* nothing is left that could */
usec_t world_boottime(void);
int64_t world_wall_us(void);
int64_t world_platform_s(void);
uint32_t world_chance(void);

/* --- play.c ------------------------------------------------------------------------------------ */

void world_break(const char *promise);
bool world_is_over(void);
void world_check_stored(void); /* at the end: none of our persistent tokens is left that anybody knows of */
void world_tell(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The agent is about to change something outside of itself. False: it is dead and nothing comes of
 * it. Call world_touched() when it is done. */
bool world_touch(void);
void world_touched(void);

/* --- model-coordinators.c ---------------------------------------------------------------------- */
bool coordinator_resolves(const char *host);

/* --- model-platform.c -------------------------------------------------------------------------- */
void platform_note_record(const Record *record);
char *platform_answer(const char *kind, const char *path, const char *body, int *ret_status); /* malloc()ed */
void platform_join(RoleSet roles, RoleSet without);
char *platform_given_token(void); /* the pre-minted one; malloc()ed */
void platform_containers(LocalView *ret); /* what runs on the host that is a runner of it */
bool platform_agrees(void); /* is this host what it should be, by the model's own knowledge? */

/* --- model-keeper.c ---------------------------------------------------------------------------- */
void keeper_crash(void);
void keeper_power_off(void);

/* --- promises.c -------------------------------------------------------------------------------- */
void promises_check_state(void); /* the machine has entered a state */

/* --- model-host.c ------------------------------------------------------------------------------ */
const TroubleRule *host_trouble(TroubleKind kind); /* the one that holds now, or NULL */
bool host_met(const char *reason);
