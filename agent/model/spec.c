/* SPDX-License-Identifier: Apache-2.0 */

/*
 * From files to a Spec.
 *
 * Every file is read into a tree of its own, so that each tells its own problems; then the drop-ins
 * are merged over the main file and the result is decoded once. A file that gave no tree is not
 * papered over: what can be checked is checked, but nothing is called missing or inconsistent that
 * the unread file may have said. The Spec exists only when no error was found. What the machine
 * does to us (memory, permissions) is an errno.
 */

#include "model/spec.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "model/spec-decode.h"
#include "model/spec-files.h"
#include "model/spec-merge.h"

size_t string_list_size(char *const *list) {
        size_t n = 0;

        while (list && list[n])
                n++;
        return n;
}

void string_list_free(char **list) {
        for (size_t i = 0; list && list[i]; i++)
                free(list[i]);
        free(list);
}

static void spec_host_done(Spec *s) {
        free(s->host.runner_id);
        free(s->host.host_ip);
        free(s->host.availability_zone);
        free(s->host.memory_settings);
        free(s->host.allocator_tags);
        string_list_free(s->host.external_hostnames);
}

static void spec_installer_done(Spec *s) {
        free(s->installer.script);
        free(s->installer.sha256);
        free(s->installer.version);
        free(s->installer.user);
        free(s->installer.storage_path);
        free(s->installer.engine_socket);
        free(s->installer.docker_registry);
        free(s->installer.ece_docker_repository);
        free(s->installer.timeout_factor);
        string_list_free(s->installer.extra_args);
}

Spec *spec_free(Spec *s) {
        if (!s)
                return NULL;
        string_list_free(s->files);
        string_list_free(s->coordinators);
        free(s->trust.ca_file);
        string_list_free(s->trust.pins);
        free(s->client.certificate);
        secret_source_done(&s->client.key);
        free(s->proxy.url);
        string_list_free(s->proxy.exceptions);
        free(s->proxy.user);
        secret_source_done(&s->proxy.password);
        free(s->credential.user);
        secret_source_done(&s->credential.secret);
        secret_source_done(&s->token.pre_minted);
        spec_host_done(s);
        spec_installer_done(s);
        free(s->report.hooks_dir);
        free(s->report.metrics_textfile);
        free(s->report.webhook_url);
        free(s->report.webhook_ca_file);
        secret_source_done(&s->report.webhook_hmac_key);
        free(s);
        return NULL;
}

typedef struct Trees {
        YamlTree *items[SPEC_FILES_MAX];
        bool whole; /* every file gave one */
} Trees;

static void trees_done(Trees *trees) {
        for (size_t i = 0; i < SPEC_FILES_MAX; i++)
                trees->items[i] = yaml_tree_free(trees->items[i]);
}

/* One tree per file; what concerns a file alone is checked here, before the merge may hide it. */
static int read_trees(const SpecFiles *files, Problems *problems, Trees *trees) {
        trees->whole = !files->incomplete;
        for (size_t i = 0; i < files->n; i++) {
                if (files->unreadable[i]) {
                        trees->whole = false;
                        continue;
                }
                int r = yaml_tree_read(files->names[i], buffer_string(files->text + i),
                                       files->text[i].size, problems, trees->items + i);
                if (r < 0)
                        return r;
                if (!trees->items[i]) {
                        trees->whole = false;
                        continue;
                }
                r = spec_decode_version(problems, yaml_tree_root(trees->items[i]), i == 0);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int digest_files(const SpecFiles *files, char ret[static SHA256_HEX_SIZE]) {
        _cleanup_buffer_ Buffer all = BUFFER_INIT((size_t) SPEC_SIZE_MAX * SPEC_FILES_MAX);

        for (size_t i = 0; i < files->n; i++) {
                int r = buffer_append(&all, buffer_string(files->text + i), files->text[i].size);
                if (r < 0)
                        return r;
        }
        return bytes_sha256(buffer_string(&all), all.size, ret);
}

/* Merges into the first tree there is and decodes it. */
static int decode_trees(const Trees *trees, size_t n, Problems *problems, Spec *spec) {
        _cleanup_free_ Decoder *d = calloc(1, sizeof(Decoder));
        YamlNode *root = NULL;

        if (!d)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                if (!trees->items[i])
                        continue;
                if (root)
                        spec_merge(root, yaml_tree_root(trees->items[i]));
                else
                        root = yaml_tree_root(trees->items[i]);
        }
        if (!root)
                return 0;
        *d = (Decoder){
                .spec = spec, .problems = problems, .root = root, .partial = !trees->whole
        };
        int r = spec_decode(d);
        return r < 0 || d->partial ? r : spec_check(d);
}

/* Errors that came after `before`. A list that is full of errors holds no more than it holds: then
 * what it dropped counts too. */
static bool has_new_errors(const Problems *before, const Problems *now) {
        return now->n_errors > before->n_errors ||
               (now->n_errors == PROBLEMS_MAX && now->dropped > before->dropped);
}

static int spec_from_files(SpecFiles *files, const Problems *before, Problems *problems,
                           Spec **ret) {
        _cleanup_(spec_freep) Spec *spec = calloc(1, sizeof(Spec));
        _cleanup_(trees_done) Trees trees = { 0 };

        if (!spec)
                return -ENOMEM;
        int r = read_trees(files, problems, &trees);
        if (r == 0)
                r = decode_trees(&trees, files->n, problems, spec);
        problems_sort(problems);
        if (r < 0)
                return r;
        if (has_new_errors(before, problems))
                return -EINVAL;
        r = digest_files(files, spec->digest);
        if (r < 0)
                return r;
        spec->owner = files->owner;
        spec->files = TAKE_PTR(files->names);
        *ret = TAKE_PTR(spec);
        return 0;
}

int spec_load(const char *path, Problems *problems, Spec **ret) {
        _cleanup_(spec_files_done) SpecFiles files = { 0 };
        const Problems before = *problems;

        int r = spec_files_read(path, problems, &files);
        if (r < 0) {
                problems_sort(problems);
                return r;
        }
        return spec_from_files(&files, &before, problems, ret);
}

int spec_parse(const char *file_name, const char *text, size_t n, Problems *problems, Spec **ret) {
        _cleanup_(spec_files_done) SpecFiles files = { 0 };
        const Problems before = *problems;

        int r = spec_files_take(file_name, text, n, problems, &files);
        if (r < 0)
                return r;
        return spec_from_files(&files, &before, problems, ret);
}
