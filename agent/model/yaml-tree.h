/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * YAML as a bounded tree of nodes that know their place.
 *
 * Only what a spec needs survives: mappings with scalar keys, sequences, scalars. Anchors, aliases,
 * tags, duplicate keys and further documents are problems, not features.
 */

#include <stdbool.h>
#include <stddef.h>

#include "model/problem.h"

typedef enum YamlKind {
        YAML_NODE_SCALAR,
        YAML_NODE_SEQUENCE,
        YAML_NODE_MAPPING,
        YAML_NODE_REFUSED, /* a problem was reported here already: say nothing more about it */
} YamlKind;

typedef struct YamlNode {
        YamlKind kind;
        Place place;
        char *text; /* scalar: content without NUL bytes; NULL otherwise */
        bool plain; /* scalar: written without quotes */

        char *key;  /* member of a mapping; NULL otherwise */
        Place key_place;

        struct YamlNode *first, *next; /* children in file order */
        size_t n_children;
} YamlNode;

typedef struct YamlTree YamlTree;

YamlTree *yaml_tree_free(YamlTree *tree); /* accepts NULL, returns NULL */
static inline void yaml_tree_freep(YamlTree **slot) {
        (void) yaml_tree_free(*slot);
}

/* Reads one document. 0 with *ret (problems may have errors all the same: the tree goes on where it
 * can); 0 with *ret NULL when there is no usable tree, and problems says why; -ENOMEM. file is
 * borrowed. */
int yaml_tree_read(const char *file, const char *text, size_t n, Problems *problems,
                   YamlTree **ret);

/* A mapping. The nodes belong to the tree, but spec-merge.h relinks them. */
YamlNode *yaml_tree_root(YamlTree *tree);

/* Member of a mapping, or NULL (also when node is NULL or no mapping). */
YamlNode *yaml_member(const YamlNode *node, const char *key);

/* Puts child at the end of parent's children. */
void yaml_append(YamlNode *parent, YamlNode *child);

/* A plain scalar that YAML reads as null: nothing at all, "~" or "null". */
bool yaml_is_null(const YamlNode *node);

/* "a mapping", "a list", "a single value". */
const char *yaml_kind_words(const YamlNode *node);
