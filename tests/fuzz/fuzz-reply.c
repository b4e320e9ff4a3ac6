/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Replies of any bytes. The first two bytes choose the status, what follows up to a line feed is
 * the header of error codes, the rest is the body. Whatever it is: an object exactly when there is
 * no objection, every reader comes back, and no message ends with half a token.
 */

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "coordinator/reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is taken from a list may stand in a path, and what is asked to be kept is kept. */
static void read_for_administrators(const json_t *object) {
        _cleanup_buffer_ Buffer body = BUFFER_INIT(HTTP_BODY_MAX);
        TokenListing listing = {};
        AllocatorLoad load;
        Holders holders;
        Moves moves;

        (void) reply_read_tokens(object, &listing);
        for (size_t i = 0; i < listing.n; i++)
                assert(token_id_is_sound(listing.items[i].id));
        token_listing_done(&listing);
        if (reply_read_holders(object, "r1", &holders))
                for (size_t i = 0; i < holders.n; i++)
                        assert(token_id_is_sound(holders.id[i]) && strcmp(holders.id[i], "r1") != 0);
        if (reply_read_load(object, &load))
                assert(load.moving <= load.instances);
        reply_read_moves(object, &moves);
        assert((moves.refused > 0) == (moves.first_refusal[0] != '\0'));
        assert(reply_rewrite_roles(object, 0, &body) < 0 || strstr(buffer_string(&body), "\"roles\""));
}

static void read_all(const json_t *object) {
        RunnerView view = { .found = false };
        char version[64];

        (void) reply_read_platform(object, version);
        (void) reply_read_runner(object, &view);
        (void) reply_read_role(object, "r1", &view.role[ROLE_ALLOCATOR]);
        (void) reply_read_allocator(object, &view);
        (void) reply_find_allocator(object, "192.0.2.7", "host.example.com", &view);
        read_for_administrators(object);
        (void) reply_read_proxies(object, "r1", "192.0.2.7", &view.role[ROLE_PROXY]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_buffer_ Buffer body = BUFFER_INIT(HTTP_BODY_MAX);
        _cleanup_json_ json_t *object = NULL;
        HttpReply reply = { .status = 200 };

        if (size < 3)
                return 0;
        reply.status = 100 + (data[0] * 256 + data[1]) % 500;
        const uint8_t *text = data + 2, *line_end = memchr(text, '\n', size - 2);
        size_t codes = line_end ? (size_t) (line_end - text) : 0;
        if (codes >= sizeof(reply.error_codes))
                codes = sizeof(reply.error_codes) - 1;
        memcpy(reply.error_codes, text, codes);
        const uint8_t *bytes = line_end ? line_end + 1 : text;
        if (buffer_append(&body, bytes, size - (size_t) (bytes - data)) < 0)
                return 0;
        reply.body = body;

        Observation seen = reply_judge(&reply, "https://192.0.2.1:12443/x", &object);
        assert(observation_is_none(&seen) == (object != NULL));
        assert(!object || json_is_object(object));
        if (seen.origin == ORIGIN_ECE)
                assert(!strstr(seen.detail, "eyJ"));
        if (object)
                read_all(object);
        return 0;
}
