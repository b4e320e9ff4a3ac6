/* SPDX-License-Identifier: Apache-2.0 */

/*
 * ece-installd: the installer's keeper. Options, privileges, socket, loop; everything else is the
 * Keeper's.
 *
 * Started as root (by `ece-enroll run`) it reads the spec, becomes the spec's installer.user and
 * does nothing before that; it never works as root. Its socket is given to it: by systemd, by
 * systemd-socket-activate, or with --listen-fd. SIGTERM ends the keeper and not the installer,
 * which the next keeper adopts.
 */

#include "installd/main.h"

#include <argp.h>
#include <errno.h>
#include <linux/close_range.h>
#include <openssl/crypto.h>
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>

#include "base/log.h"
#include "base/secret.h"
#include "base/text.h"
#include "host/gates.h"
#include "installd/privileges.h"
#include "installer/keeper.h"
#include "model/outcome.h"
#include "model/spec.h"

#define STATE_DIR_DEFAULT "/var/lib/ece-installd"
#define RUNTIME_DIR_DEFAULT "/run/ece-installd"
#define SHIM_DEFAULT LIBEXECDIR "/ece-enroll-shim"
#define AGENT_USER_DEFAULT "ece-enroll"

enum {
        OPTION_SPEC = 0x100,
        OPTION_STATE_DIR,
        OPTION_RUNTIME_DIR,
        OPTION_AGENT_USER,
        OPTION_SHIM,
        OPTION_EXIT_IDLE,
        OPTION_LISTEN_FD,
        OPTION_LOG_FORMAT,
};

static const struct argp_option arg_options[] = {
        { "spec", OPTION_SPEC, "FILE", 0, "The spec (default: $ECE_ENROLL_SPEC or " SPEC_FILE_DEFAULT ")", 0 },
        { "state-dir", OPTION_STATE_DIR, "DIR", 0,
          "Where the attempt's record is kept (default: " STATE_DIR_DEFAULT ")", 0 },
        { "runtime-dir", OPTION_RUNTIME_DIR, "DIR", 0,
          "Where attempts have their private directories (default: " RUNTIME_DIR_DEFAULT ")", 0 },
        { "agent-user", OPTION_AGENT_USER, "USER", 0,
          "Who may connect beside root and the install user (default: " AGENT_USER_DEFAULT ")", 0 },
        { "shim", OPTION_SHIM, "FILE", 0, "The program that hands the token over (default: " SHIM_DEFAULT ")", 0 },
        { "exit-idle", OPTION_EXIT_IDLE, NULL, 0, "Leave when nothing runs and what is known is on record", 0 },
        { "listen-fd", OPTION_LISTEN_FD, "N", 0, "The listening socket, if systemd passes none", 0 },
        { "log-format", OPTION_LOG_FORMAT, "WORD", 0, "plain, or ecs: JSON by the Elastic Common Schema on standard error", 0 },
        {},
};

typedef struct Arguments {
        KeeperOptions keeper;
        const char *agent_user;
        int listen_fd; /* -1: from systemd */
} Arguments;

static error_t parse_option(int key, char *argument, struct argp_state *state) {
        Arguments *a = state->input;
        uint64_t number;

        switch (key) {
        case OPTION_SPEC:
                a->keeper.spec_path = argument;
                return 0;
        case OPTION_STATE_DIR:
                a->keeper.state_dir = argument;
                return 0;
        case OPTION_RUNTIME_DIR:
                a->keeper.runtime_dir = argument;
                return 0;
        case OPTION_AGENT_USER:
                a->agent_user = argument;
                return 0;
        case OPTION_SHIM:
                a->keeper.shim = argument;
                return 0;
        case OPTION_EXIT_IDLE:
                a->keeper.idle_exit = true;
                return 0;
        case OPTION_LISTEN_FD:
                if (text_to_u64(argument, 1023, &number) < 0 || number < SD_LISTEN_FDS_START)
                        argp_error(state, "'%s' is no descriptor", argument);
                a->listen_fd = (int) number;
                return 0;
        case OPTION_LOG_FORMAT:
                if (log_set_format(argument) < 0)
                        argp_error(state, "'%.32s' is no format of a log; there are plain and ecs", argument);
                return 0;
        default:
                return ARGP_ERR_UNKNOWN;
        }
}

static void log_notice_of_keeper(void *userdata, int level, const char *text) {
        log_full(level, "%s", text);
}

/* --- Becoming the install user --- */

static int load_spec(const char *path, Spec **ret) {
        _cleanup_problems_ Problems problems = { 0 };
        int error = spec_load(path, &problems, ret);

        for (size_t i = 0; i < problems.n; i++) {
                _cleanup_free_ char *text = problem_format(&problems.items[i]);

                if (text && !problems.items[i].warning)
                        log_error("%s", text);
        }
        return error < 0 ? log_error_errno(error, "can't use the spec %s", path) : 0;
}

