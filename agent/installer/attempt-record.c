/* SPDX-License-Identifier: Apache-2.0 */

/*
 * attempt.json. Written whole and replaced atomically. What stands in it decides which process is signalled, so
 * it is decoded strictly, and sealed: a bit that fell over must not name somebody else's process. A record that
 * can't be decoded is as good as none, and the caller sets it aside: the world is then asked instead (settle finds
 * a container by its name).
 */

#include "installer/attempt-record.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "installer/message-codec.h"
#include "model/allow-list.h"

#define SCHEMA 2
#define RECORD_SIZE_MAX (16U * 1024U)

static const char *const states[] = {
        [RECORD_NONE] = "none",
        [RECORD_RUNNING] = "running",
        [RECORD_ENDED] = "ended",
        [RECORD_ACKNOWLEDGED] = "acknowledged",
};

static const char *const handoffs[] = { [HANDOFF_SHIM] = "shim", [HANDOFF_ARGV] = "argv" };

static json_t *encode(const AttemptRecord *r) {
        return json_pack("{s:i,s:s,s:s,s:s,s:s,s:I,s:I,s:i,s:I,s:s,s:b,s:o}", "schema", SCHEMA, "state",
                         states[r->state], "id", r->id, "runner_id", r->runner_id, "boot_id", r->boot_id,
                         "started_realtime_us", (json_int_t) r->started_realtime_us, "started_boottime_us",
                         (json_int_t) r->started_boottime_us, "pid", (int) r->pid, "pid_start_ticks",
                         (json_int_t) r->start_ticks, "handoff", handoffs[r->handoff], "run_reached",
                         (int) r->run_reached, "outcome", observation_to_json(&r->outcome));
}

int attempt_record_write(int dir_fd, const AttemptRecord *r) {
        _cleanup_json_ json_t *object = encode(r);
        _cleanup_free_ char *text = NULL;

        if (!object || json_seal(object) < 0)
                return -ENOMEM;
        text = json_write_compact(object);
        if (!text)
                return -ENOMEM;
        return file_replace(dir_fd, ATTEMPT_RECORD_NAME, text, strlen(text), 0600, FILE_DURABLE);
}

/* --- Reading --- */

static bool get_string(const json_t *object, const char *name, char *ret, size_t size) {
        const char *value = json_member_string(object, name);

        if (!value || strlen(value) >= size)
                return false;
        (void) memcpy(ret, value, strlen(value) + 1);
        return true;
}

static bool get_unsigned(const json_t *object, const char *name, uint64_t maximum, uint64_t *ret) {
        json_int_t value = json_member_integer(object, name, -1);

        if (value < 0 || (uint64_t) value > maximum)
                return false;
        *ret = (uint64_t) value;
        return true;
}

static bool get_word(const json_t *object, const char *name, const char *const words[], size_t n, size_t *ret) {
        const char *value = json_member_string(object, name);

        for (size_t i = 0; value && i < n; i++)
                if (streq(words[i], value)) {
                        *ret = i;
                        return true;
                }
        return false;
}

static bool is_hex32(const char *s) {
        return strlen(s) == 32 && text_consists_of(s, "0123456789abcdef");
}

static bool get_identity(const json_t *object, AttemptRecord *r) {
        return get_string(object, "id", r->id, sizeof(r->id)) && is_hex32(r->id) &&
               get_string(object, "runner_id", r->runner_id, sizeof(r->runner_id)) &&
               get_string(object, "boot_id", r->boot_id, sizeof(r->boot_id)) && is_hex32(r->boot_id);
}

int attempt_record_decode(const char *text, size_t n, AttemptRecord *ret) {
        _cleanup_json_ json_t *object = NULL;
        AttemptRecord r = { .outcome = OBSERVATION_NONE };
        uint64_t pid;
        size_t state, handoff;
        int error = json_read(text, n, &object, NULL);

        if (error >= 0)
                error = json_break_seal(object);
        if (error < 0)
                return error == -ENOMEM ? error : -EBADMSG;
        if (json_member_integer(object, "schema", 0) != SCHEMA || !get_identity(object, &r) ||
            !get_word(object, "state", states, ELEMENTS(states), &state) ||
            !get_word(object, "handoff", handoffs, ELEMENTS(handoffs), &handoff) ||
            !get_unsigned(object, "started_realtime_us", INT64_MAX, &r.started_realtime_us) ||
            !get_unsigned(object, "started_boottime_us", INT64_MAX, &r.started_boottime_us) ||
            !get_unsigned(object, "pid", INT32_MAX, &pid) ||
            !get_unsigned(object, "pid_start_ticks", INT64_MAX, &r.start_ticks) ||
            observation_from_json(json_member_object(object, "outcome"), &r.outcome) < 0)
                return -EBADMSG;
        if (pid == 1) /* nobody's installer; a signal to its group would go everywhere */
                return -EBADMSG;
        r.state = (RecordState) state;
        r.handoff = (HandOff) handoff;
        r.pid = (pid_t) pid;
        r.run_reached = json_member_bool(object, "run_reached", false);
        *ret = r;
        return 0;
}

int attempt_record_read(int dir_fd, AttemptRecord *ret) {
        /* Not waiting: it may be a pipe that nobody writes to, and a keeper that hangs keeps nothing. */
        _cleanup_close_ int fd = openat(dir_fd, ATTEMPT_RECORD_NAME,
                                        O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
        _cleanup_buffer_ Buffer text = BUFFER_INIT(RECORD_SIZE_MAX);
        int error;

        if (fd < 0)
                return -errno;
        error = file_read_fd(fd, &text);
        if (error < 0)
                return error == -EMSGSIZE ? -EBADMSG : error;
        return attempt_record_decode(buffer_string(&text), text.size, ret);
}
