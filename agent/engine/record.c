/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The record: one flat JSON object, written whole and read strictly.
 *
 * Reading is a table of members; each must be there, of its type and in its range, and nothing else
 * may be there. The digest over all members tells a record from something that only looks like one:
 * a rotten block, half a copy, an edit by hand. Half a record is no record: the caller sets it aside
 * and the machine, started fresh, asks the world instead. Writing clamps what can't be written (times beyond the range of
 * JSON's integers) rather than to fail: a record that is slightly wrong in a display time is worth
 * more than none.
 */

#include "engine/record.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/file.h"
#include "base/secret.h"
#include "base/text.h"
#include "engine/classify.h"
#include "model/role-json.h"

#define SCHEMA 4
#define SCHEMA_MAX 1000000 /* more than any release will have */
#define COUNT_MAX 1000000
#define TIME_MAX INT64_MAX

void record_add_transition(Record *record, const Transition *transition) {
        assert(record->n_history <= RECORD_HISTORY_MAX);
        if (record->n_history == RECORD_HISTORY_MAX) {
                memmove(&record->history[0], &record->history[1],
                        (RECORD_HISTORY_MAX - 1) * sizeof(record->history[0]));
                record->n_history--;
        }
        record->history[record->n_history++] = *transition;
}

/* The writer: each setter is a no-op after the first failure, so that only the end has to be
 * checked. */
typedef struct Writer {
        json_t *object;
        bool failed;
} Writer;

static void put(Writer *w, const char *name, json_t *value) {
        if (!value || json_object_set_new(w->object, name, value) < 0)
                w->failed = true;
}

static void put_time(Writer *w, const char *name, usec_t value) {
        put(w, name, json_integer(value > TIME_MAX ? TIME_MAX : (json_int_t) value));
}

static void put_bool(Writer *w, const char *name, bool value) {
        put(w, name, json_boolean(value));
}

/* Texts come from observations, which are printable; what is no UTF-8 all the same is left out. */
static void put_text(Writer *w, const char *name, const char *value) {
        json_t *string = json_string(value);

        put(w, name, string ? string : json_string("?"));
}

static json_t *encode_transition(const Transition *t) {
        _cleanup_json_ json_t *object = json_object();
        Writer w = { .object = object };

        if (!object)
                return NULL;
        put_time(&w, "at_realtime_us", t->at_realtime_us);
        put_text(&w, "state", state_to_string(t->state));
        put_text(&w, "reason", t->reason);
        put_text(&w, "text", t->text);
        return w.failed ? NULL : TAKE_PTR(object);
}

static json_t *encode_history(const Record *record) {
        _cleanup_json_ json_t *array = json_array();

        for (size_t i = 0; array && i < record->n_history; i++)
                if (json_array_append_new(array, encode_transition(&record->history[i])) < 0)
                        return NULL;
        return TAKE_PTR(array);
}

static void encode_machine(Writer *w, const Machine *m) {
        put_text(w, "state", state_to_string(m->state));
        put_time(w, "since_us", m->since_us);
        put_time(w, "started_us", m->started_us);
        put_time(w, "spent_us", m->spent_us);
        put_time(w, "window", m->window);
        put_time(w, "attempt", m->attempt);
        put_bool(w, "installer_pending", m->installer_pending);
        put_bool(w, "unsettled", m->unsettled);
        put_bool(w, "half_joined", m->half_joined);
        put_bool(w, "was_enrolled", m->was_enrolled);
        put_bool(w, "token_owed", m->token_owed);
        put_time(w, "vain_efforts", m->vain_efforts);
}

static void encode_identity(Writer *w, const HostIdentity *identity) {
        put_text(w, "machine_id", identity->machine_id);
        put_text(w, "product_uuid", identity->product_uuid);
        put_text(w, "hardware_addresses", identity->hardware_addresses);
}

int record_encode(const Record *record, Buffer *ret) {
        _cleanup_json_ json_t *object = json_object();
        _cleanup_free_ char *text = NULL;
        const size_t failures = wiping_allocator_failures();
        Writer w = { .object = object };

        if (!object)
                return -ENOMEM;
        put(&w, "schema", json_integer(SCHEMA));
        encode_machine(&w, &record->machine);
        put_text(&w, "boot_id", record->boot_id);
        put_text(&w, "spec_digest", record->spec_digest);
        put_text(&w, "runner_id", record->runner_id);
        put(&w, "roles", role_set_to_json(record->roles));
        put_text(&w, "attempt_id", record->attempt_id);
        put_text(&w, "token_id", record->token_id);
        encode_identity(&w, &record->identity);
        put_time(&w, "verified_realtime_us", record->verified_realtime_us);
        put_bool(&w, "credential_forgotten", record->credential_forgotten);
        put_text(&w, "reason", record->reason);
        put_text(&w, "text", record->text);
        put(&w, "history", encode_history(record));
        /* A "?" for want of memory is not what is to be remembered. */
        if (w.failed || wiping_allocator_failures() != failures || json_seal(object) < 0)
                return -ENOMEM;

        text = json_write_compact(object);
        if (!text)
                return -ENOMEM;
        return buffer_append_string(ret, text);
}

