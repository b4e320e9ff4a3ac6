/* SPDX-License-Identifier: Apache-2.0 */

/* A replaced file is the old one or the new one, in an order that survives a power cut; nothing is left. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/syscall.h>

#include "base/file.h"
#include "base/text.h"
#include "scratch.h"

/*
 * Ours stand in for the C library's fsync() and renameat(): they write down the order of the calls and
 * fail when they are told to.
 */
static Buffer journal = BUFFER_INIT(1000);
static int fail_sync_of_file, fail_sync_of_directory, fail_rename; /* errno, 0: works */

int fsync(int fd) {
        struct stat status;
        int error;

        assert_int_equal(fstat(fd, &status), 0);
        if (S_ISDIR(status.st_mode)) {
                assert_int_equal(buffer_append_string(&journal, "sync-dir "), 0);
                error = fail_sync_of_directory;
        } else {
                assert_int_equal(buffer_append_string(&journal, "sync-file "), 0);
                error = fail_sync_of_file;
        }
        errno = error;
        return error ? -1 : 0;
}

int renameat(int from_fd, const char *from, int to_fd, const char *to) {
        assert_int_equal(buffer_append_string(&journal, "rename "), 0);
        if (fail_rename) {
                errno = fail_rename;
                return -1;
        }
        return (int) syscall(SYS_renameat2, from_fd, from, to_fd, to, 0U);
}

static int setup(void **state) {
        buffer_clear(&journal);
        fail_sync_of_file = fail_sync_of_directory = fail_rename = 0;
        return scratch_setup(state);
}

static int teardown(void **state) {
        buffer_done(&journal);
        return scratch_teardown(state);
}

static void assert_content(const Scratch *scratch, const char *name, const char *expected) {
        _cleanup_buffer_ Buffer b = BUFFER_INIT(1000);

        assert_int_equal(file_read(scratch_path(scratch, name), &b), 0);
        assert_string_equal(buffer_string(&b), expected);
}

static void assert_entries(const Scratch *scratch, unsigned expected) {
        DIR *directory = opendir(scratch->path);
        unsigned n = 0;

        assert_non_null(directory);
        for (struct dirent *entry; (entry = readdir(directory));)
                n += !streq(entry->d_name, ".") && !streq(entry->d_name, "..");
        assert_int_equal(closedir(directory), 0);
        assert_int_equal(n, expected);
}

static int replace(const Scratch *scratch, const char *name, const char *content, FileDurability durability) {
        return file_replace(scratch->fd, name, content, strlen(content), 0640, durability);
}

static void test_replace(void **state) {
        Scratch *scratch = *state;

        assert_int_equal(replace(scratch, "file", "old", FILE_DURABLE), 0);
        assert_content(scratch, "file", "old");
        assert_int_equal(replace(scratch, "file", "newer content", FILE_DURABLE), 0);
        assert_content(scratch, "file", "newer content");
        assert_int_equal(replace(scratch, "file", "", FILE_DURABLE), 0);
        assert_content(scratch, "file", "");
        assert_entries(scratch, 1);
}

/* What a power cut has left behind, or somebody has put there, is in nobody's way and not written into. */
static void test_leftovers(void **state) {
        Scratch *scratch = *state;

        assert_int_equal(replace(scratch, ".file.new", "left behind", FILE_VOLATILE), 0);
        assert_int_equal(replace(scratch, "file", "x", FILE_DURABLE), 0);
        assert_content(scratch, "file", "x");
        assert_entries(scratch, 1);

        assert_int_equal(symlinkat("file", scratch->fd, ".other.new"), 0);
        assert_int_equal(replace(scratch, "other", "y", FILE_DURABLE), 0);
        assert_content(scratch, "file", "x");
        assert_content(scratch, "other", "y");
        assert_entries(scratch, 2);
}

static void test_order(void **state) {
        assert_int_equal(replace(*state, "file", "x", FILE_DURABLE), 0);
        assert_string_equal(buffer_string(&journal), "sync-file rename sync-dir ");
        buffer_clear(&journal);
        assert_int_equal(replace(*state, "file", "x", FILE_VOLATILE), 0);
        assert_string_equal(buffer_string(&journal), "sync-file rename ");
        buffer_clear(&journal);
        assert_int_equal(file_remove(((Scratch *) *state)->fd, "file"), 0);
        assert_string_equal(buffer_string(&journal), "sync-dir ");
}

