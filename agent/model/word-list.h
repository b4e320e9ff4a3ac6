/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * WordList: an argument list or environment in the making. The first thing that goes wrong sticks:
 * everything after it is a no-op, and word_list_take() reports it. So a list is built in a straight
 * line without a single `if (r < 0)`, and can't be had when any of its words was refused.
 */

#include <stddef.h>

#include "base/cleanup.h"
#include "model/allow-list.h"
#include "model/outcome.h"

/* More words than any command of ours has: options with their values, and SPEC_LIST_MAX extra
 * arguments. */
#define WORD_LIST_MAX 192U

typedef struct WordList {
        char **words; /* NULL-terminated once there is one */
        size_t n;
        int error; /* 0, -EINVAL with a refusal, -ENOMEM */
        Observation refusal;
} WordList;

void word_list_done(WordList *list);
#define _cleanup_word_list_ _cleanup_(word_list_done)

/* A word of our own, as it is. */
void word_list_add(WordList *list, const char *word);

/* A value that has to pass; `where` names it in the refusal. */
void word_list_add_checked(WordList *list, const char *where, ValueKind kind, const char *value);

/* An option and its value, both or neither. */
void word_list_add_option(WordList *list, const char *option, ValueKind kind, const char *value);

/* "NAME=" + prefix + value; the value has to pass. */
void word_list_add_variable(WordList *list, const char *name, const char *prefix, ValueKind kind,
                            const char *value);

void word_list_refuse(WordList *list, const char *where, const char *why);
void word_list_fail(WordList *list, int error);

/* The words, now the caller's (words_free()), or the first thing that went wrong. */
int word_list_take(WordList *list, char ***ret, Observation *refusal);

/* Wipes and frees: a word may be the token. Accepts NULL. */
void words_free(char **words);
