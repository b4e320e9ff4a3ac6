/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Messages as JSON and back. One table says which members a kind has; the encoder writes exactly
 * these and the decoder wants exactly these, so that what one side means can't be something else on
 * the other. Both ends are ours, but they run with different rights: each treats the other as
 * hostile.
 */

#include "installer/protocol.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "installer/lines.h"
#include "installer/message-codec.h"

enum {
        HAS_SPEC = 1U << 0,
        HAS_ATTEMPT = 1U << 1,  /* 32 hex digits */
        MAY_ATTEMPT = 1U << 2,  /* the same, or "" */
        HAS_COORDINATOR = 1U << 3,
        HAS_VERSION = 1U << 4,
        HAS_STATE = 1U << 5, /* "state" and "running_s" */
        HAS_TEXT = 1U << 6,
        HAS_SEEN = 1U << 7,
        HAS_GATE = 1U << 8, /* "name", "state", "found", "seen" and "took_ms" */
        HAS_LOCAL = 1U << 9, /* each container of local-view.h with its state */
};

typedef struct KindRow {
        const char *name;
        unsigned members;
} KindRow;

static const KindRow kinds[_MESSAGE_KIND_MAX] = {
        [MESSAGE_PROBE] = { "probe", HAS_SPEC },
        [MESSAGE_GATES] = { "gates", HAS_SPEC },
        [MESSAGE_PREPARE] = { "prepare", HAS_SPEC | HAS_VERSION },
        [MESSAGE_INSTALL] = { "install", HAS_SPEC | HAS_ATTEMPT | HAS_COORDINATOR | HAS_VERSION },
        [MESSAGE_ATTACH] = { "attach", HAS_SPEC },
        [MESSAGE_TERMINATE] = { "terminate", HAS_SPEC | HAS_ATTEMPT },
        [MESSAGE_SETTLE] = { "settle", HAS_SPEC },
        [MESSAGE_LOOK] = { "look", HAS_SPEC },
        [MESSAGE_ACKNOWLEDGE] = { "acknowledge", HAS_SPEC | HAS_ATTEMPT },
        [MESSAGE_STATE] = { "state", MAY_ATTEMPT | HAS_STATE },
        [MESSAGE_GATE] = { "gate", HAS_GATE },
        [MESSAGE_GATES_OPEN] = { "gates-open", 0 },
        [MESSAGE_STAGE] = { "stage", MAY_ATTEMPT | HAS_TEXT },
        [MESSAGE_LINE] = { "line", MAY_ATTEMPT | HAS_TEXT },
        [MESSAGE_PREPARED] = { "prepared", 0 },
        [MESSAGE_EXITED] = { "exited", HAS_ATTEMPT | HAS_SEEN },
        [MESSAGE_SETTLED] = { "settled", HAS_TEXT },
        [MESSAGE_VIEW] = { "view", HAS_VERSION | HAS_LOCAL },
        [MESSAGE_REFUSED] = { "refused", MAY_ATTEMPT | HAS_SEEN },
};

static const char *const attempt_states[] = {
        [ATTEMPT_NONE] = "none",
        [ATTEMPT_RUNNING] = "running",
        [ATTEMPT_ENDED] = "ended",
};

bool message_kind_is_request(MessageKind kind) {
        return kind >= 0 && kind < _MESSAGE_KIND_MAX && (kinds[kind].members & HAS_SPEC) != 0;
}

/* --- Encoding --- */

/* Observations may have been cut in the middle of a character; JSON wants whole ones. */
static json_t *printable_string(const char *text) {
        _cleanup_free_ char *copy = strdup(text);

        return copy ? json_string(text_make_printable(copy)) : NULL;
}

static int put(json_t *object, const char *name, json_t *value) {
        return json_object_set_new(object, name, value) < 0 ? -ENOMEM : 0;
}

json_t *observation_to_json(const Observation *o) {
        _cleanup_json_ json_t *object = json_object();

        if (!object || put(object, "origin", json_string(origin_to_string(o->origin))) < 0 ||
            put(object, "number", json_integer(o->number)) < 0 ||
            put(object, "code", printable_string(o->code)) < 0 ||
            put(object, "detail", printable_string(o->detail)) < 0 ||
            put(object, "where", printable_string(o->where)) < 0)
                return NULL;
        return TAKE_PTR(object);
}

