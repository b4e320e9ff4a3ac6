/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The keeper from end to end: real sockets, real processes, a script of a few lines for an
 * installer. Invariants: at most one installer; every attempt ends in exactly one outcome, which is
 * kept until it is acknowledged, whoever restarts; the token is seen by nobody but the engine's
 * client; a hostile request starts nothing.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/json.h"
#include "base/text.h"
#include "installer/process.h"
#include "installer/shim.h"

#define BENCH_ATTEMPT "00112233445566778899aabbccddeef1"
#include "keeper-bench.h"

static void start(const char *script) {
        bench_script(script);
        bench_keeper();
        bench_connect();
        bench_install(BENCH_ATTEMPT);
        assert_int_equal(bench_wait(MESSAGE_STATE).attempt_state, ATTEMPT_RUNNING);
}

static bool line_seen(void *text) {
        return strstr(bench_lines(), text) != NULL;
}

static void wait_for_line(const char *text) {
        char copy[64];

        (void) snprintf(copy, sizeof(copy), "%s", text);
        bench_until(line_seen, copy);
}

static void assert_file_holds(const char *name, const char *text) {
        _cleanup_free_ char *content = bench_read(name);

        if (!strstr(content, text))
                fail_msg("%s has no '%s': %s", name, text, content);
}

static void assert_file_lacks(const char *name, const char *text) {
        _cleanup_free_ char *content = bench_read(name);

        assert_null(strstr(content, text));
}

static void assert_refused(Origin origin, const char *code) {
        Message m = bench_wait(MESSAGE_REFUSED);

        assert_int_equal(m.seen.origin, origin);
        assert_string_equal(m.seen.code, code);
}

/* --- An attempt --- */

static void install_succeeds(void **state) {
        Message m;

        start("echo hello; echo world >&2; pwd; echo files $(ls -A | wc -l); echo args \"$@\"; exit 0");
        m = bench_wait(MESSAGE_EXITED);
        assert_string_equal(m.attempt, BENCH_ATTEMPT);
        assert_true(observation_is_none(&m.seen));
        assert_non_null(strstr(bench_lines(), "hello|"));
        assert_non_null(strstr(bench_lines(), "world|"));
        assert_non_null(strstr(bench_lines(), "/run/attempt-" BENCH_ATTEMPT "/cwd|"));
        assert_non_null(strstr(bench_lines(), "files 0|"));
        assert_non_null(strstr(bench_lines(), "--coordinator-host 192.0.2.10"));
        assert_string_equal(bench_stages(), "started|");
        assert_file_holds("state/attempt.json", "\"state\":\"ended\"");
        bench_ask(MESSAGE_ACKNOWLEDGE);
        assert_int_equal(bench_wait(MESSAGE_STATE).attempt_state, ATTEMPT_NONE);
        assert_file_holds("state/attempt.json", "\"state\":\"acknowledged\"");
        assert_int_equal(access(bench_path("run/attempt-" BENCH_ATTEMPT), F_OK), -1);
}

static void install_fails(void **state) {
        Message m;

        start("echo \"Can't determine a default HOST_IP (why)\"; exit 1");
        m = bench_wait(MESSAGE_EXITED);
        assert_int_equal(m.seen.origin, ORIGIN_INSTALLER);
        assert_int_equal(m.seen.number, 1);
        assert_string_equal(m.seen.code, "host-ip");
}

/* What an installer finds around it: nothing of ours but what is meant. */
static void child_inherits_only_what_is_meant(void **state) {
        /* Two signals are the C library's own and not to be had; they are left out of the mask. */
        start("ls /proc/self/fd | tr '\\n' ' '; echo;"
              "cat /proc/self/status | while read -r name value; do case $name in SigBlk:|SigIgn:) echo $name $((16#$value & 0x7fffffff));;"
              "esac; done; umask; "
              "env -0 | tr '\\0' '\\n' | cut -d= -f1 | sort | grep -v -e ECE_ENROLL_ -e '^_$' | tr '\\n' ' '");
        (void) bench_wait(MESSAGE_EXITED);
        assert_non_null(strstr(bench_lines(), "0 1 2 200 201 202 203 204 3|"));
        assert_non_null(strstr(bench_lines(), "SigBlk: 0|SigIgn: 0|0022|"));
        assert_non_null(strstr(bench_lines(), "DOCKER_HOST HOME LC_ALL LOGNAME PATH PWD SHLVL USER|"));
}

