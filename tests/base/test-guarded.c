/* SPDX-License-Identifier: Apache-2.0 */

/* What others could change is not opened, and the sentence names the place: each row makes one thing wrong on the way to
 * a file, and only that. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/guarded.h"
#include "scratch.h"
#include "../skip.h"

#define FILE_NAME "a/b/file"
#define STRANGER 54321

static char why[GUARDED_WHY_SIZE];

static int open_at(const Scratch *s, const char *name) {
        _cleanup_close_ int fd = -1;

        int r = guarded_open(scratch_path(s, name), O_RDONLY, geteuid(), &fd, why);
        assert_int_equal(r == 0, fd >= 0);
        return r;
}

static void make(const Scratch *s) {
        int fd;

        (void) umask(022);
        assert_return_code(mkdirat(s->fd, "a", 0755), errno);
        assert_return_code(mkdirat(s->fd, "a/b", 0755), errno);
        fd = openat(s->fd, FILE_NAME, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        assert_return_code(fd, errno);
        (void) close(fd);
}

static const struct {
        const char *name;
        mode_t mode;
        const char *says; /* NULL: it is opened */
} modes[] = {
        { FILE_NAME, 0644, NULL },
        { FILE_NAME, 0444, NULL },
        { FILE_NAME, 0664, "/a/b/file is writable by group" },
        { FILE_NAME, 0646, "/a/b/file is writable by everybody" },
        { "a/b", 0700, NULL },
        { "a/b", 0775, "/a/b is writable by group" },
        { "a/b", 0757, "/a/b is writable by everybody" },
        { "a", 0775, "/a is writable by group" },
        { "a", 0707, "/a is writable by everybody" },
};

static void modes_on_the_way(void **state) {
        const Scratch *s = *state;
        struct stat before;

        make(s);
        for (size_t i = 0; i < ELEMENTS(modes); i++) {
                assert_return_code(fstatat(s->fd, modes[i].name, &before, 0), errno);
                /* Group 0 is root's own; the row is about any other. */
                if (geteuid() == 0)
                        assert_return_code(fchownat(s->fd, modes[i].name, 0, STRANGER, 0), errno);
                assert_return_code(fchmodat(s->fd, modes[i].name, modes[i].mode, 0), errno);
                assert_int_equal(open_at(s, FILE_NAME), modes[i].says ? -EPERM : 0);
                assert_true(modes[i].says ? strstr(why, modes[i].says) && strstr(why, "chmod") : why[0] == '\0');
                assert_return_code(fchmodat(s->fd, modes[i].name, before.st_mode & 07777, 0), errno);
        }
        assert_int_equal(open_at(s, FILE_NAME), 0);
}

static void owners_on_the_way(void **state) {
        static const char *const names[] = { FILE_NAME, "a/b", "a" };
        const Scratch *s = *state;

        make(s);
        if (geteuid() != 0)
                skip_for_want_of("root");
        for (size_t i = 0; i < ELEMENTS(names); i++) {
                char says[64];
                _cleanup_close_ int fd = -1;

                assert_return_code(fchownat(s->fd, names[i], STRANGER, 0, 0), errno);
                assert_int_equal(open_at(s, FILE_NAME), -EPERM);
                (void) snprintf(says, sizeof(says), "/%s belongs to uid 54321", names[i]);
                assert_non_null(strstr(why, says));
                /* Not a stranger to himself. */
                assert_int_equal(guarded_open(scratch_path(s, FILE_NAME), O_RDONLY, STRANGER, &fd, why), 0);
                assert_return_code(fchownat(s->fd, names[i], 0, 0, 0), errno);
        }
}

/* In a sticky directory of root a name is safe with its owner; what anybody may put there is not asked for by name. */
static void sticky_directories(void **state) {
        const Scratch *s = *state;
        _cleanup_close_ int fd = -1;

        make(s);
        assert_return_code(fchmodat(s->fd, "a", 01777, 0), errno);
        assert_int_equal(open_at(s, FILE_NAME), geteuid() == 0 ? 0 : -EPERM);
        assert_int_equal(guarded_open(scratch_path(s, "a"), O_RDONLY | O_DIRECTORY, geteuid(), &fd, why), -EPERM);
        if (geteuid() != 0)
                skip_for_want_of("root");
        assert_return_code(fchownat(s->fd, "a/b", STRANGER, 0, 0), errno);
        assert_int_equal(open_at(s, FILE_NAME), -EPERM);
        assert_return_code(fchownat(s->fd, "a/b", 0, 0, 0), errno);
        assert_return_code(fchownat(s->fd, "a", STRANGER, 0, 0), errno);
        assert_int_equal(open_at(s, FILE_NAME), -EPERM); /* sticky, but its owner may rename all the same */
}

