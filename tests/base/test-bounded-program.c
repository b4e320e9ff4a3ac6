/* SPDX-License-Identifier: Apache-2.0 */

/* Somebody else's program: what it is given, how long it may take, what is left of it. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bounded-program.h"

#define SHELL(script) ((char *const[]){ (char[]){ "/bin/sh" }, (char[]){ "-c" }, (char[]){ script }, NULL })

static char *const environment[] = { (char[]){ BOUNDED_PROGRAM_PATH }, NULL };

static void test_what_it_is_given(void **state) {
        _cleanup_buffer_ Buffer output = BUFFER_INIT(4096);
        BoundedProgram p = { .argv = SHELL("pwd; env | sort | grep -v -e ^PWD -e ^_ -e ^SHLVL -e ^OLDPWD; cat"),
                             .envp = environment,
                             .stdin_fd = -1,
                             .output = &output,
                             .timeout_us = USEC_PER_MINUTE };
        int status = -1;

        assert_int_equal(setenv("ECE_TEST_SECRET", "do not look", 1), 0);
        assert_int_equal(bounded_program_run(&p, &status), 0);
        assert_int_equal(status, 0);
        assert_string_equal(buffer_string(&output), "/\n" BOUNDED_PROGRAM_PATH "\n");
}

static void test_how_it_ends(void **state) {
        static const struct {
                char script[64];
                int error, status;
                const char *words;
        } rows[] = {
                { "exit 0", 0, 0, "ended with exit status 0" },
                { "exit 75", 0, W_EXITCODE(75, 0), "ended with exit status 75" },
                { "kill -9 $$", 0, W_EXITCODE(0, SIGKILL), "was ended by signal 9" },
                { "printf %70000d 1", -EMSGSIZE, 0, "prints too much" },
        };

        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                _cleanup_buffer_ Buffer output = BUFFER_INIT(1024);
                char script[64], words[BOUNDED_PROGRAM_WORDS_SIZE];
                int status = 0;

                (void) memcpy(script, rows[i].script, sizeof(script));
                BoundedProgram p = { .argv = (char *const[]){ (char[]){ "/bin/sh" }, (char[]){ "-c" }, script, NULL },
                                     .envp = environment,
                                     .stdin_fd = -1,
                                     .output = &output,
                                     .timeout_us = USEC_PER_MINUTE };
                int error = bounded_program_run(&p, &status);

                assert_int_equal(error, rows[i].error);
                assert_int_equal(status, rows[i].status);
                assert_string_equal(bounded_program_words(error, status, words), rows[i].words);
        }
}

static void test_one_that_is_not_there(void **state) {
        BoundedProgram p = { .argv = (char *const[]){ (char[]){ "/nonexistent" }, NULL },
                             .envp = environment,
                             .stdin_fd = -1,
                             .timeout_us = USEC_PER_MINUTE };
        int status = 42;

        assert_int_equal(bounded_program_run(&p, &status), -ENOENT);
        assert_int_equal(status, 42);
}

static void test_one_that_does_not_end(void **state) {
        BoundedProgram p = { .argv = SHELL("exec sleep 1000"), .envp = environment, .stdin_fd = -1, .timeout_us = 1 };
        int status = 42;

        assert_int_equal(bounded_program_run(&p, &status), -ETIME);
        assert_int_equal(status, 42);
}

typedef struct Urgency {
        int fd;
        unsigned asked, wanted;
} Urgency;

static bool asked(void *userdata) {
        Urgency *u = userdata;
        char byte;

        assert_int_equal(read(u->fd, &byte, 1), 1);
        return ++u->asked == u->wanted;
}

/* It writes what makes it end, so nobody need wait. A first byte is not yet urgent. */
static void test_something_more_urgent(void **state) {
        BoundedProgramEnd end = { .asked = asked };
        int ends[2], status = 42;
        Urgency u = { .wanted = 2 };
        BoundedProgram p = { .envp = environment, .stdin_fd = -1, .timeout_us = USEC_PER_HOUR, .end = &end };
        char script[96];

        assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
        (void) snprintf(script, sizeof(script), "(printf a; printf b) >/proc/%d/fd/%d; exec sleep 1000", (int) getpid(), ends[1]);
        p.argv = (char *const[]){ (char[]){ "/bin/sh" }, (char[]){ "-c" }, script, NULL };
        u.fd = end.fd = ends[0];
        end.userdata = &u;
        assert_int_equal(bounded_program_run(&p, &status), -ECANCELED);
        assert_int_equal(u.asked, 2);
        assert_int_equal(status, 42);
        (void) close(ends[0]);
        (void) close(ends[1]);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_what_it_is_given),
                cmocka_unit_test(test_how_it_ends),
                cmocka_unit_test(test_one_that_is_not_there),
                cmocka_unit_test(test_one_that_does_not_end),
                cmocka_unit_test(test_something_more_urgent),
        };
        int fd = (int) syscall(SYS_pidfd_open, getpid(), 0);

        if (fd < 0) {
                (void) printf("1..0 # SKIP no pidfd_open here; valgrind 3.19 does not know it\n");
                return 0;
        }
        (void) close(fd);
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests_name("bounded-program", tests, NULL, NULL);
}
