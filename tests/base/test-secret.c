/* SPDX-License-Identifier: Apache-2.0 */

/* A Secret lives in guarded pages: what smaps says of them, what a child sees, what a memfd allows. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/file.h"
#include "base/secret.h"
#include "../skip.h"

/* Ours stand in for the C library's (and for the sanitizers', which lock nothing) and refuse when told to. */
static bool refuse_mlock;
static int refused_advice = -1;

int mlock(const void *address, size_t n) {
        if (refuse_mlock) {
                errno = ENOMEM;
                return -1;
        }
        return (int) syscall(SYS_mlock, address, n);
}

int madvise(void *address, size_t n, int advice) {
        if (advice == refused_advice) {
                errno = EINVAL;
                return -1;
        }
        return (int) syscall(SYS_madvise, address, n, advice);
}

/* Pages that are given back while this is set must hold nothing any more. */
static const char *watched;
static size_t watched_nonzero, watched_unmaps;

int munmap(void *address, size_t n) {
        if (watched && address == watched) {
                watched_unmaps++;
                for (size_t i = 0; i < n; i++)
                        watched_nonzero += watched[i] != 0;
        }
        return (int) syscall(SYS_munmap, address, n);
}

static Secret *secret_of(const char *text) {
        Secret *secret = NULL;

        assert_int_equal(secret_new(text, strlen(text), &secret), 0);
        return secret;
}

static void test_new(void **state) {
        _cleanup_(secret_freep) Secret *secret = NULL;
        char own[] = "pass\0word";

        assert_int_equal(secret_new(own, 9, &secret), 0);
        explicit_bzero(own, sizeof(own));
        assert_int_equal(secret_size(secret), 9);
        assert_memory_equal(secret_bytes(secret), "pass\0word", 10);
}

static void test_sizes(void **state) {
        static char bytes[SECRET_SIZE_MAX + 1];
        Secret *secret = NULL;

        assert_int_equal(secret_new(bytes, 0, &secret), -EINVAL);
        assert_int_equal(secret_new(NULL, 0, &secret), -EINVAL);
        assert_int_equal(secret_new(bytes, sizeof(bytes), &secret), -EINVAL);
        assert_null(secret);
        assert_int_equal(secret_new(bytes, SECRET_SIZE_MAX, &secret), 0);
        assert_int_equal(secret_size(secret), SECRET_SIZE_MAX);
        assert_int_equal(secret_bytes(secret)[SECRET_SIZE_MAX], '\0');
        assert_null(secret_free(secret));
        assert_null(secret_free(NULL));
}

/* A file of these bytes at offset 0, without a name. */
static int file_of(const void *bytes, size_t n) {
        int fd = memfd_create("test", MFD_CLOEXEC);

        assert_true(fd >= 0);
        assert_int_equal(file_write_all(fd, bytes, n), 0);
        assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
        return fd;
}

static void test_from_fd(void **state) {
        static const struct {
                const char *content, *expected;
        } cases[] = {
                { "token", "token" },
                { "token\n", "token" },
                { "token\r\n", "token" },
                { "token\n\n", "token\n" },
                { "token\r", "token\r" },
                { " two words \n", " two words " },
                { "", NULL },
                { "\n", NULL },
                { "\r\n", NULL },
        };

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                _cleanup_(secret_freep) Secret *secret = NULL;
                _cleanup_close_ int fd = file_of(cases[i].content, strlen(cases[i].content));
                int r = secret_new_from_fd(fd, &secret);

                assert_int_equal(r, cases[i].expected ? 0 : -ENODATA);
                if (cases[i].expected)
                        assert_string_equal(secret_bytes(secret), cases[i].expected);
                else
                        assert_null(secret);
        }
}

static void test_from_fd_bounds(void **state) {
        static const struct {
                size_t letters;
                const char *end;
                int expected;
        } cases[] = {
                { SECRET_SIZE_MAX, "", 0 },
                { SECRET_SIZE_MAX, "\n", 0 },
                { SECRET_SIZE_MAX, "\r\n", 0 },
                { SECRET_SIZE_MAX, "x", -EMSGSIZE },
                { SECRET_SIZE_MAX, "\n\n", -EMSGSIZE },
                { SECRET_SIZE_MAX, "x\r\n", -EMSGSIZE },
                { 3 * SECRET_SIZE_MAX, "", -EMSGSIZE },
        };

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                _cleanup_(secret_freep) Secret *secret = NULL;
                _cleanup_buffer_ Buffer content = BUFFER_INIT(4 * SECRET_SIZE_MAX);
                _cleanup_close_ int fd = -1;

                for (size_t n = 0; n < cases[i].letters; n++)
                        assert_int_equal(buffer_append(&content, "s", 1), 0);
                assert_int_equal(buffer_append_string(&content, cases[i].end), 0);
                fd = file_of(content.data, content.size);

                assert_int_equal(secret_new_from_fd(fd, &secret), cases[i].expected);
                if (secret)
                        assert_int_equal(secret_size(secret), SECRET_SIZE_MAX);
        }
}

