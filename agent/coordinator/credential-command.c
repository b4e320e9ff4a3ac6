/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A credential from a command: a vault's client, a cloud's metadata tool.
 *
 * The command is the operator's choice and still is held on a short rope: absolute path, no shell,
 * a program that nobody else can change, an environment made from nothing, /dev/null for input and complaints, a process group of its own,
 * a bounded time and a bounded output. Its complaints are dropped because nobody can say what a
 * foreign tool prints beside a secret.
 *
 * Blocks for up to the time limit; called before work, never inside it. What the rope is made of stands in
 * base/bounded-program.c.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bounded-program.h"
#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/guarded.h"
#include "coordinator/credential-private.h"

static int refuse(Observation *refusal, const char *code, const char *program, const char *detail) {
        *refusal = observe(ORIGIN_CREDENTIAL, 0, code, program, "%s", detail);
        return 0;
}

/* It is run with our rights: nobody else may be able to change it. What can't be opened is left to exec to refuse;
 * a program need not be readable. */
static int command_objection(const char *program, Observation *refusal) {
        _cleanup_close_ int fd = -1;
        char why[GUARDED_WHY_SIZE];

        int r = guarded_open(program, O_PATH, geteuid(), &fd, why);
        return r == -EPERM && *why ? refuse(refusal, "permissions", program, why) : 0;
}

static int judge_end(const char *program, int error, int status, Observation *refusal) {
        char words[BOUNDED_PROGRAM_WORDS_SIZE], text[BOUNDED_PROGRAM_WORDS_SIZE + 8];

        if (error == -ENOMEM || error == -EAGAIN)
                return error;
        if (error == -EMSGSIZE)
                return refuse(refusal, "too-large", program, "it prints more than any credential may have");
        if (error >= 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
                return 1;
        (void) snprintf(text, sizeof(text), "it %s", bounded_program_words(error, status, words));
        return refuse(refusal, "command-failed", program, text);
}

int credential_from_output(const char *program, const Buffer *output, Secret **ret, Observation *refusal) {
        size_t n = output->size;

        if (n > 0 && output->data[n - 1] == '\n')
                n--;
        if (n > 0 && n < output->size && output->data[n - 1] == '\r')
                n--;
        if (n == 0)
                return refuse(refusal, "empty", program, "it prints nothing");
        int r = secret_new(output->data, n, ret);
        return r == -EINVAL
                       ? refuse(refusal, "too-large", program, "it prints more than any credential may have")
                       : r;
}

int credential_run(char *const *argv, usec_t timeout_us, Secret **ret, Observation *refusal) {
        _cleanup_buffer_ Buffer output = BUFFER_INIT_WIPED(SECRET_SIZE_MAX + 2);
        char *const environment[] = { (char[]) { BOUNDED_PROGRAM_PATH }, (char[]) { "LC_ALL=C" }, NULL };
        const BoundedProgram program = {
                .argv = argv,
                .envp = environment,
                .stdin_fd = -1,
                .output = &output,
                .timeout_us = timeout_us,
        };
        int status = 0;

        *ret = NULL;
        int r = command_objection(argv[0], refusal);
        if (r < 0 || !observation_is_none(refusal))
                return r;
        r = bounded_program_run(&program, &status);
        r = judge_end(argv[0], r, status, refusal);
        return r <= 0 ? r : credential_from_output(argv[0], &output, ret, refusal);
}
