/* SPDX-License-Identifier: Apache-2.0 */

/*
 * ece-enroll diag: what somebody else needs who is to find out why this host is not enrolled, on standard output, in one text with a
 * heading for each part. It changes nothing and asks no coordinator.
 *
 * Every line of it, ours and others', goes through the reader that makes the installer's output fit for a log: escape sequences and
 * control characters go, and what is or looks like a secret with them. No file that holds a secret is opened.
 *
 * A part that can't be had says why, and the others are there all the same; a program that hangs has 10 s.
 */

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bounded-program.h"
#include "base/file.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/program-path.h"
#include "engine/record.h"
#include "host/gates.h"
#include "installer/lines.h"
#include "report/status-file.h"

#define PART_SIZE_MAX (1024U * 1024U)
#define PROGRAM_US (10 * USEC_PER_SEC)
#define WORDS_MAX 24U

#define UNITS                                                                                                                      \
        "ece-enrolld.service", "ece-enrolld.path", "ece-installd.socket", "ece-installd.service", "ece-enrolled.path",              \
                "ece-enrolled.target", "ece-enroll-hooks.service", "ece-enroll-wait.service"

typedef struct Program {
        const char *title;
        const char *const words[WORDS_MAX]; /* looked for on the PATH of bounded programs */
} Program;

static const Program programs[] = {
        { "units",
          { "systemctl", "show", "--no-pager", "--property=Id,LoadState,ActiveState,SubState,Result,ExecMainStatus,NRestarts,StatusText", UNITS } },
        { "drop-ins and their units", { "systemctl", "cat", "--no-pager", "ece-enrolld.service", "ece-installd.service" } },
        { "journal since boot",
          { "journalctl", "--boot", "--no-pager", "--output=short-iso-precise", "--lines=2000", "--unit=ece-enrolld.service",
            "--unit=ece-installd.service", "--unit=ece-enroll-hooks.service", "--unit=ece-enroll-wait.service" } },
        { "addresses", { "ip", "-brief", "address" } },
        { "routes", { "ip", "route" } },
        { "file systems", { "df", "--human-readable", "--local", "--print-type" } },
        { "containers of ECE (docker)",
          { "docker", "ps", "--all", "--filter=name=frc-", "--filter=name=elastic-cloud-enterprise",
            "--format={{.Names}}\t{{.Image}}\t{{.Status}}" } },
        { "engine (docker)", { "docker", "version" } },
        { "containers of ECE (podman)",
          { "podman", "ps", "--all", "--filter=name=frc-", "--filter=name=elastic-cloud-enterprise",
            "--format={{.Names}}\t{{.Image}}\t{{.Status}}" } },
        { "time", { "timedatectl", "show" } },
};

static const char *const system_files[] = { "/etc/os-release", "/proc/version", "/proc/cmdline", "/proc/uptime", "/proc/loadavg",
                                            "/proc/meminfo", "/etc/resolv.conf" };

static void print_line(void *userdata, const char *line) {
        (void) puts(line);
}

/* As an installer's output is read. */
static void print_redacted(const char *text, size_t size) {
        LineReader reader;

        line_reader_init(&reader, NULL, print_line, NULL);
        if (line_reader_feed(&reader, text, size) >= 0)
                line_reader_finish(&reader);
        line_reader_done(&reader);
}

static void print_title(const char *title) {
        printf("\n===== %s =====\n", title);
}

static void print_file(const char *path) {
        _cleanup_buffer_ Buffer text = BUFFER_INIT(PART_SIZE_MAX);
        int error = file_read(path, &text);

        print_title(path);
        if (error < 0)
                printf("(%s)\n", strerror(-error));
        else
                print_redacted(buffer_string(&text), text.size);
}

