/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Secret: a credential or token in memory that nobody prints by accident.
 *
 * The bytes live in pages of their own: locked (as far as RLIMIT_MEMLOCK allows), left out of core
 * dumps (MADV_DONTDUMP), empty in a forked child (MADV_WIPEONFORK), overwritten when freed. The type is
 * opaque and move-only, and no function here yields it as a format argument: the one accessor,
 * secret_bytes(), is for the few places that put the secret on a wire or into a memfd, and a lint test
 * lists who calls it.
 * Not thread-safe; one thread uses a Secret at a time.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"

typedef struct Secret Secret;

#define SECRET_SIZE_MAX (16U * 1024U)

/* Copies n bytes (1 to SECRET_SIZE_MAX) in; the caller wipes its own copy. 0, -EINVAL for a size out of
 * range, -ENOMEM, or the errno of a kernel that can't keep these promises. A lock that RLIMIT_MEMLOCK
 * refuses is not an error: see secret_is_locked(). */
int secret_new(const void *bytes, size_t n, Secret **ret);

/* Reads fd to its end into a new Secret, dropping one trailing newline ("\n" or "\r\n").
 * 0, -ENODATA when empty, -EMSGSIZE when larger than SECRET_SIZE_MAX, or read's errno. */
int secret_new_from_fd(int fd, Secret **ret);

Secret *secret_free(Secret *secret); /* accepts NULL, returns NULL */
static inline void secret_freep(Secret **slot) {
        (void) secret_free(*slot);
}

size_t secret_size(const Secret *secret);
bool secret_is_locked(const Secret *secret);

/* The bytes, followed by an uncounted NUL. Valid until secret_free(). */
const char *secret_bytes(const Secret *secret);

/* Constant-time comparison of content; false when either is NULL. */
bool secret_equal(const Secret *a, const Secret *b);

/* A sealed memfd (CLOEXEC; at least WRITE, GROW, SHRINK and SEAL sealed; mode 0400; offset 0) that holds
 * prefix + secret + suffix (either text may be NULL). Returns the descriptor or negative errno. */
int secret_to_memfd(const Secret *secret, const char *prefix, const char *suffix);

/* Overwrites memory in a way that the compiler keeps. */
void secret_wipe(void *bytes, size_t n);

/* Allocator with a size header that wipes its blocks on free; for libraries that let us choose (json_set_alloc_funcs,
 * curl_global_init_mem, CRYPTO_set_mem_functions), so that parse trees, request buffers and unpacked keys leave
 * nothing behind. Same contracts as their namesakes, except that size 0 is a block too: NULL always means no
 * memory. Thread-safe. */
void *wiping_malloc(size_t n);
void *wiping_calloc(size_t n, size_t size);
void *wiping_realloc(void *block, size_t n);
char *wiping_strdup(const char *s);
void wiping_free(void *block);

/* How many allocations have failed in this thread so far. */
size_t wiping_allocator_failures(void);

/* What every one of our programs does first: not dumpable (PR_SET_DUMPABLE 0), no core (RLIMIT_CORE 0),
 * umask 077, jansson and OpenSSL on the wiping allocator (OpenSSL unless something in the process has used it
 * before). 0 or negative errno. */
int process_guard_secrets(void);
