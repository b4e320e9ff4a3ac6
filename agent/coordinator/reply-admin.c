/* SPDX-License-Identifier: Apache-2.0 */

/*
 * From the coordinator's objects to what the administrative questions need: tokens, roles to be set, holders of a role,
 * an allocator's load, moves that were begun. Like reply-views.c: few members, the rest passed over. Pure but for memory.
 */

#include <errno.h>
#include <stdio.h>

#include "base/text.h"
#include "coordinator/coordinator-private.h"
#include "coordinator/reply.h"

static bool read_token(const json_t *object, ListedToken *ret) {
        const json_t *roles = json_object_get(object, "roles");
        const char *id = json_member_string(object, "token_id");
        ListedToken token = {};

        if (!id || !token_id_is_sound(id) || !json_is_array(roles))
                return false;
        text_copy_printable(token.id, sizeof(token.id), id);
        for (size_t i = 0; i < json_array_size(roles); i++) {
                const char *name = json_string_value(json_array_get(roles, i));
                Role role = name ? role_from_string(name) : _ROLE_INVALID;

                if (!name)
                        return false;
                if (role >= 0)
                        token.roles |= role_bit(role);
                else
                        token.foreign_roles++;
        }
        *ret = token;
        return true;
}

int reply_read_tokens(const json_t *object, TokenListing *ret) {
        const json_t *tokens = json_member_array(object, "tokens");

        if (!tokens)
                return -EBADMSG;
        for (size_t i = 0; i < json_array_size(tokens); i++) {
                ListedToken token;
                int r = read_token(json_array_get(tokens, i), &token) ? token_listing_add(ret, &token) : -EBADMSG;

                if (r < 0)
                        return r;
        }
        return 0;
}

static int add_role(json_t *list, const char *name) {
        json_t *item = json_pack("{s:s}", "role_name", name);

        return item && json_array_append_new(list, item) == 0 ? 0 : -ENOMEM;
}

/* What ECE has assigned itself, or a later release calls a role. */
static int add_kept_roles(json_t *list, const json_t *runner) {
        const json_t *roles = json_member_array(runner, "roles");

        if (!roles)
                return -EBADMSG;
        for (size_t i = 0; i < json_array_size(roles); i++) {
                const char *name = json_member_string(json_array_get(roles, i), "role_name");
                int r = !name ? -EBADMSG : role_from_string(name) < 0 ? add_role(list, name) : 0;

                if (r < 0)
                        return r;
        }
        return 0;
}

int reply_rewrite_roles(const json_t *runner, RoleSet wanted, Buffer *ret) {
        _cleanup_json_ json_t *body = json_pack("{s:[]}", "roles");
        json_t *list = json_object_get(body, "roles");
        int r;

        if (!list)
                return -ENOMEM;
        r = add_kept_roles(list, runner);
        for (Role role = 0; r >= 0 && role < _ROLE_MAX; role++)
                if (role_set_has(wanted, role))
                        r = add_role(list, role_to_string(role));
        return r < 0 ? r : json_write(body, JSON_COMPACT, ret);
}

bool reply_read_holders(const json_t *object, const char *but_for, Holders *ret) {
        json_t *value = json_member_object(json_member_object(object, "blessings"), "value");
        json_t *runners = json_member_object(value, "runner_ids_to_blessing");
        const char *id;
        json_t *blessing;

        *ret = (Holders){};
        if (!runners)
                return false;
        json_object_foreach(runners, id, blessing) {
                if (streq(id, but_for) || !json_member_bool(blessing, "value", false) || strlen(id) >= sizeof(ret->id[0]) ||
                    !token_id_is_sound(id) || ret->n == HOLDERS_MAX)
                        continue;
                text_copy_printable(ret->id[ret->n++], sizeof(ret->id[0]), id);
        }
        return true;
}

bool reply_read_load(const json_t *object, AllocatorLoad *ret) {
        const json_t *status = json_member_object(object, "status"), *instances = json_member_array(object, "instances");
        const json_t *connected = json_object_get(status, "connected"),
                     *maintenance = json_object_get(status, "maintenance_mode");

        if (!json_is_boolean(connected) || !json_is_boolean(maintenance) || !instances)
                return false;
        *ret = (AllocatorLoad){
                .found = true,
                .connected = json_is_true(connected),
                .maintenance = json_is_true(maintenance),
                .instances = (unsigned) json_array_size(instances),
                .memory_mb = json_member_integer(json_member_object(json_member_object(object, "capacity"), "memory"), "used", 0),
        };
        for (size_t i = 0; i < json_array_size(instances); i++)
                ret->moving += json_member_bool(json_array_get(instances, i), "moving", false);
        return true;
}

static void note_refusal(const json_t *cluster, Moves *ret) {
        const json_t *error = json_array_get(json_member_array(cluster, "errors"), 0);
        const char *id = json_member_string(cluster, "cluster_id"), *code = json_member_string(error, "code"),
                   *message = json_member_string(error, "message");
        char text[sizeof(ret->first_refusal)];

        if (ret->refused++ > 0)
                return;
        (void) snprintf(text, sizeof(text), "%.64s: %.64s%s%.120s", id ?: "a cluster", code ?: "", code && message ? ": " : "",
                        message ? message
                        : code  ? ""
                                : "no reason was given");
        text_copy_printable(ret->first_refusal, sizeof(ret->first_refusal), text);
}

void reply_read_moves(const json_t *object, Moves *ret) {
        static const char *const kinds[] = { "elasticsearch_clusters", "kibana_clusters", "apm_clusters", "appsearch_clusters",
                                             "enterprise_search_clusters" };

        *ret = (Moves){};
        for (size_t k = 0; k < ELEMENTS(kinds); k++) {
                const json_t *refused = json_member_array(json_member_object(object, "failures"), kinds[k]);

                ret->begun += (unsigned) json_array_size(json_member_array(json_member_object(object, "moves"), kinds[k]));
                for (size_t i = 0; i < json_array_size(refused); i++)
                        note_refusal(json_array_get(refused, i), ret);
        }
}
