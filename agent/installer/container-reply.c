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

#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "installer/container-engine.h"
#include "model/allow-list.h"

static bool is_container_id(const char *id) {
        return id && strlen(id) <= 64 && text_consists_of(id, "0123456789abcdef");
}

/* Docker writes "/name", some versions of Podman "name". */
static bool has_name(const json_t *container, const char *wanted) {
        const json_t *names = json_member_array(container, "Names");

        for (size_t i = 0; i < json_array_size(names); i++) {
                const char *name = json_string_value(json_array_get(names, i));

                if (name && streq(name + (*name == '/'), wanted))
                        return true;
        }
        return false;
}

/* 0, -EBADMSG whatever is wrong with the text, -ENOMEM. */
static int read_reply(const char *text, size_t n, json_t **ret) {
        int error = json_read(text, n, ret, NULL);

        return error == -ENOMEM || error >= 0 ? error : -EBADMSG;
}

int engine_parse_list(const char *text, size_t n, bool *ret_found, char ret_id[static 65]) {
        _cleanup_json_ json_t *list = NULL;
        int error = read_reply(text, n, &list);

        if (error < 0)
                return error;
        if (!json_is_array(list))
                return -EBADMSG;
        for (size_t i = 0; i < json_array_size(list); i++) {
                const json_t *container = json_array_get(list, i);
                const char *id = json_member_string(container, "Id");

                if (!has_name(container, INSTALLER_CONTAINER))
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
        const char *id, *label, *created;
        Container c = { 0 };
        int error = read_reply(text, n, &object);

        if (error < 0)
                return error;
        id = json_member_string(object, "Id");
        config = json_member_object(object, "Config");
        if (!is_container_id(id) ||
            parse_state(json_member_string(json_member_object(object, "State"), "Status"), &c.state) < 0)
                return -EBADMSG;
        (void) snprintf(c.id, sizeof(c.id), "%s", id);
        created = json_member_string(object, "Created");
        if (created) /* what is no time is a time that was not told */
                (void) clock_parse_rfc3339(created, &c.created_s);
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

/* The tag of REGISTRY:PORT/REPOSITORY/NAME:TAG, if it is a version; an image may be named by its digest as well. */
static void copy_version(const char *image, char ret[static 64]) {
        char why[ALLOW_LIST_WHY_SIZE];
        const char *name = image ? strrchr(image, '/') : NULL, *tag = strrchr(name ?: image ?: "", ':');

        if (tag && strlen(tag + 1) < 64 && allow_list_check(VALUE_VERSION, tag + 1, why) >= 0)
                (void) snprintf(ret, 64, "%s", tag + 1);
}

/* A container that is paused or starts again and again serves nobody: only "running" is running. */
static LocalState local_state(const json_t *container) {
        const char *state = json_member_string(container, "State");

        return state && streq(state, "running") ? LOCAL_RUNNING : LOCAL_STOPPED;
}

int engine_parse_local(const char *text, size_t n, LocalView *ret) {
        _cleanup_json_ json_t *list = NULL;
        LocalView view = { 0 };
        int error = read_reply(text, n, &list);

        if (error < 0)
                return error;
        if (!json_is_array(list))
                return -EBADMSG;
        for (size_t i = 0; i < json_array_size(list); i++)
                for (LocalPart part = 0; part < _LOCAL_PART_MAX; part++) {
                        const json_t *container = json_array_get(list, i);

                        if (!has_name(container, local_part_container(part)))
                                continue;
                        view.state[part] = local_state(container);
                        if (part == LOCAL_RUNNER)
                                copy_version(json_member_string(container, "Image"), view.version);
                }
        *ret = view;
        return 0;
}

/* A word that is missing stays ""; whoever judges it takes that for not told. */
static void copy_word(char *ret, size_t size, const json_t *object, const char *name) {
        const char *word = json_member_string(object, name);

        if (word && strlen(word) < size)
                (void) text_copy_printable(ret, size, word);
}

int engine_parse_about(EngineTopic topic, const char *text, size_t n, EngineFacts *ret) {
        _cleanup_json_ json_t *object = NULL;
        EngineFacts about = { .version = "" };
        int error = read_reply(text, n, &object);

        if (error < 0)
                return error;
        if (!json_is_object(object))
                return -EBADMSG;
        switch (topic) {
        case TOPIC_VERSION:
                copy_word(about.version, sizeof(about.version), object, "Version");
                break;
        case TOPIC_INFO:
                copy_word(about.driver, sizeof(about.driver), object, "Driver");
                copy_word(about.data_root, sizeof(about.data_root), object, "DockerRootDir");
                break;
        case TOPIC_BRIDGE:
                copy_word(about.bridge_icc, sizeof(about.bridge_icc), json_member_object(object, "Options"),
                          "com.docker.network.bridge.enable_icc");
                break;
        case _ENGINE_TOPIC_MAX:
                break;
        }
        *ret = about;
        return 0;
}
