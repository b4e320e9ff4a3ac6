/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Ways through the machine as tables: an event, the state after it, the actions in their order (arming, disarming and
 * reporting left out). Included once by a test of its own.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/text.h"
#include "engine/machine.h"

#define NOW_US (100 * USEC_PER_HOUR)

typedef struct Row {
        Event event;
        State state;         /* expected after it */
        const char *actions; /* expected, in order */
} Row;

static Policy usual(void) {
        return (Policy) {
                .splay_us = 30 * USEC_PER_SEC,
                .backoff_min_us = 5 * USEC_PER_SEC,
                .backoff_max_us = USEC_PER_MINUTE,
                .windows = 2,
                .give_up_after_us = 4 * USEC_PER_HOUR,
                .attempt_timeout_us = 20 * USEC_PER_MINUTE,
                .token_margin_us = USEC_PER_MINUTE,
                .verify_timeout_us = 10 * USEC_PER_MINUTE,
                .stable_for_us = 30 * USEC_PER_SEC,
                .poll_us = 30 * USEC_PER_SEC,
                .guard_us = 2 * USEC_PER_MINUTE,
                .credential_tries = 3,
                .gate_poll_us = 4 * USEC_PER_SEC,
                .vain_efforts_max = 3,
                .prepull = true,
        };
}

static Policy run_policy(void) {
        Policy p = usual();

        p.one_shot = p.stop_terminates = true;
        return p;
}

static void format_actions(const Actions *actions, Buffer *ret) {
        for (size_t i = 0; i < actions->n; i++) {
                ActionKind kind = actions->item[i].kind;

                if (kind == ACTION_ARM || kind == ACTION_DISARM || kind == ACTION_REPORT)
                        continue;
                assert_int_equal(buffer_append_format(ret, "%s%s", ret->size > 0 ? " " : "",
                                                      action_kind_to_string(kind)), 0);
                if (kind == ACTION_EXIT)
                        assert_int_equal(buffer_append_format(ret, "(%d)", actions->item[i].exit_code), 0);
        }
}

/* Time passes only by timers: one that is fed fires exactly when it is due. */
static Machine walk(Machine m, const Policy *policy, const Row rows[], size_t n_rows, usec_t *now_us) {
        for (size_t i = 0; i < n_rows; i++) {
                _cleanup_buffer_ Buffer text = BUFFER_INIT(1024);
                const Event *event = &rows[i].event;
                Actions actions;

                if (event->kind == EVENT_TIMER && event->timer < _TIMER_MAX && m.armed_us[event->timer] != USEC_INFINITY)
                        *now_us = m.armed_us[event->timer];
                m = machine_step(m, policy, event, *now_us, &actions);
                format_actions(&actions, &text);
                if (m.state != rows[i].state || !streq(buffer_string(&text), rows[i].actions))
                        print_error("row %zu, %s: %s, %s\n", i, event_kind_to_string(event->kind),
                                    state_to_string(m.state), buffer_string(&text));
                assert_string_equal(state_to_string(m.state), state_to_string(rows[i].state));
                assert_string_equal(buffer_string(&text), rows[i].actions);
        }
        return m;
}

#define WALK(machine, policy, now, ...) \
        walk((machine), &(policy), (const Row[]) { __VA_ARGS__ }, ELEMENTS(((const Row[]) { __VA_ARGS__ })), &(now))

#define ON(k, ...) { .kind = EVENT_##k, __VA_ARGS__ }
#define FAIL_OF(k, c, x) { .kind = EVENT_##k, .class = CLASS_##c, .exit_code = (x) }
#define FIRES(t) { .kind = EVENT_TIMER, .timer = TIMER_##t }
#define SEES(what) { .kind = EVENT_PROBED, .membership = MEMBERSHIP_##what }
#define TOKEN_LIVES(us) { .kind = EVENT_MINTED, .token_deadline_us = NOW_US + (us) }

/* What most ways begin with. */
#define TO_PREFLIGHT                                                                    \
        { ON(START), STATE_LOADING, "SAVE LOAD_SPEC" },                                 \
        { ON(SPEC_LOADED), STATE_PREFLIGHT, "SAVE ATTACH" }
#define THROUGH_GATES                                                                   \
        { ON(KEEPER_IDLE), STATE_PREFLIGHT, "CHECK_HOST" },                             \
        { ON(HOST_READY), STATE_PREFLIGHT, "CHECK_NETWORK" },                           \
        { ON(NETWORK_READY), STATE_PROBING, "SAVE PROBE" }
#define PROBING_AGAIN                                                                   \
        { FIRES(WAIT), STATE_PREFLIGHT, "SAVE ATTACH" },                                \
        THROUGH_GATES
#define TO_PROBING                                                                      \
        TO_PREFLIGHT,                                                                   \
        { ON(KEEPER_IDLE), STATE_PREFLIGHT, "CHECK_HOST" },                             \
        { ON(HOST_READY), STATE_BACKOFF, "SAVE" }, /* the splay */                      \
        PROBING_AGAIN
#define TO_INSTALLING                                                                   \
        TO_PROBING,                                                                     \
        { SEES(NONE), STATE_PREPARING, "SAVE PREPARE" },                                \
        { ON(PREPARED), STATE_MINTING, "SAVE MINT" },                                   \
        { TOKEN_LIVES(USEC_PER_HOUR), STATE_INSTALLING, "SAVE INSTALL" },               \
        { ON(KEEPER_RUNNING), STATE_INSTALLING, "" }
#define TO_VERIFYING                                                                    \
        TO_INSTALLING,                                                                  \
        { ON(INSTALL_EXITED), STATE_VERIFYING, "WIPE_TOKEN SAVE ACKNOWLEDGE LOOK" }