/* Its complaints as well, where they belong: a shell puts the two streams together. */
static void print_run(const char *title, char *const words_of_it[]) {
        static char shell[] = "/bin/sh", option[] = "-c", both[] = "exec \"$@\" 2>&1";
        char *argv[WORDS_MAX + 5] = { shell, option, both, shell };
        _cleanup_buffer_ Buffer output = BUFFER_INIT(PART_SIZE_MAX);
        char words[BOUNDED_PROGRAM_WORDS_SIZE];
        char *environment[] = { (char[]){ BOUNDED_PROGRAM_PATH }, (char[]){ "LC_ALL=C.UTF-8" }, NULL };
        int status = 0, error;

        for (size_t i = 0; i < WORDS_MAX && words_of_it[i]; i++)
                argv[4 + i] = words_of_it[i];
        error = bounded_program_run(&(BoundedProgram){ .argv = argv, .envp = environment, .stdin_fd = -1, .output = &output,
                                                           .timeout_us = PROGRAM_US },
                                        &status);

        print_title(title);
        print_redacted(buffer_string(&output), output.size);
        if (error < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
                printf("(%s %s)\n", words_of_it[0], bounded_program_words(error, status, words));
}

/* posix_spawn(3) takes words that are not const, and changes none of them. */
static void print_program(const Program *program) {
        char path[PATH_MAX], copies[WORDS_MAX][160];
        char *argv[WORDS_MAX + 1] = { path };

        if (path_find(&BOUNDED_PROGRAM_PATH[strlen("PATH=")], program->words[0], path, sizeof(path)) < 0) {
                print_title(program->title);
                printf("(there is no %s)\n", program->words[0]);
                return;
        }
        for (size_t i = 1; i < WORDS_MAX && program->words[i]; i++) {
                (void) snprintf(copies[i], sizeof(copies[i]), "%s", program->words[i]);
                argv[i] = copies[i];
        }
        print_run(program->title, argv);
}

/* Our own commands, as this host's administrator would call them. */
static void print_own(const CommonOptions *options, const char *command) {
        _cleanup_free_ char *spec = strdup(options->spec_path), *name = strdup(command);
        char program[PATH_MAX], title[64];

        if (!spec || !name || program_path("ece-enroll", BINDIR, program, sizeof(program)) < 0)
                return;
        (void) snprintf(title, sizeof(title), "ece-enroll %s", command);
        print_run(title, (char *const[]){ program, name, (char[]){ "--spec" }, spec, NULL });
}

static int is_yaml(const struct dirent *entry) {
        size_t n = strlen(entry->d_name);

        return entry->d_name[0] != '.' && n > 5 && streq(entry->d_name + n - 5, ".yaml");
}

static void print_spec(const char *spec_path) {
        struct dirent **names = NULL;
        char directory[PATH_MAX], path[2 * PATH_MAX];
        int n;

        print_file(spec_path);
        (void) snprintf(directory, sizeof(directory), "%s.d", spec_path);
        n = scandir(directory, &names, is_yaml, alphasort);
        for (int i = 0; i < n; i++) {
                (void) snprintf(path, sizeof(path), "%s/%s", directory, names[i]->d_name);
                print_file(path);
                free(names[i]);
        }
        free(names);
}

static void print_head(void) {
        char when[RFC3339_SIZE];
        struct utsname host;

        if (uname(&host) < 0)
                (void) snprintf(host.nodename, sizeof(host.nodename), "?");
        printf("ece-enroll " PACKAGE_VERSION ", host %s, %s, uid %u%s\n", host.nodename,
               clock_format_rfc3339(clock_realtime_us(), when), (unsigned) geteuid(),
               geteuid() == 0 ? "" : " (as root more of it could be read)");
}

int command_diag(const CommonOptions *options) {
        char path[PATH_MAX];

        print_head();
        (void) snprintf(path, sizeof(path), "%s/%s", options->runtime_dir, STATUS_FILE);
        print_file(path);
        (void) snprintf(path, sizeof(path), "%s/%s", options->state_dir, RECORD_FILE);
        print_file(path);
        print_spec(options->spec_path);
        print_own(options, "validate");
        print_own(options, "plan");
        print_own(options, "check");
        for (size_t i = 0; i < ELEMENTS(programs); i++)
                print_program(&programs[i]);
        for (size_t i = 0; i < ELEMENTS(system_files); i++)
                print_file(system_files[i]);
        return EXIT_DONE;
}
