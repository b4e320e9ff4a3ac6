/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Where secrets are to be had: {from: credential|file|command|env, ...}, and the token's source,
 * which is the same with the word `source`.
 *
 * The one mistake to be afraid of here is the secret itself, written where its whereabouts belong.
 * So no error of this file repeats anything of the spec but words that are keys or kinds. Only
 * memory fails.
 */

#include "model/spec-decode.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"

static const char *const kind_words[] = {
        [SECRET_FROM_NOWHERE] = "",
        [SECRET_FROM_CREDENTIAL] = "credential",
        [SECRET_FROM_FILE] = "file",
        [SECRET_FROM_COMMAND] = "command",
        [SECRET_FROM_ENV] = "env",
};

static const char *const member_words[] = { "from", "name", "path", "argv" };

/* A source as it is written: which kind, said by which key, with which members. */
typedef struct Form {
        SpecKey key;          /* what is marked bad */
        const char *where;    /* path of the mapping, for messages */
        const char *selector; /* "from" or "source" */
        SecretSourceKind kind;
        Place place;          /* of the mapping's key: where something is missing */
        const YamlNode *name, *path, *argv;
} Form;

void secret_source_done(SecretSource *source) {
        free(source->name);
        free(source->path);
        string_list_free(source->argv);
        *source = (SecretSource) { .kind = SECRET_FROM_NOWHERE };
}

/* A member's text; *ret NULL when refused. */
static int member_text(Decoder *d, const Form *form, const YamlNode *node, const char *member,
                       const char **ret) {
        *ret = NULL;
        if (node->kind == YAML_NODE_REFUSED) {
                d->bad[form->key] = true;
                return 0;
        }
        if (yaml_is_null(node))
                return decode_refuse(d, form->key, &node->place, "%s.%s has no value", form->where,
                                     member);
        if (node->kind != YAML_NODE_SCALAR)
                return decode_refuse(d, form->key, &node->place,
                                     "%s.%s must be a single value, not %s", form->where, member,
                                     yaml_kind_words(node));
        *ret = node->text;
        return 0;
}

static int store(char **slot, const char *text) {
        *slot = strdup(text);
        return *slot ? 0 : -ENOMEM;
}