/* A pipe gives its bytes in pieces; a directory gives an error. */
static void test_from_other_fds(void **state) {
        _cleanup_(secret_freep) Secret *secret = NULL;
        _cleanup_close_ int directory = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        int ends[2];

        assert_int_equal(secret_new_from_fd(directory, &secret), -EISDIR);
        assert_null(secret);

        assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
        assert_int_equal(secret_new_from_fd(ends[0], &secret), -EAGAIN);
        assert_int_equal(write(ends[1], "piped", 5), 5);
        assert_int_equal(close(ends[1]), 0);
        assert_int_equal(secret_new_from_fd(ends[0], &secret), 0);
        assert_string_equal(secret_bytes(secret), "piped");
        assert_int_equal(close(ends[0]), 0);
}

static void test_equal(void **state) {
        _cleanup_(secret_freep) Secret *a = secret_of("same"), *b = secret_of("same");
        _cleanup_(secret_freep) Secret *longer = secret_of("same!"), *other = secret_of("sane");

        assert_true(secret_equal(a, a));
        assert_true(secret_equal(a, b));
        assert_false(secret_equal(a, longer));
        assert_false(secret_equal(longer, a));
        assert_false(secret_equal(a, other));
        assert_false(secret_equal(a, NULL));
        assert_false(secret_equal(NULL, a));
        assert_false(secret_equal(NULL, NULL));
}

static bool read_address(const char **text, char end, uintptr_t *ret) {
        static const char digits[] = "0123456789abcdef";
        const char *digit;
        uintptr_t value = 0;

        for (; **text && (digit = strchr(digits, **text)); (*text)++)
                value = value * 16 + (uintptr_t) (digit - digits);

        *ret = value;
        return *(*text)++ == end;
}

/* Is this the head of a mapping ("START-END rw-p ...") with the address in it? */
static bool line_maps(const char *line, uintptr_t address) {
        uintptr_t start, end;

        return read_address(&line, '-', &start) && read_address(&line, ' ', &end) && start <= address &&
               address < end;
}

/* The VmFlags of the mapping that holds the address: "dd" no dump, "wf" wipe on fork, "lo" locked. */
static bool flags_of(const void *address, char ret[static 256]) {
        _cleanup_fclose_ FILE *maps = fopen("/proc/self/smaps", "re");
        bool found = false;
        char line[512];

        while (maps && fgets(line, sizeof(line), maps)) {
                if (line_maps(line, (uintptr_t) address))
                        found = true;
                if (found && strncmp(line, "VmFlags:", 8) == 0) {
                        (void) snprintf(ret, 256, "%.200s", line);
                        return true;
                }
        }
        return false;
}

static void test_pages(void **state) {
        _cleanup_(secret_freep) Secret *secret = secret_of("guarded");
        char flags[256];

        /* A kernel without smaps (or one that is hidden) can't tell; test_child_sees_nothing() still does. */
        if (!flags_of(secret_bytes(secret), flags))
                return;
        assert_non_null(strstr(flags, " dd"));
        assert_non_null(strstr(flags, " wf"));
        assert_int_equal(strstr(flags, " lo") != NULL, secret_is_locked(secret));
}

static void test_refused_lock_is_no_failure(void **state) {
        Secret *secret = NULL;

        refuse_mlock = true;
        assert_int_equal(secret_new("x", 1, &secret), 0);
        refuse_mlock = false;
        assert_false(secret_is_locked(secret));
        assert_null(secret_free(secret));
}

/* A kernel that would dump the pages or give them to children gets no secret. */
static void test_refused_advice_is_a_failure(void **state) {
        static const int advices[] = { MADV_DONTDUMP, MADV_WIPEONFORK };
        Secret *secret = NULL;

        for (size_t i = 0; i < ELEMENTS(advices); i++) {
                refused_advice = advices[i];
                assert_int_equal(secret_new("x", 1, &secret), -EINVAL);
                refused_advice = -1;
                assert_null(secret);
        }
}

static void test_child_sees_nothing(void **state) {
        _cleanup_(secret_freep) Secret *secret = secret_of("not for children");
        int status;
        pid_t child = fork();

        assert_true(child >= 0);
        if (child == 0) {
                size_t left = 0;

                for (size_t i = 0; i < secret_size(secret); i++)
                        left += secret_bytes(secret)[i] != '\0';
                _exit(left == 0 ? 0 : 1);
        }

        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
        assert_string_equal(secret_bytes(secret), "not for children");
}

static void test_free_wipes(void **state) {
        static char bytes[SECRET_SIZE_MAX];
        static const size_t sizes[] = { 1, 4095, 4096, SECRET_SIZE_MAX };

        memset(bytes, 's', sizeof(bytes));
        for (size_t i = 0; i < ELEMENTS(sizes); i++) {
                Secret *secret = NULL;

                assert_int_equal(secret_new(bytes, sizes[i], &secret), 0);
                watched = secret_bytes(secret);
                watched_nonzero = watched_unmaps = 0;
                assert_null(secret_free(secret));
                watched = NULL;
                assert_int_equal(watched_unmaps, 1);
                assert_int_equal(watched_nonzero, 0);
        }
}

