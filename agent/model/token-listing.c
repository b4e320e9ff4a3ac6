/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What can be told of a token by what is listed of it. Its kind is read from its roles, since nothing else tells: a
 * person's own token with all roles but allocator can't be told from the emergency token, and is spared like it.
 *
 * What may fail: memory.
 */

#include "model/token-listing.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define ROOM_AT_FIRST 16U

TokenKind token_kind(const ListedToken *token) {
        const RoleSet all_but_allocator = (RoleSet) (role_bit(ROLE_COORDINATOR) | role_bit(ROLE_DIRECTOR) | role_bit(ROLE_PROXY));

        if (token->roles == all_but_allocator)
                return TOKEN_KIND_EMERGENCY;
        return token->roles == 0 && token->foreign_roles == 0 ? TOKEN_KIND_ROLELESS : TOKEN_KIND_ORDINARY;
}

const char *token_kind_to_string(TokenKind kind) {
        static const char *const words[] = {
                [TOKEN_KIND_ORDINARY] = "ordinary",
                [TOKEN_KIND_EMERGENCY] = "emergency",
                [TOKEN_KIND_ROLELESS] = "role-less",
        };

        return words[kind];
}

int token_listing_add(TokenListing *listing, const ListedToken *token) {
        /* Room doubles each time that it is used up, so how much there is need not be kept. */
        bool full = listing->n == 0 || (listing->n >= ROOM_AT_FIRST && (listing->n & (listing->n - 1)) == 0);

        if (listing->n >= LISTED_TOKENS_MAX)
                return -EMSGSIZE;
        if (full) {
                size_t room = listing->n == 0 ? ROOM_AT_FIRST : 2 * listing->n;
                ListedToken *grown = reallocarray(listing->items, room, sizeof(*grown));

                if (!grown)
                        return -ENOMEM;
                listing->items = grown;
        }
        listing->items[listing->n++] = *token;
        return 0;
}

const ListedToken *token_listing_find(const TokenListing *listing, const char *id) {
        for (size_t i = 0; i < listing->n; i++)
                if (streq(listing->items[i].id, id))
                        return listing->items + i;
        return NULL;
}

void token_listing_done(TokenListing *listing) {
        free(listing->items);
        *listing = (TokenListing){};
}

bool token_id_is_sound(const char *id) {
        static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";
        size_t n = strlen(id);

        return n > 0 && n < TOKEN_ID_SIZE && strspn(id, letters) == n && strspn(id, ".") < n;
}
