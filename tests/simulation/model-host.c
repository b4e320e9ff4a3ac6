/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The host, in the place of its files and of what the agent tells: the spec (real YAML, through the
 * real reader), the record on disk, the credential, facts of the machine; and the journal, which
 * here is where the scenario's reasons are collected and a story is printed.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "host/host-facts.h"
#include "replaced.h"
#include "report/journal.h"
#include "report/status-file.h"
#include "world.h"

const TroubleRule *host_trouble(TroubleKind kind) {
        const TroubleRule *found = NULL;

        for (size_t i = 0; i < world->scenario->n_trouble; i++)
                if (world->scenario->trouble[i].kind == kind &&
                    when_holds(&world->scenario->trouble[i].when, world->now_us, 0))
                        found = &world->scenario->trouble[i];
        return found;
}

/* --- The spec ---------------------------------------------------------------------------------- */

/* What every scenario's spec says unless it says otherwise; all else is the default of the key. */
static const SpecChange usual[] = {
        { "version", "1" },
        { "trust.pins", "[\"sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\"]" },
        { "credential.api_key", "{from: credential, name: ece-api-key}" },
        { "host.roles", "[allocator]" },
        { "verify.drift_every", "0" }, /* or no play would come to an end */
        { "installer.script", "/opt/ece/elastic-cloud-enterprise.sh" },
};

#define ENTRIES_MAX (ELEMENTS(usual) + SPEC_CHANGES_MAX + DEEDS_MAX + 1)

typedef struct Entries {
        size_t n;
        SpecChange item[ENTRIES_MAX];
} Entries;

static void entries_set(Entries *e, const char *key, const char *value) {
        size_t i = 0;

        if (streq(key, "credential")) { /* none */
                for (i = 0; i < e->n && !text_starts_with(e->item[i].key, "credential."); i++)
                        ;
                if (i < e->n)
                        e->item[i] = e->item[--e->n];
                return;
        }
        /* Another kind of credential replaces the usual one. */
        if (text_starts_with(key, "credential."))
                for (; i < e->n && !text_starts_with(e->item[i].key, "credential."); i++)
                        ;
        else
                for (; i < e->n && !streq(e->item[i].key, key); i++)
                        ;
        if (i == e->n)
                e->n++;
        (void) snprintf(e->item[i].key, sizeof(e->item[i].key), "%s", key);
        (void) snprintf(e->item[i].value, sizeof(e->item[i].value), "%s", value);
}

/* Members of the section `prefix` ("", "retry.", "retry.backoff."), each once, in their order. */
static void emit(const Entries *e, const char *prefix, unsigned depth, Buffer *ret) {
        size_t length = strlen(prefix);

        for (size_t i = 0; i < e->n; i++) {
                const char *rest = e->item[i].key + length;
                size_t n = strcspn(rest, ".");
                char section[TEXT_SIZE + 1];
                bool told = false;

                if (!text_starts_with(e->item[i].key, prefix))
                        continue;
                (void) snprintf(section, sizeof(section), "%s%.*s.", prefix, (int) n, rest);
                for (size_t j = 0; j < i; j++)
                        told = told || text_starts_with(e->item[j].key, section);
                if (told)
                        continue;
                if (rest[n] == '\0')
                        (void) buffer_append_format(ret, "%*s%s: %s\n", (int) (2 * depth), "", rest, e->item[i].value);
                else {
                        (void) buffer_append_format(ret, "%*s%.*s:\n", (int) (2 * depth), "", (int) n, rest);
                        emit(e, section, depth + 1, ret);
                }
        }
}

/* malloc()ed YAML. */
static char *spec_text(void) {
        _cleanup_buffer_ Buffer text = BUFFER_INIT(SPEC_SIZE_MAX), list = BUFFER_INIT(1024);
        const Scenario *s = world->scenario;
        Entries e = { 0 };

        for (size_t i = 0; i < s->n_coordinators; i++)
                (void) buffer_append_format(&list, "%shttps://%s.example:12443", i == 0 ? "[" : ", ", s->coordinators[i]);
        (void) buffer_append_string(&list, "]");
        for (size_t i = 0; i < ELEMENTS(usual); i++)
                entries_set(&e, usual[i].key, usual[i].value);
        entries_set(&e, "coordinators", buffer_string(&list));
        for (size_t i = 0; i < s->n_spec; i++)
                entries_set(&e, s->spec[i].key, s->spec[i].value);
        for (size_t i = 0; i < s->n_deed; i++)
                if (s->deed[i].kind == DEED_SPEC_CHANGE && s->deed[i].at_us <= world->now_us)
                        entries_set(&e, s->deed[i].key, s->deed[i].value);
        emit(&e, "", 0, &text);
        return buffer_take(&text);
}

int __wrap_spec_load(const char *path, Problems *problems, Spec **ret) {
        _cleanup_free_ char *text = NULL;

        if (host_trouble(TROUBLE_SPEC_ABSENT))
                return -ENOENT;
        text = spec_text();
        return text ? spec_parse("enroll.yaml", text, strlen(text), problems, ret) : -ENOMEM;
}