/* With the shim the script knows a placeholder, and the token is in nobody's arguments or
 * environment. */
static void token_is_not_seen_with_shim(void **state) {
        start("all=$(cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n')\n"
              "token=$(cat /proc/self/fd/200); token=${token#*=}\n"
              "case $all in *\"$token\"*) echo seen;; *ece-enroll.placeholder." BENCH_ATTEMPT "*) echo unseen;; esac\n"
              "cat /proc/self/fd/200");
        (void) bench_wait(MESSAGE_EXITED);
        assert_non_null(strstr(bench_lines(), "unseen|RUNNER_ROLES_TOKEN=[redacted]|"));
        assert_null(strstr(bench_lines(), BENCH_TOKEN));
        assert_file_lacks("state/attempt.json", BENCH_TOKEN);
}

static void argv_handoff_passes_the_token(void **state) {
        bench_spec("  handoff: argv\n");
        start("case \"$*\" in *" BENCH_TOKEN "*) echo got it;; esac; echo \"$@\"; ls -d $ECE_ENROLL_SHIM_TOKEN_FD");
        (void) bench_wait(MESSAGE_EXITED);
        assert_non_null(strstr(bench_lines(), "got it|"));
        assert_null(strstr(bench_lines(), BENCH_TOKEN));
}

/* Seen anew at the moment of the request: what the gates and the agent saw may have changed since.
 * */
static void script_is_looked_at_again(void **state) {
        bench_keeper();
        bench_connect();
        assert_return_code(chmod(bench_path("script.sh"), 0), errno);
        bench_install(BENCH_ATTEMPT);
        assert_refused(ORIGIN_HOST, "script");
        bench_script("exit 0");
        bench_spec("  sha256: 0000000000000000000000000000000000000000000000000000000000000000\n");
        bench_connect();
        bench_install(BENCH_ATTEMPT);
        assert_refused(ORIGIN_HOST, "script-sha256");
        assert_int_equal(access(bench_path("state/attempt.json"), F_OK), -1);
}

/* Ours stands in for the C library's: what happens just when the attempt's directory is made, behind the plan. */
static void (*meanwhile)(void);

int mkdirat(int fd, const char *name, mode_t mode) {
        void (*now)(void) = meanwhile;

        meanwhile = NULL;
        if (now)
                now();
        return (int) syscall(SYS_mkdirat, fd, name, mode);
}

static void replace_script(void) {
        bench_script("echo another");
}

static void give_script_away(void) {
        assert_return_code(chmod(bench_path("script.sh"), 0757), errno);
}

static void script_is_looked_at_just_before_its_start(void **state) {
        static const struct {
                void (*what)(void);
                const char *code;
        } rows[] = { { replace_script, "script" }, { give_script_away, "script-permissions" } };

        bench_keeper();
        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                bench_script("exit 0");
                bench_connect();
                meanwhile = rows[i].what;
                bench_install(BENCH_ATTEMPT);
                assert_refused(ORIGIN_HOST, rows[i].code);
                assert_null(meanwhile);
                assert_file_lacks("state/attempt.json", "running");
                assert_null(strstr(bench_notices(), "installer started"));
                assert_int_equal(access(bench_path("run/attempt-" BENCH_ATTEMPT), F_OK), -1);
        }
}

/* The whole way of the token: placeholder to the script, shim first on its PATH, file to the client. */
static void shim_hands_the_token_to_the_client(void **state) {
        Message m;

        bench_client("while [ $# -gt 0 ]; do [ $1 = --env-file ] && cat $2; [ $1 = --label ] && echo $2; shift; done; exit 4");
        start("while [ $1 != --roles-token ]; do shift; done; docker ps; docker run --env RUNNER_ROLES_TOKEN=$2 image");
        m = bench_wait(MESSAGE_EXITED);
        assert_string_equal(bench_lines(), "ece-enroll.attempt=" BENCH_ATTEMPT "|RUNNER_ROLES_TOKEN=[redacted]|");
        assert_string_equal(bench_stages(), "started|run-reached|");
        assert_int_equal(m.seen.number, 4); /* the container's own, not the script's */
        assert_string_equal(m.seen.code, "run-failed");
        assert_file_holds("state/attempt.json", "\"run_reached\":true");
}