static void test_mode_is_exact(void **state) {
        static const mode_t modes[] = { 0600, 0644, 0666, 0400, 0755 };
        Scratch *scratch = *state;

        for (size_t i = 0; i < ELEMENTS(modes); i++) {
                mode_t saved = umask(i % 2 ? 0 : 077);
                struct stat status;

                assert_int_equal(file_replace(scratch->fd, "file", "x", 1, modes[i], FILE_VOLATILE), 0);
                (void) umask(saved);
                assert_int_equal(fstatat(scratch->fd, "file", &status, 0), 0);
                assert_int_equal(status.st_mode & 07777, modes[i]);
        }
}

/* Who has the old file open reads on in it; a link is replaced and not followed. */
static void test_other_holders(void **state) {
        Scratch *scratch = *state;
        _cleanup_buffer_ Buffer b = BUFFER_INIT(10);
        _cleanup_close_ int reader = -1;

        assert_int_equal(replace(scratch, "file", "old", FILE_VOLATILE), 0);
        reader = openat(scratch->fd, "file", O_RDONLY | O_CLOEXEC);
        assert_int_equal(symlinkat("file", scratch->fd, "link"), 0);
        assert_int_equal(replace(scratch, "link", "other", FILE_VOLATILE), 0);
        assert_content(scratch, "file", "old");
        assert_content(scratch, "link", "other");
        assert_int_equal(replace(scratch, "file", "new", FILE_VOLATILE), 0);
        assert_int_equal(file_read_fd(reader, &b), 0);
        assert_string_equal(buffer_string(&b), "old");
}

static void test_failures_keep_the_old_file(void **state) {
        Scratch *scratch = *state;

        assert_int_equal(replace(scratch, "file", "old", FILE_DURABLE), 0);
        buffer_clear(&journal);

        /* Once: a second fsync() may report success for pages that are lost. */
        fail_sync_of_file = EIO;
        assert_int_equal(replace(scratch, "file", "new", FILE_DURABLE), -EIO);
        assert_string_equal(buffer_string(&journal), "sync-file ");
        fail_sync_of_file = 0;

        fail_rename = EACCES;
        assert_int_equal(replace(scratch, "file", "new", FILE_DURABLE), -EACCES);
        fail_rename = 0;

        assert_content(scratch, "file", "old");
        assert_entries(scratch, 1);
}

static void test_directory_sync(void **state) {
        Scratch *scratch = *state;

        fail_sync_of_directory = EIO;
        assert_int_equal(replace(scratch, "file", "new", FILE_DURABLE), -EIO);
        assert_content(scratch, "file", "new");
        assert_int_equal(file_remove(scratch->fd, "file"), -EIO);

        fail_sync_of_directory = EINVAL; /* a file system without such a thing */
        assert_int_equal(replace(scratch, "file", "new", FILE_DURABLE), 0);
        assert_int_equal(file_remove(scratch->fd, "file"), 0);
}

static void test_names(void **state) {
        static const char *const refused[] = { "", ".", "..", "a/b", "/", "/etc/passwd", "../x" };
        Scratch *scratch = *state;
        char name[NAME_MAX + 1];

        for (size_t i = 0; i < ELEMENTS(refused); i++)
                assert_int_equal(replace(scratch, refused[i], "x", FILE_VOLATILE), -EINVAL);

        memset(name, 'n', sizeof(name));
        name[NAME_MAX] = '\0';
        assert_int_equal(replace(scratch, name, "x", FILE_VOLATILE), -ENAMETOOLONG);
        name[NAME_MAX - strlen("..new")] = '\0';
        assert_int_equal(replace(scratch, name, "x", FILE_VOLATILE), 0);
        assert_entries(scratch, 1);
}

static void test_over_a_directory(void **state) {
        Scratch *scratch = *state;

        assert_int_equal(mkdirat(scratch->fd, "dir", 0700), 0);
        assert_int_equal(replace(scratch, "dir", "x", FILE_DURABLE), -EISDIR);
        assert_entries(scratch, 1);
}

static void test_remove(void **state) {
        Scratch *scratch = *state;

        assert_int_equal(file_remove(scratch->fd, "missing"), 0);
        assert_string_equal(buffer_string(&journal), "");
        assert_int_equal(replace(scratch, "file", "x", FILE_VOLATILE), 0);
        assert_int_equal(file_remove(scratch->fd, "file"), 0);
        assert_entries(scratch, 0);
        assert_int_equal(mkdirat(scratch->fd, "dir", 0700), 0);
        assert_int_equal(file_remove(scratch->fd, "dir"), -EISDIR);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_replace),
                TEST(test_leftovers),
                TEST(test_order),
                TEST(test_mode_is_exact),
                TEST(test_other_holders),
                TEST(test_failures_keep_the_old_file),
                TEST(test_directory_sync),
                TEST(test_names),
                TEST(test_over_a_directory),
                TEST(test_remove),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
