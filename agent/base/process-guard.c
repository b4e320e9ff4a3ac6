/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The protection that belongs to the process and not to a single secret.
 *
 * Not dumpable: no core, no ptrace and no look into /proc/PID/{mem,environ} by the same user. The kernel
 * resets it at exec, so each of our programs does this first, before it reads anything. RLIMIT_CORE is the
 * second lock on the same door, and one that children inherit. The limits only ever get tighter, so
 * calling this twice does no harm.
 *
 * The libraries that parse secrets get the allocator that wipes. OpenSSL wipes what it knows to be a key, but not what its
 * PEM reader has unpacked on the way (3.0, decode_pem2der.c: OPENSSL_free() of the DER form). It takes another allocator only
 * before it first allocates, which a library's constructor may have done already; then a client key's unpacked
 * form may stay in freed memory, behind the first two locks.
 */

#include "base/secret.h"

#include <errno.h>
#include <jansson.h>
#include <openssl/crypto.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

static void *openssl_malloc(size_t n, const char *file, int line) {
        return wiping_malloc(n);
}

/* 0 bytes frees: CRYPTO_realloc(3ssl) leaves all cases to its replacement. */
static void *openssl_realloc(void *block, size_t n, const char *file, int line) {
        if (n > 0)
                return wiping_realloc(block, n);
        wiping_free(block);
        return NULL;
}

static void openssl_free(void *block, const char *file, int line) {
        wiping_free(block);
}

int process_guard_secrets(void) {
        const struct rlimit no_core = { .rlim_cur = 0, .rlim_max = 0 };

        if (prctl(PR_SET_DUMPABLE, 0UL, 0UL, 0UL, 0UL) < 0)
                return -errno;
        if (setrlimit(RLIMIT_CORE, &no_core) < 0)
                return -errno;

        (void) umask(077);
        json_set_alloc_funcs(wiping_malloc, wiping_free);
        (void) CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc, openssl_free);
        /* What OpenSSL would take apart at exit, the kernel takes back whole; secrets are wiped by those who have them. */
        (void) OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL);
        return 0;
}
