/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Secrets in pages of their own.
 *
 * The heap is a bad home for a credential: its blocks are moved, reused, dumped and inherited. So the
 * bytes get an anonymous mapping, which alone can be locked, kept out of core dumps and emptied in forked
 * children; the small struct that describes it holds nothing secret and lives on the heap.
 *
 * What may fail: memory, and a kernel that refuses the advice (-EINVAL from madvise, unknown since Linux
 * 4.14), because a promise of the header would then be silently broken. A refused mlock() is no failure,
 * containers often leave no RLIMIT_MEMLOCK; secret_is_locked() tells.
 */

#include "base/secret.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

/* Since Linux 6.3; older C libraries lack the name. Such a memfd can't be made executable later. */
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

struct Secret {
        char *bytes;    /* start of the mapping */
        size_t size;    /* bytes in use, without the NUL */
        size_t mapped;  /* whole pages */
        bool locked;
};

static size_t round_to_pages(size_t n) {
        size_t page = (size_t) sysconf(_SC_PAGESIZE);

        return (n + page - 1) / page * page;
}

/* An empty secret with room for n bytes and the NUL. */
static int secret_allocate(size_t n, Secret **ret) {
        _cleanup_(secret_freep) Secret *secret = NULL;
        size_t mapped = round_to_pages(n + 1);
        void *pages;

        secret = calloc(1, sizeof(*secret));
        if (!secret)
                return -ENOMEM;

        pages = mmap(NULL, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (pages == MAP_FAILED)
                return -errno;
        secret->bytes = pages;
        secret->mapped = mapped;

        if (madvise(pages, mapped, MADV_DONTDUMP) < 0 || madvise(pages, mapped, MADV_WIPEONFORK) < 0)
                return -errno;
        secret->locked = mlock(pages, mapped) >= 0;

        *ret = TAKE_PTR(secret);
        return 0;
}

int secret_new(const void *bytes, size_t n, Secret **ret) {
        Secret *secret;
        int r;

        assert(bytes || n == 0);
        assert(ret);

        if (n == 0 || n > SECRET_SIZE_MAX)
                return -EINVAL;

        r = secret_allocate(n, &secret);
        if (r < 0)
                return r;

        memcpy(secret->bytes, bytes, n);
        secret->size = n;
        *ret = secret;
        return 0;
}

/* Fills the scratch secret from fd until its end or until `limit` bytes are there. */
static int secret_fill(Secret *scratch, int fd, size_t limit) {
        while (scratch->size < limit) {
                ssize_t n = read(fd, scratch->bytes + scratch->size, limit - scratch->size);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        break;
                scratch->size += (size_t) n;
        }
        return 0;
}

static size_t size_without_newline(const char *bytes, size_t n) {
        if (n == 0 || bytes[n - 1] != '\n')
                return n;
        n--;
        return n > 0 && bytes[n - 1] == '\r' ? n - 1 : n;
}

/* Reads straight into locked pages, with room for a newline and for one byte that says "too large". The
 * secret itself is then copied into as few pages as it needs: lockable memory is scarce. */
int secret_new_from_fd(int fd, Secret **ret) {
        const size_t limit = SECRET_SIZE_MAX + 3;
        _cleanup_(secret_freep) Secret *scratch = NULL;
        size_t n;
        int r;

        assert(fd >= 0);
        assert(ret);

        r = secret_allocate(limit, &scratch);
        if (r < 0)
                return r;

        r = secret_fill(scratch, fd, limit);
        if (r < 0)
                return r;

        if (scratch->size == limit)
                return -EMSGSIZE;
        n = size_without_newline(scratch->bytes, scratch->size);
        if (n == 0)
                return -ENODATA;
        if (n > SECRET_SIZE_MAX)
                return -EMSGSIZE;

        return secret_new(scratch->bytes, n, ret);
}

Secret *secret_free(Secret *secret) {
        if (!secret)
                return NULL;

        if (secret->bytes) {
                explicit_bzero(secret->bytes, secret->mapped);
                (void) munmap(secret->bytes, secret->mapped); /* unlocks as well */
        }
        free(secret);
        return NULL;
}

size_t secret_size(const Secret *secret) {
        assert(secret);

        return secret->size;
}

bool secret_is_locked(const Secret *secret) {
        assert(secret);

        return secret->locked;
}

const char *secret_bytes(const Secret *secret) {
        assert(secret);

        return secret->bytes;
}

/* The time taken tells the size at most, which is no secret. */
bool secret_equal(const Secret *a, const Secret *b) {
        if (!a || !b)
                return false;

        return a->size == b->size && CRYPTO_memcmp(a->bytes, b->bytes, a->size) == 0;
}

/* Kernels that know MFD_NOEXEC_SEAL may be set to insist on it; the others refuse it as unknown. */
static int memfd_open(void) {
        const unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
        int fd;

        fd = memfd_create("ece-enroll-secret", flags | MFD_NOEXEC_SEAL);
        if (fd < 0 && errno == EINVAL)
                fd = memfd_create("ece-enroll-secret", flags);

        return fd < 0 ? -errno : fd;
}

int secret_to_memfd(const Secret *secret, const char *prefix, const char *suffix) {
        _cleanup_close_ int fd = -1;
        int r;

        assert(secret);

        fd = memfd_open();
        if (fd < 0)
                return fd;

        r = prefix ? file_write_all(fd, prefix, strlen(prefix)) : 0;
        if (r >= 0)
                r = file_write_all(fd, secret->bytes, secret->size);
        if (r >= 0 && suffix)
                r = file_write_all(fd, suffix, strlen(suffix));
        if (r < 0)
                return r;

        if (lseek(fd, 0, SEEK_SET) < 0 || fchmod(fd, 0400) < 0)
                return -errno;
        if (fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) < 0)
                return -errno;

        return TAKE_FD(fd);
}

void secret_wipe(void *bytes, size_t n) {
        if (n > 0)
                explicit_bzero(bytes, n);
}