static bool variable_name_is_valid(const char *s) {
        static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_";

        return *s != '\0' && strchr(letters, *s) && strlen(s) <= 128 &&
               text_consists_of(s,
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789");
}

static int decode_name(Decoder *d, const Form *form, SecretSource *source) {
        const char *text;

        int r = member_text(d, form, form->name, "name", &text);
        if (r < 0 || !text)
                return r;
        if (form->kind == SECRET_FROM_ENV && !variable_name_is_valid(text))
                return decode_refuse(d, form->key, &form->name->place,
                                     "%s.name is not the name of an environment variable (letters, "
                                     "digits and '_')",
                                     form->where);
        if (form->kind == SECRET_FROM_CREDENTIAL &&
            allow_list_check(VALUE_RUNNER_ID, text, NULL) < 0)
                return decode_refuse(d, form->key, &form->name->place,
                                     "%s.name is not the name of a systemd credential (letters, "
                                     "digits, '.', '_' and '-')",
                                     form->where);
        return store(&source->name, text);
}

static int decode_path(Decoder *d, const Form *form, SecretSource *source) {
        char why[ALLOW_LIST_WHY_SIZE];
        const char *text;

        int r = member_text(d, form, form->path, "path", &text);
        if (r < 0 || !text)
                return r;
        if (text[0] != '/')
                return decode_refuse(d, form->key, &form->path->place,
                                     "%s.path must be an absolute path", form->where);
        if (allow_list_check(VALUE_PATH, text, why) < 0)
                return decode_refuse(d, form->key, &form->path->place, "%s.path %s", form->where,
                                     why);
        return store(&source->path, text);
}

/* The command is run without a shell, so its arguments need no allow-list; control characters have
 * no use. */
static int decode_argument(Decoder *d, const Form *form, const YamlNode *item, bool program,
                           SecretSource *source) {
        const char *text;

        int r = member_text(d, form, item, "argv", &text);
        if (r < 0 || !text)
                return r;
        if (program && allow_list_check(VALUE_PATH, text, NULL) < 0)
                return decode_refuse(d, form->key, &item->place,
                                     "%s.argv must begin with the absolute path of a program",
                                     form->where);
        if (strlen(text) > ARGUMENT_SIZE_MAX)
                return decode_refuse(d, form->key, &item->place,
                                     "%s.argv has an argument of more than %u bytes", form->where,
                                     ARGUMENT_SIZE_MAX);
        for (const char *c = text; *c != '\0'; c++)
                if ((unsigned char) *c < ' ' || *c == 0x7f)
                        return decode_refuse(d, form->key, &item->place,
                                             "%s.argv has an argument with a control character",
                                             form->where);
        return string_list_add(&source->argv, COMMAND_ARGUMENTS_MAX, text);
}

static int decode_argv(Decoder *d, const Form *form, SecretSource *source) {
        const YamlNode *list = form->argv;
        int r = 0;

        if (list->kind == YAML_NODE_REFUSED) {
                d->bad[form->key] = true;
                return 0;
        }
        if (yaml_is_null(list))
                return decode_refuse(d, form->key, &list->place, "%s.argv has no value",
                                     form->where);
        if (list->kind != YAML_NODE_SEQUENCE)
                return decode_refuse(d, form->key, &list->place,
                                     "%s.argv must be a list: the absolute path of a program, then "
                                     "its arguments",
                                     form->where);
        if (list->n_children == 0 || list->n_children > COMMAND_ARGUMENTS_MAX)
                return decode_refuse(d, form->key, &list->place, "%s.argv must have 1 to %u items",
                                     form->where, COMMAND_ARGUMENTS_MAX);
        for (const YamlNode *item = list->first; item && r == 0; item = item->next)
                r = decode_argument(d, form, item, item == list->first, source);
        return r;
}

/* One member of the three: it belongs to some kinds, and there it must be. */
static int decode_member(Decoder *d, const Form *form, const char *member, const YamlNode *node,
                         bool belongs, int (*decode)(Decoder *, const Form *, SecretSource *),
                         SecretSource *source) {
        if (belongs && !node) {
                char where[96];
                (void) snprintf(where, sizeof(where), "%s (%s: %s needs it)", form->where,
                                form->selector, kind_words[form->kind]);
                return decode_missing(d, form->key, &form->place, member, where);
        }
        if (!belongs && node)
                return decode_refuse(d, form->key, &node->key_place,
                                     "'%s' does not belong to %s: %s in %s", member, form->selector,
                                     form->kind == SECRET_FROM_NOWHERE ? "coordinator"
                                                                       : kind_words[form->kind],
                                     form->where);
        return belongs ? decode(d, form, source) : 0;
}

/* Kind known: the members that must be there, and those that must not. */
static int decode_form(Decoder *d, const Form *form, SecretSource *slot) {
        SecretSourceKind k = form->kind;

        secret_source_done(slot); /* two kinds of credential share a slot; that there are two is
                                     reported elsewhere */
        slot->kind = k;
        int r = decode_member(d, form, "name", form->name,
                              k == SECRET_FROM_CREDENTIAL || k == SECRET_FROM_ENV, decode_name,
                              slot);
        if (r == 0)
                r = decode_member(d, form, "path", form->path, k == SECRET_FROM_FILE, decode_path,
                                  slot);
        if (r == 0)
                r = decode_member(d, form, "argv", form->argv, k == SECRET_FROM_COMMAND,
                                  decode_argv, slot);
        return r;
}

/* The kinds from 1 to last by word; SECRET_FROM_NOWHERE for a stranger. */
static SecretSourceKind kind_from_word(const char *word, SecretSourceKind last) {
        for (SecretSourceKind k = SECRET_FROM_CREDENTIAL; k <= last; k++)
                if (streq(kind_words[k], word))
                        return k;
        return SECRET_FROM_NOWHERE;
}

static int decode_secret_members(Decoder *d, SpecKey key, const YamlNode *mapping) {
        static const char *const inline_words[] = {
                "value", "key",     "secret",  "password", "token",
                "data",  "content", "literal", "inline",   "api_key",
        };
        const char *path = spec_schema(key)->path;
        char near[DID_YOU_MEAN_SIZE];

        for (const YamlNode *m = mapping->first; m; m = m->next) {
                bool known = false, is_inline = false;
                int r;

                for (size_t i = 0; i < ELEMENTS(member_words); i++)
                        known = known || streq(m->key, member_words[i]);
                for (size_t i = 0; i < ELEMENTS(inline_words); i++)
                        is_inline = is_inline || streq(m->key, inline_words[i]);
                if (known)
                        continue;
                if (is_inline)
                        r = decode_refuse(d, key, &m->key_place, "%s", SECRETS_SENTENCE);
                else if (did_you_mean(near, m->key, member_words, ELEMENTS(member_words))[0] !=
                         '\0')
                        r = decode_refuse(d, key, &m->key_place, "unknown key '%s' in %s%s", m->key,
                                          path, near);
                else /* the key may be the secret: {s3cr3t} is a mapping too */
                        r = decode_refuse(d, key, &m->key_place,
                                          "unknown key in %s; allowed are from, name, path, argv",
                                          path);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int decode_secret_mapping(Decoder *d, SpecKey key, const YamlNode *node,
                                 SecretSourceKind last, SecretSource *slot) {
        Form form = {
                .key = key,
                .where = spec_schema(key)->path,
                .selector = "from",
                .place = node->key_place,
                .name = yaml_member(node, "name"),
                .path = yaml_member(node, "path"),
                .argv = yaml_member(node, "argv"),
        };
        const YamlNode *from = yaml_member(node, "from");
        char near[DID_YOU_MEAN_SIZE], allowed[64];
        const char *word;

        int r = decode_secret_members(d, key, node);
        if (r < 0)
                return r;
        if (!from) {
                /* Told already when an unknown key stands in its place. */
                return d->bad[key] ? 0
                                   : decode_missing(d, key, &node->key_place, "from", form.where);
        }
        r = member_text(d, &form, from, "from", &word);
        if (r < 0 || !word)
                return r;
        form.kind = kind_from_word(word, last);
        if (form.kind == SECRET_FROM_NOWHERE)
                return decode_refuse(d, key, &from->place, "%s.from must be one of %s%s",
                                     form.where,
                                     words_join(allowed, sizeof(allowed), kind_words + 1, last),
                                     did_you_mean(near, word, kind_words + 1, last));
        return decode_form(d, &form, slot);
}

int decode_secret(Decoder *d, SpecKey key, const YamlNode *node) {
        bool mapping;

        if (node->kind == YAML_NODE_SCALAR && !yaml_is_null(node))
                return decode_refuse(d, key, &node->place, "%s", SECRETS_SENTENCE);
        int r = decode_collection(d, key, node, YAML_NODE_MAPPING, &mapping);
        if (r < 0 || !mapping)
                return r;
        return decode_secret_mapping(d, key, node, SECRET_FROM_ENV, decode_slot(d, key));
}

/* A word that is no source: a near one is a slip of the pen, anything that looks like a token is
 * told as such. */
static int refuse_token_source(Decoder *d, SpecKey key, const YamlNode *node, const char *word) {
        static const char *const words[] = { "coordinator", "credential", "file", "command" };
        char near[DID_YOU_MEAN_SIZE];

        if (strlen(word) > 32 || strchr(word, '.'))
                return decode_refuse(d, key, &node->place,
                                     "secrets do not belong in the spec; say where it is: {source: "
                                     "file, path: ...}");
        return decode_refuse(d, key, &node->place,
                             "token.source must be one of coordinator, credential, file, command%s",
                             did_you_mean(near, word, words, ELEMENTS(words)));
}

/* The scalar form has its members beside it, in token; the mapping form has them inside. */
int decode_token_source(Decoder *d, SpecKey key, const YamlNode *node) {
        const YamlNode *token = d->node[KEY_TOKEN];
        SecretSource *slot = &d->spec->token.pre_minted;
        Form form = {
                .key = key,
                .where = "token",
                .selector = "source",
                .name = yaml_member(token, "name"),
                .path = yaml_member(token, "path"),
                .argv = yaml_member(token, "argv"),
        };
        const char *word;

        if (node->kind == YAML_NODE_MAPPING) {
                d->spec->token.source = TOKEN_PRE_MINTED;
                int r = decode_secret_mapping(d, key, node, SECRET_FROM_COMMAND, slot);
                for (const YamlNode *m = token->first; m && r == 0; m = m->next)
                        if (m == form.name || m == form.path || m == form.argv)
                                r = decode_refuse(d, key, &m->key_place,
                                                  "'%s' belongs into token.source here", m->key);
                return r;
        }
        int r = decode_scalar(d, key, node, &word);
        if (r < 0 || !word)
                return r;
        form.place = node->place;
        form.kind = kind_from_word(word, SECRET_FROM_COMMAND);
        if (form.kind == SECRET_FROM_NOWHERE && !streq(word, "coordinator"))
                return refuse_token_source(d, key, node, word);
        d->spec->token.source = form.kind == SECRET_FROM_NOWHERE ? TOKEN_FROM_COORDINATOR
                                                                 : TOKEN_PRE_MINTED;
        return decode_form(d, &form, slot);
}
