/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Memory that runs out while something is decoded or encoded that came from the disk, from the other program or from the
 * network. What can't be read now is never taken for what is damaged: a record that is set aside would be an
 * installer that nobody knows of.
 *
 * What is decoded are the seeds of the fuzz targets, good ones and broken ones.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/json.h"
#include "coordinator/credential-private.h"
#include "coordinator/credential.h"
#include "coordinator/reply.h"
#include "engine/record.h"
#include "installer/attempt-record.h"
#include "installer/container-engine.h"
#include "installer/protocol.h"
#include "model/token.h"
#include "scarce-memory.h"

/* --- Seeds -------------------------------------------------------------------------------------------------------- */

/* Those written by hand, whose names are words: what a search has found says the same in many ways. Not "far-exp": jansson 2.14
 * ends the program by an assertion of its own when there is no memory for a number of more than 15 digits that is the longest
 * word so far (load.c, lex_unget_unsave()). */
static int is_seed(const struct dirent *entry) {
        bool found = strlen(entry->d_name) == 40 && strspn(entry->d_name, "0123456789abcdef") == 40;

        return entry->d_name[0] != '.' && !found && strcmp(entry->d_name, "far-exp") != 0;
}

/* Seeds of records have no seal, or one that is not theirs any more. */
static void seal(Buffer *text) {
        _cleanup_json_ json_t *object = NULL;

        if (json_read(text->data, text->size, &object, NULL) < 0 || !json_is_object(object))
                return;
        assert_int_equal(json_seal(object), 0);
        _cleanup_free_ char *sealed = json_write_compact(object);
        assert_non_null(sealed);
        buffer_done(text);
        assert_int_equal(buffer_append_string(text, sealed), 0);
}

static size_t torture_seed(const char *path, void (*prepare)(Buffer *), ScarceWork work, unsigned *n_good) {
        _cleanup_buffer_ Buffer text = BUFFER_INIT(1024U * 1024U);

        assert_int_equal(file_read(path, &text), 0);
        if (prepare)
                prepare(&text);
        int expected = work(&text);
        *n_good += expected == 0;
        return scarce_torture(work, &text, expected);
}

/* Each seed of a fuzz target, prepared if need be: what comes out with memory is what is expected. */
static void torture_corpus(const char *target, void (*prepare)(Buffer *), ScarceWork work) {
        struct dirent **seeds = NULL;
        char folder[4096], path[8192];
        size_t allocations = 0;
        unsigned n_good = 0;

        (void) snprintf(folder, sizeof(folder), "%s/tests/fuzz/corpus/%s", TOP_SRCDIR, target);
        int n = scandir(folder, &seeds, is_seed, alphasort);
        assert_true(n > 0);
        for (int i = 0; i < n; i++) {
                (void) snprintf(path, sizeof(path), "%s/%s", folder, seeds[i]->d_name);
                allocations += torture_seed(path, prepare, work, &n_good);
                free(seeds[i]);
        }
        free(seeds);
        printf("# %s: %d texts, of which %u are good, %zu allocations\n", target, n, n_good, allocations);
        assert_true(allocations > 0 && n_good > 0);
}

/* --- What is on the disk ------------------------------------------------------------------------------------------ */

static int record(const void *subject) {
        _cleanup_buffer_ Buffer again = BUFFER_INIT(RECORD_SIZE_MAX);
        const Buffer *text = subject;
        Record r;

        int error = record_decode(text->data, text->size, &r);
        return error < 0 ? error : record_encode(&r, &again);
}

static void test_record(void **state) {
        torture_corpus("record", seal, record);
}

static int attempt_record(const void *subject) {
        const Buffer *text = subject;
        AttemptRecord r;

        return attempt_record_decode(text->data, text->size, &r);
}

static void test_attempt_record(void **state) {
        torture_corpus("attempt-record", seal, attempt_record);
}

/* --- What the programs say to each other --------------------------------------------------------------------------- */

static int message(const void *subject) {
        _cleanup_buffer_ Buffer again = BUFFER_INIT(MESSAGE_SIZE_MAX);
        const Buffer *text = subject;
        Message m;

        int error = message_decode(text->data, text->size, &m);
        return error < 0 ? error : message_encode(&m, &again);
}

static void test_message(void **state) {
        torture_corpus("message", NULL, message);
}

/* --- What engine and platform say ---------------------------------------------------------------------------------- */

