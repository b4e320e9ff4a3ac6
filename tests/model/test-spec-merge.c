/* SPDX-License-Identifier: Apache-2.0 */

/* Merging trees: mappings merge, all else replaces, and every node keeps its place. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/buffer.h"
#include "base/text.h"
#include "model/spec-merge.h"

#define FILES_MAX 4

typedef struct Row {
        const char *texts[FILES_MAX]; /* in merge order; NULL: no more */
        const char *merged;           /* with the number of the file that each value comes from */
} Row;

static const Row rows[] = {
        { { "a: 1" }, "a=1@0" },
        { { "a: 1", "a: 2" }, "a=2@1" },
        { { "a: 1", "b: 2" }, "a=1@0 b=2@1" },
        { { "a: 1\nb: 2\nc: 3", "b: x" }, "a=1@0 b=x@1 c=3@0" },
        { { "m: {a: 1, b: 2}", "m: {b: x, c: y}" }, "m{a=1@0 b=x@1 c=y@1}" },
        { { "m: {n: {a: 1}, o: 2}", "m: {n: {b: 3}}" }, "m{n{a=1@0 b=3@1} o=2@0}" },
        { { "l: [1, 2]", "l: [3]" }, "l[3@1]" },
        { { "l: [1]", "l: []" }, "l[]" },
        { { "m: {a: 1}", "m: 2" }, "m=2@1" },
        { { "m: 2", "m: {a: 1}" }, "m{a=1@1}" },
        { { "m: {a: 1}", "m: {}" }, "m{a=1@0}" },
        { { "m: {a: 1}", "m: [x]" }, "m[x@1]" },
        { { "m: {a: 1}", "m: {a: {b: 1}}", "m: {a: {c: 2}}" }, "m{a{b=1@1 c=2@2}}" },
        { { "a: 1", "a: 2", "a: 3", "b: 4" }, "a=3@2 b=4@3" },
        { { "a: {x: 1}\nb: {x: 1}\nc: 1", "b: {y: 2}\na: {y: 2}\nd: 4" },
          "a{x=1@0 y=2@1} b{x=1@0 y=2@1} c=1@0 d=4@1" },
        { { "a: {b: {c: {d: {e: {f: {g: 1}}}}}}", "a: {b: {c: {d: {e: {f: {h: 2}}}}}}" },
          "a{b{c{d{e{f{g=1@0 h=2@1}}}}}}" },
};

static const char *const names[FILES_MAX] = { "0", "1", "2", "3" };

/* Test data decides the depth here. */
static void print_node(const YamlNode *node, Buffer *out) {
        const char *open = node->kind == YAML_NODE_MAPPING ? "{" : "[",
                   *close = node->kind == YAML_NODE_MAPPING ? "}" : "]";
        size_t n = 0;

        if (node->key)
                assert_int_equal(buffer_append_string(out, node->key), 0);
        if (node->kind == YAML_NODE_SCALAR) {
                assert_int_equal(buffer_append_format(out, "%s%s@%s", node->key ? "=" : "",
                                                      node->text, node->place.file),
                                 0);
                return;
        }
        if (node->key)
                assert_int_equal(buffer_append_string(out, open), 0);
        for (const YamlNode *child = node->first; child; child = child->next) {
                if (n++ > 0)
                        assert_int_equal(buffer_append_string(out, " "), 0);
                print_node(child, out);
        }
        assert_int_equal(node->n_children, n);
        if (node->key)
                assert_int_equal(buffer_append_string(out, close), 0);
}

static void test_rows(void **state) {
        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                _cleanup_problems_ Problems problems = { 0 };
                _cleanup_buffer_ Buffer got = BUFFER_INIT(4096);
                YamlTree *trees[FILES_MAX] = { NULL };

                for (size_t f = 0; f < FILES_MAX && rows[i].texts[f]; f++) {
                        const char *text = rows[i].texts[f];
                        assert_int_equal(
                                yaml_tree_read(names[f], text, strlen(text), &problems, trees + f),
                                0);
                        assert_non_null(trees[f]);
                        if (f > 0)
                                spec_merge(yaml_tree_root(trees[0]), yaml_tree_root(trees[f]));
                }
                print_node(yaml_tree_root(trees[0]), &got);
                assert_string_equal(buffer_string(&got), rows[i].merged);
                assert_int_equal(problems.n, 0);
                for (size_t f = 0; f < FILES_MAX; f++)
                        yaml_tree_free(trees[f]);
        }
}

/* A key keeps the place of the file that said it last, for unknown keys and duplicates. */
static void test_places(void **state) {
        static const char base[] = "# one\nm:\n  a: 1\n", over[] = "m:\n\n    a: 2\n    b: 3\n";
        _cleanup_problems_ Problems problems = { 0 };
        _cleanup_(yaml_tree_freep) YamlTree *a = NULL;
        _cleanup_(yaml_tree_freep) YamlTree *b = NULL;

        assert_int_equal(yaml_tree_read("base", base, strlen(base), &problems, &a), 0);
        assert_int_equal(yaml_tree_read("over", over, strlen(over), &problems, &b), 0);
        spec_merge(yaml_tree_root(a), yaml_tree_root(b));
        const YamlNode *m = yaml_member(yaml_tree_root(a), "m"), *member = yaml_member(m, "a");
        assert_string_equal(m->key_place.file, "base");
        assert_int_equal(m->key_place.line, 2);
        assert_string_equal(member->place.file, "over");
        assert_int_equal(member->place.line, 3);
        assert_int_equal(member->place.column, 8);
        assert_int_equal(member->key_place.column, 5);
        assert_int_equal(yaml_member(m, "b")->key_place.line, 4);
        assert_null(yaml_member(m, "c"));
        assert_null(yaml_member(NULL, "c"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_rows),
                cmocka_unit_test(test_places),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
