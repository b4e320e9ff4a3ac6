/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The shim as a program, started by a shell as the installer does it, with a client that prints
 * what it was given. Invariants: the client reads the token from a file and finds it nowhere else;
 * the client's status is passed on; without exactly one placeholder no client is started. What real clients make of
 * it tests/e2e/test_real_clients.py shows.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/buffer.h"
#include "base/file.h"
#include "base/secret.h"
#include "host/gates.h"
#include "installer/shim.h"
#include "model/installer-command.h"

#define TOKEN "QWxhZGRpbg.b3BlbiBzZXNhbWU.c2lnbmF0dXJl"
#define PAIR "RUNNER_ROLES_TOKEN=" TOKEN_PLACEHOLDER_BEGIN "attempt"

static char root[64];

static const char client[] =
        "#!/bin/bash\n"
        "printf 'arg:%s\\n' \"$@\"\n"
        "while [ $# -gt 0 ]; do [ \"$1\" = --env-file ] && { echo -n file:; cat \"$2\"; }; shift; done\n"
        "cat /proc/self/environ | tr '\\0' '\\n' | grep -q " TOKEN " && echo token in environ\n"
        "[ -e /proc/self/fd/200 ] && echo 'fd 200'\n"
        "exit ${STATUS:-0}\n";

typedef struct Run {
        int status;
        Buffer output; /* of both, standard output and error */
        Buffer notes;
} Run;

static void run_done(Run *r) {
        buffer_done(&r->output);
        buffer_done(&r->notes);
}

static void drain(int pipe_fds[2], Buffer *ret) {
        (void) close(pipe_fds[1]);
        assert_int_equal(file_read_fd(pipe_fds[0], ret), 0);
        (void) close(pipe_fds[0]);
}

/* Runs a line in bash as the keeper runs the installer: PATH, descriptors 200 and 201, the shim's
 * variables. */
static Run run(const char *line, const char *real_client) {
        _cleanup_(secret_freep) Secret *secret = NULL;
        Run r = { .output = BUFFER_INIT(64 * 1024), .notes = BUFFER_INIT(4096) };
        char path[256], variable[512], bash[] = "/bin/bash", option[] = "-c", copy[2048];
        char token_fd[] = SHIM_TOKEN_FD "=200", note_fd[] = SHIM_NOTE_FD "=201", label[] = SHIM_LABEL "=attempt";
        char *argv[] = { bash, option, copy, NULL };
        char *envp[] = { path, token_fd, note_fd, label, real_client ? variable : NULL, NULL };
        posix_spawn_file_actions_t files;
        int output[2], notes[2], memfd, status;
        pid_t pid;

        (void) snprintf(copy, sizeof(copy), "%s", line);
        (void) snprintf(path, sizeof(path), "PATH=%s:/usr/bin:/bin", root);
        (void) snprintf(variable, sizeof(variable), SHIM_CLIENT_DOCKER "=%s", real_client ?: "");
        assert_int_equal(secret_new(TOKEN, strlen(TOKEN), &secret), 0);
        memfd = secret_to_memfd(secret, SHIM_TOKEN_VARIABLE "=", "\n");
        assert_true(memfd >= 0);
        assert_return_code(pipe2(output, O_CLOEXEC), errno);
        assert_return_code(pipe2(notes, O_CLOEXEC), errno);
        (void) posix_spawn_file_actions_init(&files);
        (void) posix_spawn_file_actions_adddup2(&files, output[1], 1);
        (void) posix_spawn_file_actions_adddup2(&files, output[1], 2);
        (void) posix_spawn_file_actions_adddup2(&files, memfd, 200);
        (void) posix_spawn_file_actions_adddup2(&files, notes[1], 201);
        assert_int_equal(posix_spawn(&pid, bash, &files, NULL, argv, envp), 0);
        (void) posix_spawn_file_actions_destroy(&files);
        (void) close(memfd);
        drain(output, &r.output);
        drain(notes, &r.notes);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        r.status = WEXITSTATUS(status);
        return r;
}

static const char *client_path(void) {
        static char path[128];

        (void) snprintf(path, sizeof(path), "%s/client", root);
        return path;
}

static void run_gets_the_token_from_a_file(void **state) {
        _cleanup_(run_done) Run r = run("docker -H unix:///s run --rm --env A=b --env " PAIR " image cmd", client_path());

        assert_int_equal(r.status, 0);
        assert_string_equal(buffer_string(&r.output),
                            "arg:-H\narg:unix:///s\narg:run\narg:--label\narg:ece-enroll.attempt=attempt\narg:--rm\n"
                            "arg:--env\narg:A=b\narg:--env-file\narg:/proc/self/fd/200\narg:image\narg:cmd\n"
                            "file:RUNNER_ROLES_TOKEN=" TOKEN "\nfd 200\n");
        assert_string_equal(buffer_string(&r.notes), "reached\n");
}

