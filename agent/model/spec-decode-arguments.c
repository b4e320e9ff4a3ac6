/* SPDX-License-Identifier: Apache-2.0 */

/*
 * installer.extra_args: the door for options that the spec has no key for.
 *
 * A narrow one. Whatever has a key goes through its key; what would take the agent's own decisions
 * away, is broken in the installer or ends it early is refused with the reason. The rest is options
 * and their values by form; whether the script knows them is the script's business (it exits 3,
 * which is final). Only memory fails.
 */

#include "model/spec-decode.h"

#include "base/text.h"

static const struct {
        const char *option;
        const char *sentence;
} refused[] = {
        { "--coordinator-host", "it is chosen among coordinators" },
        { "--roles-token",
          "the token is handed over by the agent; secrets do not belong in the spec" },
        { "--roles", "use the key host.roles" },
        { "--runner-id", "use the key host.runner_id" },
        { "--host-ip", "use the key host.host_ip" },
        { "--availability-zone", "use the key host.availability_zone" },
        { "--capacity", "use the key host.capacity" },
        { "--memory-settings", "use the key host.memory_settings" },
        { "--allocator-tags", "use the key host.allocator_tags" },
        { "--external-hostname", "use the key host.external_hostnames" },
        { "--host-storage-path", "use the key installer.storage_path" },
        { "--host-docker-host", "use the key installer.engine_socket" },
        { "--cloud-enterprise-version", "use the key installer.version" },
        { "--docker-registry", "use the key installer.docker_registry" },
        { "--ece-docker-repository", "use the key installer.ece_docker_repository" },
        { "--timeout-factor", "use the key installer.timeout_factor" },
        { "--force", "use the key installer.force" },
        { "--podman", "use the key installer.engine" },
        { "--selinux", "use the key installer.selinux" },
        { "--environment-metadata", "the installer garbles its value" },
        { "--api-base-url", "the API is found through coordinators" },
        { "--help", "the installer would print its help and exit 0" },
        { "help", "the installer would print its help and exit 0" },
};

const char *refused_argument(size_t n) {
        return n < ELEMENTS(refused) ? refused[n].option : NULL;
}

static const char *find_refused(const char *argument) {
        for (size_t i = 0; i < ELEMENTS(refused); i++)
                if (streq(refused[i].option, argument))
                        return refused[i].sentence;
        return NULL;
}

/* after_option: the item before this one was an option, so this may be its value; set for the next
 * one. */
static int decode_argument(Decoder *d, SpecKey key, const YamlNode *item, bool *after_option) {
        const char *path = spec_schema(key)->path, *text;
        char why[ALLOW_LIST_WHY_SIZE];

        int r = decode_scalar(d, key, item, &text);
        if (r < 0 || !text) {
                *after_option = true; /* whatever it was: no follow-up errors */
                return r;
        }
        bool option = text[0] == '-', may_be_value = *after_option;
        *after_option = option;

        const char *sentence = find_refused(text);
        if (sentence)
                return decode_refuse(d, key, &item->place, "%s: '%s' is refused; %s", path, text,
                                     sentence);
        if (text_starts_with(text, "--") && strchr(text, '='))
                return decode_refuse(
                        d, key, &item->place,
                        "%s: the installer wants option and value as two items, without '='", path);
        if (allow_list_check(option ? VALUE_OPTION : VALUE_PLAIN, text, why) < 0)
                return decode_refuse(d, key, &item->place, "%s: an argument %s", path, why);
        if (!option && !may_be_value)
                return decode_refuse(d, key, &item->place,
                                     "%s: a value must follow its option; this one follows none",
                                     path);
        return string_list_add(decode_slot(d, key), SPEC_LIST_MAX, text);
}

int decode_arguments(Decoder *d, SpecKey key, const YamlNode *node) {
        bool list, after_option = false;

        int r = decode_list(d, key, node, SPEC_LIST_MAX, &list);
        if (r < 0 || !list)
                return r;
        for (const YamlNode *item = node->first; item && r == 0; item = item->next)
                r = decode_argument(d, key, item, &after_option);
        return r;
}
