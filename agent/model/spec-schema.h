/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The contract of the spec as data: one row per key. The decoder is driven by it; manual, JSON
 * schema and tests can be held against it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/allow-list.h"
#include "model/spec.h"

/* In the order of the manual; a section stands before its members. */
typedef enum SpecKey {
        KEY_VERSION,
        KEY_COORDINATORS,
        KEY_TRUST, KEY_TRUST_CA_FILE, KEY_TRUST_PINS,
        KEY_CLIENT_CERTIFICATE, KEY_CLIENT_CERTIFICATE_FILE, KEY_CLIENT_CERTIFICATE_KEY,
        KEY_PROXY, KEY_NO_PROXY,
        KEY_PROXY_CREDENTIAL, KEY_PROXY_CREDENTIAL_USER, KEY_PROXY_CREDENTIAL_PASSWORD,
        KEY_CREDENTIAL, KEY_CREDENTIAL_API_KEY,
        KEY_CREDENTIAL_BASIC, KEY_CREDENTIAL_BASIC_USER, KEY_CREDENTIAL_BASIC_PASSWORD,
        KEY_CREDENTIAL_BEARER, KEY_CREDENTIAL_BEARER_USER, KEY_CREDENTIAL_BEARER_PASSWORD,
        KEY_TOKEN, KEY_TOKEN_SOURCE, KEY_TOKEN_NAME, KEY_TOKEN_PATH, KEY_TOKEN_ARGV,
        KEY_TOKEN_VALIDITY, KEY_TOKEN_PERSISTENT,
        KEY_HOST, KEY_HOST_ROLES, KEY_HOST_RUNNER_ID, KEY_HOST_IP, KEY_HOST_ZONE, KEY_HOST_CAPACITY,
        KEY_HOST_MEMORY_SETTINGS, KEY_HOST_ALLOCATOR_TAGS, KEY_HOST_EXTERNAL_HOSTNAMES,
        KEY_INSTALLER, KEY_INSTALLER_SCRIPT, KEY_INSTALLER_SHA256, KEY_INSTALLER_VERSION,
        KEY_INSTALLER_USER, KEY_INSTALLER_STORAGE_PATH, KEY_INSTALLER_ENGINE,
        KEY_INSTALLER_ENGINE_SOCKET, KEY_INSTALLER_REGISTRY, KEY_INSTALLER_REPOSITORY,
        KEY_INSTALLER_HANDOFF, KEY_INSTALLER_PREPULL, KEY_INSTALLER_ATTEMPT_TIMEOUT,
        KEY_INSTALLER_TIMEOUT_FACTOR, KEY_INSTALLER_FORCE, KEY_INSTALLER_SELINUX,
        KEY_INSTALLER_EXTRA_ARGS,
        KEY_RETRY, KEY_RETRY_SPLAY, KEY_RETRY_BACKOFF, KEY_RETRY_BACKOFF_MIN, KEY_RETRY_BACKOFF_MAX,
        KEY_RETRY_WINDOWS, KEY_RETRY_GIVE_UP_AFTER,
        KEY_VERIFY, KEY_VERIFY_BY, KEY_VERIFY_TIMEOUT, KEY_VERIFY_STABLE_FOR, KEY_VERIFY_DRIFT_EVERY,
        KEY_ON_MEMBER, KEY_ON_STALE_RUNNER,
        KEY_REPORT, KEY_REPORT_HOOKS_DIR, KEY_REPORT_METRICS_TEXTFILE,
        KEY_REPORT_WEBHOOK, KEY_REPORT_WEBHOOK_URL, KEY_REPORT_WEBHOOK_CA_FILE, KEY_REPORT_WEBHOOK_HMAC_KEY,
        KEY_FORGET_CREDENTIAL,
        _SPEC_KEY_MAX,
        _SPEC_KEY_INVALID = _SPEC_KEY_MAX, /* "the document itself" where a section is asked for */
} SpecKey;

typedef enum SpecType {
        SPEC_TYPE_VERSION,         /* the whole number 1 */
        SPEC_TYPE_SECTION,         /* a mapping whose keys have rows of their own */
        SPEC_TYPE_BOOLEAN,         /* bool */
        SPEC_TYPE_COUNT,           /* unsigned, minimum to maximum */
        SPEC_TYPE_SIZE,            /* uint64_t, minimum to maximum */
        SPEC_TYPE_DURATION,        /* usec_t, minimum to maximum */
        SPEC_TYPE_WORD,            /* an enum, by index in words */
        SPEC_TYPE_TEXT,            /* char *, of the row's kind */
        SPEC_TYPE_TEXT_OR_AUTO,    /* the same, or the word "auto": NULL */
        SPEC_TYPE_ADDRESS_OR_AUTO, /* the same, and canonicalised */
        SPEC_TYPE_FACTOR,          /* char *, a number as written */
        SPEC_TYPE_SHA256,          /* char *, 64 hex digits, lowered */
        SPEC_TYPE_ACCOUNT,         /* char *, a user of this host */
        SPEC_TYPE_LOGIN,           /* char *, a user of the platform */
        SPEC_TYPE_URL,             /* char *, https URL */
        SPEC_TYPE_PROXY,           /* char *, http://HOST:PORT */
        SPEC_TYPE_NO_PROXY,        /* StringList of names, .domains, addresses and networks */
        SPEC_TYPE_COORDINATORS,    /* StringList of canonical https://HOST:PORT */
        SPEC_TYPE_PINS,            /* StringList of sha256//BASE64= */
        SPEC_TYPE_ROLES,           /* RoleSet */
        SPEC_TYPE_MEMORY,          /* char *, compact JSON */
        SPEC_TYPE_TAGS,            /* char *, k:v,k:v */
        SPEC_TYPE_HOSTNAMES,       /* StringList */
        SPEC_TYPE_ARGUMENTS,       /* StringList */
        SPEC_TYPE_SECRET,          /* SecretSource, as a mapping {from: ...} */
        SPEC_TYPE_TOKEN_SOURCE,    /* TokenSource, its SecretSource and the token parts */
        SPEC_TYPE_TOKEN_PART,      /* read by the token's source */
        _SPEC_TYPE_MAX,
} SpecType;

typedef struct SpecSchema {
        const char *path; /* "host.roles" */
        SpecType type;
        bool required;    /* in its section, when that is there */
        const char *otherwise; /* the default as one would write it, or NULL for none */
        uint64_t minimum, maximum; /* numbers; durations in us; texts: most bytes, 0 for the kind's
                                      own bound */
        ValueKind kind;   /* texts */
        const char *const *words; /* NULL-terminated, in enum order */
        size_t offset;    /* in Spec */
        const char *summary; /* one line of documentation */
} SpecSchema;

/* The row; key < _SPEC_KEY_MAX. */
const SpecSchema *spec_schema(SpecKey key);

/* The last word of the path: "roles". */
const char *spec_schema_name(SpecKey key);

/* The section a key is in; _SPEC_KEY_INVALID for the top level. */
SpecKey spec_schema_section(SpecKey key);

/* The names of a section's keys (of the top level for _SPEC_KEY_INVALID), at most n; returns how
 * many. */
#define SPEC_SECTION_KEYS_MAX 24U
size_t spec_schema_members(SpecKey section, const char *ret[static SPEC_SECTION_KEYS_MAX]);
