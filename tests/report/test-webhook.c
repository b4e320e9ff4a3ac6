/* SPDX-License-Identifier: Apache-2.0 */

/* What goes to a webhook: the signature, the event, and the outbox in which it waits. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "report/cloud-event.h"
#include "report/outbox.h"
#include "report/webhook-signature.h"

#define NOW (UINT64_C(1767268800) * USEC_PER_SEC) /* 2026-01-01T12:00:00Z */

/* --- Signature ----------------------------------------------------------------------------------------- */

static void test_signatures(void **state) {
        static const char body[] = "{\"test\": 2432232314}", id[] = "msg_p5jXN8AQM9LWM0D4loKWxJek";
        static const struct {
                const char *key, *signature; /* NULL: no key */
        } rows[] = {
                /* The example of the documentation that the specification came from (docs.svix.com, "Verifying Webhooks Manually"). */
                { "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=" },
                /* printf %s 'ID.1614265330.BODY' | openssl dgst -sha256 -hmac plain -binary | base64 */
                { "plain", "v1,tgOMx2V+ymftc5zrV4Kwy5UOWZAx1XMh0yu4Sm/6/r0=" },
                { "whsec_", NULL },
                { "whsec_abc", NULL },
                { "whsec_a*cd", NULL },
        };

        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                _cleanup_(secret_freep) Secret *key = NULL;
                char signature[WEBHOOK_SIGNATURE_SIZE] = "untouched";

                assert_int_equal(secret_new(rows[i].key, strlen(rows[i].key), &key), 0);
                assert_int_equal(webhook_sign(key, id, 1614265330, body, strlen(body), signature), rows[i].signature ? 0 : -EINVAL);
                assert_string_equal(signature, rows[i].signature ?: "untouched");
        }
}

/* --- Event --------------------------------------------------------------------------------------------- */

static json_t *event_of(const Report *r) {
        static const EventHost host = { .id = "0123", .hostname = "host-1", .ip = "192.0.2.21" };
        _cleanup_buffer_ Buffer text = BUFFER_INIT(OUTBOX_REPORT_SIZE_MAX);
        json_t *event = NULL;

        assert_int_equal(cloud_event_write(r, &host, "abc", NOW, &text), 0);
        assert_int_equal(json_read(buffer_string(&text), text.size, &event, NULL), 0);
        return event;
}

static void test_the_envelope(void **state) {
        Report r = { .state = "ENROLLED", .reason = OUTCOME_OK, .runner_id = "r-1", .roles = 1U << ROLE_PROXY, .attempt = 2, .window = 1,
                     .verified = true, .verified_by = "both", .n_phases = 1,
                     .phases = { { .state = "INSTALLING", .spent_us = 90 * USEC_PER_SEC } } };
        _cleanup_json_ json_t *event = event_of(&r);
        json_t *data = json_member_object(event, "data"), *own = json_member_object(data, "ece_enroll");

        /* The attributes that CloudEvents requires, and those beside them that are there. */
        assert_string_equal(json_member_string(event, "specversion"), "1.0");
        assert_string_equal(json_member_string(event, "id"), "abc");
        assert_string_equal(json_member_string(event, "source"), "/ece-enroll/hosts/0123");
        assert_string_equal(json_member_string(event, "type"), "ece-enroll.host.enrolled");
        assert_string_equal(json_member_string(event, "subject"), "r-1");
        assert_string_equal(json_member_string(event, "time"), "2026-01-01T12:00:00Z");
        assert_string_equal(json_member_string(event, "datacontenttype"), "application/json");

        assert_string_equal(json_member_string(data, "@timestamp"), "2026-01-01T12:00:00Z");
        assert_string_equal(json_member_string(json_member_object(data, "event"), "outcome"), "success");
        assert_int_equal(json_member_integer(json_member_object(data, "event"), "duration", 0), 90000000000);
        assert_string_equal(json_member_string(json_member_object(data, "host"), "hostname"), "host-1");
        assert_null(json_member_object(data, "error"));
        assert_string_equal(json_string_value(json_array_get(json_member_array(own, "roles"), 0)), "proxy");
        assert_string_equal(json_member_string(own, "verified_by"), "both");
}

