/* SPDX-License-Identifier: Apache-2.0 */

/* The record: what is written is read back; what is damaged in any one place is refused; what is
 * resumed after a crash and a reboot is what is still true; no clock of the wall has a part in it. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "engine/record.h"

#define BOOT_A "0123456789abcdef0123456789abcdef"
#define BOOT_B "fedcba9876543210fedcba9876543210"
#define NOON (UINT64_C(1767268800) * USEC_PER_SEC)

static Record sample(void) {
        Record r = {
                .machine = machine_fresh(),
                .boot_id = BOOT_A,
                .spec_digest = "5e",
                .runner_id = "192.0.2.21",
                .roles = role_bit(ROLE_ALLOCATOR) | role_bit(ROLE_PROXY),
                .attempt_id = "00112233445566778899aabbccddeeff",
                .token_id = "4c8990df-1fb7-4820-b868-6bc9e8860814",
                .identity = { "0123456789abcdef0123456789abcdef", "4c4c4544-0000", "02:00:00:00:00:01,02:00:00:00:00:02" },
                .reason = "installer.timed-out",
                .text = "the installer did not come to an end in its time",
        };

        r.machine.state = STATE_INSTALLING;
        r.machine.since_us = 900 * USEC_PER_SEC;
        r.machine.started_us = 600 * USEC_PER_SEC;
        r.machine.spent_us = 60 * USEC_PER_SEC;
        r.machine.window = 2;
        r.machine.attempt = 3;
        r.machine.vain_efforts = 4;
        r.machine.token_owed = true;
        r.machine.installer_pending = true;
        r.machine.half_joined = true;
        r.machine.token_held = true;
        r.machine.token_deadline_us = 4000 * USEC_PER_SEC;
        record_add_transition(&r, &(Transition) { .at_realtime_us = NOON, .state = STATE_MINTING });
        record_add_transition(&r, &(Transition) { .at_realtime_us = NOON + 1, .state = STATE_INSTALLING,
                                                  .reason = "a.b", .text = "because" });
        return r;
}

static void encode(const Record *r, Buffer *ret) {
        assert_int_equal(record_encode(r, ret), 0);
}

static void test_round_trip(void **state) {
        _cleanup_buffer_ Buffer text = BUFFER_INIT(RECORD_SIZE_MAX), again = BUFFER_INIT(RECORD_SIZE_MAX);
        Record r = sample(), back;

        encode(&r, &text);
        assert_int_equal(record_decode(text.data, text.size, &back), 0);
        encode(&back, &again);
        assert_string_equal(buffer_string(&text), buffer_string(&again));

        assert_int_equal(back.machine.state, STATE_INSTALLING);
        assert_int_equal(back.machine.window, 2);
        assert_int_equal(back.machine.vain_efforts, 4);
        assert_string_equal(back.spec_digest, "5e");
        assert_true(back.machine.installer_pending && back.machine.half_joined && !back.machine.unsettled);
        assert_int_equal(back.roles, r.roles);
        assert_string_equal(back.attempt_id, r.attempt_id);
        assert_int_equal(back.n_history, 2);
        assert_int_equal(back.history[1].state, STATE_INSTALLING);
        assert_string_equal(back.history[1].text, "because");
        /* No trace of the token: not that there was one, nor when it dies. */
        assert_false(back.machine.token_held);
        assert_null(strstr(buffer_string(&text), "token_held"));
        assert_null(strstr(buffer_string(&text), "deadline"));
        /* But that one is owed, and which. */
        assert_true(back.machine.token_owed);
        assert_string_equal(back.token_id, "4c8990df-1fb7-4820-b868-6bc9e8860814");
        assert_null(host_identity_difference(&back.identity, &r.identity));
        assert_string_equal(back.identity.hardware_addresses, r.identity.hardware_addresses);
        assert_null(strstr(buffer_string(&text), "4000000000"));
}

static void test_every_state_is_kept(void **state) {
        for (State s = 0; s < _STATE_MAX; s++) {
                _cleanup_buffer_ Buffer text = BUFFER_INIT(RECORD_SIZE_MAX);
                Record r = sample(), back;

                r.machine.state = s;
                encode(&r, &text);
                assert_int_equal(record_decode(text.data, text.size, &back), 0);
                assert_int_equal(back.machine.state, s);
        }
}

