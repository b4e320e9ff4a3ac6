/* SPDX-License-Identifier: Apache-2.0 */

/* Reading whole and bounded, directories with exact modes, one lock for one instance. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/file.h"
#include "scratch.h"

static void write_file(const Scratch *scratch, const char *name, const char *content) {
        _cleanup_close_ int fd = openat(scratch->fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

        assert_true(fd >= 0);
        assert_int_equal(file_write_all(fd, content, strlen(content)), 0);
}

static mode_t mode_of(const Scratch *scratch, const char *name) {
        struct stat status;

        assert_int_equal(fstatat(scratch->fd, name, &status, 0), 0);
        return status.st_mode & 07777;
}

static void test_read(void **state) {
        _cleanup_buffer_ Buffer b = BUFFER_INIT(20);

        write_file(*state, "file", "content");
        assert_int_equal(buffer_append_string(&b, "before "), 0);
        assert_int_equal(file_read(scratch_path(*state, "file"), &b), 0);
        assert_string_equal(buffer_string(&b), "before content");
}

static void test_read_is_bounded(void **state) {
        _cleanup_buffer_ Buffer exact = BUFFER_INIT(7), small = BUFFER_INIT(8);

        write_file(*state, "file", "content");
        assert_int_equal(file_read(scratch_path(*state, "file"), &exact), 0);
        assert_string_equal(buffer_string(&exact), "content");

        assert_int_equal(buffer_append_string(&small, "xy"), 0);
        assert_int_equal(file_read(scratch_path(*state, "file"), &small), -EMSGSIZE);
        assert_string_equal(buffer_string(&small), "xy");
}

/* More than one piece, and a bound that is met in the middle: the buffer is as it was. */
static void test_read_large(void **state) {
        _cleanup_buffer_ Buffer content = BUFFER_INIT(100000), copy = BUFFER_INIT_WIPED(100000);
        _cleanup_buffer_ Buffer small = BUFFER_INIT(99999);

        for (int i = 0; i < 20000; i++)
                assert_int_equal(buffer_append_format(&content, "%05d", i), 0);
        write_file(*state, "large", buffer_string(&content));

        assert_int_equal(file_read(scratch_path(*state, "large"), &copy), 0);
        assert_int_equal(copy.size, content.size);
        assert_memory_equal(copy.data, content.data, content.size);

        assert_int_equal(file_read(scratch_path(*state, "large"), &small), -EMSGSIZE);
        assert_int_equal(small.size, 0);
}

/* A path from a spec may name anything, and a pipe without a writer must not hold us up. */
static void test_read_other_things(void **state) {
        _cleanup_buffer_ Buffer b = BUFFER_INIT(100);
        Scratch *scratch = *state;

        assert_int_equal(file_read(scratch_path(scratch, "missing"), &b), -ENOENT);
        assert_int_equal(file_read(scratch->path, &b), -EISDIR);
        assert_int_equal(mkfifoat(scratch->fd, "pipe", 0600), 0);
        assert_int_equal(file_read(scratch_path(scratch, "pipe"), &b), -EINVAL);
        assert_int_equal(file_read("/dev/zero", &b), -EINVAL);
        assert_int_equal(symlinkat("missing", scratch->fd, "dangling"), 0);
        assert_int_equal(file_read(scratch_path(scratch, "dangling"), &b), -ENOENT);
        assert_int_equal(file_read("/proc/self/comm", &b), 0); /* no size, yet a file */
        assert_true(b.size > 0);
}

static void test_read_fd(void **state) {
        _cleanup_close_ int fd = -1;
        _cleanup_buffer_ Buffer b = BUFFER_INIT(100);

        write_file(*state, "file", "content");
        fd = open(scratch_path(*state, "file"), O_RDONLY | O_CLOEXEC);
        assert_int_equal(lseek(fd, 3, SEEK_SET), 3);
        assert_int_equal(file_read_fd(fd, &b), 0);
        assert_string_equal(buffer_string(&b), "tent");
}

static void test_write_all(void **state) {
        _cleanup_close_ int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
        static char block[300000];
        int ends[2];

        assert_int_equal(file_write_all(full, "x", 1), -ENOSPC);
        assert_int_equal(file_write_all(full, NULL, 0), 0);

        /* Nobody reads: what doesn't fit is an error and no endless loop. */
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
        assert_int_equal(file_write_all(ends[0], block, sizeof(block)), -EAGAIN);
        assert_int_equal(close(ends[0]), 0);
        assert_int_equal(close(ends[1]), 0);
}