static void test_a_failure(void **state) {
        Report r = { .state = "FAILED", .reason = { .class = CLASS_PERMANENT, .reason = "credential.denied", .text = "no" } };
        _cleanup_json_ json_t *event = event_of(&r);
        const json_t *data = json_member_object(event, "data"), *error = json_member_object(data, "error");

        assert_string_equal(json_member_string(event, "type"), "ece-enroll.host.failed");
        assert_null(json_object_get(event, "subject")); /* an empty one is not allowed */
        assert_string_equal(json_member_string(json_member_object(data, "event"), "outcome"), "failure");
        assert_string_equal(json_member_string(error, "code"), "credential.denied");
        assert_string_equal(json_member_string(error, "message"), "no");
}

/* --- Outbox -------------------------------------------------------------------------------------------- */

static char folder[] = "/tmp/test-outbox-XXXXXX";

static int open_state(void) {
        char path[] = "/tmp/test-outbox-XXXXXX";
        int fd;

        assert_non_null(mkdtemp(path));
        (void) memcpy(folder, path, sizeof(folder));
        fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_true(fd >= 0);
        return fd;
}

static void close_state(int fd) {
        char id[OUTBOX_ID_SIZE];
        _cleanup_buffer_ Buffer text = BUFFER_INIT(OUTBOX_REPORT_SIZE_MAX);

        while (outbox_next(fd, id, &text) > 0)
                assert_int_equal(outbox_remove(fd, id), 0);
        (void) unlinkat(fd, "outbox/last", 0);
        (void) unlinkat(fd, "outbox", AT_REMOVEDIR);
        (void) close(fd);
        assert_int_equal(rmdir(folder), 0);
}

static void add(int fd, const char *verdict, char id[static OUTBOX_ID_SIZE]) {
        assert_int_equal(outbox_is_news(fd, verdict, id), 1);
        assert_int_equal(outbox_add(fd, verdict, id, verdict, strlen(verdict)), 0);
}

static void test_the_same_again_is_no_news(void **state) {
        char first[OUTBOX_ID_SIZE], second[OUTBOX_ID_SIZE], third[OUTBOX_ID_SIZE], none[OUTBOX_ID_SIZE] = "untouched";
        int fd = open_state();

        add(fd, "ENROLLED a", first);
        assert_int_equal(outbox_is_news(fd, "ENROLLED a", none), 0);
        assert_string_equal(none, "untouched");
        assert_int_equal(outbox_remove(fd, first), 0);
        assert_int_equal(outbox_is_news(fd, "ENROLLED a", none), 0); /* also when it is with the receiver */
        add(fd, "FAILED a", second);
        add(fd, "ENROLLED a", third); /* and back: a third report, with an identifier of its own */
        assert_string_not_equal(first, third);
        assert_string_not_equal(first, second);
        assert_int_equal(outbox_count(fd), 2);
        close_state(fd);
}

static void test_a_crash_in_between(void **state) {
        char id[OUTBOX_ID_SIZE], again[OUTBOX_ID_SIZE];
        _cleanup_buffer_ Buffer text = BUFFER_INIT(OUTBOX_REPORT_SIZE_MAX);
        int fd = open_state();

        add(fd, "FAILED", id);
        add(fd, "ENROLLED", id);
        /* As it was before `last` was written: the report is there already. */
        assert_int_equal(unlinkat(fd, "outbox/last", 0), 0);
        assert_int_equal(outbox_is_news(fd, "ENROLLED", again), 1);
        assert_int_equal(outbox_add(fd, "ENROLLED", again, "ENROLLED", 8), 0);
        close_state(fd);

        fd = open_state();
        assert_int_equal(outbox_is_news(fd, "ENROLLED", id), 1);
        assert_int_equal(outbox_is_news(fd, "ENROLLED", again), 1);
        assert_string_equal(id, again);
        assert_int_equal(outbox_add(fd, "ENROLLED", id, "1", 1), 0);
        assert_int_equal(outbox_add(fd, "ENROLLED", id, "22", 2), 0);
        assert_int_equal(outbox_count(fd), 1);
        assert_int_equal(outbox_next(fd, again, &text), 1);
        assert_string_equal(buffer_string(&text), "22");
        close_state(fd);
}

