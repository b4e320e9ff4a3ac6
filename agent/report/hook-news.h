/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * HookNews: what of a status.json a hook is told. Whoever runs hooks may have more rights than the agent that wrote the
 * status, and hooks are often shell scripts: so each word is held against its form here, and what has not its form is no news.
 */

#include <stdbool.h>

#include "base/clock.h"
#include "base/json.h"
#include "model/outcome.h"
#include "model/role.h"

typedef enum HookEvent {
        HOOK_NOTHING,  /* the agent has nothing to do, or is on its way out */
        HOOK_PROGRESS, /* at work */
        HOOK_ENROLLED,
        HOOK_FAILED,
        _HOOK_EVENT_MAX,
} HookEvent;

typedef struct HookNews {
        HookEvent event;
        char state[16];              /* "INSTALLING": capital letters */
        char reason[REASON_ID_SIZE]; /* "" or letters, digits, '.' and '-' */
        char runner_id[129];         /* "" or of the allow-list */
        RoleSet roles;
        usec_t left_us; /* until the deadline, as of the status; USEC_INFINITY: none */
        bool joining;   /* a token or an installer is in play: what follows is news even if it reads like the last */
} HookNews;

/* The name of the event's directory: "progress", "enrolled", "failed"; NULL for HOOK_NOTHING. */
const char *hook_event_to_string(HookEvent event);
HookEvent hook_event_from_string(const char *word); /* HOOK_NOTHING for any other */

/* Is it a verdict, ENROLLED or FAILED? */
bool hook_news_is_final(const HookNews *news);

/* 0, or -EBADMSG: not a status, or one with a word that has not its form. */
int hook_news_read(const json_t *status, HookNews *ret);