static void test_directory(void **state) {
        static const char *const paths[] = { "a/b/c", "a//b///d/", "a/b/c", "e", "a/./f", "a/../g/h" };
        mode_t saved = umask(077);

        for (size_t i = 0; i < ELEMENTS(paths); i++) {
                const char *path = scratch_path(*state, paths[i]);
                _cleanup_close_ int fd = directory_ensure(path, 0750);
                struct stat by_fd, by_path;

                assert_true(fd >= 0);
                assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
                assert_int_equal(fstat(fd, &by_fd), 0);
                assert_int_equal(stat(path, &by_path), 0);
                assert_int_equal(by_fd.st_ino, by_path.st_ino);
                assert_int_equal(by_fd.st_mode & 07777, 0750);
                assert_int_equal(fsync(fd), 0); /* no mere place: file_replace() syncs it */
        }
        assert_int_equal(mode_of(*state, "a"), 0750);
        assert_int_equal(mode_of(*state, "a/b"), 0750);
        (void) umask(saved);
}

static void test_directory_keeps_what_is(void **state) {
        Scratch *scratch = *state;
        _cleanup_close_ int fd = -1, root = -1, through_link = -1;

        assert_int_equal(mkdirat(scratch->fd, "mine", 0700), 0);
        fd = directory_ensure(scratch_path(scratch, "mine/sub"), 0755);
        assert_true(fd >= 0);
        assert_int_equal(mode_of(scratch, "mine"), 0700);
        assert_int_equal(mode_of(scratch, "mine/sub"), 0755);

        assert_int_equal(symlinkat("mine", scratch->fd, "link"), 0);
        through_link = directory_ensure(scratch_path(scratch, "link/other"), 0755);
        assert_true(through_link >= 0);
        assert_int_equal(mode_of(scratch, "mine/other"), 0755);

        root = directory_ensure("/", 0700);
        assert_true(root >= 0);
}

static void test_directory_relative(void **state) {
        Scratch *scratch = *state;
        _cleanup_close_ int before = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd = -1;

        assert_int_equal(fchdir(scratch->fd), 0);
        fd = directory_ensure("rel/ative", 0700);
        assert_int_equal(fchdir(before), 0);
        assert_true(fd >= 0);
        assert_int_equal(mode_of(scratch, "rel/ative"), 0700);
}

static void test_directory_refused(void **state) {
        Scratch *scratch = *state;
        char name[300];

        write_file(scratch, "file", "");
        assert_int_equal(directory_ensure(scratch_path(scratch, "file"), 0700), -ENOTDIR);
        assert_int_equal(directory_ensure(scratch_path(scratch, "file/sub"), 0700), -ENOTDIR);
        assert_int_equal(directory_ensure("", 0700), -ENOENT);
        assert_int_equal(symlinkat("missing", scratch->fd, "dangling"), 0);
        assert_int_equal(directory_ensure(scratch_path(scratch, "dangling"), 0700), -EEXIST);

        memset(name, 'n', sizeof(name));
        name[sizeof(name) - 1] = '\0';
        assert_int_equal(directory_ensure(scratch_path(scratch, name), 0700), -ENAMETOOLONG);
        assert_true(directory_ensure("/proc/no-such-place/x", 0700) < 0);
}

/* The lock is seen by a second opener of this process and by another process, and ends with its holder. */
static void test_lock(void **state) {
        Scratch *scratch = *state;
        const char *path = scratch_path(scratch, "state");
        int held = directory_ensure(path, 0700), other = directory_ensure(path, 0700), status;
        pid_t child;

        assert_int_equal(directory_lock(held), 0);
        assert_int_equal(directory_lock(held), 0); /* it is ours */
        assert_int_equal(directory_lock(other), -EBUSY);

        child = fork();
        assert_true(child >= 0);
        if (child == 0) {
                (void) close(held); /* a copy of the holder's descriptor; the lock must not end with it */
                _exit(directory_lock(other) == -EBUSY ? 0 : 1);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);

        assert_int_equal(close(held), 0);
        assert_int_equal(directory_lock(other), 0);
        assert_int_equal(close(other), 0);
}

static void test_lock_refused(void **state) {
        assert_int_equal(directory_lock(-1), -EBADF);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, scratch_setup, scratch_teardown)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_read),
                TEST(test_read_is_bounded),
                TEST(test_read_large),
                TEST(test_read_other_things),
                TEST(test_read_fd),
                TEST(test_write_all),
                TEST(test_directory),
                TEST(test_directory_keeps_what_is),
                TEST(test_directory_relative),
                TEST(test_directory_refused),
                TEST(test_lock),
                TEST(test_lock_refused),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