static void test_the_oldest_first_and_not_too_many(void **state) {
        char ids[OUTBOX_REPORTS_MAX + 2][OUTBOX_ID_SIZE], id[OUTBOX_ID_SIZE], verdict[16];
        _cleanup_buffer_ Buffer text = BUFFER_INIT(OUTBOX_REPORT_SIZE_MAX);
        int fd = open_state();

        assert_int_equal(outbox_next(fd, id, &text), 0);
        for (size_t i = 0; i < ELEMENTS(ids); i++) {
                char name[64];
                struct timespec times[2] = { { .tv_sec = (time_t) (1000 + i) }, { .tv_sec = (time_t) (1000 + i) } };

                (void) snprintf(verdict, sizeof(verdict), "%zu", i);
                add(fd, verdict, ids[i]);
                (void) snprintf(name, sizeof(name), "outbox/%s.json", ids[i]);
                assert_int_equal(utimensat(fd, name, times, 0), 0); /* the clock may be too coarse to tell them apart */
        }
        assert_int_equal(outbox_count(fd), OUTBOX_REPORTS_MAX);
        assert_int_equal(outbox_next(fd, id, &text), 1);
        assert_string_equal(id, ids[2]);
        assert_string_equal(buffer_string(&text), "2");
        close_state(fd);
}

static void test_what_is_not_ours_is_passed_over(void **state) {
        static const char *const names[] = { "outbox/x.json", "outbox/.hidden", "outbox/0123456789abcdef0123456789abcdef.json.new" };
        char id[OUTBOX_ID_SIZE];
        _cleanup_buffer_ Buffer text = BUFFER_INIT(OUTBOX_REPORT_SIZE_MAX);
        int fd = open_state();

        add(fd, "a", id);
        assert_int_equal(outbox_remove(fd, id), 0);
        for (size_t i = 0; i < ELEMENTS(names); i++)
                (void) close(openat(fd, names[i], O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
        assert_int_equal(symlinkat("/etc/passwd", fd, "outbox/0123456789abcdef0123456789abcdef.json"), 0);
        assert_int_equal(outbox_next(fd, id, &text), 0);
        for (size_t i = 0; i < ELEMENTS(names); i++)
                (void) unlinkat(fd, names[i], 0);
        (void) unlinkat(fd, "outbox/0123456789abcdef0123456789abcdef.json", 0);
        close_state(fd);
}

/* A receiver that is away for a day is asked some dozens of times, and hears of the report within an hour of its return. */
static void test_pauses(void **state) {
        static const uint32_t randoms[] = { 0, UINT32_MAX / 2, UINT32_MAX };

        for (size_t i = 0; i < ELEMENTS(randoms); i++) {
                usec_t spent_us = 0, before_us = 0;
                unsigned tries = 0;

                while (spent_us < 24 * USEC_PER_HOUR) {
                        usec_t pause_us = outbox_pause_us(tries++, randoms[i]);

                        assert_true(pause_us >= before_us && pause_us <= USEC_PER_HOUR);
                        before_us = pause_us;
                        spent_us += pause_us;
                }
                assert_true(tries > 24 && tries < 70);
        }
        assert_int_equal(outbox_pause_us(0, 0), 5 * USEC_PER_SEC);
        assert_int_equal(outbox_pause_us(0, UINT32_MAX), 2500 * USEC_PER_MSEC);
        assert_int_equal(outbox_pause_us(UINT32_MAX, 0), USEC_PER_HOUR);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_signatures),
                cmocka_unit_test(test_the_envelope),
                cmocka_unit_test(test_a_failure),
                cmocka_unit_test(test_the_same_again_is_no_news),
                cmocka_unit_test(test_a_crash_in_between),
                cmocka_unit_test(test_the_oldest_first_and_not_too_many),
                cmocka_unit_test(test_what_is_not_ours_is_passed_over),
                cmocka_unit_test(test_pauses),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests_name("webhook", tests, NULL, NULL);
}
