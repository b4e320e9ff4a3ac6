/* SPDX-License-Identifier: Apache-2.0 */

/*
 * SHA-256 of files and of bytes, as hex.
 *
 * A file is read with pread(), so its offset stays where it was: the descriptor that was checked is the one
 * that is used afterwards. OpenSSL fails here only without memory or when its configuration forbids the
 * digest (-EIO).
 */

#include "base/file.h"

#include <assert.h>
#include <errno.h>
#include <openssl/evp.h>
#include <unistd.h>

#include "base/text.h"

#define SHA256_BYTES 32U
#define READ_PIECE_SIZE 16384U

DEFINE_CLEANUP(EVP_MD_CTX *, EVP_MD_CTX_free)

static int finish(EVP_MD_CTX *context, char ret[static SHA256_HEX_SIZE]) {
        unsigned char digest[EVP_MAX_MD_SIZE];
        unsigned size;

        if (EVP_DigestFinal_ex(context, digest, &size) != 1)
                return -EIO;

        assert(size == SHA256_BYTES);
        text_hex(digest, size, ret);
        return 0;
}

static int update_from_fd(EVP_MD_CTX *context, int fd) {
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
                        return -EIO;
                offset += n;
        }
}

int file_sha256(int fd, char ret[static SHA256_HEX_SIZE]) {
        _cleanup_(EVP_MD_CTX_freep) EVP_MD_CTX *context = NULL;
        int r;

        assert(fd >= 0);

        context = EVP_MD_CTX_new();
        if (!context)
                return -ENOMEM;
        if (EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1)
                return -EIO;

        r = update_from_fd(context, fd);
        return r < 0 ? r : finish(context, ret);
}

int bytes_sha256(const void *bytes, size_t n, char ret[static SHA256_HEX_SIZE]) {
        _cleanup_(EVP_MD_CTX_freep) EVP_MD_CTX *context = NULL;

        assert(bytes || n == 0);

        context = EVP_MD_CTX_new();
        if (!context)
                return -ENOMEM;
        if (EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1 || EVP_DigestUpdate(context, bytes, n) != 1)
                return -EIO;

        return finish(context, ret);
}