static void run_without_placeholder_fails_loudly(void **state) {
        bench_client("echo started");
        start("docker run --env RUNNER_ROLES_TOKEN=other image");
        assert_string_equal(bench_wait(MESSAGE_EXITED).seen.code, "handoff-failed");
        assert_null(strstr(bench_lines(), "started|"));
}

static bool family_is_gone(void) {
        for (int i = 0; i < 1000; i++)
                if (process_find_by_environment(SHIM_LABEL "=" BENCH_ATTEMPT) == 0)
                        return true;
        return false;
}

/* A grandchild that keeps the pipe for ever does not keep the attempt, and does not outlive a failed one. */
static void held_pipe_does_not_hold_the_attempt(void **state) {
        bench_options()->drain_us = 50 * USEC_PER_MSEC;
        start("sleep 1000 & echo done; exit 3");
        assert_int_equal(bench_wait(MESSAGE_EXITED).seen.number, 3);
        assert_non_null(strstr(bench_lines(), "done|"));
        assert_true(family_is_gone());
}

/* --- The end by force --- */

static void terminate_ends_it(void **state) {
        Message m;

        start("echo up; while :; do sleep 1000; done");
        wait_for_line("up|");
        bench_ask(MESSAGE_TERMINATE);
        m = bench_wait(MESSAGE_EXITED);
        assert_string_equal(m.seen.code, "terminated");
        assert_int_equal(m.seen.number, 143);
        bench_ask(MESSAGE_TERMINATE); /* once more: the same outcome */
        assert_string_equal(bench_wait(MESSAGE_EXITED).seen.code, "terminated");
}

static void who_ignores_term_is_killed(void **state) {
        Message m;

        bench_options()->kill_after_us = 100 * USEC_PER_MSEC;
        start("trap '' TERM; echo up; while :; do sleep 1000; done");
        wait_for_line("up|");
        bench_ask(MESSAGE_TERMINATE);
        m = bench_wait(MESSAGE_EXITED);
        assert_string_equal(m.seen.code, "terminated");
        assert_int_equal(m.seen.number, 137);
}

/* The leader dies at once, its child (the engine's client) ignores the signal: the group is killed
 * all the same. */
static void stubborn_child_is_killed(void **state) {
        bench_options()->kill_after_us = 100 * USEC_PER_MSEC;
        start("(trap '' TERM; echo child up; while :; do sleep 1000; done) & wait");
        wait_for_line("child up|");
        bench_ask(MESSAGE_TERMINATE);
        assert_string_equal(bench_wait(MESSAGE_EXITED).seen.code, "terminated");
}

/* Writes a record that says this, with the seal that belongs to it. */
static void write_record(json_t *record) {
        _cleanup_free_ char *text = NULL;

        assert_int_equal(json_seal(record), 0);
        text = json_write_compact(record);
        assert_non_null(text);
        bench_write("state/attempt.json", text, 0600);
}

static void change_record(const char *member, json_int_t value) {
        _cleanup_free_ char *text = bench_read("state/attempt.json");
        _cleanup_json_ json_t *record = NULL;

        assert_int_equal(json_read(text, strlen(text), &record, NULL), 0);
        assert_int_equal(json_object_set_new(record, member, json_integer(value)), 0);
        write_record(record);
}

static void keeper_has_its_own_clock(void **state) {
        bench_spec("  attempt_timeout: 1m\n");
        bench_options()->slack_us = 1;
        bench_options()->kill_after_us = 100 * USEC_PER_MSEC;
        start("echo up; exec sleep 1000");
        wait_for_line("up|");
        /* A minute can't be waited for: the record's start is moved back, as after a restart an
         * hour later. */
        bench_disconnect();
        bench_keeper_stop();
        change_record("started_boottime_us", 1);
        bench_keeper();
        bench_connect();
        bench_ask(MESSAGE_ATTACH);
        (void) bench_wait(MESSAGE_STATE);
        assert_string_equal(bench_wait(MESSAGE_EXITED).seen.code, "timed-out");
}

