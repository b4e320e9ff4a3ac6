/* SPDX-License-Identifier: Apache-2.0 */

/* Invariants: what is encoded is decoded to the same; anything that is not exactly one of our
 * messages is -EBADMSG and leaves the result untouched. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/text.h"
#include "installer/message-codec.h"
#include "installer/protocol.h"

#define SPEC "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define ID "0123456789abcdef0123456789abcdef"

static Message sample(MessageKind kind) {
        Message m = { .kind = kind, .seen = OBSERVATION_NONE, .gate = { .seen = OBSERVATION_NONE } };

        if (message_kind_is_request(kind))
                (void) snprintf(m.spec, sizeof(m.spec), SPEC);
        switch ((int) kind) {
        case MESSAGE_INSTALL:
                (void) snprintf(m.coordinator, sizeof(m.coordinator), "ece.example.com");
                (void) snprintf(m.version, sizeof(m.version), "4.0.3");
                (void) snprintf(m.attempt, sizeof(m.attempt), ID);
                break;
        case MESSAGE_PREPARE:
                (void) snprintf(m.version, sizeof(m.version), "4.0.3");
                break;
        case MESSAGE_STATE:
                m.attempt_state = ATTEMPT_RUNNING;
                m.running_s = 61;
                (void) snprintf(m.attempt, sizeof(m.attempt), ID);
                break;
        case MESSAGE_TERMINATE:
        case MESSAGE_ACKNOWLEDGE:
                (void) snprintf(m.attempt, sizeof(m.attempt), ID);
                break;
        case MESSAGE_LINE:
        case MESSAGE_STAGE:
        case MESSAGE_SETTLED:
                (void) snprintf(m.text, sizeof(m.text), "a \"line\" \\ with caf\xc3\xa9");
                break;
        case MESSAGE_EXITED:
        case MESSAGE_REFUSED:
                (void) snprintf(m.attempt, sizeof(m.attempt), ID);
                m.seen = observe(ORIGIN_INSTALLER, 125, "name-conflict", "here", "%s", "said the engine");
                break;
        case MESSAGE_GATE:
                m.gate = gate_named("engine-socket");
                gate_found(&m.gate, "%s", "/run/docker.sock");
                m.gate.seen = observe(ORIGIN_HOST, 111, "engine-socket", "/run/docker.sock", "refused");
                m.gate.state = GATE_SHUT;
                m.gate.took_us = 7 * USEC_PER_MSEC;
                break;
        case MESSAGE_VIEW:
                (void) snprintf(m.version, sizeof(m.version), "4.0.3");
                for (LocalPart part = 0; part < _LOCAL_PART_MAX; part++)
                        m.local[part] = (LocalState) (part % _LOCAL_STATE_MAX);
                break;
        default:
                break;
        }
        return m;
}

static void assert_same_seen(const Observation *a, const Observation *b) {
        assert_int_equal(a->origin, b->origin);
        assert_int_equal(a->number, b->number);
        assert_string_equal(a->code, b->code);
        assert_string_equal(a->detail, b->detail);
        assert_string_equal(a->where, b->where);
}

static void assert_same(const Message *a, const Message *b) {
        assert_int_equal(a->kind, b->kind);
        assert_string_equal(a->spec, b->spec);
        assert_string_equal(a->attempt, b->attempt);
        assert_string_equal(a->coordinator, b->coordinator);
        assert_string_equal(a->version, b->version);
        assert_int_equal(a->attempt_state, b->attempt_state);
        assert_int_equal(a->running_s, b->running_s);
        assert_string_equal(a->text, b->text);
        assert_same_seen(&a->seen, &b->seen);
        assert_string_equal(a->gate.name, b->gate.name);
        assert_int_equal(a->gate.state, b->gate.state);
        assert_string_equal(a->gate.found, b->gate.found);
        assert_int_equal(a->gate.took_us, b->gate.took_us);
        assert_same_seen(&a->gate.seen, &b->gate.seen);
        assert_memory_equal(a->local, b->local, sizeof(a->local));
}

static void every_kind_comes_back(void **state) {
        for (MessageKind kind = 0; kind < _MESSAGE_KIND_MAX; kind++) {
                _cleanup_buffer_ Buffer text = BUFFER_INIT(MESSAGE_SIZE_MAX);
                Message m = sample(kind), back;

                assert_int_equal(message_encode(&m, &text), 0);
                assert_int_equal(message_decode(text.data, text.size, &back), 0);
                assert_same(&m, &back);
        }
}

static void longest_line_fits(void **state) {
        _cleanup_buffer_ Buffer text = BUFFER_INIT(MESSAGE_SIZE_MAX);
        Message m = sample(MESSAGE_LINE), back;

        (void) memset(m.text, '\\', LINE_TEXT_MAX);
        m.text[LINE_TEXT_MAX] = 0;
        assert_int_equal(message_encode(&m, &text), 0);
        assert_int_equal(message_decode(text.data, text.size, &back), 0);
        assert_same(&m, &back);
}

/* A detail that was cut in the middle of a character is still sent. */
static void half_a_character_is_replaced(void **state) {
        _cleanup_buffer_ Buffer text = BUFFER_INIT(MESSAGE_SIZE_MAX);
        Message m = sample(MESSAGE_EXITED), back;

        (void) snprintf(m.seen.detail, sizeof(m.seen.detail), "caf\xc3");
        assert_int_equal(message_encode(&m, &text), 0);
        assert_int_equal(message_decode(text.data, text.size, &back), 0);
        assert_string_equal(back.seen.detail, "caf?");
}

