/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Virtual time: the event loop and the two clocks that the agent gets instead of sd-event and the
 * kernel. Nothing waits; the next thing that is due happens, and the clock is set to its time.
 *
 * The functions of sd-event that the agent uses are defined here under their own names, so the
 * linker takes these; the clocks, which share an object file with others, are wrapped (tests.am).
 */

#include "world.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/random.h>
#include <sys/signalfd.h>

#include "replaced.h"

World *world;

/* --- What is to happen ------------------------------------------------------------------------- */

void world_later(usec_t delay_us, Side side, Happening happening, void *subject) {
        if (world->n_due == DUE_MAX) {
                world_break("what is under way is bounded");
                return;
        }
        world->due[world->n_due++] = (Due) { .at_us = usec_add(world->now_us, delay_us), .order = world->order++,
                                             .side = side, .happening = happening, .subject = subject };
}

static void due_remove(size_t i) {
        world->due[i] = world->due[--world->n_due];
}

void world_forget(const void *subject) {
        for (size_t i = world->n_due; i-- > 0;)
                if (world->due[i].subject == subject)
                        due_remove(i);
}

static size_t due_first(void) {
        size_t first = 0;

        for (size_t i = 1; i < world->n_due; i++) {
                const Due *a = &world->due[i], *b = &world->due[first];

                if (a->at_us < b->at_us || (a->at_us == b->at_us && a->order < b->order))
                        first = i;
        }
        return first;
}

/* --- Clocks ------------------------------------------------------------------------------------ */

usec_t world_boottime(void) {
        return (usec_t) ((int64_t) world->now_us + world->boot_offset_us);
}

int64_t world_platform_s(void) {
        return PLATFORM_EPOCH_S + (int64_t) (world->now_us / USEC_PER_SEC);
}

int64_t world_wall_us(void) {
        int64_t wall_us = PLATFORM_EPOCH_S * (int64_t) USEC_PER_SEC + (int64_t) world->now_us + world->wall_error_us;

        return wall_us > 0 ? wall_us : 0;
}

usec_t __wrap_clock_boottime_us(void) {
        return world_boottime();
}

usec_t __wrap_clock_realtime_us(void) {
        return (usec_t) world_wall_us();
}

int __wrap_clock_boot_id(char ret[static BOOT_ID_SIZE]) {
        (void) snprintf(ret, BOOT_ID_SIZE, "%032u", world->boot);
        return 0;
}

/* xorshift64*: the same scenario is the same at each run. */
uint32_t world_chance(void) {
        world->chance ^= world->chance >> 12;
        world->chance ^= world->chance << 25;
        world->chance ^= world->chance >> 27;
        return (uint32_t) ((world->chance * UINT64_C(2685821657736338717)) >> 32);
}

ssize_t __wrap_getrandom(void *buffer, size_t size, unsigned flags) {
        for (size_t i = 0; i < size; i++)
                ((unsigned char *) buffer)[i] = (unsigned char) world_chance();
        return (ssize_t) size;
}

/* --- sd-event ---------------------------------------------------------------------------------- */

typedef enum SourceKind { SOURCE_FREE, SOURCE_TIME, SOURCE_DEFER, SOURCE_SIGNAL, SOURCE_FILE } SourceKind;

struct sd_event_source {
        SourceKind kind;
        int enabled;
        usec_t at_us; /* boottime */
        int signal_number;
        sd_event_time_handler_t on_time;
        sd_event_handler_t on_defer;
        sd_event_signal_handler_t on_signal;
        sd_event_inotify_handler_t on_file;
        uint32_t mask; /* of inotify */
        void *userdata;
};

struct sd_event {
        bool leaving;
        int exit_code;
};

#define SOURCES_MAX 24U

static struct sd_event the_event;
static struct sd_event_source sources[SOURCES_MAX];

void world_loop_reset(void) {
        memset(sources, 0, sizeof(sources));
        the_event = (struct sd_event) { .leaving = false };
}

static sd_event_source *source_new(SourceKind kind, void *userdata) {
        for (size_t i = 0; i < SOURCES_MAX; i++)
                if (sources[i].kind == SOURCE_FREE) {
                        sources[i] = (struct sd_event_source) { .kind = kind, .enabled = SD_EVENT_ONESHOT,
                                                                .userdata = userdata };
                        return &sources[i];
                }
        world_break("the agent's sources are bounded");
        return &sources[0];
}

int sd_event_add_time(sd_event *e, sd_event_source **ret, clockid_t clock, uint64_t at_us, uint64_t accuracy,
                      sd_event_time_handler_t handler, void *userdata) {
        *ret = source_new(SOURCE_TIME, userdata);
        (*ret)->at_us = at_us;
        (*ret)->on_time = handler;
        if (clock != CLOCK_BOOTTIME)
                world_break("every timer is on the clock that counts a suspend");
        return 0;
}

int sd_event_add_defer(sd_event *e, sd_event_source **ret, sd_event_handler_t handler, void *userdata) {
        *ret = source_new(SOURCE_DEFER, userdata);
        (*ret)->on_defer = handler;
        return 0;
}

int sd_event_add_signal(sd_event *e, sd_event_source **ret, int number, sd_event_signal_handler_t handler,
                        void *userdata) {
        sd_event_source *source = source_new(SOURCE_SIGNAL, userdata);

        source->on_signal = handler;
        source->signal_number = number;
        if (ret)
                *ret = source;
        return 0;
}

