/* SPDX-License-Identifier: Apache-2.0 */

/*
 * SAVE: what is written down for ourselves after a crash; and what is found at the start.
 *
 * A record that can't be read or decoded is set aside under another name, never overwritten unread, and the
 * machine starts from the state that asks the world. A disk that is full or read-only is no end: whoever only
 * looks goes on, and agent.c does nothing that would have to be on record. Each SAVE, and each thing that needs
 * one, tries again, so the agent goes on by itself when there is room.
 *
 * Even the directory may be missing as long as it can't be made. Then there is no lock either, and no need for
 * one: nothing is done. One that turns up later with a record in it belongs to a past that this agent does not
 * know, so it starts over.
 */

#include "enrolld/agent-private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "host/host-identity.h"

/* DAMAGED: nobody can read it. OTHER_RELEASE: whole, and of a schema that is not ours; an upgrade or downgrade
 * that is taken back finds it again. OTHER_HOST: an image was cloned. */
#define DAMAGED ".damaged"
#define OTHER_RELEASE ".other-release"
#define OTHER_HOST ".other-host"

static void set_aside(Agent *a, int error) {
        const char *name = error == -EPROTONOSUPPORT ? RECORD_FILE OTHER_RELEASE
                           : error == -EXDEV         ? RECORD_FILE OTHER_HOST
                                                     : RECORD_FILE DAMAGED;
        const char *what = error == -EPROTONOSUPPORT ? "is of another release"
                           : error == -EXDEV         ? "is of another host"
                                                     : "can't be read";

        if (renameat(a->state_fd, RECORD_FILE, a->state_fd, name) < 0)
                log_warning_errno(-errno, "the record in %s %s and can't be set aside; the world is asked instead",
                                  a->options.state_dir, what);
        else
                log_warning("the record %s; it is kept as %s/%s, and the world is asked instead", what,
                            a->options.state_dir, name);
        a->machine = record_lost(clock_boottime_us());
}

/* 0, -ENOENT, or why what is there is no record. */
static int read_record(Agent *a, Record *ret) {
        _cleanup_buffer_ Buffer text = BUFFER_INIT(RECORD_SIZE_MAX);
        _cleanup_close_ int fd = -1;
        int error;

        fd = openat(a->state_fd, RECORD_FILE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
        if (fd < 0)
                return -errno;
        error = file_read_fd(fd, &text);
        return error < 0 ? error : record_decode(buffer_string(&text), text.size, ret);
}

/* A record that came with an image speaks of the host that the image was made of: whom it calls a member, and which token
 * it wants deleted, is that host's affair. */
static int check_identity(Agent *a, const HostIdentity *now) {
        const char *difference = host_identity_difference(&a->record.identity, now);

        if (!difference)
                return 0;
        log_warning("the record is not of this host (%s): a cloned image?", difference);
        a->record = (Record) {};
        return -EXDEV;
}

static int load(Agent *a) {
        char boot_id[BOOT_ID_SIZE] = "";
        HostIdentity identity;
        int error = read_record(a, &a->record);

        (void) clock_boot_id(boot_id);
        if (file_error_passes(error)) /* a good record is not set aside for that */
                return log_error_errno(error, "can't read the record in %s now", a->options.state_dir);
        host_identity_gather("", &identity);
        if (error >= 0)
                error = check_identity(a, &identity);
        if (error >= 0) {
                a->machine = record_resume(&a->record, boot_id, clock_boottime_us());
                (void) record_last_trouble(&a->record, &a->trouble);
        } else if (error != -ENOENT)
                set_aside(a, error);
        (void) snprintf(a->record.boot_id, sizeof(a->record.boot_id), "%s", boot_id);
        a->record.identity = identity;
        return 0;
}

static int open_directory(Agent *a) {
        int error;

        a->state_fd = directory_ensure(a->options.state_dir, 0700);
        if (a->state_fd < 0)
                return a->state_fd;
        error = directory_lock(a->state_fd);
        if (error >= 0)
                return 0;
        (void) close(TAKE_FD(a->state_fd));
        if (error == -EBUSY)
                log_error("another agent is at work with the state directory %s", a->options.state_dir);
        return error;
}

int agent_record_open(Agent *a) {
        int error = open_directory(a);

        if (error >= 0)
                return load(a);
        if (error == -EBUSY)
                return error;
        a->unrecorded = error;
        log_warning_errno(error, "can't use the state directory %s yet", a->options.state_dir);
        return 0;
}

/* The directory could not be had at the start; now perhaps. */
static int open_late(Agent *a) {
        int error = open_directory(a);

        if (error == -EBUSY)
                agent_fail(a, error, "the state directory is another agent's");
        if (error < 0)
                return error;
        if (faccessat(a->state_fd, RECORD_FILE, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
                return 0;
        agent_fail(a, -ESTALE, "the state directory has come with a record of earlier: starting over with it");
        return -ESTALE;
}

static int write_record(Agent *a) {
        _cleanup_buffer_ Buffer text = BUFFER_INIT(RECORD_SIZE_MAX);
        int error = a->state_fd >= 0 ? 0 : open_late(a);

        if (error < 0)
                return error;
        a->record.machine = a->machine;
        (void) snprintf(a->record.reason, sizeof(a->record.reason), "%s", a->reason.reason);
        (void) snprintf(a->record.text, sizeof(a->record.text), "%s", a->reason.text);
        error = record_encode(&a->record, &text);
        if (error < 0)
                return error;
        return file_replace(a->state_fd, RECORD_FILE, buffer_string(&text), text.size, 0600, FILE_DURABLE);
}

void agent_save(Agent *a) {
        int error = write_record(a);

        if (error < 0 && error != a->unrecorded)
                log_warning_errno(error, "can't write the record in %s: nothing is done that must be on record before",
                                  a->options.state_dir);
        if (error >= 0 && a->unrecorded < 0)
                log_info("the record can be written again");
        a->unrecorded = error < 0 ? error : 0;
}

bool agent_is_recorded(Agent *a) {
        if (a->unrecorded < 0)
                agent_save(a);
        return a->unrecorded >= 0;
}

Observation agent_unrecorded_observation(const Agent *a) {
        char path[OBSERVATION_WHERE_SIZE];

        (void) snprintf(path, sizeof(path), "%s/%s", a->options.state_dir, RECORD_FILE);
        return observe(ORIGIN_HOST, -a->unrecorded, "record", path, "%s", strerror(-a->unrecorded));
}