#define REQUEST(kind, rest) "{\"protocol\":1,\"kind\":\"" kind "\",\"spec\":\"" SPEC "\"" rest "}"
#define SEEN "{\"origin\":\"installer\",\"number\":1,\"code\":\"c\",\"detail\":\"d\",\"where\":\"\"}"

#define NOTHING "{\"origin\":\"none\",\"number\":0,\"code\":\"\",\"detail\":\"\",\"where\":\"\"}"
#define GATE(name, state, seen, took) \
        "{\"protocol\":1,\"kind\":\"gate\",\"name\":\"" name "\",\"state\":\"" state \
        "\",\"found\":\"\",\"seen\":" seen ",\"took_ms\":" took "}"

/* A gate in each of its states, written by hand: what the rows below break is otherwise right. */
static void gates_are_read(void **state) {
        static const char *const good[] = {
                GATE("ports", "open", NOTHING, "0"), GATE("ports", "untried", NOTHING, "0"), GATE("ports", "shut", SEEN, "3"),
        };
        Message m;

        for (size_t i = 0; i < ELEMENTS(good); i++)
                assert_int_equal(message_decode(good[i], strlen(good[i]), &m), 0);
        assert_int_equal(m.gate.state, GATE_SHUT);
        assert_string_equal(m.gate.seen.detail, "d");
}