static void links_are_walked(void **state) {
        const Scratch *s = *state;

        make(s);
        assert_return_code(symlinkat("a/b", s->fd, "relative"), errno);
        assert_return_code(symlinkat("../../relative/file", s->fd, "a/b/up"), errno);
        assert_return_code(symlinkat(scratch_path(s, "a"), s->fd, "absolute"), errno);
        assert_return_code(symlinkat("loop", s->fd, "loop"), errno);
        assert_return_code(symlinkat("nowhere", s->fd, "dangling"), errno);
        assert_int_equal(open_at(s, "relative/file"), 0);
        assert_int_equal(open_at(s, "a/b/up"), 0);
        assert_int_equal(open_at(s, "absolute/b/../b/./file"), 0);
        assert_int_equal(open_at(s, "loop"), -ELOOP);
        int fd = -1; /* who wants no link at the end gets none; on the way they are walked all the same */
        assert_int_equal(guarded_open(scratch_path(s, "a/b/up"), O_RDONLY | O_NOFOLLOW, geteuid(), &fd, why), -ELOOP);
        assert_string_equal(why, "");
        assert_int_equal(guarded_open(scratch_path(s, "relative/file"), O_RDONLY | O_NOFOLLOW, geteuid(), &fd, why), 0);
        assert_int_equal(close(fd), 0);
        assert_int_equal(open_at(s, "dangling"), -ENOENT);
        assert_int_equal(open_at(s, FILE_NAME "/more"), -ENOTDIR);
        /* What a link leads to is judged like any other way. */
        assert_return_code(fchmodat(s->fd, "a", 0757, 0), errno);
        assert_int_equal(open_at(s, "relative/file"), -EPERM);
        assert_return_code(fchmodat(s->fd, "a", 0755, 0), errno);
        if (geteuid() != 0)
                skip_for_want_of("root");
        assert_return_code(fchownat(s->fd, "relative", STRANGER, 0, AT_SYMLINK_NOFOLLOW), errno);
        assert_int_equal(open_at(s, "relative/file"), -EPERM);
        assert_non_null(strstr(why, "/relative belongs to uid 54321"));
}

static void relative_to_where_we_are(void **state) {
        const Scratch *s = *state;
        _cleanup_close_ int fd = -1, here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);

        make(s);
        assert_return_code(fchdir(s->fd), errno);
        assert_int_equal(guarded_open(FILE_NAME, O_RDONLY, geteuid(), &fd, why), 0);
        assert_return_code(fchmodat(s->fd, "a", 0757, 0), errno);
        assert_int_equal(guarded_open("b/../../" FILE_NAME, O_RDONLY, geteuid(), &fd, why), -ENOENT);
        assert_return_code(chdir("a/b"), errno);
        assert_int_equal(guarded_open("file", O_RDONLY, geteuid(), &fd, why), -EPERM);
        assert_int_equal(guarded_open("", O_RDONLY, geteuid(), &fd, why), -ENOENT);
        assert_return_code(fchdir(here), errno);
}

static void reads_files_only(void **state) {
        const Scratch *s = *state;
        _cleanup_buffer_ Buffer b = BUFFER_INIT(64);
        uid_t owner = STRANGER;
        _cleanup_close_ int fd = -1;

        make(s);
        fd = openat(s->fd, FILE_NAME, O_WRONLY | O_CLOEXEC);
        assert_int_equal(write(fd, "text", 4), 4);
        assert_int_equal(guarded_read(scratch_path(s, FILE_NAME), geteuid(), &b, &owner, why), 0);
        assert_string_equal(buffer_string(&b), "text");
        assert_int_equal(owner, geteuid());
        assert_int_equal(guarded_read(scratch_path(s, "a"), geteuid(), &b, NULL, why), -EISDIR);
        assert_return_code(mkfifoat(s->fd, "fifo", 0600), errno);
        assert_int_equal(guarded_read(scratch_path(s, "fifo"), geteuid(), &b, NULL, why), -EINVAL);
        assert_int_equal(guarded_read("/dev/null", geteuid(), &b, NULL, why), -EPERM);
        assert_int_equal(guarded_read(scratch_path(s, "none"), geteuid(), &b, NULL, why), -ENOENT);
        assert_string_equal(why, "");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(modes_on_the_way, scratch_setup, scratch_teardown),
                cmocka_unit_test_setup_teardown(owners_on_the_way, scratch_setup, scratch_teardown),
                cmocka_unit_test_setup_teardown(sticky_directories, scratch_setup, scratch_teardown),
                cmocka_unit_test_setup_teardown(links_are_walked, scratch_setup, scratch_teardown),
                cmocka_unit_test_setup_teardown(relative_to_where_we_are, scratch_setup, scratch_teardown),
                cmocka_unit_test_setup_teardown(reads_files_only, scratch_setup, scratch_teardown),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