/* EXIT_DONE, or what to exit with. */
static int become_install_user(const Arguments *a) {
        _cleanup_(spec_freep) Spec *spec = NULL;
        int error;

        if (load_spec(a->keeper.spec_path, &spec) < 0)
                return EXIT_CONFIGURATION;
        error = privileges_drop(spec->installer.user);
        if (error == -ESRCH || error == -EPERM) {
                log_error("installer.user %s: %s", spec->installer.user,
                          error == -ESRCH ? "there is no such user" : "uid and gid must be 1000 or above");
                return EXIT_CONFIGURATION;
        }
        if (error < 0) {
                log_error_errno(error, "can't become %s", spec->installer.user);
                return EXIT_INTERNAL;
        }
        return EXIT_DONE;
}

/* --- The socket --- */

static int listening_socket(const Arguments *a) {
        int fd = a->listen_fd;

        if (fd < 0) {
                if (sd_listen_fds(1) != 1) {
                        log_error("no socket was passed; start ece-installd.socket, or give --listen-fd");
                        return -ENOTCONN;
                }
                fd = SD_LISTEN_FDS_START;
        }
        if (sd_is_socket(fd, AF_UNIX, SOCK_SEQPACKET, 1) <= 0) {
                log_error("descriptor %d is no listening SOCK_SEQPACKET socket", fd);
                return -ENOTSOCK;
        }
        /* Nothing that we have inherited is for the installer. Kernels before 5.11 don't know the
         * flag; there whoever started us is trusted to have passed only what it meant. */
        (void) close_range(SD_LISTEN_FDS_START, ~0U, CLOSE_RANGE_CLOEXEC);
        return fd;
}

static uid_t agent_uid(const char *user) {
        const struct passwd *entry = getpwnam(user);

        return entry ? entry->pw_uid : (uid_t) -1; /* root and ourselves may still connect */
}

/* --- The loop --- */

static int block_signals(void) {
        sigset_t set;

        (void) signal(SIGPIPE, SIG_IGN);
        (void) sigemptyset(&set);
        (void) sigaddset(&set, SIGTERM);
        (void) sigaddset(&set, SIGINT);
        return sigprocmask(SIG_BLOCK, &set, NULL) < 0 ? -errno : 0;
}

static int loop(sd_event *event) {
        int error;

        error = sd_event_add_signal(event, NULL, SIGTERM, NULL, NULL);
        if (error >= 0)
                error = sd_event_add_signal(event, NULL, SIGINT, NULL, NULL);
        if (error >= 0)
                error = sd_event_set_watchdog(event, true);
        if (error < 0)
                return error;
        (void) sd_notify(false, "READY=1\nSTATUS=Keeping the installer");
        error = sd_event_loop(event);
        (void) sd_notify(false, "STOPPING=1");
        return error;
}

static int serve(Arguments *a) {
        _cleanup_(sd_event_unrefp) sd_event *event = NULL;
        _cleanup_(keeper_freep) Keeper *keeper = NULL;
        _cleanup_free_ char *path = installer_path_make(getenv("PATH"));
        int fd, error;

        fd = listening_socket(a);
        if (fd < 0)
                return EXIT_BAD_USAGE;
        a->keeper.path = path;
        a->keeper.agent_uid = agent_uid(a->agent_user);
        error = path ? sd_event_default(&event) : -ENOMEM;
        if (error >= 0)
                error = keeper_new(event, fd, &a->keeper, &keeper);
        if (error == -EINVAL || error == -ENOENT)
                return EXIT_CONFIGURATION;
        if (error >= 0)
                error = loop(event);
        if (error < 0)
                log_error_errno(error, "can't go on");
        return error < 0 ? EXIT_INTERNAL : EXIT_DONE;
}

int installd_main(int argc, char *argv[]) {
        static const struct argp argp = {
                .options = arg_options,
                .parser = parse_option,
                .doc = "Runs ECE's installer for ece-enrolld and keeps its outcome.",
        };
        Arguments a = {
                .keeper = {
                        .state_dir = STATE_DIR_DEFAULT,
                        .runtime_dir = RUNTIME_DIR_DEFAULT,
                        .shim = SHIM_DEFAULT,
                        .notice = log_notice_of_keeper,
                },
                .agent_user = AGENT_USER_DEFAULT,
                .listen_fd = -1,
        };
        int error;

        a.keeper.spec_path = getenv("ECE_ENROLL_SPEC") ?: SPEC_FILE_DEFAULT;
        log_open("ece-installd", LOG_INFO);
        argp_program_version = "ece-installd " PACKAGE_VERSION;
        argp_err_exit_status = EXIT_BAD_USAGE;
        if (argp_parse(&argp, argc, argv, 0, NULL, &a) != 0)
                return EXIT_BAD_USAGE;
        /* All that it wants of OpenSSL is a digest: how this host does TLS is not read, and has no say. */
        (void) OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
        error = process_guard_secrets();
        if (error >= 0)
                error = block_signals();
        if (error < 0) {
                log_error_errno(error, "can't start");
                return EXIT_INTERNAL;
        }
        error = become_install_user(&a);
        if (error != EXIT_DONE)
                return error;
        if (geteuid() == 0) {
                log_error("will not work as root");
                return EXIT_INTERNAL;
        }
        return serve(&a);
}
