/* SPDX-License-Identifier: Apache-2.0 */

/*
 * From libyaml's events to nodes.
 *
 * The event API, not the document loader: events carry both ends of every node, anchors and tags
 * show up as such, and no recursion follows the input. The state between two events is the stack of
 * open collections (as deep as SPEC_DEPTH_MAX) and the key that waits for its value. Two kinds of
 * trouble: what can be stepped over (an anchor, a tag, a duplicate key) is reported and reading
 * goes on, so that all of it is told at once; what can't (syntax, a limit, a second document) ends
 * the file with one problem. Memory is the only other failure.
 */

#include "model/yaml-tree.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/text.h"
#include "model/spec.h"
#include "model/yaml-text.h"

#define SCALAR_SIZE_MAX 4096U
#define KEY_SHOWN_MAX 64 /* bytes of a key that an error repeats */

struct YamlTree {
        YamlNode nodes[SPEC_NODES_MAX];
        size_t n;
};

typedef struct Reader {
        const char *file, *text;
        size_t size;
        Problems *problems;
        YamlTree *tree;
        YamlNode *open[SPEC_DEPTH_MAX];
        size_t depth;
        char *key; /* of the innermost mapping: its value is next */
        Place key_place;
        bool had_document;
} Reader;

/* What one event did: negative errno is fatal, the rest is about the file. */
typedef enum Step { STEP_ON, STEP_END, STEP_BROKEN } Step;

YamlTree *yaml_tree_free(YamlTree *tree) {
        if (!tree)
                return NULL;
        for (size_t i = 0; i < tree->n; i++) {
                free(tree->nodes[i].text);
                free(tree->nodes[i].key);
        }
        free(tree);
        return NULL;
}

YamlNode *yaml_tree_root(YamlTree *tree) {
        assert(tree->n > 0);
        return tree->nodes;
}

YamlNode *yaml_member(const YamlNode *node, const char *key) {
        if (!node || node->kind != YAML_NODE_MAPPING)
                return NULL;
        for (YamlNode *child = node->first; child; child = child->next)
                if (streq(child->key, key))
                        return child;
        return NULL;
}

void yaml_append(YamlNode *parent, YamlNode *child) {
        YamlNode **slot = &parent->first;

        while (*slot)
                slot = &(*slot)->next;
        *slot = child;
        child->next = NULL;
        parent->n_children++;
}

bool yaml_is_null(const YamlNode *node) {
        static const char *const words[] = { "", "~", "null", "Null", "NULL" };

        if (node->kind != YAML_NODE_SCALAR || !node->plain)
                return false;
        for (size_t i = 0; i < ELEMENTS(words); i++)
                if (streq(node->text, words[i]))
                        return true;
        return false;
}

const char *yaml_kind_words(const YamlNode *node) {
        switch (node->kind) {
        case YAML_NODE_SCALAR:
                return "a single value";
        case YAML_NODE_SEQUENCE:
                return "a list";
        case YAML_NODE_MAPPING:
                return "a mapping";
        case YAML_NODE_REFUSED:
                break;
        }
        return "refused";
}

static Place place_of_offset(const Reader *r, size_t offset) {
        Place place = { .file = r->file };

        yaml_text_position(r->text, r->size, offset, &place.line, &place.column);
        return place;
}

static Place place_of(const Reader *r, const yaml_mark_t *mark) {
        return place_of_offset(r, yaml_text_offset(r->text, r->size, mark->index));
}

/* Reports and ends the file. */
#define broken(r, place, ...)                                                                      \
        (problem_error((r)->problems, (place), __VA_ARGS__) < 0 ? -ENOMEM : (int) STEP_BROKEN)

/* The parser's complaint in its own words, with a hint for the mistake everybody makes once. */
static int report_syntax(Reader *r, const yaml_parser_t *parser) {
        if (parser->error == YAML_MEMORY_ERROR)
                return -ENOMEM;

        size_t offset = parser->error == YAML_READER_ERROR
                                ? parser->problem_offset
                                : yaml_text_offset(r->text, r->size, parser->problem_mark.index);
        Place place = place_of_offset(r, offset);
        const char *problem = parser->problem ? parser->problem : "unknown error";
        if (offset < r->size && r->text[offset] == '\t')
                return broken(r, &place, "not YAML: %s (a tab; YAML indents with blanks only)",
                              problem);
        if (parser->context)
                return broken(r, &place, "not YAML: %s, %s that begins at line %zu", problem,
                              parser->context, parser->context_mark.line + 1);
        return broken(r, &place, "not YAML: %s", problem);
}