/* --- Restarts --- */

static void agent_comes_back(void **state) {
        Message m;

        start("echo one; read -r line <" "/dev/null; while [ ! -e ../../../go ]; do sleep 0.05; done; echo two; exit 5");
        wait_for_line("one|");
        bench_disconnect();
        bench_connect();
        bench_ask(MESSAGE_ATTACH);
        m = bench_wait(MESSAGE_STATE);
        assert_int_equal(m.attempt_state, ATTEMPT_RUNNING);
        assert_string_equal(m.attempt, BENCH_ATTEMPT);
        bench_write("go", "", 0600);
        assert_int_equal(bench_wait(MESSAGE_EXITED).seen.number, 5);
        (void) unlink(bench_path("go"));
        assert_string_equal(bench_lines(), "one|one|two|"); /* the first one told again */
}

static void newer_connection_replaces_the_older(void **state) {
        int fd;

        bench_keeper();
        bench_connect();
        bench_ask(MESSAGE_PROBE);
        assert_int_equal(bench_wait(MESSAGE_STATE).attempt_state, ATTEMPT_NONE);
        fd = bench_raw_connect();
        bench_wait_lost();
        (void) close(fd);
}

static void outcome_is_told_until_acknowledged(void **state) {
        start("exit 9");
        assert_int_equal(bench_wait(MESSAGE_EXITED).seen.number, 9);
        for (int i = 0; i < 2; i++) {
                bench_disconnect();
                bench_keeper_stop();
                bench_keeper();
                bench_connect();
                bench_ask(MESSAGE_ATTACH);
                assert_int_equal(bench_wait(MESSAGE_STATE).attempt_state, ATTEMPT_ENDED);
                assert_int_equal(bench_wait(MESSAGE_EXITED).seen.number, 9);
        }
        bench_install(BENCH_OTHER_ATTEMPT);
        assert_refused(ORIGIN_KEEPER, "busy");
        bench_ask(MESSAGE_ACKNOWLEDGE);
        assert_int_equal(bench_wait(MESSAGE_STATE).attempt_state, ATTEMPT_NONE);
        bench_ask(MESSAGE_ATTACH);
        assert_int_equal(bench_wait(MESSAGE_STATE).attempt_state, ATTEMPT_NONE);
}

/* The keeper dies and comes back: installer and output are found again. Here it stays our child, so
 * its status is known. */
static void keeper_comes_back(void **state) {
        start("echo one; while [ ! -e ../../../go ]; do sleep 0.05; done; echo two; exit 5");
        wait_for_line("one|");
        bench_disconnect();
        bench_keeper_stop();
        bench_keeper();
        assert_non_null(strstr(bench_notices(), "adopted the installer"));
        bench_connect();
        bench_ask(MESSAGE_ATTACH);
        assert_int_equal(bench_wait(MESSAGE_STATE).attempt_state, ATTEMPT_RUNNING);
        bench_install(BENCH_OTHER_ATTEMPT);
        assert_refused(ORIGIN_KEEPER, "busy");
        bench_write("go", "", 0600);
        assert_int_equal(bench_wait(MESSAGE_EXITED).seen.number, 5);
        (void) unlink(bench_path("go"));
        assert_non_null(strstr(bench_lines(), "two|"));
}

/* It died between record and spawn, or just after: the record has no pid. */
static void record_without_pid_is_completed(void **state) {
        start("echo one; while [ ! -e ../../../go ]; do sleep 0.05; done; exit 5");
        wait_for_line("one|");
        bench_disconnect();
        bench_keeper_stop();
        change_record("pid", 0);
        bench_keeper();
        bench_connect();
        bench_ask(MESSAGE_ATTACH);
        assert_int_equal(bench_wait(MESSAGE_STATE).attempt_state, ATTEMPT_RUNNING);
        bench_write("go", "", 0600);
        assert_int_equal(bench_wait(MESSAGE_EXITED).seen.number, 5);
        (void) unlink(bench_path("go"));
}

