/* SPDX-License-Identifier: Apache-2.0 */

/* Kinds of tokens by their roles, the listing's growth and end, and which identifiers may stand in a path. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "model/token-listing.h"

#define A (1U << ROLE_ALLOCATOR)
#define C (1U << ROLE_COORDINATOR)
#define D (1U << ROLE_DIRECTOR)
#define P (1U << ROLE_PROXY)

static void kinds(void **state) {
        static const struct {
                unsigned roles, foreign;
                TokenKind kind;
                const char *word;
        } rows[] = {
                { A, 0, TOKEN_KIND_ORDINARY, "ordinary" },
                { A | P, 0, TOKEN_KIND_ORDINARY, "ordinary" },
                { C | D, 0, TOKEN_KIND_ORDINARY, "ordinary" },
                { A | C | D | P, 0, TOKEN_KIND_ORDINARY, "ordinary" },
                { C | D | P, 0, TOKEN_KIND_EMERGENCY, "emergency" },
                { C | D | P, 2, TOKEN_KIND_EMERGENCY, "emergency" }, /* the system's own beside them */
                { 0, 0, TOKEN_KIND_ROLELESS, "role-less" },
                { 0, 1, TOKEN_KIND_ORDINARY, "ordinary" }, /* it assigns something that we do not know */
        };

        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                ListedToken token = { .id = "t", .roles = (RoleSet) rows[i].roles, .foreign_roles = rows[i].foreign };

                assert_int_equal(token_kind(&token), rows[i].kind);
                assert_string_equal(token_kind_to_string(rows[i].kind), rows[i].word);
        }
}

static void growth(void **state) {
        TokenListing listing = {};
        ListedToken token = {};

        for (unsigned i = 0; i < LISTED_TOKENS_MAX; i++) {
                (void) snprintf(token.id, sizeof(token.id), "token-%u", i);
                assert_int_equal(token_listing_add(&listing, &token), 0);
        }
        assert_int_equal(token_listing_add(&listing, &token), -EMSGSIZE);
        assert_int_equal(listing.n, LISTED_TOKENS_MAX);
        for (unsigned i = 0; i < LISTED_TOKENS_MAX; i += 97) {
                (void) snprintf(token.id, sizeof(token.id), "token-%u", i);
                assert_ptr_equal(token_listing_find(&listing, token.id), listing.items + i);
        }
        assert_null(token_listing_find(&listing, "token-"));
        token_listing_done(&listing);
        assert_int_equal(listing.n, 0);
        assert_null(token_listing_find(&listing, "token-1"));
}

static void sound_ids(void **state) {
        static const char *const good[] = { "4c8990df-1fb7-4820-b868-6bc9e8860814", "a", "A_b.c-9", "..a" };
        static const char *const bad[] = { "", ".", "..", "a/b", "a?b", "a b", "a%2f", "a#", "\xc3\xa9", "a\n", "{token}" };
        char longest[TOKEN_ID_SIZE + 1];

        for (size_t i = 0; i < ELEMENTS(good); i++)
                assert_true(token_id_is_sound(good[i]));
        for (size_t i = 0; i < ELEMENTS(bad); i++)
                assert_false(token_id_is_sound(bad[i]));
        (void) memset(longest, 'x', TOKEN_ID_SIZE);
        longest[TOKEN_ID_SIZE] = '\0';
        assert_false(token_id_is_sound(longest));
        longest[TOKEN_ID_SIZE - 1] = '\0';
        assert_true(token_id_is_sound(longest));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(kinds),
                cmocka_unit_test(growth),
                cmocka_unit_test(sound_ids),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