/* The reader: as the writer, one verdict at the end. `members` counts what was read, so that
 * what is left over shows. */
typedef struct Reader {
        const json_t *object;
        size_t members;
        bool failed;
} Reader;

static const json_t *get(Reader *r, const char *name) {
        const json_t *value = json_object_get(r->object, name);

        if (value)
                r->members++;
        else
                r->failed = true;
        return value;
}

static uint64_t get_number(Reader *r, const char *name, uint64_t maximum) {
        const json_t *value = get(r, name);

        if (!json_is_integer(value) || json_integer_value(value) < 0 ||
            (uint64_t) json_integer_value(value) > maximum) {
                r->failed = true;
                return 0;
        }
        return (uint64_t) json_integer_value(value);
}

static bool get_bool(Reader *r, const char *name) {
        const json_t *value = get(r, name);

        if (!json_is_boolean(value))
                r->failed = true;
        return json_is_true(value);
}

/* Bounded, and printable: the file may have been in other hands, and its texts end up on
 * terminals. */
static void get_text(Reader *r, const char *name, char *ret, size_t ret_size) {
        const json_t *value = get(r, name);
        const char *text = json_string_value(value);

        if (!text || strlen(text) >= ret_size || strlen(text) != json_string_length(value))
                r->failed = true;
        else
                (void) text_copy_printable(ret, ret_size, text);
}

static RoleSet get_roles(Reader *r, const char *name) {
        RoleSet set = 0;

        if (role_set_from_json(get(r, name), &set) < 0)
                r->failed = true;
        return set;
}

static State get_state(Reader *r, const char *name) {
        const char *word = json_string_value(get(r, name));
        State state = word ? state_from_string(word) : _STATE_INVALID;

        if (state < 0) {
                r->failed = true;
                return STATE_LOADING;
        }
        return state;
}

static bool reader_done(const Reader *r) {
        return !r->failed && r->members == json_object_size(r->object);
}

static bool decode_transition(const json_t *object, Transition *ret) {
        Reader r = { .object = object };

        ret->at_realtime_us = get_number(&r, "at_realtime_us", TIME_MAX);
        ret->state = get_state(&r, "state");
        get_text(&r, "reason", ret->reason, sizeof(ret->reason));
        get_text(&r, "text", ret->text, sizeof(ret->text));
        return reader_done(&r);
}

static void get_history(Reader *r, Record *ret) {
        const json_t *array = get(r, "history");

        if (!json_is_array(array) || json_array_size(array) > RECORD_HISTORY_MAX) {
                r->failed = true;
                return;
        }
        ret->n_history = json_array_size(array);
        for (size_t i = 0; i < ret->n_history; i++)
                if (!decode_transition(json_array_get(array, i), &ret->history[i]))
                        r->failed = true;
}

static void decode_machine(Reader *r, Machine *ret) {
        *ret = machine_fresh();
        ret->state = get_state(r, "state");
        ret->since_us = get_number(r, "since_us", TIME_MAX);
        ret->started_us = get_number(r, "started_us", TIME_MAX);
        ret->spent_us = get_number(r, "spent_us", TIME_MAX);
        ret->window = (unsigned) get_number(r, "window", COUNT_MAX);
        ret->attempt = (unsigned) get_number(r, "attempt", COUNT_MAX);
        ret->installer_pending = get_bool(r, "installer_pending");
        ret->unsettled = get_bool(r, "unsettled");
        ret->half_joined = get_bool(r, "half_joined");
        ret->was_enrolled = get_bool(r, "was_enrolled");
        ret->token_owed = get_bool(r, "token_owed");
        ret->vain_efforts = (unsigned) get_number(r, "vain_efforts", COUNT_MAX);
}

