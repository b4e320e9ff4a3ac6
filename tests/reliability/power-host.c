/* SPDX-License-Identifier: Apache-2.0 */

/*
 * An enrollment on a disk that loses its power. The state machine, the record and the replacing of the file
 * are the agent's own; everything that the machine wants done in the world is said on the line, and the world
 * answers there. So the world keeps what was done, whatever becomes of this machine.
 *
 * At each point of each write of the record the program says where it stands and waits for leave to go on;
 * the owner cuts the power instead when it is the point that he is after. Time is counted here: a wait is over
 * as soon as there is nothing else to do.
 *
 * The task is in the kernel's command line:
 *   ece_task=enroll     on the disk, from what it has to a final state; more disks: on each, one after the other
 *   ece_task=careless   the same without syncing anything, which a power cut has to punish
 *   ece_task=forget     writes that are not synced: the proof that a power cut loses them
 *   ece_task=list       says what there is
 *   ece_task=programs   starts what is in the machine instead, /guest.py with the first disk mounted
 *
 * As a program among others (power-host DIRECTORY) it enrolls in that directory, with the line on standard input and
 * output: so its owner learns which points there are.
 */

#include "power-host.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "engine/machine.h"
#include "engine/record.h"

#define STEPS_MAX 2000U

typedef struct Host {
        int dir_fd;
        Machine machine;
        Policy policy;
        Record record;
        usec_t now_us;
        usec_t armed_us[_TIMER_MAX];
        unsigned saves;
        bool left;
} Host;

/* --- The points of a write ------------------------------------------------------------------------------- */

static bool saving, careless;
static unsigned save_number;

/* Where we stand, and leave to go on. */
static void at(const char *point) {
        char answer[LINE_SIZE];

        line_say("at %u %s", save_number, point);
        line_hear(answer);
        if (!streq(answer, "go"))
                power_off("bad answer at %s: %s", point, answer);
}

static bool is_directory(int fd) {
        struct stat st;

        return fstat(fd, &st) >= 0 && S_ISDIR(st.st_mode);
}

/* The linker sends the agent's calls of fsync() and renameat() here (--wrap); they are carried out. */
int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __real_renameat(int from_fd, const char *from, int to_fd, const char *to);
int __wrap_renameat(int from_fd, const char *from, int to_fd, const char *to);

int __wrap_fsync(int fd) {
        int r;

        if (!saving)
                return __real_fsync(fd);
        if (!is_directory(fd))
                at("written");
        r = careless ? 0 : __real_fsync(fd);
        at(is_directory(fd) ? "directory-synced" : "synced");
        return r;
}

int __wrap_renameat(int from_fd, const char *from, int to_fd, const char *to) {
        int r = __real_renameat(from_fd, from, to_fd, to);

        if (saving)
                at("renamed");
        return r;
}

/* --- The record ------------------------------------------------------------------------------------------ */

static void record_save(Host *h) {
        _cleanup_buffer_ Buffer text = BUFFER_INIT(RECORD_SIZE_MAX);
        char digest[SHA256_HEX_SIZE];
        int error;

        h->record.machine = h->machine;
        error = record_encode(&h->record, &text);
        if (error < 0)
                power_off("bad record_encode: %s", strerror(-error));
        (void) bytes_sha256(buffer_string(&text), text.size, digest);
        save_number = ++h->saves;
        line_say("save %u %s %s", save_number, digest, state_to_string(h->machine.state));
        at("unwritten");
        saving = true;
        error = file_replace(h->dir_fd, RECORD_FILE, buffer_string(&text), text.size, 0600, FILE_DURABLE);
        saving = false;
        if (error < 0)
                power_off("bad file_replace: %s", strerror(-error));
}

