/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Scenarios as data: what the world does, and what must be seen of it.
 *
 * The language stands in scenarios/README.md. Each line is "SUBJECT [WHEN]: WHAT"; the reader knows
 * every word, and whatever it does not know is an error with file and line.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "engine/machine.h"

#define COORDINATORS_MAX 4U
#define RULES_MAX 24U
#define DEEDS_MAX 12U
#define CLAUSES_MAX 24U
#define SPEC_CHANGES_MAX 16U
#define TEXT_SIZE 96U

/* When a rule holds. Of several that hold, the last one counts. */
typedef struct When {
        usec_t from_us, until_us; /* since the beginning; of the runner also since it joined */
        bool after_join;
        char kind[16];        /* coordinators: one kind of question; "": every kind */
        unsigned first, last; /* the how many-th question or installer; 0: each */
} When;

typedef enum AnswerKind {
        ANSWER_GOOD,
        ANSWER_REFUSED,    /* nobody listens */
        ANSWER_BLACK_HOLE, /* packets vanish */
        ANSWER_HANGS,      /* accepts, never answers */
        ANSWER_RESET,      /* breaks before the request had its effect */
        ANSWER_LOST,       /* breaks after it */
        ANSWER_UNRESOLVED,
        ANSWER_UNTRUSTED,
        ANSWER_WRONG_NAME,
        ANSWER_STATUS, /* status, code, body, header below */
} AnswerKind;

typedef enum BodyKind { BODY_ERRORS, BODY_HTML, BODY_EMPTY, BODY_TRUNCATED } BodyKind;

typedef struct CoordinatorRule {
        char name[8]; /* "all": every one */
        When when;
        AnswerKind answer;
        usec_t delay_us;
        int status;
        char code[TEXT_SIZE];
        BodyKind body;
        char retry_after[TEXT_SIZE];
        bool retry_as_date; /* retry_in_us from the platform's present, as an HTTP date */
        usec_t retry_in_us;
} CoordinatorRule;

typedef enum InstallerKind { INSTALLER_WORKS, INSTALLER_FAILS, INSTALLER_HANGS } InstallerKind;

typedef struct InstallerRule {
        When when;
        InstallerKind kind;
        usec_t takes_us;
        int status;
        char saying[TEXT_SIZE];
        bool in_container, ignores_term, leaves_container, joins;
        RoleSet without; /* roles that do not come into effect */
} InstallerRule;

typedef enum RunnerKind {
        RUNNER_HEALTHY,
        RUNNER_ABSENT,
        RUNNER_DISCONNECTED,
        RUNNER_UNHEALTHY,
        RUNNER_FOREIGN,
        RUNNER_ZONE,       /* text */
        RUNNER_VERSION,    /* text */
        RUNNER_UNLISTED,   /* roles */
        RUNNER_UNBLESSED,  /* roles */
        RUNNER_PENDING,    /* roles */
        RUNNER_NO_EFFECT,  /* roles */
        RUNNER_MAINTENANCE,
        RUNNER_FLAPPING, /* connected for period_us, disconnected for period_us, ... */
} RunnerKind;

typedef struct RunnerRule {
        When when;
        RunnerKind kind;
        RoleSet roles;
        char text[TEXT_SIZE];
        usec_t period_us;
} RunnerRule;

/* What is the matter with the host for a while. */
typedef enum TroubleKind {
        TROUBLE_GATE,            /* text: the gate that is shut */
        TROUBLE_NETWORK,         /* no route to anywhere */
        TROUBLE_DISK_FULL,       /* the record can't be written */
        TROUBLE_KEEPER_ABSENT,   /* nobody listens on its socket */
        TROUBLE_ENGINE_DOWN,
        TROUBLE_OTHER_ECE,     /* settling and pulling get no answer */
        TROUBLE_FOREIGN_INSTALLER,
        TROUBLE_PULL_FAILS,      /* text: what the engine's client says */
        TROUBLE_PULL_SLOW,       /* duration_us */
        TROUBLE_CREDENTIAL_MISSING,
        TROUBLE_CREDENTIAL_WRONG,
        TROUBLE_SPEC_ABSENT,
} TroubleKind;