static json_t *record_of(const char *boot_id, pid_t pid) {
        json_t *record = json_pack("{s:i,s:s,s:s,s:s,s:s,s:i,s:i,s:i,s:i,s:s,s:b,s:{s:s,s:i,s:s,s:s,s:s}}", "schema", 2,
                                   "state", "running", "id", BENCH_ATTEMPT, "runner_id", "192.0.2.20", "boot_id", boot_id,
                                   "started_realtime_us", 1, "started_boottime_us", 1, "pid", (int) pid,
                                   "pid_start_ticks", 1, "handoff", "shim", "run_reached", 0, "outcome", "origin", "none",
                                   "number", 0, "code", "", "detail", "", "where", "");

        assert_non_null(record);
        return record;
}

/* Another boot, or a number that somebody else has now: nobody is adopted, and nobody is killed. */
static void stranger_is_not_adopted(void **state) {
        char boot_id[BOOT_ID_SIZE];
        const char *ids[2] = { "00000000000000000000000000000000", boot_id };

        assert_int_equal(clock_boot_id(boot_id), 0);
        (void) mkdir(bench_path("state"), 0700);
        for (size_t i = 0; i < ELEMENTS(ids); i++) {
                _cleanup_json_ json_t *record = record_of(ids[i], getpid());
                Message m;

                write_record(record);
                bench_keeper();
                bench_connect();
                bench_ask(MESSAGE_ATTACH);
                assert_int_equal(bench_wait(MESSAGE_STATE).attempt_state, ATTEMPT_ENDED);
                m = bench_wait(MESSAGE_EXITED);
                assert_string_equal(m.seen.code, "status-lost");
                assert_int_equal(m.seen.number, -1);
                bench_disconnect();
                bench_keeper_stop();
        }
}

static void broken_record_is_set_aside(void **state) {
        (void) mkdir(bench_path("state"), 0700);
        bench_write("state/attempt.json", "{\"schema\":99}", 0600);
        bench_keeper();
        bench_connect();
        bench_ask(MESSAGE_ATTACH);
        assert_int_equal(bench_wait(MESSAGE_STATE).attempt_state, ATTEMPT_NONE);
        assert_file_holds("state/attempt.json.unreadable", "99");
}

/* --- Refusals --- */

static void second_installer_is_refused(void **state) {
        start("echo up; exec sleep 1000");
        wait_for_line("up|");
        bench_install(BENCH_OTHER_ATTEMPT);
        assert_refused(ORIGIN_KEEPER, "busy");
        bench_ask(MESSAGE_SETTLE);
        assert_refused(ORIGIN_KEEPER, "busy");
        bench_ask(MESSAGE_TERMINATE);
        (void) bench_wait(MESSAGE_EXITED);
}

static void digest_decides(void **state) {
        bench_keeper();
        bench_spec("  timeout_factor: 2.0\n"); /* changed after the keeper read it: read again, agreed */
        bench_connect();
        bench_ask(MESSAGE_PROBE);
        (void) bench_wait(MESSAGE_STATE);
        bench_spec("  timeout_factor: 3.0\n");
        bench_connect(); /* the agent has read this one... */
        bench_spec("  timeout_factor: 2.0\n"); /* ...and the file is another one again */
        bench_ask(MESSAGE_PROBE);
        assert_refused(ORIGIN_KEEPER, "spec-differs");
        bench_write("enroll.yaml", "nonsense", 0600);
        bench_ask(MESSAGE_GATES);
        assert_refused(ORIGIN_KEEPER, "spec-differs");
}

static void foreign_coordinator_is_refused(void **state) {
        static const char *const others[] = { "192.0.2.1", "192.0.2.100", "192.0.2.10:12443", "", "2001:db8::", "evil.example" };
        Message m = { .kind = MESSAGE_INSTALL, .attempt = BENCH_ATTEMPT, .version = "4.0.3" };

        bench_keeper();
        bench_connect();
        for (size_t i = 0; i < ELEMENTS(others); i++) {
                (void) snprintf(m.coordinator, sizeof(m.coordinator), "%s", others[i]);
                bench_request(&m);
                assert_refused(ORIGIN_KEEPER, "refused");
        }
        (void) snprintf(m.coordinator, sizeof(m.coordinator), "2001:db8::1");
        bench_request(&m);
        (void) bench_wait(MESSAGE_STATE);
        (void) bench_wait(MESSAGE_EXITED);
}