/* As the agent does it; and says what it has found: a digest, "nothing" or "damaged". */
static void record_load(Host *h) {
        _cleanup_buffer_ Buffer text = BUFFER_INIT(RECORD_SIZE_MAX);
        _cleanup_close_ int fd = openat(h->dir_fd, RECORD_FILE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        char digest[SHA256_HEX_SIZE], boot_id[BOOT_ID_SIZE];

        if (clock_boot_id(boot_id) < 0)
                power_off("bad no boot id");
        if (fd < 0 && errno == ENOENT) {
                h->machine = machine_fresh();
                line_say("found nothing");
        } else if (file_read_fd(fd, &text) < 0 ||
                   record_decode(buffer_string(&text), text.size, &h->record) < 0) {
                h->machine = record_lost(h->now_us);
                line_say("found damaged");
        } else {
                h->machine = record_resume(&h->record, boot_id, h->now_us);
                (void) bytes_sha256(buffer_string(&text), text.size, digest);
                line_say("found %s", digest);
        }
        (void) snprintf(h->record.boot_id, sizeof(h->record.boot_id), "%s", boot_id);
}

/* --- The world -------------------------------------------------------------------------------------------- */

static void step(Host *h, const Event *event);

static int class_from_string(const char *word) {
        for (OutcomeClass c = 0; c < _CLASS_MAX; c++)
                if (streq(word, outcome_class_to_string(c)))
                        return (int) c;
        return -EINVAL;
}

/* "EVENT [class=WORD] [membership=N] [token_s=N]"; false for "nothing". */
static bool event_from_line(const Host *h, char *line, Event *ret) {
        Event event = { .kind = _EVENT_KIND_MAX, .exit_code = 75 };
        char *next = line;
        char *word = strsep(&next, " ");

        if (streq(word, "nothing"))
                return false;
        for (EventKind k = 0; k < _EVENT_KIND_MAX; k++)
                if (streq(word, event_kind_to_string(k)))
                        event.kind = k;
        while ((word = strsep(&next, " "))) {
                uint64_t number = 0;
                char *value = strchr(word, '=');

                if (!value)
                        power_off("bad word %s", word);
                *value++ = '\0';
                if (streq(word, "class"))
                        event.class = (OutcomeClass) class_from_string(value);
                else if (text_to_u64(value, USEC_PER_HOUR, &number) < 0)
                        power_off("bad number %s", value);
                else if (streq(word, "membership"))
                        event.membership = (Membership) number;
                else
                        event.token_deadline_us = h->now_us + number * USEC_PER_SEC;
        }
        if (event.kind == _EVENT_KIND_MAX || event.class < 0 || event.class >= _CLASS_MAX)
                power_off("bad event from outside");
        *ret = event;
        return true;
}

/* One step's questions are asked when its actions are done: an answer is a step of its own. */
static bool ask(Host *h, const char *question, Event *ret) {
        char answer[LINE_SIZE];

        line_say("%s", question);
        line_hear(answer);
        return event_from_line(h, answer, ret);
}

static bool act(Host *h, const Action *action, Event *ret) {
        char question[LINE_SIZE];

        switch (action->kind) {
        case ACTION_WIPE_TOKEN:
        case ACTION_REPORT:
        case ACTION_CANCEL: /* every answer is here before the next question is asked */
                return false;
        case ACTION_SAVE:
                record_save(h);
                return false;
        case ACTION_ARM:
                h->armed_us[action->timer] = action->at_us;
                return false;
        case ACTION_DISARM:
                h->armed_us[action->timer] = USEC_INFINITY;
                return false;
        case ACTION_EXIT:
                h->left = true;
                return false;
        case ACTION_LOAD_SPEC:
        case ACTION_ATTACH:
        case ACTION_CHECK_HOST:
        case ACTION_CHECK_NETWORK:
        case ACTION_PROBE:
        case ACTION_REPLACE_RUNNER:
        case ACTION_PREPARE:
        case ACTION_MINT:
        case ACTION_INSTALL:
        case ACTION_TERMINATE:
        case ACTION_SETTLE:
        case ACTION_ACKNOWLEDGE:
        case ACTION_LOOK:
                (void) snprintf(question, sizeof(question), "do %s", action_kind_to_string(action->kind));
                return ask(h, question, ret);
        case _ACTION_KIND_MAX:
                break;
        }
        power_off("bad action");
}

static void step(Host *h, const Event *event) {
        Event next = *event;
        bool more = true;

        for (unsigned steps = 0; more; steps++) {
                Actions actions = {};

                if (steps >= STEPS_MAX)
                        power_off("bad no end of answers");
                more = false;
                h->now_us += USEC_PER_MSEC;
                h->machine = machine_step(h->machine, &h->policy, &next, h->now_us, &actions);
                for (size_t i = 0; i < actions.n; i++) {
                        Event answer;

                        if (!act(h, &actions.item[i], &answer))
                                continue;
                        next = answer;
                        more = true;
                }
        }
}

static bool is_over(const Host *h) {
        return h->left || h->machine.state == STATE_ENROLLED || h->machine.state == STATE_FAILED;
}

/* Nothing to answer: either something happens outside, or the next timer is the next thing that happens. */
static void wait_for_something(Host *h) {
        Timer next = TIMER_GIVE_UP;
        Event event;

        if (!ask(h, "idle", &event)) {
                for (Timer t = 0; t < _TIMER_MAX; t++)
                        if (h->armed_us[t] < h->armed_us[next])
                                next = t;
                if (h->armed_us[next] == USEC_INFINITY)
                        power_off("bad nothing armed in %s", state_to_string(h->machine.state));
                if (h->armed_us[next] > h->now_us)
                        h->now_us = h->armed_us[next];
                h->armed_us[next] = USEC_INFINITY;
                event = (Event) { .kind = EVENT_TIMER, .timer = next };
        }
        step(h, &event);
}

/* --- Tasks ------------------------------------------------------------------------------------------------ */

static const Policy policy = {
        .backoff_min_us = 5 * USEC_PER_SEC,
        .backoff_max_us = 60 * USEC_PER_SEC,
        .windows = 5,
        .give_up_after_us = 4 * USEC_PER_HOUR,
        .attempt_timeout_us = 20 * USEC_PER_MINUTE,
        .token_margin_us = USEC_PER_MINUTE,
        .verify_timeout_us = 10 * USEC_PER_MINUTE,
        .stable_for_us = 30 * USEC_PER_SEC,
        .poll_us = 5 * USEC_PER_SEC,
        .gate_poll_us = 4 * USEC_PER_SEC,
        .guard_us = 2 * USEC_PER_MINUTE,
        .credential_tries = 2,
        .vain_efforts_max = 5,
        .prepull = true,
};

/* What is in the directory beside the record, with the first word of it. */
static void say_leftovers(int dir_fd) {
        int copy_fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *directory = fdopendir(copy_fd);

        if (!directory)
                power_off("bad can't list the directory: %s", strerror(errno));
        for (const struct dirent *entry; (entry = readdir(directory));) {
                _cleanup_close_ int fd = -1;
                char word[16] = "";

                if (entry->d_type != DT_REG || streq(entry->d_name, RECORD_FILE))
                        continue;
                fd = openat(dir_fd, entry->d_name, O_RDONLY | O_CLOEXEC);
                if (fd < 0 || read(fd, word, sizeof(word) - 1) < 0)
                        power_off("bad can't read %s: %s", entry->d_name, strerror(errno));
                word[strcspn(word, " \n")] = '\0';
                line_say("left %s %s", entry->d_name, word);
        }
        (void) closedir(directory);
}

static void enroll(int dir_fd) {
        _cleanup_free_ Host *h = calloc(1, sizeof(*h));
        unsigned waits = 0;

        if (!h)
                power_off("bad no memory");
        h->dir_fd = dir_fd;
        h->policy = policy;
        h->now_us = USEC_PER_MINUTE; /* a boot takes its time */
        for (Timer t = 0; t < _TIMER_MAX; t++)
                h->armed_us[t] = USEC_INFINITY;
        record_load(h);
        step(h, &(Event) { .kind = EVENT_START });
        while (!is_over(h)) {
                if (++waits > STEPS_MAX)
                        power_off("bad no end in %s", state_to_string(h->machine.state));
                wait_for_something(h);
        }
        say_leftovers(dir_fd);
        line_say("end %s", state_to_string(h->machine.state));
}

static int open_for_writing(int dir_fd, const char *name, int flags) {
        int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0600);

        if (fd < 0)
                power_off("bad can't open %s: %s", name, strerror(errno));
        return fd;
}

