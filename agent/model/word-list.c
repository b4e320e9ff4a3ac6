/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Words on their way to another program. See word-list.h for why errors stick.
 *
 * A word may be the token itself (handoff: argv), so memory is wiped before it is given back,
 * nothing is ever reallocated, and a refusal quotes the option's name and the allow-list's reason
 * only.
 */

#include "model/word-list.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/buffer.h"
#include "base/secret.h"

/* The longest value that the allow-list lets pass, its name and a prefix. */
#define VARIABLE_SIZE_MAX (4096U + 256U)

void words_free(char **words) {
        if (!words)
                return;
        for (size_t i = 0; words[i]; i++) {
                secret_wipe(words[i], strlen(words[i]));
                free(words[i]);
        }
        free(words);
}

void word_list_done(WordList *list) {
        words_free(list->words);
        *list = (WordList) { 0 };
}

void word_list_fail(WordList *list, int error) {
        assert(error < 0);
        if (list->error == 0)
                list->error = error;
}

void word_list_refuse(WordList *list, const char *where, const char *why) {
        if (list->error < 0)
                return;
        list->refusal =
                observe(ORIGIN_PLAN, 0, "value-refused", where, "%s: the value %s", where, why);
        list->error = -EINVAL;
}

void word_list_add(WordList *list, const char *word) {
        if (list->error < 0)
                return;
        if (list->n == WORD_LIST_MAX)
                return word_list_refuse(list, "extra_args", "comes after too many others");
        if (!list->words) {
                list->words = calloc(WORD_LIST_MAX + 1, sizeof(*list->words));
                if (!list->words)
                        return word_list_fail(list, -ENOMEM);
        }
        list->words[list->n] = strdup(word);
        if (!list->words[list->n])
                return word_list_fail(list, -ENOMEM);
        list->n++;
}

void word_list_add_checked(WordList *list, const char *where, ValueKind kind, const char *value) {
        char why[ALLOW_LIST_WHY_SIZE];

        if (allow_list_check(kind, value, why) < 0)
                word_list_refuse(list, where, why);
        else
                word_list_add(list, value);
}

void word_list_add_option(WordList *list, const char *option, ValueKind kind, const char *value) {
        word_list_add(list, option);
        word_list_add_checked(list, option, kind, value);
}

void word_list_add_variable(WordList *list, const char *name, const char *prefix, ValueKind kind,
                            const char *value) {
        _cleanup_buffer_ Buffer word = BUFFER_INIT_WIPED(VARIABLE_SIZE_MAX);
        char why[ALLOW_LIST_WHY_SIZE];
        int r;

        if (allow_list_check(kind, value, why) < 0)
                return word_list_refuse(list, name, why);
        r = buffer_append_format(&word, "%s=%s%s", name, prefix, value);
        if (r < 0)
                return word_list_fail(list, r);
        word_list_add(list, buffer_string(&word));
}

int word_list_take(WordList *list, char ***ret, Observation *refusal) {
        if (list->error < 0) {
                if (list->error == -EINVAL)
                        *refusal = list->refusal;
                return list->error;
        }
        assert(list->words);
        *ret = TAKE_PTR(list->words);
        list->n = 0;
        return 0;
}