static void status_is_passed_on(void **state) {
        static const int statuses[] = { 1, 7, 125, 137 };

        for (size_t i = 0; i < ELEMENTS(statuses); i++) {
                char line[256];

                (void) snprintf(line, sizeof(line), "export STATUS=%d; docker run -e " PAIR " image", statuses[i]);
                _cleanup_(run_done) Run r = run(line, client_path());
                assert_int_equal(r.status, statuses[i]);
        }
}

static void others_pass_without_the_token(void **state) {
        _cleanup_(run_done) Run r = run("docker ps --all 'two words' ''", client_path());

        assert_int_equal(r.status, 0);
        assert_string_equal(buffer_string(&r.output), "arg:ps\narg:--all\narg:two words\narg:\n");
        assert_string_equal(buffer_string(&r.notes), "");
}

static void no_placeholder_is_loud(void **state) {
        static const char *const lines[] = { "docker run image", "docker run -e " PAIR " -e " PAIR " image",
                                            SHIM_LABEL "=another docker run -e " PAIR " image" };

        for (size_t i = 0; i < ELEMENTS(lines); i++) {
                _cleanup_(run_done) Run r = run(lines[i], client_path());

                assert_int_equal(r.status, SHIM_EXIT_NO_PLACEHOLDER);
                assert_non_null(strstr(buffer_string(&r.output), "ece-enroll-shim: "));
                assert_null(strstr(buffer_string(&r.output), "arg:"));
                assert_string_equal(buffer_string(&r.notes), "no-placeholder\n");
        }
}

static void own_failures_have_their_status(void **state) {
        static const struct {
                const char *line, *client;
        } rows[] = {
                { "docker ps", NULL },
                { "docker ps", "relative" },
                { "docker ps", "/does/not/exist" },
                { "unset " SHIM_LABEL "; docker ps", "/bin/true" },
                { "docker run -e " PAIR " image 200<&-", "/bin/true" },
                { "unset " SHIM_TOKEN_FD "; docker run -e " PAIR " image", "/bin/true" },
                { SHIM_TOKEN_FD "=999999999999999999999 docker run -e " PAIR " image", "/bin/true" },
        };

        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                _cleanup_(run_done) Run r = run(rows[i].line, rows[i].client);

                if (r.status != SHIM_EXIT_FAILED)
                        fail_msg("row %zu: %d, %s", i, r.status, buffer_string(&r.output));
        }
}

/* The keeper is gone: nobody reads the notes, and the run goes on. */
static void notes_that_nobody_reads(void **state) {
        _cleanup_(run_done) Run r = run("exec 201> >(exec true); wait $!; docker run -e " PAIR " image; echo $?", client_path());

        assert_non_null(strstr(buffer_string(&r.output), "file:RUNNER_ROLES_TOKEN=" TOKEN));
}

static void make(void) {
        char path[128];
        int fd;

        (void) snprintf(root, sizeof(root), "/tmp/test-shim.XXXXXX");
        assert_non_null(mkdtemp(root));
        (void) snprintf(path, sizeof(path), "%s/docker", root);
        assert_return_code(symlink(TOP_BUILDDIR "/ece-enroll-shim", path), errno);
        fd = open(client_path(), O_WRONLY | O_CREAT | O_CLOEXEC, 0700);
        assert_true(write(fd, client, strlen(client)) == (ssize_t) strlen(client));
        (void) close(fd);
}

static void unmake(void) {
        static const char *const names[] = { "docker", "client" };

        for (size_t i = 0; i < ELEMENTS(names); i++) {
                char path[128];

                (void) snprintf(path, sizeof(path), "%s/%s", root, names[i]);
                (void) unlink(path);
        }
        (void) rmdir(root);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(run_gets_the_token_from_a_file), cmocka_unit_test(status_is_passed_on),
                cmocka_unit_test(others_pass_without_the_token),  cmocka_unit_test(no_placeholder_is_loud),
                cmocka_unit_test(own_failures_have_their_status), cmocka_unit_test(notes_that_nobody_reads),
        };
        int failed;

        make();
        cmocka_set_message_output(CM_OUTPUT_TAP);
        failed = cmocka_run_group_tests(tests, NULL, NULL);
        unmake();
        return failed;
}