typedef struct TroubleRule {
        When when;
        TroubleKind kind;
        char text[TEXT_SIZE];
        usec_t duration_us;
} TroubleRule;

typedef enum DeedKind {
        DEED_AGENT_CRASH,
        DEED_KEEPER_CRASH,
        DEED_REBOOT,     /* duration_us: how long it is off */
        DEED_SUSPEND,    /* duration_us */
        DEED_CLOCK_STEP, /* offset_us */
        DEED_CLOCK_SET,  /* offset_us: since the epoch */
        DEED_STOP,
        DEED_RETRY,
        DEED_WATCH_OVER,
        DEED_SPEC_CHANGE, /* key, value */
        DEED_SPEC_APPEARS,
} DeedKind;

typedef struct Deed {
        usec_t at_us;
        DeedKind kind;
        usec_t duration_us;
        int64_t offset_us;
        char key[TEXT_SIZE], value[TEXT_SIZE];
} Deed;

typedef enum ClauseKind {
        CLAUSE_END,        /* state, text: reason id or "", number: exit code or 0 */
        CLAUSE_CRASH_END,  /* the same: where a crash may lead instead */
        CLAUSE_BETWEEN,    /* from_us, until_us: the last final state is entered then */
        CLAUSE_TOKENS,     /* least, most */
        CLAUSE_INSTALLERS, /* least, most */
        CLAUSE_REQUESTS,   /* least, most */
        CLAUSE_FURTHER,    /* most: requests after the first permanent answer */
        CLAUSE_MEETS,      /* text: a reason that was told */
        CLAUSE_AVOIDS,     /* text: a reason that was never told */
        CLAUSE_QUIET,      /* from_us, until_us: no request begins then */
        CLAUSE_GOES_ON,    /* from_us, until_us: a request begins then */
        CLAUSE_DELETES,    /* least, most: runners deleted */
        CLAUSE_GETS,       /* coordinator; least, most: requests that it gets */
} ClauseKind;

typedef struct Clause {
        unsigned line;
        ClauseKind kind;
        State state;
        char text[TEXT_SIZE];
        char coordinator[8];
        int number;
        unsigned least, most;
        usec_t from_us, until_us;
} Clause;

typedef struct SpecChange {
        char key[TEXT_SIZE], value[2 * TEXT_SIZE];
} SpecChange;

typedef struct Scenario {
        char name[TEXT_SIZE];
        const char *file;
        unsigned line;

        char coordinators[COORDINATORS_MAX][8];
        size_t n_coordinators;
        bool run; /* `ece-enroll run` instead of the daemon */
        SpecChange spec[SPEC_CHANGES_MAX];
        size_t n_spec;

        bool knows_runner;       /* the platform knew one under our id before us */
        RunnerKind known_runner; /* HEALTHY, DISCONNECTED or FOREIGN */
        char platform_version[16];
        usec_t given_lives_us; /* of a pre-minted token, from the beginning */
        usec_t tokens_live_us; /* 0: as long as was asked for */
        RoleSet tokens_lack, tokens_have;
        bool no_date;
        int64_t clock_error_us; /* of the host's wall clock at the beginning */

        CoordinatorRule coordinator[RULES_MAX];
        InstallerRule installer[RULES_MAX];
        RunnerRule runner[RULES_MAX];
        TroubleRule trouble[RULES_MAX];
        Deed deed[DEEDS_MAX];
        Clause clause[CLAUSES_MAX];
        size_t n_coordinator, n_installer, n_runner, n_trouble, n_deed, n_clause;
} Scenario;

/* The platform's clock when a scenario begins: 2026-01-01T00:00:00Z. */
#define PLATFORM_EPOCH_S INT64_C(1767225600)

/* Reads a file of scenarios and appends to *list. 0, or -EINVAL after "FILE:LINE: what" on standard
 * error; file must outlive the scenarios. */
int scenarios_read(const char *file, Scenario **list, size_t *n);

bool when_holds(const When *when, usec_t now_us, unsigned count);