static void decode_rest(Reader *r, Record *ret) {
        get_text(r, "boot_id", ret->boot_id, sizeof(ret->boot_id));
        get_text(r, "spec_digest", ret->spec_digest, sizeof(ret->spec_digest));
        get_text(r, "runner_id", ret->runner_id, sizeof(ret->runner_id));
        ret->roles = get_roles(r, "roles");
        get_text(r, "attempt_id", ret->attempt_id, sizeof(ret->attempt_id));
        get_text(r, "token_id", ret->token_id, sizeof(ret->token_id));
        get_text(r, "machine_id", ret->identity.machine_id, sizeof(ret->identity.machine_id));
        get_text(r, "product_uuid", ret->identity.product_uuid, sizeof(ret->identity.product_uuid));
        get_text(r, "hardware_addresses", ret->identity.hardware_addresses, sizeof(ret->identity.hardware_addresses));
        ret->verified_realtime_us = get_number(r, "verified_realtime_us", TIME_MAX);
        ret->credential_forgotten = get_bool(r, "credential_forgotten");
        get_text(r, "reason", ret->reason, sizeof(ret->reason));
        get_text(r, "text", ret->text, sizeof(ret->text));
        get_history(r, ret);
}

int record_decode(const char *text, size_t n, Record *ret) {
        _cleanup_json_ json_t *object = NULL;
        uint64_t schema;
        Record record = {};
        Reader r = {};
        int error;

        if (n > RECORD_SIZE_MAX)
                return -EBADMSG;
        error = json_read(text, n, &object, NULL);
        if (error < 0)
                return error == -ENOMEM ? -ENOMEM : -EBADMSG;
        if (!json_is_object(object))
                return -EBADMSG;

        error = json_break_seal(object);
        if (error < 0)
                return error;

        r.object = object;
        schema = get_number(&r, "schema", SCHEMA_MAX);
        if (r.failed)
                return -EBADMSG;
        if (schema != SCHEMA)
                return -EPROTONOSUPPORT;
        decode_machine(&r, &record.machine);
        decode_rest(&r, &record);
        if (!reader_done(&r))
                return -EBADMSG;
        *ret = record;
        return 0;
}

/* How much of its wall the enrollment had used up, at least, when the record was written. */
static usec_t spent_on_record(const Machine *m) {
        return usec_add(m->spent_us, usec_sub(m->since_us, m->started_us));
}

static bool enrollment_is_over(const Machine *m) {
        return m->started_us == 0 || (state_is_final(m->state) && m->state != STATE_STOPPING);
}

static bool trouble_by_id(const char *id, const char *text, Outcome *ret) {
        const Reason *reason = reason_by_id(id);

        if (!reason)
                return false;
        *ret = OUTCOME_OK;
        ret->class = reason->class;
        ret->exit_code = reason->exit_code;
        ret->remedy = reason->remedy;
        (void) text_copy_printable(ret->reason, sizeof(ret->reason), reason->id);
        (void) text_copy_printable(ret->text, sizeof(ret->text), text);
        return true;
}

/* STOPPING ends a process and no enrollment: that somebody stopped the agent is no trouble. */
bool record_last_trouble(const Record *record, Outcome *ret) {
        if (enrollment_is_over(&record->machine))
                return false;
        if (record->machine.state != STATE_STOPPING && trouble_by_id(record->reason, record->text, ret))
                return true;
        for (size_t i = record->n_history; i-- > 0;) {
                const Transition *t = &record->history[i];

                if (t->state == STATE_STOPPING)
                        continue;
                if (state_is_final(t->state))
                        return false;
                if (trouble_by_id(t->reason, t->text, ret))
                        return true;
        }
        return false;
}

Machine record_lost(usec_t now_boottime_us) {
        Machine m = machine_fresh();

        m.since_us = now_boottime_us;
        m.unsettled = true;
        return m;
}

Machine record_resume(const Record *record, const char *boot_id, usec_t now_boottime_us) {
        const Machine *old = &record->machine;
        bool same_boot = record->boot_id[0] != '\0' && streq(record->boot_id, boot_id);
        Machine m = machine_fresh();
        Outcome trouble;

        m.since_us = now_boottime_us;
        m.installer_pending = old->installer_pending;
        m.unsettled = old->unsettled;
        m.half_joined = old->half_joined;
        m.was_enrolled = old->was_enrolled;
        m.vain_efforts = old->vain_efforts;
        m.token_owed = old->token_owed;
        if (enrollment_is_over(old))
                return m;

        m.window = old->window;
        m.attempt = old->attempt;
        if (record_last_trouble(record, &trouble)) {
                m.last_class = trouble.class;
                m.last_exit_code = trouble.exit_code;
        }
        if (same_boot && old->started_us <= now_boottime_us) {
                m.started_us = old->started_us;
                m.spent_us = old->spent_us;
        } else {
                m.started_us = now_boottime_us > 0 ? now_boottime_us : 1;
                m.spent_us = spent_on_record(old);
        }
        return m;
}