static void test_full_record_fits(void **state) {
        _cleanup_buffer_ Buffer text = BUFFER_INIT(RECORD_SIZE_MAX);
        Transition t = { .at_realtime_us = USEC_INFINITY, .state = STATE_UNCONFIGURED };
        Record r = sample(), back;

        memset(t.reason, '"', sizeof(t.reason) - 1); /* doubles in JSON */
        memset(t.text, '"', sizeof(t.text) - 1);
        memset(r.text, '"', sizeof(r.text) - 1);
        for (unsigned i = 0; i < RECORD_HISTORY_MAX + 5; i++) {
                t.state = i % _STATE_MAX;
                record_add_transition(&r, &t);
        }
        assert_int_equal(r.n_history, RECORD_HISTORY_MAX);
        assert_int_equal(r.history[RECORD_HISTORY_MAX - 1].state, (RECORD_HISTORY_MAX + 4) % _STATE_MAX);
        assert_int_equal(r.history[0].state, 5 % _STATE_MAX);
        encode(&r, &text);
        assert_int_equal(record_decode(text.data, text.size, &back), 0);
        assert_int_equal(back.n_history, RECORD_HISTORY_MAX);
}

static int decode_sealed(json_t *object, Record *ret) {
        _cleanup_free_ char *bytes = NULL;

        assert_int_equal(json_seal(object), 0);
        bytes = json_write_compact(object);
        assert_non_null(bytes);
        return record_decode(bytes, strlen(bytes), ret);
}

/* A record with one member taken away, added, or given another type; sealed, so that the seal is not
 * what saves us. */
static void test_one_member_wrong(void **state) {
        _cleanup_buffer_ Buffer text = BUFFER_INIT(RECORD_SIZE_MAX);
        _cleanup_json_ json_t *whole = NULL;
        Record r = sample(), back = { .roles = 0x0f };
        const char *name;
        json_t *value;
        size_t n = 0;

        encode(&r, &text);
        assert_int_equal(json_read(text.data, text.size, &whole, NULL), 0);
        json_object_foreach(whole, name, value) {
                for (unsigned how = 0; how < 3; how++) {
                        _cleanup_json_ json_t *broken = json_copy(whole);

                        if (streq(name, "sha256"))
                                continue;

                        if (how == 0)
                                assert_int_equal(json_object_del(broken, name), 0);
                        else if (how == 1)
                                assert_int_equal(json_object_set_new(broken, name, json_real(1.5)), 0);
                        else
                                assert_int_equal(json_object_set_new(broken, "surplus", json_true()), 0);
                        assert_int_equal(decode_sealed(broken, &back), -EBADMSG);
                }
                n++;
        }
        assert_int_equal(n, 28);
        assert_int_equal(back.roles, 0x0f); /* untouched */
}

static void replace_and_refuse(const char *from, const char *to) {
        _cleanup_buffer_ Buffer text = BUFFER_INIT(RECORD_SIZE_MAX), broken = BUFFER_INIT(RECORD_SIZE_MAX);
        _cleanup_json_ json_t *object = NULL;
        Record r = sample(), back;
        const char *at;

        encode(&r, &text);
        at = strstr(buffer_string(&text), from);
        assert_non_null(at);
        assert_int_equal(buffer_append(&broken, text.data, (size_t) (at - text.data)), 0);
        assert_int_equal(buffer_append_string(&broken, to), 0);
        assert_int_equal(buffer_append_string(&broken, at + strlen(from)), 0);
        assert_int_equal(record_decode(broken.data, broken.size, &back), -EBADMSG);
        if (json_read(broken.data, broken.size, &object, NULL) == 0 && json_is_object(object))
                assert_int_equal(decode_sealed(object, &back), -EBADMSG);
}

static void test_values_out_of_range(void **state) {
        static const char *const rows[][2] = {
                { "\"schema\":4", "\"schema\":-1" },
                { "\"schema\":4", "\"schema\":1000001" },
                { "\"window\":2", "\"window\":-2" },
                { "\"window\":2", "\"window\":1000001" },
                { "\"state\":\"INSTALLING\"", "\"state\":\"DANCING\"" },
                { "\"state\":\"MINTING\"", "\"state\":\"minting\"" },
                { "\"allocator\",\"proxy\"", "\"allocator\",\"constructor\"" },
                { "\"allocator\",\"proxy\"", "\"allocator\",\"allocator\"" },
                { "\"allocator\",\"proxy\"", "\"allocator\",7" },
                { "[\"allocator\",\"proxy\"]", "\"allocator\"" },
                { "[\"allocator\",\"proxy\"]", "[\"allocator\",\"allocator\",\"allocator\",\"allocator\",\"allocator\"]" },
                { "\"history\":[", "\"history\":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19," },
                { "\"history\":[{", "\"history\":[7,{" },
                { BOOT_A, BOOT_A "0" },
                { "\"runner_id\":\"", "\"runner_id\":\"\\u0000" },
                { "{", "[" },
                { "}", "" },
        };

        for (size_t i = 0; i < ELEMENTS(rows); i++)
                replace_and_refuse(rows[i][0], rows[i][1]);
}

