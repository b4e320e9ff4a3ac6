/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A descriptor that came where a token should: the first byte chooses its kind and seals, the second where it stands,
 * the rest is its content. Only a sealed memory file with a token is a token, and what is taken is what it holds.
 */

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "installer/keeper-private.h"
#include "model/allow-list.h"

#define SEALS_NEEDED (F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(int condition) {
        if (!condition)
                abort();
}

/* A pipe, a directory, a device; or a memory file with some of the seals. */
static int make(uint8_t kind, const uint8_t *data, size_t size, int *ret_seals) {
        int fd, pair[2];

        *ret_seals = 0;
        switch (kind >> 5) {
        case 5:
                expect(pipe2(pair, O_CLOEXEC | O_NONBLOCK) == 0);
                (void) close(pair[1]);
                return pair[0];
        case 6:
                return open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        case 7:
                return open("/dev/zero", O_RDONLY | O_CLOEXEC);
        default:
                fd = memfd_create("fuzz", MFD_CLOEXEC | MFD_ALLOW_SEALING);
                *ret_seals = kind & (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
                expect(fd >= 0 && file_write_all(fd, data, size) == 0 && fcntl(fd, F_ADD_SEALS, *ret_seals) == 0);
                return fd;
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(secret_freep) Secret *token = NULL;
        const char *why = NULL;
        int seals;

        if (size < 2)
                return 0;
        _cleanup_close_ int fd = make(data[0], data + 2, size - 2, &seals);
        expect(fd >= 0);
        (void) lseek(fd, data[1], SEEK_SET);
        int r = token_from_memfd(fd, &token, &why);
        expect(r == 0 || (r == -EINVAL && why && *why));
        expect((r == 0) == (token != NULL));
        if (!token)
                return 0;
        expect((seals & SEALS_NEEDED) == SEALS_NEEDED);
        expect(allow_list_check(VALUE_TOKEN, secret_bytes(token), NULL) == 0);
        expect(memcmp(secret_bytes(token), data + 2, secret_size(token)) == 0);
        return 0;
}