static void write_and_sync(int fd, const char *text, size_t n, bool sync) {
        if (file_write_all(fd, text, n) < 0 || (sync && fsync(fd) < 0))
                power_off("bad can't write: %s", strerror(errno));
}

/* One file is in the kernel's memory only; the other's second content is on the disk, but in the disk's own
 * cache (written without the kernel's cache, over blocks that are there already, and not flushed). */
static void forget(int dir_fd) {
        static _Alignas(4096) char old[4096] = "old ", new[4096] = "new ";
        _cleanup_close_ int in_kernel_fd = open_for_writing(dir_fd, "in-kernel", 0);
        _cleanup_close_ int in_disk_fd = open_for_writing(dir_fd, "in-disk", O_DIRECT);

        write_and_sync(in_disk_fd, old, sizeof(old), true);
        if (fsync(dir_fd) < 0 || lseek(in_disk_fd, 0, SEEK_SET) < 0)
                power_off("bad can't sync: %s", strerror(errno));
        write_and_sync(in_kernel_fd, new, sizeof(new), false);
        write_and_sync(in_disk_fd, new, sizeof(new), false);
        at("unsynced");
        if (fsync(in_kernel_fd) < 0 || fsync(in_disk_fd) < 0)
                power_off("bad can't sync: %s", strerror(errno));
        at("all-synced");
}

