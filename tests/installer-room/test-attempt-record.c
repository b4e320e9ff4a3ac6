/* SPDX-License-Identifier: Apache-2.0 */

/* Invariants: a record comes back as it was written; anything else is refused and changes nothing.
 * */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/json.h"
#include "base/text.h"
#include "installer/attempt-record.h"

#define ID "00112233445566778899aabbccddeeff"

static char root[64];
static int root_fd = -1;

static AttemptRecord sample(void) {
        return (AttemptRecord) {
                .state = RECORD_ENDED,
                .id = ID,
                .runner_id = "192.0.2.20",
                .boot_id = ID,
                .started_realtime_us = 1767225600000000,
                .started_boottime_us = 123456789,
                .pid = 4711,
                .start_ticks = 815,
                .handoff = HANDOFF_ARGV,
                .run_reached = true,
                .outcome = observe(ORIGIN_INSTALLER, 125, "name-conflict", "here", "%s", "what was said"),
        };
}

static void comes_back(void **state) {
        AttemptRecord r = sample(), back;
        struct stat st;

        assert_int_equal(attempt_record_write(root_fd, &r), 0);
        assert_int_equal(attempt_record_read(root_fd, &back), 0);
        assert_int_equal(back.state, r.state);
        assert_string_equal(back.id, r.id);
        assert_string_equal(back.runner_id, r.runner_id);
        assert_string_equal(back.boot_id, r.boot_id);
        assert_int_equal(back.started_realtime_us, r.started_realtime_us);
        assert_int_equal(back.started_boottime_us, r.started_boottime_us);
        assert_int_equal(back.pid, r.pid);
        assert_int_equal(back.start_ticks, r.start_ticks);
        assert_int_equal(back.handoff, r.handoff);
        assert_true(back.run_reached);
        assert_string_equal(back.outcome.code, r.outcome.code);
        assert_string_equal(back.outcome.detail, r.outcome.detail);
        assert_return_code(fstatat(root_fd, ATTEMPT_RECORD_NAME, &st, 0), errno);
        assert_int_equal(st.st_mode & 0777, 0600);
}

static void what_is_no_file_is_not_read(void **state) {
        AttemptRecord r;

        (void) unlinkat(root_fd, ATTEMPT_RECORD_NAME, 0);
        assert_int_equal(attempt_record_read(root_fd, &r), -ENOENT);
        assert_return_code(symlinkat("/etc/passwd", root_fd, ATTEMPT_RECORD_NAME), errno);
        assert_int_equal(attempt_record_read(root_fd, &r), -ELOOP);
        (void) unlinkat(root_fd, ATTEMPT_RECORD_NAME, 0);
        assert_return_code(mkfifoat(root_fd, ATTEMPT_RECORD_NAME, 0600), errno);
        assert_int_equal(attempt_record_read(root_fd, &r), -EBADMSG);
        (void) unlinkat(root_fd, ATTEMPT_RECORD_NAME, 0);
}

static json_t *written(void) {
        AttemptRecord r = sample();
        char path[128];
        json_t *object;

        assert_int_equal(attempt_record_write(root_fd, &r), 0);
        (void) snprintf(path, sizeof(path), "%s/%s", root, ATTEMPT_RECORD_NAME);
        object = json_load_file(path, 0, NULL);
        assert_non_null(object);
        return object;
}

static int decode(json_t *object) {
        AttemptRecord r = { .pid = -7 };
        char *text;
        int error;

        assert_int_equal(json_seal(object), 0); /* so that the seal is not what saves us */
        text = json_dumps(object, 0);
        error = attempt_record_decode(text, strlen(text), &r);
        if (error < 0)
                assert_int_equal(r.pid, -7);
        free(text);
        return error;
}

/* One rule broken at a time. */
static const struct {
        const char *member, *value; /* JSON text */
} breaks[] = {
        { "schema", "3" },      { "state", "\"asleep\"" },   { "id", "\"..\"" },
        { "id", "\"00112233445566778899aabbccddeefg\"" },    { "boot_id", "\"\"" },
        { "pid", "1" },         { "pid", "-1" },             { "pid", "4294967296" },
        { "pid", "\"4711\"" },  { "handoff", "\"post\"" },   { "pid_start_ticks", "-1" },
        { "started_realtime_us", "\"now\"" },                { "started_boottime_us", "-5" },
        { "outcome", "null" },  { "outcome", "{}" },         { "runner_id", "17" },
};

static void broken_records_are_refused(void **state) {
        json_t *good = written();

        assert_int_equal(decode(good), 0);
        for (size_t i = 0; i < ELEMENTS(breaks); i++) {
                json_t *bad = json_deep_copy(good);

                assert_int_equal(json_object_set_new(bad, breaks[i].member,
                                                     json_loads(breaks[i].value, JSON_DECODE_ANY, NULL)),
                                 0);
                if (decode(bad) != -EBADMSG)
                        fail_msg("%s: %s was taken", breaks[i].member, breaks[i].value);
                json_decref(bad);
        }
        json_decref(good);
}

static void each_flipped_bit_is_noticed(void **state) {
        json_t *good = written();
        char *text = json_write_compact(good);
        AttemptRecord r;

        assert_non_null(text);
        assert_int_equal(attempt_record_decode(text, strlen(text), &r), 0);
        for (size_t bit = 0, n = strlen(text); bit < n * 8; bit++) {
                text[bit / 8] ^= (char) (1 << bit % 8);
                if (attempt_record_decode(text, n, &r) != -EBADMSG)
                        fail_msg("bit %zu of byte %zu: %s was taken", bit % 8, bit / 8, text);
                text[bit / 8] ^= (char) (1 << bit % 8);
        }
        free(text);
        json_decref(good);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(comes_back),
                cmocka_unit_test(what_is_no_file_is_not_read),
                cmocka_unit_test(broken_records_are_refused),
                cmocka_unit_test(each_flipped_bit_is_noticed),
        };
        int failed;

        (void) snprintf(root, sizeof(root), "/tmp/test-attempt-record.XXXXXX");
        if (!mkdtemp(root))
                return 1;
        root_fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        cmocka_set_message_output(CM_OUTPUT_TAP);
        failed = cmocka_run_group_tests(tests, NULL, NULL);
        (void) unlinkat(root_fd, ATTEMPT_RECORD_NAME, 0);
        (void) close(root_fd);
        (void) rmdir(root);
        return failed;
}