static int put_gate(json_t *object, const Gate *gate) {
        int error = 0;

        error = error ?: put(object, "name", printable_string(gate->name));
        error = error ?: put(object, "state", json_string(gate_state_to_string(gate->state)));
        error = error ?: put(object, "found", printable_string(gate->found));
        error = error ?: put(object, "seen", observation_to_json(&gate->seen));
        error = error ?: put(object, "took_ms", json_integer((json_int_t) (gate->took_us / USEC_PER_MSEC)));
        return error;
}

static int put_local(json_t *object, const LocalState local[static _LOCAL_PART_MAX]) {
        int error = 0;

        for (LocalPart part = 0; part < _LOCAL_PART_MAX; part++)
                error = error ?: put(object, local_part_container(part), json_string(local_state_to_string(local[part])));
        return error;
}

static int put_members(json_t *object, const Message *m) {
        unsigned members = kinds[m->kind].members;
        int error = 0;

        if (members & HAS_SPEC)
                error = error ?: put(object, "spec", printable_string(m->spec));
        if (members & (HAS_ATTEMPT | MAY_ATTEMPT))
                error = error ?: put(object, "attempt", printable_string(m->attempt));
        if (members & HAS_COORDINATOR)
                error = error ?: put(object, "coordinator", printable_string(m->coordinator));
        if (members & HAS_VERSION)
                error = error ?: put(object, "version", printable_string(m->version));
        if (members & HAS_STATE) {
                error = error ?: put(object, "state", json_string(attempt_states[m->attempt_state]));
                error = error ?: put(object, "running_s", json_integer((json_int_t) m->running_s));
        }
        if (members & HAS_TEXT)
                error = error ?: put(object, "text", printable_string(m->text));
        if (members & HAS_SEEN)
                error = error ?: put(object, "seen", observation_to_json(&m->seen));
        if (members & HAS_GATE)
                error = error ?: put_gate(object, &m->gate);
        if (members & HAS_LOCAL)
                error = error ?: put_local(object, m->local);
        return error;
}

int message_encode(const Message *m, Buffer *ret) {
        _cleanup_json_ json_t *object = json_object();
        _cleanup_free_ char *text = NULL;

        if (!object || put(object, "protocol", json_integer(PROTOCOL_VERSION)) < 0 ||
            put(object, "kind", json_string(kinds[m->kind].name)) < 0 || put_members(object, m) < 0)
                return -ENOMEM;
        text = json_write_compact(object);
        if (!text)
                return -ENOMEM;
        if (strlen(text) > MESSAGE_SIZE_MAX)
                return -EMSGSIZE;
        return buffer_append_string(ret, text);
}

/* --- Decoding --- */

/* Counts the members that were taken: what is left over is unknown and refused. */
typedef struct Decoder {
        const json_t *object;
        size_t taken;
        bool bad;
} Decoder;

static void take_string(Decoder *d, const char *name, char *ret, size_t ret_size) {
        const char *value = json_member_string(d->object, name);

        if (!value || strlen(value) >= ret_size || !text_is_printable(value)) {
                d->bad = true;
                return;
        }
        d->taken++;
        (void) memcpy(ret, value, strlen(value) + 1);
}

static void take_hex(Decoder *d, const char *name, bool may_be_empty, char *ret, size_t ret_size) {
        take_string(d, name, ret, ret_size);
        if (d->bad || (ret[0] == 0 && may_be_empty))
                return;
        d->bad = strlen(ret) != ret_size - 1 || !text_consists_of(ret, "0123456789abcdef");
}

static void take_integer(Decoder *d, const char *name, json_int_t minimum, json_int_t maximum, json_int_t *ret) {
        json_t *value = json_object_get(d->object, name);

        if (!json_is_integer(value) || json_integer_value(value) < minimum ||
            json_integer_value(value) > maximum) {
                d->bad = true;
                return;
        }
        d->taken++;
        *ret = json_integer_value(value);
}

int observation_from_json(const json_t *object, Observation *ret) {
        Decoder d = { .object = object };
        Observation seen = OBSERVATION_NONE;
        json_int_t number = 0;
        char origin[32] = "";
        Origin o = ORIGIN_NONE;

        take_string(&d, "origin", origin, sizeof(origin));
        take_integer(&d, "number", INT32_MIN, INT32_MAX, &number);
        take_string(&d, "code", seen.code, sizeof(seen.code));
        take_string(&d, "detail", seen.detail, sizeof(seen.detail));
        take_string(&d, "where", seen.where, sizeof(seen.where));
        while (o < _ORIGIN_MAX && !streq(origin_to_string(o), origin))
                o++;
        if (d.bad || o == _ORIGIN_MAX || d.taken != json_object_size(object))
                return -EBADMSG;
        seen.origin = o;
        seen.number = (int) number;
        *ret = seen;
        return 0;
}