/* --- Disk, credential, facts ------------------------------------------------------------------- */

int __wrap_file_replace(int dir_fd, const char *name, const void *bytes, size_t n, mode_t mode,
                        FileDurability durability) {
        Record record;

        if (!streq(name, RECORD_FILE))
                return 0;
        if (!world_touch())
                return 0;
        if (host_trouble(TROUBLE_DISK_FULL)) {
                world_tell("the record can't be written");
                world_touched();
                return -ENOSPC;
        }
        if (durability != FILE_DURABLE)
                world_break("a record is written durably");
        buffer_clear(&world->disk);
        if (buffer_append(&world->disk, bytes, n) < 0)
                abort();
        world->have_record = true;
        if (record_decode(bytes, n, &record) >= 0)
                platform_note_record(&record);
        world_touched();
        return 0;
}

int __wrap_credential_read(const SecretSource *source, bool allow_env, Secret **ret, Observation *refusal) {
        const char *secret = host_trouble(TROUBLE_CREDENTIAL_WRONG) ? "a-wrong-key" : GOOD_SECRET;

        *ret = NULL;
        *refusal = OBSERVATION_NONE;
        if (source == &world->agent->spec->token.pre_minted) {
                _cleanup_free_ char *token = platform_given_token();

                return secret_new(token, strlen(token), ret);
        }
        if (host_trouble(TROUBLE_CREDENTIAL_MISSING)) {
                *refusal = observe(ORIGIN_CREDENTIAL, 0, "missing", source->name, NULL);
                return 0;
        }
        return secret_new(secret, strlen(secret), ret);
}

int host_facts_add_user(const Spec *spec, HostFacts *facts) {
        (void) snprintf(facts->user_name, sizeof(facts->user_name), "elastic");
        (void) snprintf(facts->home, sizeof(facts->home), "/home/elastic");
        facts->user_known = true;
        facts->uid = facts->gid = 1234;
        return 0;
}

int host_facts_add_address(const Spec *spec, HostFacts *facts) {
        (void) snprintf(facts->default_address, sizeof(facts->default_address), "%s",
                        host_trouble(TROUBLE_NETWORK) ? "" : OUR_ADDRESS);
        return 0;
}

int host_facts_add_script(const Spec *spec, HostFacts *facts) {
        (void) snprintf(facts->script_version, sizeof(facts->script_version), "4.0.3");
        memset(facts->script_sha256, 'a', sizeof(facts->script_sha256) - 1);
        facts->script_sha256[sizeof(facts->script_sha256) - 1] = '\0';
        facts->script_executable = true;
        return 0;
}

int host_facts_add_paths(const Spec *spec, HostFacts *facts) {
        facts->engine_socket_present = facts->storage_present = true;
        return 0;
}

int host_facts_gather(const Spec *spec, HostFacts *ret) {
        *ret = (HostFacts) { 0 };
        (void) host_facts_add_user(spec, ret);
        (void) host_facts_add_address(spec, ret);
        (void) host_facts_add_script(spec, ret);
        return host_facts_add_paths(spec, ret);
}

void host_machine_id(char ret[static MACHINE_ID_SIZE]) {
        (void) snprintf(ret, MACHINE_ID_SIZE, "%s", "4c2f0a9d51e84b7b9f3d6a1c8e7b5d42");
}

/* --- What is told ------------------------------------------------------------------------------ */

bool host_met(const char *reason) {
        for (size_t i = 0; i < world->n_sightings; i++)
                if (streq(world->sighting[i].reason, reason))
                        return true;
        return false;
}

static void see(const Report *report) {
        const Outcome *reason = &report->reason;

        if (world->agent_dead || reason->class == CLASS_OK)
                return;
        if (!host_met(reason->reason) && world->n_sightings < ELEMENTS(world->sighting))
                memcpy(world->sighting[world->n_sightings++].reason, reason->reason, REASON_ID_SIZE);
        if (reason->class != CLASS_PERMANENT && reason->class != CLASS_CREDENTIAL)
                world->permanent[0] = '\0';
        else if (!streq(world->permanent, reason->reason)) {
                memcpy(world->permanent, reason->reason, REASON_ID_SIZE);
                world->count.after_permanent = 0;
        }
}

void journal_transition(const Report *report) {
        see(report);
        promises_check_state();
        if (report->reason.class == CLASS_OK)
                world_tell("-> %s", report->state);
        else
                world_tell("-> %s  [%s] %.100s", report->state, report->reason.reason, report->reason.text);
}

void journal_trouble(const Report *report) {
        see(report);
        world_tell("   [%s] %.110s", report->reason.reason, report->reason.text);
}

void journal_installer_line(const char *line, const char *runner_id) {
        world_tell("   installer: %s", line);
}

int status_file_publish(int runtime_fd, const Report *report, usec_t now_realtime_us) {
        return 0;
}
