/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Merging by relinking.
 *
 * Nothing is copied and nothing can fail. A replaced member keeps its rank in the mapping (the
 * order of memory settings and tags is the main file's), a new one goes to the end. The pairs of
 * mappings still to be merged wait on a stack: a pair is at most as deep as the reader lets a tree
 * be, but a mapping may hold many, so each pair remembers where it is.
 */

#include "model/spec-merge.h"

#include <assert.h>
#include <string.h>

#include "model/spec.h"

typedef struct Pair {
        YamlNode *base;
        YamlNode *next; /* member of the other mapping that comes next */
} Pair;

/* The link that points to the member with this key, or the one at the end. */
static YamlNode **find_link(YamlNode *mapping, const char *key) {
        YamlNode **link = &mapping->first;

        while (*link && strcmp((*link)->key, key) != 0)
                link = &(*link)->next;
        return link;
}

/* Puts `member` where *link points, in place of what is there. */
static void replace(YamlNode *mapping, YamlNode **link, YamlNode *member) {
        YamlNode *old = *link;

        member->next = old ? old->next : NULL;
        *link = member;
        if (!old)
                mapping->n_children++;
}

void spec_merge(YamlNode *base, YamlNode *over) {
        Pair stack[SPEC_DEPTH_MAX + 1];
        size_t depth = 0;

        stack[depth++] = (Pair) { base, over->first };
        while (depth > 0) {
                Pair *top = stack + depth - 1;
                YamlNode *member = top->next;

                if (!member) {
                        depth--;
                        continue;
                }
                top->next = member->next;
                YamlNode **link = find_link(top->base, member->key);
                if (*link && (*link)->kind == YAML_NODE_MAPPING &&
                    member->kind == YAML_NODE_MAPPING) {
                        assert(depth < SPEC_DEPTH_MAX + 1);
                        stack[depth++] = (Pair) { *link, member->first };
                } else
                        replace(top->base, link, member);
        }
}
