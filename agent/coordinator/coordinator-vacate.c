/* SPDX-License-Identifier: Apache-2.0 */

/*
 * An allocator that is to be emptied: what it holds, that it takes nothing new, that its instances move elsewhere.
 *
 * Nothing is forced. Maintenance mode only keeps new instances away; move-clusters then asks the platform to plan a move for
 * each cluster, and names those for which it found no place (no capacity, a plan pending). Whether they have gone is seen by
 * looking at the allocator again: the answer to a move tells what was begun.
 */

#include <stdio.h>

#include "base/text.h"
#include "coordinator/coordinator-private.h"
#include "coordinator/reply.h"

static int ask(Coordinator *c, void *userdata, const char *method, const char *allocator_id, const char *rest,
               ExchangeDone done) {
        char path[PATH_SIZE];
        int r = question_begin(c, userdata);

        if (r < 0)
                return r;
        (void) snprintf(path, sizeof(path), API_ALLOCATORS "/%s%s", allocator_id, rest);
        r = exchange_begin(c, method, path, NULL, done);
        if (r < 0)
                (void) question_end(c);
        return r;
}

static void load_done(Coordinator *c, const HttpReply *reply, const json_t *object, const Observation *failure) {
        CoordinatorLoadHandler handler = c->handler.load;
        AllocatorLoad load = { .found = true };
        Observation seen = *failure;

        if (observation_is_absence(failure, "allocators.allocator_not_found")) {
                load.found = false;
                seen = OBSERVATION_NONE;
        } else if (observation_is_none(failure) && !reply_read_load(object, &load))
                seen = exchange_wrong_type(c, reply, "the allocator");
        handler(question_end(c), observation_is_none(&seen) ? &load : NULL, &seen);
}

int coordinator_ask_load(Coordinator *c, const char *allocator_id, CoordinatorLoadHandler handler, void *userdata) {
        int r = ask(c, userdata, "GET", allocator_id, "", load_done);

        if (r >= 0)
                c->handler.load = handler;
        return r;
}

int coordinator_start_maintenance(Coordinator *c, const char *allocator_id, CoordinatorDoneHandler handler, void *userdata) {
        int r = ask(c, userdata, "POST", allocator_id, "/maintenance-mode/_start", question_done);

        if (r >= 0)
                c->handler.done = handler;
        return r;
}

static void delete_done(Coordinator *c, const HttpReply *reply, const json_t *object, const Observation *failure) {
        bool absent = observation_is_absence(failure, "allocators.allocator_not_found");

        question_finish(c, absent ? &OBSERVATION_NONE : failure);
}

int coordinator_delete_allocator(Coordinator *c, const char *allocator_id, CoordinatorDoneHandler handler, void *userdata) {
        int r = ask(c, userdata, "DELETE", allocator_id, "", delete_done);

        if (r >= 0)
                c->handler.done = handler;
        return r;
}

/* A reply too large to read was given by a platform that has begun: there is one plan in it for each cluster. */
static void move_done(Coordinator *c, const HttpReply *reply, const json_t *object, const Observation *failure) {
        CoordinatorMovesHandler handler = c->handler.moves;
        bool begun = failure->origin == ORIGIN_REPLY && streq(failure->code, "too-large");
        Observation seen = begun ? OBSERVATION_NONE : *failure;
        Moves moves = {};

        if (object)
                reply_read_moves(object, &moves);
        handler(question_end(c), observation_is_none(&seen) ? &moves : NULL, &seen);
}

int coordinator_move_instances(Coordinator *c, const char *allocator_id, CoordinatorMovesHandler handler, void *userdata) {
        int r = ask(c, userdata, "POST", allocator_id, "/clusters/_move", move_done);

        if (r >= 0)
                c->handler.moves = handler;
        return r;
}
