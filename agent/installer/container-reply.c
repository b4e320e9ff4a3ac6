/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What the engine says of a container. The list tells whether one of the name is there (its filter
 * matches parts of names, so the name is compared again); all else comes from the inspection of
 * that one, because only that knows the environment. A field that is missing is left empty: whoever
 * judges whose container it is takes "not told" for "not ours".
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "base/text.h"
#include "installer/container-engine.h"

static bool is_container_id(const char *id) {
        return id && strlen(id) <= 64 && text_consists_of(id, "0123456789abcdef");
}

/* Docker writes "/name", some versions of Podman "name". */
static bool has_name(const json_t *container) {
        const json_t *names = json_member_array(container, "Names");

        for (size_t i = 0; i < json_array_size(names); i++) {
                const char *name = json_string_value(json_array_get(names, i));

                if (name && streq(name + (*name == '/'), INSTALLER_CONTAINER))
                        return true;
        }
        return false;
}

int engine_parse_list(const char *text, size_t n, bool *ret_found, char ret_id[static 65]) {
        _cleanup_json_ json_t *list = NULL;

        if (json_read(text, n, &list, NULL) < 0 || !json_is_array(list))
                return -EBADMSG;
        for (size_t i = 0; i < json_array_size(list); i++) {
                const json_t *container = json_array_get(list, i);
                const char *id = json_member_string(container, "Id");

                if (!has_name(container))
                        continue;
                if (!is_container_id(id))
                        return -EBADMSG;
                (void) snprintf(ret_id, 65, "%s", id);
                *ret_found = true;
                return 0;
        }
        *ret_found = false;
        return 0;
}

static int parse_state(const char *status, ContainerState *ret) {
        static const struct {
                const char *status;
                ContainerState state;
        } rows[] = {
                { "running", CONTAINER_ALIVE },     { "paused", CONTAINER_ALIVE },
                { "restarting", CONTAINER_ALIVE },  { "stopping", CONTAINER_ALIVE },
                { "created", CONTAINER_CREATED },   { "configured", CONTAINER_CREATED },
                { "initialized", CONTAINER_CREATED }, { "exited", CONTAINER_DEAD },
                { "stopped", CONTAINER_DEAD },      { "dead", CONTAINER_DEAD },
                { "removing", CONTAINER_REMOVING },
        };

        for (size_t i = 0; status && i < ELEMENTS(rows); i++)
                if (streq(rows[i].status, status)) {
                        *ret = rows[i].state;
                        return 0;
                }
        return -EBADMSG;
}

/* Whole seconds of RFC 3339. The engine's offset is "Z" with Docker; Podman may print a local one.
 * */
static int64_t parse_created(const char *text) {
        struct tm tm = { 0 };
        const char *rest = text ? strptime(text, "%Y-%m-%dT%H:%M:%S", &tm) : NULL;
        long offset_s = 0;

        if (!rest)
                return 0;
        rest += strspn(rest, ".0123456789");
        if ((*rest == '+' || *rest == '-') && strlen(rest) >= 6) {
                offset_s = ((rest[1] - '0') * 10 + (rest[2] - '0')) * 3600L +
                           ((rest[4] - '0') * 10 + (rest[5] - '0')) * 60L;
                if (*rest == '-')
                        offset_s = -offset_s;
        }
        return (int64_t) timegm(&tm) - offset_s;
}

static void copy_last_word(const json_t *words, char *ret, size_t size) {
        size_t n = json_array_size(words);
        const char *word = n > 0 ? json_string_value(json_array_get(words, n - 1)) : NULL;
        const char *base = word ? strrchr(word, '/') : NULL;

        if (word)
                (void) text_copy_printable(ret, size, base ? base + 1 : word);
}

static void find_runner_id(const json_t *environment, char *ret, size_t size) {
        static const char name[] = "RUNNER_ID=";

        for (size_t i = 0; i < json_array_size(environment); i++) {
                const char *pair = json_string_value(json_array_get(environment, i));

                if (pair && text_starts_with(pair, name))
                        (void) text_copy_printable(ret, size, pair + strlen(name));
        }
}

int engine_parse_inspect(const char *text, size_t n, Container *ret) {
        _cleanup_json_ json_t *object = NULL;
        const json_t *config, *labels;
        const char *id, *label;
        Container c = { 0 };

        if (json_read(text, n, &object, NULL) < 0)
                return -EBADMSG;
        id = json_member_string(object, "Id");
        config = json_member_object(object, "Config");
        if (!is_container_id(id) ||
            parse_state(json_member_string(json_member_object(object, "State"), "Status"), &c.state) < 0)
                return -EBADMSG;
        (void) snprintf(c.id, sizeof(c.id), "%s", id);
        c.created_s = parse_created(json_member_string(object, "Created"));
        labels = json_member_object(config, "Labels");
        label = json_member_string(labels, ATTEMPT_LABEL);
        if (label && strlen(label) < sizeof(c.label))
                (void) text_copy_printable(c.label, sizeof(c.label), label);
        copy_last_word(json_member_array(config, "Entrypoint"), c.command, sizeof(c.command));
        copy_last_word(json_member_array(config, "Cmd"), c.command, sizeof(c.command));
        find_runner_id(json_member_array(config, "Env"), c.runner_id, sizeof(c.runner_id));
        *ret = c;
        return 0;
}