static const char *const hostile[] = {
        GATE("ports", "open", SEEN, "0"),    /* open, and yet something was seen */
        GATE("ports", "untried", SEEN, "0"),
        GATE("ports", "shut", NOTHING, "0"), /* shut for no reason */
        GATE("ports", "ajar", NOTHING, "0"),
        GATE("", "open", NOTHING, "0"),
        GATE("Ports", "open", NOTHING, "0"),
        GATE("a b", "open", NOTHING, "0"),
        GATE("a-name-that-is-longer-than-any", "open", NOTHING, "0"),
        GATE("ports", "open", NOTHING, "-1"),
        GATE("ports", "open", "null", "0"),
        "",
        "null",
        "[]",
        "{}",
        "\"probe\"",
        "{\"protocol\":1}",
        "{\"protocol\":1,\"kind\":\"probe\"}", /* no spec */
        "{\"protocol\":2,\"kind\":\"gates-open\"}",
        "{\"protocol\":\"1\",\"kind\":\"gates-open\"}",
        "{\"protocol\":1,\"kind\":\"gates-open\",\"extra\":1}",
        "{\"protocol\":1,\"kind\":\"gates-open\",\"kind\":\"gates-open\"}",
        "{\"protocol\":1,\"kind\":\"GATES-OPEN\"}",
        "{\"protocol\":1,\"kind\":\"explode\"}",
        "{\"protocol\":1,\"kind\":17}",
        "{\"protocol\":1,\"kind\":\"gates-open\"}x",
        "{\"protocol\":1,\"kind\":\"probe\",\"spec\":\"\"}",
        "{\"protocol\":1,\"kind\":\"probe\",\"spec\":\"0123\"}",
        "{\"protocol\":1,\"kind\":\"probe\",\"spec\":[\"" SPEC "\"]}",
        REQUEST("probe", ",\"version\":\"4.0.3\""), /* of another kind */
        REQUEST("terminate", ""),
        REQUEST("terminate", ",\"attempt\":\"\""),
        REQUEST("terminate", ",\"attempt\":\"../../etc/passwd\""),
        REQUEST("terminate", ",\"attempt\":\"0123456789ABCDEF0123456789ABCDEF\""),
        REQUEST("terminate", ",\"attempt\":\"" ID "0\""),
        REQUEST("prepare", ",\"version\":17"),
        REQUEST("prepare", ",\"version\":\"0123456789012345678901234567890123456789012345678901234567890123\""),
        REQUEST("prepare", ",\"version\":\"4.0.3\\n\""),
        REQUEST("prepare", ",\"version\":\"4.0.3\\u0000\""),
        "{\"protocol\":1,\"kind\":\"state\",\"attempt\":\"\",\"state\":\"asleep\",\"running_s\":0}",
        "{\"protocol\":1,\"kind\":\"state\",\"attempt\":\"\",\"state\":\"none\",\"running_s\":-1}",
        "{\"protocol\":1,\"kind\":\"state\",\"attempt\":\"\",\"state\":\"none\"}",
        "{\"protocol\":1,\"kind\":\"line\",\"attempt\":\"\",\"text\":\"\\u001b[2J\"}",
        "{\"protocol\":1,\"kind\":\"line\",\"attempt\":\"\",\"text\":\"\\u009b2J\"}", /* some terminals obey these, too */
        "{\"protocol\":1,\"kind\":\"line\",\"attempt\":\"\",\"text\":\"\xc2\x9b" "2J\"}",
        "{\"protocol\":1,\"kind\":\"line\",\"attempt\":\"\",\"text\":\"\xff\"}",
        "{\"protocol\":1,\"kind\":\"exited\",\"attempt\":\"\",\"seen\":" SEEN "}",
        "{\"protocol\":1,\"kind\":\"exited\",\"attempt\":\"" ID "\",\"seen\":{}}",
        "{\"protocol\":1,\"kind\":\"exited\",\"attempt\":\"" ID "\",\"seen\":null}",
        "{\"protocol\":1,\"kind\":\"refused\",\"attempt\":\"\",\"seen\":{\"origin\":\"moon\",\"number\":1,"
        "\"code\":\"c\",\"detail\":\"d\",\"where\":\"\"}}",
        "{\"protocol\":1,\"kind\":\"refused\",\"attempt\":\"\",\"seen\":{\"origin\":\"installer\","
        "\"number\":99999999999,\"code\":\"c\",\"detail\":\"d\",\"where\":\"\"}}",
        "{\"protocol\":1,\"kind\":\"refused\",\"attempt\":\"\",\"seen\":{\"origin\":\"installer\",\"number\":1,"
        "\"code\":\"c\",\"detail\":\"d\",\"where\":\"\",\"more\":1}}",
};

static void hostile_messages_are_refused(void **state) {
        for (size_t i = 0; i < ELEMENTS(hostile); i++) {
                Message m = { .kind = _MESSAGE_KIND_INVALID };

                if (message_decode(hostile[i], strlen(hostile[i]), &m) != -EBADMSG)
                        fail_msg("taken for a message: %s", hostile[i]);
                assert_int_equal(m.kind, _MESSAGE_KIND_INVALID);
        }
}

/* Every proper prefix of a message is none. */
static void truncated_messages_are_refused(void **state) {
        _cleanup_buffer_ Buffer text = BUFFER_INIT(MESSAGE_SIZE_MAX);
        Message m = sample(MESSAGE_INSTALL), back;

        assert_int_equal(message_encode(&m, &text), 0);
        for (size_t n = 0; n < text.size; n++)
                assert_int_equal(message_decode(text.data, n, &back), -EBADMSG);
}

/* One rule broken: each member taken away in turn. */
static void no_member_is_optional(void **state) {
        for (MessageKind kind = 0; kind < _MESSAGE_KIND_MAX; kind++) {
                _cleanup_buffer_ Buffer text = BUFFER_INIT(MESSAGE_SIZE_MAX);
                json_t *object, *value;
                const char *name;
                Message m = sample(kind), back;

                assert_int_equal(message_encode(&m, &text), 0);
                object = json_loadb(text.data, text.size, 0, NULL);
                assert_non_null(object);
                json_object_foreach(object, name, value) {
                        json_t *without = json_copy(object);
                        char *left;

                        assert_int_equal(json_object_del(without, name), 0);
                        left = json_dumps(without, 0);
                        assert_int_equal(message_decode(left, strlen(left), &back), -EBADMSG);
                        free(left);
                        json_decref(without);
                }
                json_decref(object);
        }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_kind_comes_back),        cmocka_unit_test(longest_line_fits),
                cmocka_unit_test(half_a_character_is_replaced), cmocka_unit_test(hostile_messages_are_refused),
                cmocka_unit_test(truncated_messages_are_refused), cmocka_unit_test(no_member_is_optional),
                cmocka_unit_test(gates_are_read),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
