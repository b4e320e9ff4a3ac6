/* SPDX-License-Identifier: Apache-2.0 */

/*
 * SHA-256 of files and of bytes, as hex.
 *
 * A file is read with pread(), so its offset stays where it was: the descriptor that was checked is the one
 * that is used afterwards. OpenSSL fails here only without memory or when its configuration forbids the
 * digest (-EIO). It puts what it has to say into a queue of the thread's, where the next one to ask, a TLS connection
 * perhaps, would take it for its own; so the queue is emptied.
 */

#include "base/file.h"

#include <assert.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <unistd.h>

#include "base/secret.h"
#include "base/text.h"

#define SHA256_BYTES 32U
#define READ_PIECE_SIZE 16384U

DEFINE_CLEANUP(EVP_MD_CTX *, EVP_MD_CTX_free)

/* Why it was is not always in the queue; our allocator knows. */
static int openssl_failure(size_t failures_before) {
        ERR_clear_error();
        return wiping_allocator_failures() != failures_before ? -ENOMEM : -EIO;
}

static int finish(EVP_MD_CTX *context, size_t failures, char ret[static SHA256_HEX_SIZE]) {
        unsigned char digest[EVP_MAX_MD_SIZE];
        unsigned size;

        if (EVP_DigestFinal_ex(context, digest, &size) != 1)
                return openssl_failure(failures);

        assert(size == SHA256_BYTES);
        text_hex(digest, size, ret);
        return 0;
}

static int update_from_fd(EVP_MD_CTX *context, size_t failures, int fd) {
        unsigned char piece[READ_PIECE_SIZE];
        off_t offset = 0;

        for (;;) {
                ssize_t n = pread(fd, piece, sizeof(piece), offset);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        return 0;
                if (EVP_DigestUpdate(context, piece, (size_t) n) != 1)
                        return openssl_failure(failures);
                offset += n;
        }
}

int file_sha256(int fd, char ret[static SHA256_HEX_SIZE]) {
        _cleanup_(EVP_MD_CTX_freep) EVP_MD_CTX *context = NULL;
        const size_t failures = wiping_allocator_failures();
        int r;

        assert(fd >= 0);

        context = EVP_MD_CTX_new();
        if (!context || EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1)
                return openssl_failure(failures);

        r = update_from_fd(context, failures, fd);
        return r < 0 ? r : finish(context, failures, ret);
}

int bytes_sha256(const void *bytes, size_t n, char ret[static SHA256_HEX_SIZE]) {
        _cleanup_(EVP_MD_CTX_freep) EVP_MD_CTX *context = NULL;
        const size_t failures = wiping_allocator_failures();

        assert(bytes || n == 0);

        context = EVP_MD_CTX_new();
        if (!context || EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1 || EVP_DigestUpdate(context, bytes, n) != 1)
                return openssl_failure(failures);

        return finish(context, failures, ret);
}