static void version_is_checked(void **state) {
        Message m = { .kind = MESSAGE_INSTALL, .attempt = BENCH_ATTEMPT, .coordinator = "192.0.2.10" };

        bench_keeper();
        bench_connect();
        (void) snprintf(m.version, sizeof(m.version), "a[$(id)]");
        bench_request(&m);
        assert_refused(ORIGIN_KEEPER, "refused");
        (void) snprintf(m.version, sizeof(m.version), "9.9.9"); /* the script is older */
        bench_request(&m);
        assert_int_equal(bench_wait(MESSAGE_REFUSED).seen.origin, ORIGIN_PLAN);
        assert_int_equal(access(bench_path("state/attempt.json"), F_OK), -1);
}

static int memfd_of(const void *bytes, size_t n, unsigned seals) {
        int fd = memfd_create("token", MFD_CLOEXEC | MFD_ALLOW_SEALING);

        assert_true(fd >= 0);
        assert_true(write(fd, bytes, n) == (ssize_t) n);
        assert_return_code(fcntl(fd, F_ADD_SEALS, (int) seals), errno);
        return fd;
}

static void send_install(int socket_fd, int fd) {
        Message m = { .kind = MESSAGE_INSTALL, .attempt = BENCH_ATTEMPT, .coordinator = "192.0.2.10", .version = "4.0.3" };

        (void) snprintf(m.spec, sizeof(m.spec), "%s", bench_digest());
        assert_int_equal(message_send(socket_fd, &m, fd), 0);
}

typedef struct Raw {
        int fd, error;
        Message m;
} Raw;

static bool raw_answered(void *userdata) {
        Raw *raw = userdata;
        int fd = -1;

        raw->error = message_receive(raw->fd, &raw->m, &fd);
        return raw->error != -EAGAIN;
}

static void hostile_memfd_is_refused(void **state) {
        static char large[SECRET_SIZE_MAX + 1];
        const unsigned all = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL;
        int fds[] = {
                memfd_of(BENCH_TOKEN, strlen(BENCH_TOKEN), 0),
                memfd_of(BENCH_TOKEN, strlen(BENCH_TOKEN), F_SEAL_GROW | F_SEAL_SHRINK),
                memfd_of("", 0, all),
                memfd_of(large, sizeof(large), all),
                memfd_of("a'$(id)'.b.c", 12, all),
                memfd_of("a\0.b.c", 6, all),
                memfd_of("--help", 6, all),
                open("/dev/null", O_RDONLY | O_CLOEXEC),
                open("/etc/passwd", O_RDONLY | O_CLOEXEC),
        };

        bench_keeper();
        for (size_t i = 0; i < ELEMENTS(fds); i++) {
                Raw raw = { .fd = bench_raw_connect() };

                send_install(raw.fd, fds[i]);
                bench_until(raw_answered, &raw);
                assert_int_equal(raw.error, 0);
                assert_int_equal(raw.m.kind, MESSAGE_REFUSED);
                assert_string_equal(raw.m.seen.code, "refused");
                (void) close(raw.fd);
                (void) close(fds[i]);
        }
        assert_int_equal(access(bench_path("state/attempt.json"), F_OK), -1);
}

/* A descriptor where none belongs, none where one does, and nonsense: the connection is closed. */
static void broken_protocol_closes(void **state) {
        Message probe = { .kind = MESSAGE_PROBE }, event = { .kind = MESSAGE_PREPARED };
        int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

        (void) memset(probe.spec, '0', 64);
        bench_keeper();
        for (int i = 0; i < 4; i++) {
                Raw raw = { .fd = bench_raw_connect() };

                if (i == 0)
                        assert_int_equal(message_send(raw.fd, &probe, null_fd), 0);
                else if (i == 1)
                        send_install(raw.fd, -1);
                else if (i == 2)
                        assert_int_equal(message_send(raw.fd, &event, -1), 0);
                else
                        assert_true(send(raw.fd, "nonsense", 8, 0) == 8);
                bench_until(raw_answered, &raw);
                assert_int_equal(raw.error, -ECONNRESET);
                (void) close(raw.fd);
        }
        (void) close(null_fd);
}