static void take_state(Decoder *d, Message *m) {
        char state[16] = "";
        json_int_t running_s = 0;
        size_t i = 0;

        take_string(d, "state", state, sizeof(state));
        take_integer(d, "running_s", 0, INT64_MAX, &running_s);
        while (i < ELEMENTS(attempt_states) && !streq(attempt_states[i], state))
                i++;
        if (i == ELEMENTS(attempt_states)) {
                d->bad = true;
                return;
        }
        m->attempt_state = (AttemptState) i;
        m->running_s = (uint64_t) running_s;
}

static void take_seen(Decoder *d, Observation *ret) {
        const json_t *seen = json_member_object(d->object, "seen");

        if (!seen || observation_from_json(seen, ret) < 0)
                d->bad = true;
        else
                d->taken++;
}

/* A gate's name is a word of ours, and something is seen exactly when it is shut. */
static void take_gate(Decoder *d, Gate *ret) {
        char state[16] = "";
        json_int_t took_ms = 0;

        take_string(d, "name", ret->name, sizeof(ret->name));
        take_string(d, "state", state, sizeof(state));
        take_string(d, "found", ret->found, sizeof(ret->found));
        take_seen(d, &ret->seen);
        take_integer(d, "took_ms", 0, INT32_MAX, &took_ms);
        ret->state = gate_state_from_string(state);
        ret->took_us = (usec_t) took_ms * USEC_PER_MSEC;
        if (!text_consists_of(ret->name, "abcdefghijklmnopqrstuvwxyz0123456789-") || ret->state < 0 ||
            (ret->state == GATE_SHUT) == observation_is_none(&ret->seen))
                d->bad = true;
}

static void take_local(Decoder *d, LocalState ret[static _LOCAL_PART_MAX]) {
        for (LocalPart part = 0; part < _LOCAL_PART_MAX; part++) {
                char state[16] = "";

                take_string(d, local_part_container(part), state, sizeof(state));
                ret[part] = local_state_from_string(state);
                d->bad = d->bad || ret[part] < 0;
        }
}

static void take_members(Decoder *d, Message *m) {
        unsigned members = kinds[m->kind].members;

        if (members & HAS_SPEC)
                take_hex(d, "spec", false, m->spec, sizeof(m->spec));
        if (members & (HAS_ATTEMPT | MAY_ATTEMPT))
                take_hex(d, "attempt", (members & MAY_ATTEMPT) != 0, m->attempt, sizeof(m->attempt));
        if (members & HAS_COORDINATOR)
                take_string(d, "coordinator", m->coordinator, sizeof(m->coordinator));
        if (members & HAS_VERSION)
                take_string(d, "version", m->version, sizeof(m->version));
        if (members & HAS_STATE)
                take_state(d, m);
        if (members & HAS_TEXT)
                take_string(d, "text", m->text, sizeof(m->text));
        if (members & HAS_SEEN)
                take_seen(d, &m->seen);
        if (members & HAS_GATE)
                take_gate(d, &m->gate);
        if (members & HAS_LOCAL)
                take_local(d, m->local);
}

static MessageKind kind_from_string(const char *name) {
        for (MessageKind kind = 0; kind < _MESSAGE_KIND_MAX; kind++)
                if (streq(kinds[kind].name, name))
                        return kind;
        return _MESSAGE_KIND_INVALID;
}

int message_decode(const char *text, size_t n, Message *ret) {
        _cleanup_json_ json_t *object = NULL;
        Message m = { .seen = OBSERVATION_NONE, .gate = { .seen = OBSERVATION_NONE } };
        json_int_t version;
        char kind[16] = "";
        Decoder d;
        int error = n > MESSAGE_SIZE_MAX ? -EMSGSIZE : json_read(text, n, &object, NULL);

        if (error < 0 || !json_is_object(object))
                return error == -ENOMEM ? error : -EBADMSG;
        d = (Decoder) { .object = object };
        take_integer(&d, "protocol", PROTOCOL_VERSION, PROTOCOL_VERSION, &version);
        take_string(&d, "kind", kind, sizeof(kind));
        m.kind = kind_from_string(kind);
        if (d.bad || m.kind == _MESSAGE_KIND_INVALID)
                return -EBADMSG;
        take_members(&d, &m);
        if (d.bad || d.taken != json_object_size(object))
                return -EBADMSG;
        *ret = m;
        return 0;
}
