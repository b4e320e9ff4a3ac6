/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the world did to us, as values.
 *
 * An Observation is raw: who said it, which code, which sentence. The rooms that talk to the world
 * (coordinator, installer, host) make Observations and decide nothing. An Outcome is an Observation that the
 * classification table (engine/classify.h) has judged: class, reason, sentence, remedy, exit code. Only
 * the class steers the state machine; all the rest is for people. Neither is ever an errno.
 */

#include <stdbool.h>

#include "base/clock.h"

/* Who spoke. Together with number and code it selects a row of the classification table. */
typedef enum Origin {
        ORIGIN_NONE,      /* nothing went wrong */
        ORIGIN_CURL,      /* number: CURLcode; code: "no-route" when the kernel has none, else "". No HTTP reply was had */
        ORIGIN_PROXY,     /* the proxy of the spec did not let us through. number: status of its answer; code: "unreachable" without one */
        ORIGIN_TLS,       /* code: "untrusted", "pin-mismatch", "name-mismatch", "expired", "not-yet-valid",
                             "protocol", "weak" or "other"; number: OpenSSL's verify result when there is one */
        ORIGIN_HTTP,      /* number: status, and the body was no ECE body */
        ORIGIN_ECE,       /* code: ECE's error code (quotes stripped); number: HTTP status */
        ORIGIN_REPLY,     /* a 2xx reply that is unusable. code: "html", "empty", "truncated", "not-json", "wrong-type",
                             "too-large", "not-ok" ({"ok":false}), "redirect" (3xx) */
        ORIGIN_TOKEN,     /* the token breaks a promise. code: "malformed", "role-missing", "expired", "no-expiry",
                             "persistent", "short-lived", "absent", "still-listed" */
        ORIGIN_CREDENTIAL,/* intake of a secret. code: "missing", "unreadable", "permissions", "empty", "command-failed",
                             "client-certificate", ... */
        ORIGIN_SPEC,      /* code: "absent", "invalid" */
        ORIGIN_HOST,      /* a fact of this machine. code: the gate's name: "engine-socket", "script", "storage", ...;
                             "user-missing"; "script-permissions"; "no-answer" (where: the gate) when a look at it hangs;
                             "record": the enrollment's record can't be written */
        ORIGIN_PLAN,      /* spec, host and platform do not fit together. code: "script-too-old", "version-mismatch", ... */
        ORIGIN_INSTALLER, /* number: exit status of the script (128+N by signal); code: evidence, see installer/evidence.h */
        ORIGIN_ENGINE,    /* container engine. code: "no-socket", "not-answering", "foreign-installer", ... */
        ORIGIN_KEEPER,    /* ece-installd. code: "unreachable", "not-answering", "lost", "protocol", "refused", "spec-differs", "peer" */
        ORIGIN_VERIFY,    /* coordinator's view. code: Difference id of model/verdict.h, "unstable" */
        ORIGIN_AGENT,     /* ourselves. code: "deadline", "windows", "loop", "interrupted", "internal" */
        _ORIGIN_MAX,
} Origin;

const char *origin_to_string(Origin o);

#define OBSERVATION_CODE_SIZE 96
#define OBSERVATION_DETAIL_SIZE 256
#define OBSERVATION_WHERE_SIZE 128

typedef struct Observation {
        Origin origin;
        int number;
        char code[OBSERVATION_CODE_SIZE];
        char detail[OBSERVATION_DETAIL_SIZE]; /* printable, bounded, redacted: what exactly was said or found */
        char where[OBSERVATION_WHERE_SIZE];   /* coordinator URL, path, role... or "" */
        usec_t retry_after_us;                /* what the peer asked us to wait; 0: it did not say */
        bool maybe_minted;                    /* a POST whose reply was lost: a token may exist (api.md, 10) */
} Observation;

#define OBSERVATION_NONE ((Observation) { .origin = ORIGIN_NONE })

/* Fills an Observation; text is made printable and cut to size. detail is a printf format or NULL. */
Observation observe(Origin origin, int number, const char *code, const char *where, const char *detail, ...)
        __attribute__((format(printf, 5, 6)));

static inline bool observation_is_none(const Observation *o) {
        return o->origin == ORIGIN_NONE;
}

typedef enum OutcomeClass {
        CLASS_OK,
        CLASS_TRANSIENT,  /* goes away by itself: backoff */
        CLASS_THROTTLED,  /* as transient, and the peer said how long */
        CLASS_HOST,       /* this host is not ready yet (engine, network): gates, backoff */
        CLASS_TIME,       /* explained by this host's wrong clock: wait for time synchronisation */
        CLASS_EXPIRED,    /* the token is spent: drop it, mint anew */
        CLASS_CREDENTIAL, /* refused credential: re-read it, bounded benefit of the doubt, then final */
        CLASS_OPERATOR,   /* needs a person on the platform, may change any time: slow retry */
        CLASS_PERMANENT,  /* will not change by itself: stop at once */
        _CLASS_MAX,
} OutcomeClass;

const char *outcome_class_to_string(OutcomeClass c);

#define REASON_ID_SIZE 64
#define OUTCOME_TEXT_SIZE 512

typedef struct Outcome {
        OutcomeClass class;
        char reason[REASON_ID_SIZE];  /* stable id, "coordinator.connect-refused"; "" when OK */
        char text[OUTCOME_TEXT_SIZE]; /* the sentence, with where and detail filled in */
        const char *remedy;           /* static text of the table, "" when none */
        int exit_code;                /* what the program exits with if this is what ends the run */
        Observation seen;
} Outcome;

#define OUTCOME_OK ((Outcome) { .class = CLASS_OK, .remedy = "" })

/* Exit codes: the public contract, sysexits(3) where it has a word for it. */
enum {
        EXIT_DONE = 0,
        EXIT_BAD_USAGE = 64,
        EXIT_UNREACHABLE = 69,
        EXIT_INTERNAL = 70,
        EXIT_INSTALLER = 73,
        EXIT_TRANSIENT = 75,
        EXIT_DIFFERS = 76,
        EXIT_DENIED = 77,
        EXIT_CONFIGURATION = 78,
        EXIT_INTERRUPTED_INT = 130,
        EXIT_INTERRUPTED_TERM = 143,
};
