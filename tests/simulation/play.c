/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Lives of an agent in a world: it is made, runs in virtual time until it leaves, dies or has
 * nothing left to wait for, and may be started again, by its unit or with its host, from what it
 * wrote down.
 *
 * It dies like a process does: between two instructions, with whatever was done until then. A step
 * of the machine that is under way goes on in memory, but from the death on nothing of it reaches
 * the world.
 */

#include "play.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "replaced.h"

/* --- Telling ----------------------------------------------------------------------------------- */

void world_break(const char *promise) {
        if (world->broken)
                return;
        world->broken = promise;
        world->broken_us = world->now_us;
        world_tell("BROKEN: %s", promise);
}

void world_tell(const char *format, ...) {
        usec_t ms = world->now_us / USEC_PER_MSEC;
        char text[512];
        va_list arguments;

        if (!world->story || world->agent_dead)
                return;
        va_start(arguments, format);
        (void) vsnprintf(text, sizeof(text), format, arguments);
        va_end(arguments);
        (void) printf("%3u:%02u:%02u.%03u  %s\n", (unsigned) (ms / 3600000), (unsigned) (ms / 60000 % 60),
                      (unsigned) (ms / 1000 % 60), (unsigned) (ms % 1000), text);
}

/* --- Dying ------------------------------------------------------------------------------------- */

static bool record_is_at_rest(void) {
        Record record;

        return world->have_record && record_decode(buffer_string(&world->disk), world->disk.size, &record) >= 0 &&
               state_is_final(record.machine.state);
}

static void die(void) {
        world_tell("the agent dies");
        world->crashed_at_rest = record_is_at_rest();
        world->agent_dead = true;
        world->count.crashes++;
}

bool world_touch(void) {
        if (world->agent_dead)
                return false;
        world->touches++;
        if (world->touches == world->crash_at && world->crash_before)
                die();
        return !world->agent_dead;
}

void world_touched(void) {
        if (world->touches == world->crash_at && !world->crash_before && world->count.crashes == 0)
                die();
}

/* --- Deeds ------------------------------------------------------------------------------------- */

static void on_start(void *subject) {
        world->start_wanted = !world->powered_off && !world->agent;
}

static void on_power(void *subject) {
        world_tell("the host starts");
        world->powered_off = false;
        world->boot++;
        world->boot_offset_us = (int64_t) BOOT_US - (int64_t) world->now_us;
        world->start_wanted = true;
}

static void power_off(usec_t for_us) {
        world_tell("the host goes down");
        world->agent_dead = world->agent != NULL;
        world->powered_off = true;
        keeper_power_off();
        world_later(for_us, SIDE_WORLD, on_power, world);
}

static void on_deed(void *subject) {
        const Deed *deed = subject;

        world->deeds_left--;
        switch (deed->kind) {
        case DEED_AGENT_CRASH:
                if (world->agent)
                        die();
                return;
        case DEED_KEEPER_CRASH:
                return keeper_crash();
        case DEED_REBOOT:
                return power_off(deed->duration_us);
        case DEED_SUSPEND:
                world_tell("the host sleeps");
                return world_suspend(deed->duration_us);
        case DEED_CLOCK_STEP:
                world_tell("the wall clock steps");
                world->wall_error_us += deed->offset_us;
                return;
        case DEED_CLOCK_SET:
                world_tell("the wall clock is set right");
                world->wall_error_us = 0;
                return;
        case DEED_STOP:
                world_tell("somebody stops the agent");
                (void) world_signal(SIGTERM);
                return;
        case DEED_RETRY:
                world_tell("a person wants it tried again");
                (void) world_signal(SIGUSR1);
                return;
        case DEED_WATCH_OVER:
                world->watch_over = true;
                return;
        case DEED_SPEC_CHANGE:
        case DEED_SPEC_APPEARS:
                world_tell("the spec changes");
                return world_touch_spec();
        }
}

/* --- Living ------------------------------------------------------------------------------------ */

/* A machine at rest, in a world where nobody has anything left to do. */
bool world_is_over(void) {
        return world->agent && state_is_final(world->agent->machine.state) && world->deeds_left == 0 &&
               (world_idle() || world->watch_over);
}

static void put_record(const char *directory) {
        char path[512];
        int fd;

        (void) snprintf(path, sizeof(path), "%s/" RECORD_FILE, directory);
        (void) unlink(path);
        if (!world->have_record)
                return;
        fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_EXCL, 0600);
        if (fd < 0 || file_write_all(fd, buffer_string(&world->disk), world->disk.size) < 0)
                abort();
        (void) close(fd);
}

static void note_ending(int result) {
        const Agent *a = world->agent;

        world->ending = (Ending) { .state = a->machine.state, .exit_code = a->machine.exit_code };
        memcpy(world->ending.reason, a->reason.reason, sizeof(world->ending.reason));
        if (result < 0) { /* what main() makes of it */
                world->ending = (Ending) { .state = STATE_FAILED, .exit_code = EXIT_INTERNAL };
                (void) snprintf(world->ending.reason, sizeof(world->ending.reason), "agent.internal");
        }
}

/* From the start of a process to its end. */
static void live(const char *directory) {
        AgentOptions options = { .spec_path = "/etc/ece-enroll/enroll.yaml", .state_dir = directory,
                                 .runtime_dir = directory, .one_shot = world->scenario->run };
        bool failed;
        int result;

        put_record(directory);
        world->agent_dead = false;
        world->start_wanted = false;
        world_loop_reset();
        if (agent_new(world_event(), &options, &world->agent) < 0)
                abort();
        world_tell("the agent starts");
        result = agent_run(world->agent);
        failed = world->agent_dead || (result < 0 && !world->scenario->run);
        note_ending(result);
        world->agent = agent_free(world->agent);
        world_loop_reset();
        if (failed && !world->powered_off)
                world_later(AGENT_RESTART_US, SIDE_HOST, on_start, world);
        world->agent_dead = false;
}

uint64_t play_seed(const char *name) {
        uint64_t seed = UINT64_C(14695981039346656037);

        for (; *name; name++)
                seed = (seed ^ (uint64_t) (unsigned char) *name) * UINT64_C(1099511628211);
        return seed;
}

void play(const Scenario *s, const char *directory, unsigned crash_at, bool crash_before, bool story, World *ret) {
        *ret = (World) { .scenario = s, .crash_at = crash_at, .crash_before = crash_before, .story = story,
                         .boot = 1, .boot_offset_us = RUNNING_FOR_US, .wall_error_us = s->clock_error_us,
                         .chance = play_seed(s->name), .disk = BUFFER_INIT(RECORD_SIZE_MAX), .start_wanted = true,
                         .deeds_left = (unsigned) s->n_deed };
        world = ret;
        if (s->knows_runner)
                world->runner = (Runner) { .there = true, .kind = s->known_runner };
        for (size_t i = 0; i < s->n_deed; i++) {
                union {
                        const Deed *given;
                        void *lent;
                } deed = { &s->deed[i] };

                world_later(s->deed[i].at_us, SIDE_WORLD, on_deed, deed.lent);
        }
        while (!world->broken && (world->start_wanted || world_turn()))
                if (world->start_wanted)
                        live(directory);
        if (!world->watch_over)
                world_check_stored();
}

void play_done(World *w) {
        buffer_done(&w->disk);
}
