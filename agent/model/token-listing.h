/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The persistent roles tokens of an installation, as its coordinator lists them: identifiers and roles, never a token
 * itself. Ephemeral ones are not stored and so never listed (api.md, 3).
 */

#include "model/role.h"

#define TOKEN_ID_SIZE 129
#define LISTED_TOKENS_MAX 4096U

typedef struct ListedToken {
        char id[TOKEN_ID_SIZE];
        RoleSet roles;
        unsigned foreign_roles; /* roles that are none of the four */
} ListedToken;

/* Two kinds save an installation in bad hours and are spared: ECE makes them at the first install. */
typedef enum TokenKind {
        TOKEN_KIND_ORDINARY,
        TOKEN_KIND_EMERGENCY, /* all roles but allocator */
        TOKEN_KIND_ROLELESS,  /* the first host's: lets a host join and assigns nothing */
} TokenKind;

TokenKind token_kind(const ListedToken *token);
const char *token_kind_to_string(TokenKind kind); /* "ordinary", "emergency", "role-less" */

typedef struct TokenListing {
        size_t n;
        ListedToken *items; /* malloc()ed */
} TokenListing;

/* One more at the end. 0, -EMSGSIZE beyond LISTED_TOKENS_MAX, -ENOMEM. */
int token_listing_add(TokenListing *listing, const ListedToken *token);
const ListedToken *token_listing_find(const TokenListing *listing, const char *id); /* NULL: not there */
void token_listing_done(TokenListing *listing);

/* May it stand in a URL's path? Letters, digits, '-', '_' and '.', not only dots, at most TOKEN_ID_SIZE - 1. ECE's own are
 * UUIDs; more is let through so that a release that names them otherwise is not refused. */
bool token_id_is_sound(const char *id);