/* What is looked for stands in this program only in this disguise, or its own text would be found. */
static void reveal(char ret[static 33], char key) {
        for (size_t i = 0; i < 32; i++)
                ret[i] = (char) ('A' + (i * 7 + (size_t) key) % 26);
        ret[32] = '\0';
}

/* Leaves a core with one text in a Secret and another in ordinary memory. Returns only when it can't. */
static void dump_core(const char *directory) {
        const struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };
        char text[33], *heap = strdup("................................");
        Secret *secret = NULL, *other = NULL;

        if (!heap || chdir(directory) < 0 || setrlimit(RLIMIT_CORE, &all) < 0 || prctl(PR_SET_DUMPABLE, 1UL, 0UL, 0UL, 0UL) < 0)
                _exit(1);
        reveal(text, 's');
        if (secret_new(text, 32, &secret) < 0)
                _exit(1);
        explicit_bzero(text, sizeof(text));
        reveal(heap, 'h');
        /* A core has the registers as well, and in them what was copied last: that shall be another one. */
        if (secret_new(heap, 32, &other) < 0)
                _exit(1);
        (void) signal(SIGABRT, SIG_DFL);
        (void) raise(SIGABRT);
        _exit(secret_size(secret) != secret_size(other)); /* both live until here */
}

static bool core_holds(const char *core, size_t n, char key) {
        char text[33];

        reveal(text, key);
        return memmem(core, n, text, 32) != NULL;
}

/* A real core of a real process, from the kernel. */
static void test_core_holds_nothing(void **state) {
        _cleanup_buffer_ Buffer core = BUFFER_INIT(512 * 1024 * 1024);
        char directory[] = "/tmp/ece-core-XXXXXX", path[128];
        int status, r;
        pid_t child;

        assert_non_null(mkdtemp(directory));
        child = fork();
        assert_true(child >= 0);
        if (child == 0)
                dump_core(directory);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 1);
        (void) snprintf(path, sizeof(path), "%s/core", directory);
        r = file_read(path, &core);
        if (r == -ENOENT) {
                (void) snprintf(path, sizeof(path), "%s/core.%d", directory, (int) child);
                r = file_read(path, &core);
        }
        (void) unlink(path);
        (void) snprintf(path, sizeof(path), "%s/vgcore.%d", directory, (int) child);
        (void) unlink(path); /* valgrind's own idea of a core, which tells nothing of the kernel's */
        assert_return_code(rmdir(directory), errno);
        if (r < 0)
                skip_for_want_of("cores of the kernel's in the working directory (core_pattern, no valgrind)");
        assert_true(core_holds(core.data, core.size, 'h')); /* looking works */
        assert_false(core_holds(core.data, core.size, 's'));
}

static void test_memfd(void **state) {
        static const struct {
                const char *prefix, *suffix, *expected;
        } cases[] = {
                { NULL, NULL, "s3cret" },
                { "A=", NULL, "A=s3cret" },
                { NULL, "\n", "s3cret\n" },
                { "A=", "\n", "A=s3cret\n" },
        };
        const int seals = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL;
        _cleanup_(secret_freep) Secret *secret = secret_of("s3cret");

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                _cleanup_close_ int fd = secret_to_memfd(secret, cases[i].prefix, cases[i].suffix);
                _cleanup_buffer_ Buffer content = BUFFER_INIT(100);
                struct stat status;

                assert_true(fd >= 0);
                assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
                assert_int_equal(fcntl(fd, F_GET_SEALS) & seals, seals);
                assert_int_equal(fstat(fd, &status), 0);
                assert_int_equal(status.st_mode & 07777, 0400);
                assert_int_equal(file_read_fd(fd, &content), 0);
                assert_string_equal(buffer_string(&content), cases[i].expected);
                assert_int_equal(pwrite(fd, "x", 1, 0), -1);
                assert_int_equal(ftruncate(fd, 0), -1);
        }
}

static void test_wipe(void **state) {
        char bytes[] = "abc";

        secret_wipe(bytes, 2);
        assert_memory_equal(bytes, "\0\0c", 4);
        secret_wipe(NULL, 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_new),
                cmocka_unit_test(test_sizes),
                cmocka_unit_test(test_from_fd),
                cmocka_unit_test(test_from_fd_bounds),
                cmocka_unit_test(test_from_other_fds),
                cmocka_unit_test(test_equal),
                cmocka_unit_test(test_pages),
                cmocka_unit_test(test_refused_lock_is_no_failure),
                cmocka_unit_test(test_refused_advice_is_a_failure),
                cmocka_unit_test(test_child_sees_nothing),
                cmocka_unit_test(test_free_wipes),
                cmocka_unit_test(test_core_holds_nothing),
                cmocka_unit_test(test_memfd),
                cmocka_unit_test(test_wipe),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