static void test_no_object_or_too_large(void **state) {
        static const char *const texts[] = { "[]", "7", "", "[{}]" };
        _cleanup_free_ char *large = calloc(1, RECORD_SIZE_MAX + 2);
        Record back;

        for (size_t i = 0; i < ELEMENTS(texts); i++)
                assert_int_equal(record_decode(texts[i], strlen(texts[i]), &back), -EBADMSG);
        assert_non_null(large);
        memset(large, ' ', RECORD_SIZE_MAX + 1);
        assert_int_equal(record_decode(large, RECORD_SIZE_MAX + 1, &back), -EBADMSG);
}

/* Whole, and written by another release: told apart from a damaged one. */
static void test_other_schemas(void **state) {
        static const int schemas[] = { 0, 1, 2, 1000000 };
        Record back;

        for (size_t i = 0; i < ELEMENTS(schemas); i++) {
                _cleanup_json_ json_t *object = json_pack("{s:i, s:s}", "schema", schemas[i], "else", "unknown");

                assert_non_null(object);
                assert_int_equal(decode_sealed(object, &back), -EPROTONOSUPPORT);
        }
}

/* Each bit of a record matters, also where another one would be just as valid. */
static void test_each_bit_is_sealed(void **state) {
        _cleanup_buffer_ Buffer text = BUFFER_INIT(RECORD_SIZE_MAX);
        Record r = sample(), back;

        encode(&r, &text);
        for (size_t i = 0; i < text.size; i++)
                for (unsigned b = 0; b < 8; b++) {
                        text.data[i] = (char) (text.data[i] ^ (1 << b));
                        assert_int_equal(record_decode(text.data, text.size, &back), -EBADMSG);
                        text.data[i] = (char) (text.data[i] ^ (1 << b));
                }
        assert_int_equal(record_decode(text.data, text.size, &back), 0);
}

static void test_a_lost_one_leaves_a_question(void **state) {
        Machine m = record_lost(USEC_PER_HOUR);

        assert_int_equal(m.state, STATE_LOADING);
        assert_true(m.unsettled);
        assert_int_equal(m.started_us, 0);
}

/* However short it was cut, half a record is none. */
static void test_truncated(void **state) {
        _cleanup_buffer_ Buffer text = BUFFER_INIT(RECORD_SIZE_MAX);
        Record r = sample(), back;

        encode(&r, &text);
        for (size_t n = 0; n < text.size; n++)
                assert_int_equal(record_decode(text.data, n, &back), -EBADMSG);
}

static void test_resume_under_the_same_boot(void **state) {
        Record r = sample();
        Machine m = record_resume(&r, BOOT_A, 1000 * USEC_PER_SEC);

        assert_int_equal(m.state, STATE_LOADING);
        assert_int_equal(m.started_us, 600 * USEC_PER_SEC);
        assert_int_equal(m.spent_us, 60 * USEC_PER_SEC);
        assert_int_equal(m.window, 2);
        assert_int_equal(m.attempt, 3);
        assert_true(m.installer_pending && m.half_joined);
        assert_false(m.token_held);
        for (Timer t = 0; t < _TIMER_MAX; t++)
                assert_int_equal(m.armed_us[t], USEC_INFINITY);
}

static void test_what_is_unsettled_stays_so(void **state) {
        for (State s = 0; s < _STATE_MAX; s++) {
                Record r = sample();

                r.machine.state = s;
                r.machine.unsettled = true;
                assert_true(record_resume(&r, BOOT_A, 1000 * USEC_PER_SEC).unsettled);
                assert_true(record_resume(&r, BOOT_B, 1000 * USEC_PER_SEC).unsettled);
        }
}

/* The record knows of 60 s before and 300 s under the last boot; how long the host was off is nobody's
 * to say. */
