/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * From nodes to a Spec. Internal to the spec's own files.
 *
 * A decode function takes one key's node and stores one value, or reports and marks the key bad. It
 * returns 0 either way; only memory is -ENOMEM. So no wrong value hides the next one, and what
 * hangs on a bad key can be left alone instead of being blamed as well.
 */

#include "model/spec-schema.h"
#include "model/yaml-tree.h"

typedef struct Decoder {
        Spec *spec;
        Problems *problems;
        const YamlNode *root;
        bool partial; /* a file could not be read: what seems to be missing may stand there */
        const YamlNode *node[_SPEC_KEY_MAX]; /* NULL: absent */
        bool bad[_SPEC_KEY_MAX];
} Decoder;

typedef int DecodeFunction(Decoder *d, SpecKey key, const YamlNode *node);

/* The whole: unknown keys, missing keys, values, defaults. root is the merged mapping. */
int spec_decode(Decoder *d);

/* What several keys have to agree on, and defaults that depend on others (spec-check.c). */
int spec_check(Decoder *d);

/* The version key of one file, before files are merged. */
int spec_decode_version(Problems *problems, const YamlNode *root, bool required);

/* Reports at place and marks the key bad. */
int decode_refuse(Decoder *d, SpecKey key, const Place *place, const char *format, ...)
        __attribute__((format(printf, 4, 5)));

/* The same for something that is not there: silent when the tree is not the whole of the spec. */
int decode_missing(Decoder *d, SpecKey key, const Place *place, const char *name,
                   const char *where);

/* Pieces that the decode functions share. *ret is NULL when the node was refused (and reported). */
int decode_scalar(Decoder *d, SpecKey key, const YamlNode *node, const char **ret);
int decode_collection(Decoder *d, SpecKey key, const YamlNode *node, YamlKind kind, bool *ret);
int decode_list(Decoder *d, SpecKey key, const YamlNode *node, size_t maximum, bool *ret);
int decode_checked(Decoder *d, SpecKey key, const YamlNode *node, ValueKind kind, const char **ret);
void *decode_slot(const Decoder *d, SpecKey key);
int decode_store(Decoder *d, SpecKey key, const char *text);

/* Appends a copy; list is NULL-terminated and has room for `maximum`. */
int string_list_add(StringList *list, size_t maximum, const char *text);
bool string_list_has(char *const *list, const char *text);

/* Unknown keys of the document (_SPEC_KEY_INVALID) or of a section. */
int decode_unknown_keys(Decoder *d, SpecKey section, const YamlNode *mapping);

/* "a, b, c", cut to size. */
const char *words_join(char *buffer, size_t size, const char *const words[], size_t n);

/* "; did you mean 'file'?" or "". Case does not matter. */
#define DID_YOU_MEAN_SIZE 96
const char *did_you_mean(char buffer[static DID_YOU_MEAN_SIZE], const char *typed,
                         const char *const words[], size_t n);

#define SECRETS_SENTENCE                                                                           \
        "secrets do not belong in the spec; say where it is: {from: file, path: ...}"

void secret_source_done(SecretSource *source);

/* Of a command that prints a secret. */
#define COMMAND_ARGUMENTS_MAX 32U
#define ARGUMENT_SIZE_MAX 1024U

/* Arguments that installer.extra_args refuses by name, n from 0; NULL behind the last. */
const char *refused_argument(size_t n);

DecodeFunction decode_boolean, decode_number, decode_duration, decode_word, decode_text,
        decode_text_or_auto, decode_factor, decode_sha256, decode_account, decode_login, decode_url,
        decode_coordinators, decode_pins, decode_proxy, decode_no_proxy, decode_address, decode_roles, decode_memory, decode_tags,
        decode_hostnames, decode_arguments, decode_secret, decode_token_source;