int sd_event_add_inotify(sd_event *e, sd_event_source **ret, const char *path, uint32_t mask,
                         sd_event_inotify_handler_t handler, void *userdata) {
        *ret = source_new(SOURCE_FILE, userdata);
        (*ret)->on_file = handler;
        (*ret)->mask = mask;
        return 0;
}

int sd_event_source_set_time(sd_event_source *source, uint64_t at_us) {
        source->at_us = at_us;
        return 0;
}

int sd_event_source_set_enabled(sd_event_source *source, int enabled) {
        if (source)
                source->enabled = enabled;
        return 0;
}

sd_event_source *sd_event_source_unref(sd_event_source *source) {
        if (source)
                *source = (struct sd_event_source) { .kind = SOURCE_FREE };
        return NULL;
}

sd_event_source *sd_event_source_disable_unref(sd_event_source *source) {
        return sd_event_source_unref(source);
}

sd_event *sd_event_ref(sd_event *e) {
        return e;
}

sd_event *sd_event_unref(sd_event *e) {
        return NULL;
}

int sd_event_set_watchdog(sd_event *e, int on) {
        return on;
}

int sd_event_exit(sd_event *e, int exit_code) {
        e->leaving = true;
        e->exit_code = exit_code;
        return 0;
}

sd_event *world_event(void) {
        return &the_event;
}

/* --- The loop ---------------------------------------------------------------------------------- */

static sd_event_source *source_pending(void) {
        for (size_t i = 0; i < SOURCES_MAX; i++)
                if (sources[i].kind == SOURCE_DEFER && sources[i].enabled != SD_EVENT_OFF)
                        return &sources[i];
        return NULL;
}

static sd_event_source *timer_first(void) {
        sd_event_source *first = NULL;

        for (size_t i = 0; i < SOURCES_MAX; i++)
                if (sources[i].kind == SOURCE_TIME && sources[i].enabled != SD_EVENT_OFF &&
                    (!first || sources[i].at_us < first->at_us))
                        first = &sources[i];
        return first;
}

/* Now, or when the host wakes up. */
static usec_t timer_at_once(void) {
        return world->awake_us > world->now_us ? world->awake_us : world->now_us;
}

/* When a timer fires, in the world's time. */
static usec_t timer_at(const sd_event_source *timer) {
        usec_t at_us;

        if (!timer || timer->at_us == USEC_INFINITY)
                return USEC_INFINITY;
        at_us = timer->at_us > world_boottime() ? world->now_us + (timer->at_us - world_boottime()) : world->now_us;
        return at_us > world->awake_us ? at_us : world->awake_us;
}

void world_suspend(usec_t duration_us) {
        world->awake_us = world->now_us + duration_us;
        for (size_t i = 0; i < world->n_due; i++) {
                Due *d = &world->due[i];

                if (d->side == SIDE_INSTALLER)
                        d->at_us = usec_add(d->at_us, duration_us);
                else if (d->side == SIDE_HOST && d->at_us < world->awake_us)
                        d->at_us = world->awake_us;
        }
}

static void run_source(sd_event_source *source) {
        void *userdata = source->userdata;

        source->enabled = SD_EVENT_OFF;
        if (source->kind == SOURCE_DEFER)
                (void) source->on_defer(source, userdata);
        else
                (void) source->on_time(source, source->at_us, userdata);
}

bool world_signal(int number) {
        struct signalfd_siginfo info = { .ssi_signo = (uint32_t) number };

        for (size_t i = 0; i < SOURCES_MAX; i++)
                if (sources[i].kind == SOURCE_SIGNAL && sources[i].signal_number == number) {
                        (void) sources[i].on_signal(&sources[i], &info, sources[i].userdata);
                        return true;
                }
        return false;
}

/* The spec's file was touched; who watches it hears of it. */
void world_touch_spec(void) {
        struct inotify_event event = { .mask = IN_CLOSE_WRITE };

        for (size_t i = 0; i < SOURCES_MAX; i++)
                if (sources[i].kind == SOURCE_FILE && (sources[i].mask & event.mask)) {
                        (void) sources[i].on_file(&sources[i], &event, sources[i].userdata);
                        return;
                }
}

bool world_idle(void) {
        return world->n_due == 0 && !source_pending() && !timer_first();
}

bool world_turn(void) {
        sd_event_source *deferred = source_pending(), *timer = timer_first();
        usec_t source_us = deferred ? timer_at_once() : timer_at(timer);
        size_t first = due_first();
        Due due;

        if (deferred && source_us <= world->now_us) {
                run_source(deferred);
                return true;
        }
        if (world->n_due > 0 && world->due[first].at_us <= source_us) {
                due = world->due[first];
                due_remove(first);
                world->now_us = due.at_us;
                due.happening(due.subject);
                return true;
        }
        if (source_us == USEC_INFINITY)
                return false;
        world->now_us = source_us;
        run_source(deferred ? deferred : timer);
        return true;
}

static bool agent_gone(void) {
        return world->agent_dead || the_event.leaving || world->broken;
}

/* Called by the agent, as its own loop: the world runs until the agent has left, died or come to
 * where nothing happens any more. */
int sd_event_loop(sd_event *e) {
        while (!agent_gone() && !world_is_over()) {
                if (world->now_us > HORIZON_US || ++world->turns > TURNS_MAX)
                        world_break("every run comes to an end");
                else if (!world_turn())
                        world_break("who waits has something that wakes it");
        }
        return e->exit_code;
}