/* Anchor and tag of a node, if any, are reported. */
static int report_decoration(Reader *r, const Place *place, const yaml_char_t *anchor,
                             const yaml_char_t *tag, bool *tagged) {
        int e = 0;

        if (anchor)
                e = problem_error(
                        r->problems, place,
                        "anchors (&) are not allowed; write the value where it is needed");
        if (tag && e == 0) {
                *tagged = true;
                e = problem_error(r->problems, place,
                                  "tags (!) are not allowed; the type of each key is fixed");
        }
        return e;
}

/* A new node, linked where the reader stands. A duplicate is made but not linked: its events must
 * go somewhere. */
static int add_node(Reader *r, YamlKind kind, Place place, YamlNode **ret) {
        YamlNode *parent = r->depth > 0 ? r->open[r->depth - 1] : NULL;

        if (r->tree->n == SPEC_NODES_MAX)
                return broken(r, &place, "more than %u values; a spec is not that large",
                              SPEC_NODES_MAX);
        YamlNode *node = r->tree->nodes + r->tree->n++;
        *node = (YamlNode){
                .kind = kind, .place = place, .key = TAKE_PTR(r->key), .key_place = r->key_place
        };
        *ret = node;

        const YamlNode *twin = parent && node->key ? yaml_member(parent, node->key) : NULL;
        if (twin) {
                if (problem_error(r->problems, &node->key_place,
                                  "duplicate key '%.*s'; the first one is at line %u, column %u",
                                  KEY_SHOWN_MAX, node->key, twin->key_place.line,
                                  twin->key_place.column) < 0)
                        return -ENOMEM;
        } else if (parent)
                yaml_append(parent, node);
        return STEP_ON;
}

/* True while the innermost collection is a mapping that waits for a key. */
static bool wants_key(const Reader *r) {
        return r->depth > 0 && r->open[r->depth - 1]->kind == YAML_NODE_MAPPING && !r->key;
}

static int on_scalar(Reader *r, const yaml_event_t *event) {
        Place place = place_of(r, &event->start_mark);
        const char *value = (const char *) event->data.scalar.value;
        size_t n = event->data.scalar.length;
        YamlNode *node;
        bool tagged = false;

        if (r->depth == 0 && event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && n == 0)
                return broken(
                        r, &place,
                        "the document is empty; it must be a mapping that begins with version: 1");
        if (r->depth == 0)
                return broken(r, &place,
                              "the document is a single value; it must be a mapping (key: value)");
        if (report_decoration(r, &place, event->data.scalar.anchor, event->data.scalar.tag,
                              &tagged) < 0)
                return -ENOMEM;
        if (n > SCALAR_SIZE_MAX)
                return broken(r, &place, "a value of %zu bytes; at most %u are allowed", n,
                              SCALAR_SIZE_MAX);
        if (strlen(value) != n) /* "\0" in double quotes */
                return broken(r, &place, "a value contains a NUL byte");

        if (wants_key(r)) {
                r->key_place = place;
                r->key = strdup(value);
                return r->key ? (int) STEP_ON : -ENOMEM;
        }
        int step = add_node(r, tagged ? YAML_NODE_REFUSED : YAML_NODE_SCALAR, place, &node);
        if (step != STEP_ON)
                return step;
        node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
        node->text = strdup(value);
        return node->text ? (int) STEP_ON : -ENOMEM;
}

static int on_start(Reader *r, const yaml_event_t *event) {
        bool mapping = event->type == YAML_MAPPING_START_EVENT, tagged = false;
        const yaml_char_t *anchor = mapping ? event->data.mapping_start.anchor
                                            : event->data.sequence_start.anchor;
        const yaml_char_t *tag = mapping ? event->data.mapping_start.tag
                                         : event->data.sequence_start.tag;
        Place place = place_of(r, &event->start_mark);
        YamlNode *node;

        if (wants_key(r))
                return broken(r, &place, "a key must be a single word, not a collection");
        if (r->depth == 0 && !mapping)
                return broken(r, &place,
                              "the document is a list; it must be a mapping (key: value)");
        if (r->depth == SPEC_DEPTH_MAX)
                return broken(r, &place, "nested deeper than %u levels", SPEC_DEPTH_MAX);
        /* A tagged collection is still looked into: its content may have problems of its own. */
        if (report_decoration(r, &place, anchor, tag, &tagged) < 0)
                return -ENOMEM;
        int step = add_node(r, mapping ? YAML_NODE_MAPPING : YAML_NODE_SEQUENCE, place, &node);
        if (step == STEP_ON)
                r->open[r->depth++] = node;
        return step;
}