/* The first byte of these seeds tells the fuzz target which parser is meant. */
static int container_list(const void *subject) {
        const Buffer *text = subject;
        char id[65];
        bool found;

        return engine_parse_list(text->data + 1, text->size - 1, &found, id);
}

static int container_inspect(const void *subject) {
        const Buffer *text = subject;
        Container c;

        return engine_parse_inspect(text->data + 1, text->size - 1, &c);
}

static int container_local(const void *subject) {
        const Buffer *text = subject;
        LocalView view;

        return engine_parse_local(text->data + 1, text->size - 1, &view);
}

static int container_about(const void *subject) {
        const Buffer *text = subject;
        EngineFacts facts;

        return engine_parse_about(TOPIC_INFO, text->data + 1, text->size - 1, &facts);
}

static void test_containers(void **state) {
        torture_corpus("container", NULL, container_list);
        torture_corpus("container", NULL, container_inspect);
        torture_corpus("container", NULL, container_local);
        torture_corpus("container", NULL, container_about);
}

/* What takes memory of what a reply says; for a seed that says something else there is nothing to take. */
static int read_for_administrators(const json_t *object) {
        _cleanup_buffer_ Buffer roles = BUFFER_INIT(HTTP_BODY_MAX);
        TokenListing listing = {};
        int r = reply_read_tokens(object, &listing);

        token_listing_done(&listing);
        if (r != -ENOMEM)
                r = reply_rewrite_roles(object, role_bit(ROLE_ALLOCATOR), &roles);
        return r == -ENOMEM ? r : 0;
}

/* A reply is a value, so its lack of memory is one as well: a body that can't be read, which is asked for again. The seeds are of
 * the fuzz target: two bytes and a line before the body. */
static int reply(const void *subject) {
        const Buffer *seed = subject;
        const char *line_end = memchr(seed->data, '\n', seed->size), *body = line_end ? line_end + 1 : seed->data;
        _cleanup_buffer_ Buffer text = BUFFER_INIT(HTTP_BODY_MAX);
        _cleanup_json_ json_t *object = NULL;
        HttpReply r = { .status = 200 };

        if (buffer_append(&text, body, seed->size - (size_t) (body - seed->data)) < 0)
                return -ENOMEM;
        r.body = text;
        Observation seen = reply_judge(&r, "https://192.0.2.1:12443/x", &object);
        assert_true(observation_is_none(&seen) == (object != NULL));
        if (object)
                return read_for_administrators(object);
        return strstr(seen.detail, "memory") ? -ENOMEM : -EBADMSG;
}

static void test_reply(void **state) {
        torture_corpus("reply", NULL, reply);
}

/* --- Secrets ------------------------------------------------------------------------------------------------------ */

static int token(const void *subject) {
        const Buffer *text = subject;
        _cleanup_(token_freep) Token *accepted = NULL;
        Observation refusal = OBSERVATION_NONE;
        TokenRequest request = {
                .roles = role_bit(ROLE_ALLOCATOR) | role_bit(ROLE_PROXY),
                .validity_us = USEC_PER_HOUR,
                .sent_us = USEC_PER_MINUTE,
                .has_server_time = true,
                .server_time_s = 1700000000, /* an hour before the end of "ephemeral" */
        };
        Secret *secret = NULL;

        int error = secret_new(text->data, text->size, &secret);
        if (error >= 0)
                error = token_accept(secret, NULL, &request, &accepted, &refusal);
        if (error < 0)
                return error;
        assert_true((accepted != NULL) == observation_is_none(&refusal));
        return accepted ? 0 : -EBADMSG;
}

static void test_token(void **state) {
        torture_corpus("token", NULL, token);
}

static int credential(const void *subject) {
        const Buffer *text = subject;
        _cleanup_(secret_freep) Secret *printed = NULL, *basic = NULL;
        Observation refusal = OBSERVATION_NONE;

        int error = credential_from_output("/usr/bin/vault", text, &printed, &refusal);
        if (error < 0)
                return error;
        assert_true((printed != NULL) == observation_is_none(&refusal));
        return printed ? credential_basic("admin", printed, &basic) : -EBADMSG;
}

static void test_credential(void **state) {
        torture_corpus("credential", NULL, credential);
}

int main(void) {
        if (!scarce_memory_or_skip())
                return 0;
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_record),     cmocka_unit_test(test_attempt_record), cmocka_unit_test(test_message),
                cmocka_unit_test(test_containers), cmocka_unit_test(test_reply),          cmocka_unit_test(test_token),
                cmocka_unit_test(test_credential),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, scarce_memory_setup, NULL);
}
