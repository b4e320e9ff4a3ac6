/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What becomes of the secrets that this host was given: an API key that nears its end is told in time, and with
 * `forget_credential: true` the files are removed once the host is verified.
 *
 * That a credential will be forgotten stands on record before its file goes, so that an agent that starts later, and
 * finds none, knows why: it then verifies by what runs on this host instead of failing for want of a credential.
 * A file that can't be removed (a read-only disk, a directory that is not ours) is told with what to do, and
 * stops nothing. Only what the spec names as a file is removed; links are not followed.
 */

#include "enrolld/agent-private.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "model/key-expiration.h"

#define WARN_BEFORE_S (14 * 24 * 3600)

void agent_warn_of_key(Agent *a) {
        const char *text = coordinator_key_expiration(a->coordinator);
        int64_t ends_s, now_s, left_s;
        char note[200], left[DURATION_SIZE];

        if (!text[0] || !coordinator_server_time_s(a->coordinator, &now_s) || key_expiration_parse(text, &ends_s) < 0)
                return;
        left_s = ends_s - now_s;
        if (left_s >= WARN_BEFORE_S)
                return;
        if (left_s <= 0)
                (void) snprintf(note, sizeof(note), "by the platform's clock the API key has ended (%s)", text);
        else
                (void) snprintf(note, sizeof(note), "the API key ends in %s (%s): replace it in time",
                                duration_format((usec_t) left_s * USEC_PER_SEC, left), text);
        agent_note(a, note);
}

static int remove_file(const char *path) {
        char directory_copy[4096], name_copy[4096];
        _cleanup_close_ int directory = -1;
        struct stat st;
        const char *name;

        if (strlen(path) >= sizeof(directory_copy))
                return -ENAMETOOLONG;
        (void) memcpy(directory_copy, path, strlen(path) + 1);
        (void) memcpy(name_copy, path, strlen(path) + 1);
        name = basename(name_copy);
        directory = open(dirname(directory_copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (directory < 0)
                return -errno;
        if (fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? 0 : -errno;
        if (!S_ISREG(st.st_mode))
                return -ELOOP; /* what was read was a regular file: this is something else */
        if (unlinkat(directory, name, 0) < 0)
                return -errno;
        return fsync(directory) < 0 ? -errno : 0;
}

/* what: "credential", "roles token". */
static void forget(Agent *a, const char *what, const SecretSource *source) {
        char note[200];
        int error;

        if (source->kind == SECRET_FROM_NOWHERE)
                return;
        if (source->kind != SECRET_FROM_FILE) {
                (void) snprintf(note, sizeof(note), "forget_credential: the %s is not in a file; remove it where it is kept",
                                what);
                return agent_note(a, note);
        }
        error = remove_file(source->path);
        if (error < 0) {
                (void) snprintf(note, sizeof(note), "forget_credential: %.100s can't be removed: %s; remove it by hand",
                                source->path, strerror(-error));
                return agent_note(a, note);
        }
        log_info("the %s in %s was removed: this host is verified", what, source->path);
}

/* A member that differs and is left alone (on_member: ignore) is not a verified one. */
bool agent_may_forget(const Agent *a) {
        return a->spec && a->spec->forget_credential && a->machine.state == STATE_ENROLLED && a->reason.class == CLASS_OK &&
               !a->machine.token_owed;
}

void agent_forget_secrets(Agent *a) {
        if (!agent_may_forget(a) || !agent_is_recorded(a))
                return;
        forget(a, "credential", &a->spec->credential.secret);
        if (a->spec->token.source == TOKEN_PRE_MINTED)
                forget(a, "roles token", &a->spec->token.pre_minted);
        if (a->coordinator)
                coordinator_forget_credential(a->coordinator);
        a->anonymous = true; /* whoever looks at this host again asks its engine */
        agent_report(a, false); /* with what could not be removed, if anything */
}
