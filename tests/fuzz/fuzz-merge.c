/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Drop-ins over a main file: the input is up to four documents with NUL bytes between them, each read into a tree as
 * yaml-tree.h promises it, merged in order and decoded. What a drop-in says is found in the result, in its own place,
 * and the result is a tree of the same bounds.
 */

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "model/spec-decode.h"
#include "model/spec-merge.h"

#define DOCUMENTS_MAX 4U

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(int condition) {
        if (!condition)
                abort();
}

/* Counts a tree's nodes while it looks at each. Recursion is as deep as the reader lets a tree be. */
static size_t expect_sound(const YamlNode *node, unsigned depth) {
        size_t n = 0, total = 1;

        expect(depth <= SPEC_DEPTH_MAX + 1);
        if (node->kind == YAML_NODE_REFUSED) /* nobody reads on in it, so it promises nothing */
                return total;
        expect((node->kind == YAML_NODE_SCALAR) == (node->text != NULL));
        for (const YamlNode *child = node->first; child; child = child->next, n++) {
                expect(node->kind == YAML_NODE_MAPPING || node->kind == YAML_NODE_SEQUENCE);
                expect((node->kind == YAML_NODE_MAPPING) == (child->key != NULL));
                for (const YamlNode *other = child->next; child->key && other; other = other->next)
                        expect(strcmp(child->key, other->key) != 0);
                total += expect_sound(child, depth + 1);
        }
        expect(n == node->n_children);
        return total;
}

/* `said` is a second reading of what was merged into `merged`. */
static void expect_said(const YamlNode *merged, const YamlNode *said) {
        for (const YamlNode *member = said->first; member; member = member->next) {
                const YamlNode *found = yaml_member(merged, member->key);

                expect(found && found->kind == member->kind);
                if (member->kind == YAML_NODE_MAPPING)
                        expect_said(found, member);
                else
                        expect(found->place.line == member->place.line && found->place.column == member->place.column &&
                               found->n_children == member->n_children);
                expect(!member->text || strcmp(found->text, member->text) == 0);
        }
}

static YamlTree *read_tree(const char *text, size_t n) {
        _cleanup_problems_ Problems problems = { 0 };
        YamlTree *tree = NULL;

        int r = yaml_tree_read("fuzz", text, n, &problems, &tree);
        expect(r == 0 && (tree || problems.n_errors > 0));
        if (tree)
                expect(yaml_tree_root(tree)->kind == YAML_NODE_MAPPING &&
                       expect_sound(yaml_tree_root(tree), 0) <= SPEC_NODES_MAX + 1);
        return tree;
}

static void decode(const YamlNode *root) {
        _cleanup_problems_ Problems problems = { 0 };
        _cleanup_(spec_freep) Spec *spec = calloc(1, sizeof(Spec));
        _cleanup_free_ Decoder *d = calloc(1, sizeof(Decoder));

        if (!spec || !d)
                return;
        *d = (Decoder) { .spec = spec, .problems = &problems, .root = root };
        expect(spec_decode(d) == 0 && spec_check(d) == 0);
        for (size_t i = 0; i < problems.n; i++)
                expect(problems.items[i].text[0] != '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        YamlTree *trees[DOCUMENTS_MAX] = { NULL };
        const char *text = (const char *) data, *end = text + size;
        YamlNode *root = NULL;

        for (size_t i = 0; i < DOCUMENTS_MAX && text <= end && size > 0; i++) {
                const char *nul = memchr(text, '\0', (size_t) (end - text));
                size_t n = (size_t) ((nul && i + 1 < DOCUMENTS_MAX ? nul : end) - text);

                trees[i] = read_tree(text, n);
                if (trees[i] && root) {
                        _cleanup_(yaml_tree_freep) YamlTree *again = read_tree(text, n);

                        spec_merge(root, yaml_tree_root(trees[i]));
                        expect_said(root, yaml_tree_root(again));
                } else if (trees[i])
                        root = yaml_tree_root(trees[i]);
                text += n + 1;
        }
        if (root) {
                (void) expect_sound(root, 0);
                decode(root);
        }
        for (size_t i = 0; i < DOCUMENTS_MAX; i++)
                (void) yaml_tree_free(trees[i]);
        return 0;
}