/* --- Idle --- */

static void idle_keeper_leaves(void **state) {
        bench_options()->idle_exit = true;
        bench_options()->idle_us = 10 * USEC_PER_MSEC;
        start("exit 0");
        (void) bench_wait(MESSAGE_EXITED);
        bench_ask(MESSAGE_ACKNOWLEDGE);
        (void) bench_wait(MESSAGE_STATE);
        bench_disconnect();
        bench_until_exit();
}

/* The next keeper will tell it: one that waits for a run that never comes back is of no use. */
static void idle_keeper_leaves_an_end_on_record(void **state) {
        bench_options()->idle_exit = true;
        bench_options()->idle_us = 10 * USEC_PER_MSEC;
        start("exit 0");
        (void) bench_wait(MESSAGE_EXITED);
        bench_disconnect();
        bench_until_exit();
        _cleanup_free_ char *record = bench_read("state/attempt.json");
        assert_non_null(strstr(record, "\"ended\""));
}

static void idle_keeper_stays_with_an_end_that_no_disk_took(void **state) {
        _cleanup_free_ char *script = NULL;

        /* When its start is on record, and no later than that: the end is the next thing to be written. */
        assert_true(asprintf(&script, "until grep -q '\"pid\":[1-9]' %s && mkdir %s; do :; done; exit 0",
                             bench_path("state/attempt.json"), bench_path("state/.attempt.json.new")) > 0);
        start(script);
        (void) bench_wait(MESSAGE_EXITED);
        assert_non_null(strstr(bench_notices(), "can't write the attempt's outcome"));
        bench_disconnect();
        bench_until(bench_is_left_alone, NULL);
        assert_false(bench_keeper_is_idle());
        bench_connect();
        bench_ask(MESSAGE_ACKNOWLEDGE);
        (void) bench_wait(MESSAGE_STATE);
        bench_disconnect();
        bench_until(bench_is_left_alone, NULL);
        assert_true(bench_keeper_is_idle());
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, bench_setup, bench_teardown)

int main(void) {
        static const struct CMUnitTest tests[] = {
                TEST(install_succeeds),
                TEST(install_fails),
                TEST(child_inherits_only_what_is_meant),
                TEST(token_is_not_seen_with_shim),
                TEST(argv_handoff_passes_the_token),
                TEST(script_is_looked_at_again),
                TEST(script_is_looked_at_just_before_its_start),
                TEST(shim_hands_the_token_to_the_client),
                TEST(run_without_placeholder_fails_loudly),
                TEST(held_pipe_does_not_hold_the_attempt),
                TEST(terminate_ends_it),
                TEST(who_ignores_term_is_killed),
                TEST(stubborn_child_is_killed),
                TEST(keeper_has_its_own_clock),
                TEST(agent_comes_back),
                TEST(newer_connection_replaces_the_older),
                TEST(outcome_is_told_until_acknowledged),
                TEST(keeper_comes_back),
                TEST(record_without_pid_is_completed),
                TEST(stranger_is_not_adopted),
                TEST(broken_record_is_set_aside),
                TEST(second_installer_is_refused),
                TEST(digest_decides),
                TEST(foreign_coordinator_is_refused),
                TEST(version_is_checked),
                TEST(hostile_memfd_is_refused),
                TEST(broken_protocol_closes),
                TEST(idle_keeper_leaves),
                TEST(idle_keeper_leaves_an_end_on_record),
                TEST(idle_keeper_stays_with_an_end_that_no_disk_took),
        };
        int failed;

        if (!bench_open())
                return 0;
        cmocka_set_message_output(CM_OUTPUT_TAP);
        failed = cmocka_run_group_tests(tests, NULL, NULL);
        bench_close();
        return failed;
}