static void test_resume_under_another_boot(void **state) {
        Record r = sample();
        Machine m = record_resume(&r, BOOT_B, 30 * USEC_PER_SEC);

        assert_int_equal(m.spent_us, 360 * USEC_PER_SEC);
        assert_int_equal(m.started_us, 30 * USEC_PER_SEC);
        assert_int_equal(m.window, 2);
        assert_true(m.installer_pending);
}

/* An unknown boot id is another boot, also when it is unknown both times. */
static void test_unknown_boot_is_another(void **state) {
        Record r = sample();

        r.boot_id[0] = '\0';
        assert_int_equal(record_resume(&r, "", 1000 * USEC_PER_SEC).started_us, 1000 * USEC_PER_SEC);
}

static void add(Record *r, State state, const char *reason, const char *text) {
        Transition t = { .state = state };

        (void) snprintf(t.reason, sizeof(t.reason), "%s", reason);
        (void) snprintf(t.text, sizeof(t.text), "%s", text);
        record_add_transition(r, &t);
}

/* An enrollment that goes on after a crash still knows why it would fail. */
static void test_the_last_trouble_is_resumed(void **state) {
        Record r = { .machine = machine_fresh() };
        Outcome trouble = OUTCOME_OK;
        Machine m;

        r.machine.state = STATE_MINTING;
        r.machine.started_us = 1;
        add(&r, STATE_FAILED, "coordinator.redirect", "of another enrollment");
        assert_false(record_last_trouble(&r, &trouble));
        add(&r, STATE_BACKOFF, "token.short-lived", "the token lives only 30s");
        add(&r, STATE_PROBING, "", "");
        add(&r, STATE_STOPPING, "agent.interrupted", "");
        add(&r, STATE_MINTING, "no.such-reason", "");
        assert_true(record_last_trouble(&r, &trouble));
        assert_string_equal(trouble.reason, "token.short-lived");
        assert_string_equal(trouble.text, "the token lives only 30s");
        m = record_resume(&r, BOOT_A, USEC_PER_SEC);
        assert_int_equal(m.last_class, CLASS_OPERATOR);
        assert_int_equal(m.last_exit_code, EXIT_CONFIGURATION);

        /* What the present state says is newer than its history. */
        (void) snprintf(r.reason, sizeof(r.reason), "coordinator.reset");
        assert_true(record_last_trouble(&r, &trouble));
        assert_string_equal(trouble.reason, "coordinator.reset");
        r.machine.state = STATE_STOPPING;
        (void) snprintf(r.reason, sizeof(r.reason), "agent.interrupted");
        assert_true(record_last_trouble(&r, &trouble));
        assert_string_equal(trouble.reason, "token.short-lived");

        r.machine.state = STATE_FAILED;
        assert_false(record_last_trouble(&r, &trouble));
        assert_int_equal(record_resume(&r, BOOT_A, USEC_PER_SEC).last_class, CLASS_OK);
}

static void test_what_is_over_is_not_resumed(void **state) {
        static const State over[] = { STATE_UNCONFIGURED, STATE_ENROLLED, STATE_FAILED };

        for (size_t i = 0; i < ELEMENTS(over); i++) {
                Record r = sample();
                Machine m;

                r.machine.state = over[i];
                r.machine.was_enrolled = true;
                m = record_resume(&r, BOOT_A, 1000 * USEC_PER_SEC);
                assert_int_equal(m.started_us, 0);
                assert_int_equal(m.window, 0);
                assert_int_equal(m.attempt, 0);
                assert_int_equal(m.vain_efforts, 4); /* this one counts on */
                assert_true(m.installer_pending && m.half_joined && m.was_enrolled);
        }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_round_trip),
                cmocka_unit_test(test_every_state_is_kept),
                cmocka_unit_test(test_full_record_fits),
                cmocka_unit_test(test_one_member_wrong),
                cmocka_unit_test(test_values_out_of_range),
                cmocka_unit_test(test_no_object_or_too_large),
                cmocka_unit_test(test_other_schemas),
                cmocka_unit_test(test_truncated),
                cmocka_unit_test(test_each_bit_is_sealed),
                cmocka_unit_test(test_a_lost_one_leaves_a_question),
                cmocka_unit_test(test_resume_under_the_same_boot),
                cmocka_unit_test(test_what_is_unsettled_stays_so),
                cmocka_unit_test(test_resume_under_another_boot),
                cmocka_unit_test(test_unknown_boot_is_another),
                cmocka_unit_test(test_the_last_trouble_is_resumed),
                cmocka_unit_test(test_what_is_over_is_not_resumed),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