static int on_alias(Reader *r, const yaml_event_t *event) {
        Place place = place_of(r, &event->start_mark);
        YamlNode *node;

        if (r->depth == 0 || wants_key(r))
                return broken(r, &place, "aliases (*) are not allowed; write the value itself");
        if (problem_error(r->problems, &place,
                          "aliases (*) are not allowed; write the value itself") < 0)
                return -ENOMEM;
        return add_node(r, YAML_NODE_REFUSED, place, &node);
}

static int on_document(Reader *r, const yaml_event_t *event) {
        Place place = place_of(r, &event->start_mark);

        if (r->had_document)
                return broken(r, &place, "a second document begins; a spec is exactly one");
        r->had_document = true;
        if (event->data.document_start.tag_directives.start !=
            event->data.document_start.tag_directives.end)
                return problem_error(r->problems, &place,
                                     "the directive %%TAG is not allowed; neither are tags");
        return STEP_ON;
}

static int on_stream_end(Reader *r) {
        if (r->had_document)
                return STEP_END;
        Place place = { .file = r->file, .line = 1, .column = 1 };
        return broken(r, &place,
                      "the document is empty; it must be a mapping that begins with version: 1");
}

static int on_event(Reader *r, const yaml_event_t *event) {
        switch (event->type) {
        case YAML_DOCUMENT_START_EVENT:
                return on_document(r, event);
        case YAML_SCALAR_EVENT:
                return on_scalar(r, event);
        case YAML_MAPPING_START_EVENT:
        case YAML_SEQUENCE_START_EVENT:
                return on_start(r, event);
        case YAML_ALIAS_EVENT:
                return on_alias(r, event);
        case YAML_MAPPING_END_EVENT:
        case YAML_SEQUENCE_END_EVENT:
                assert(r->depth > 0);
                r->depth--;
                return STEP_ON;
        case YAML_STREAM_END_EVENT:
                return on_stream_end(r);
        case YAML_NO_EVENT:
        case YAML_STREAM_START_EVENT:
        case YAML_DOCUMENT_END_EVENT:
                break;
        }
        return STEP_ON;
}

/* Pulls events until the stream ends or breaks. */
static int read_events(Reader *r, yaml_parser_t *parser) {
        int step = STEP_ON;

        while (step == STEP_ON) {
                yaml_event_t event;

                if (!yaml_parser_parse(parser, &event))
                        return report_syntax(r, parser);
                step = on_event(r, &event);
                yaml_event_delete(&event);
        }
        return step;
}

int yaml_tree_read(const char *file, const char *text, size_t n, Problems *problems,
                   YamlTree **ret) {
        static const char mark[] = "\xef\xbb\xbf";
        _cleanup_(yaml_tree_freep) YamlTree *tree = calloc(1, sizeof(YamlTree));
        Reader r = { .file = file, .text = text, .size = n, .problems = problems, .tree = tree };
        yaml_parser_t parser;
        size_t offset = 0;

        if (!tree)
                return -ENOMEM;
        *ret = NULL;
        if (n >= strlen(mark) && memcmp(text, mark, strlen(mark)) == 0) {
                r.text += strlen(mark);
                r.size -= strlen(mark);
        }
        const char *why = yaml_text_check(r.text, r.size, &offset);
        if (why) {
                Place place = place_of_offset(&r, offset);
                return problem_error(problems, &place, "%s", why);
        }

        if (!yaml_parser_initialize(&parser))
                return -ENOMEM;
        yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
        yaml_parser_set_input_string(&parser, (const unsigned char *) r.text, r.size);
        int step = read_events(&r, &parser);
        yaml_parser_delete(&parser);
        free(r.key);
        if (step < 0)
                return step;
        if (step == STEP_END)
                *ret = TAKE_PTR(tree);
        return 0;
}