static void with_disk(unsigned n, const char *file_system, void (*task)(int dir_fd)) {
        _cleanup_close_ int dir_fd = -1;
        const char *wrong = disk_mount(n, file_system);

        if (wrong)
                power_off("bad disk %u is no %s any more: %s", n, file_system, wrong);
        dir_fd = open(DISK_PATH, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (dir_fd < 0)
                power_off("bad no directory on the disk");
        task(dir_fd);
        cleanup_closep(&dir_fd);
        disk_unmount();
}

static void on_each_disk(const char *file_system, void (*task)(int dir_fd)) {
        char device[] = "/dev/vda";

        for (unsigned n = 0; n < 26; n++) {
                device[7] = (char) ('a' + n);
                if (access(device, F_OK) < 0)
                        break;
                line_say("disk %u", n);
                with_disk(n, file_system, task);
        }
}

static const char *option(const char *name) {
        const char *value = getenv(name);

        return value ? value : "";
}

static void run_programs(const char *file_system) {
        static char python[] = "/usr/bin/python3", script[] = "/guest.py";
        static char *const arguments[] = { python, script, NULL };
        const char *wrong = disk_mount(0, file_system);

        if (wrong)
                power_off("bad disk is no %s any more: %s", file_system, wrong);
        (void) execv(python, arguments);
        power_off("bad can't start %s: %s", python, strerror(errno));
}

static void (*task_by_name(const char *name))(int dir_fd) {
        if (streq(name, "enroll") || streq(name, "careless"))
                return enroll;
        if (streq(name, "forget"))
                return forget;
        if (streq(name, "list"))
                return say_leftovers;
        power_off("bad task %s", name);
}

int main(int argc, char *argv[]) {
        if (getpid() == 1) {
                power_begin();
                if (streq(option("ece_task"), "programs"))
                        run_programs(option("ece_fs"));
                careless = streq(option("ece_task"), "careless");
                on_each_disk(option("ece_fs"), task_by_name(option("ece_task")));
        } else {
                int dir_fd = open(argc == 2 ? argv[1] : "", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

                if (dir_fd < 0)
                        power_off("bad usage: power-host DIRECTORY");
                enroll(dir_fd);
        }
        power_off("off");
}
