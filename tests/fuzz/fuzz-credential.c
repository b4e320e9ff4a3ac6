/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What a credential's command prints, and what a credential's file holds: any bytes. Both are taken in by the same
 * rules, and neither a refusal nor base64 of what was taken holds a byte of it in the clear.
 */

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/file.h"
#include "coordinator/credential-private.h"
#include "coordinator/credential.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(int condition) {
        if (!condition)
                abort();
}

/* The same bytes as a file's content. NULL when they are refused. */
static Secret *from_file(const uint8_t *data, size_t size) {
        _cleanup_close_ int fd = memfd_create("fuzz", MFD_CLOEXEC);
        Secret *secret = NULL;

        expect(fd >= 0 && file_write_all(fd, data, size) == 0 && lseek(fd, 0, SEEK_SET) == 0);
        int r = secret_new_from_fd(fd, &secret);
        expect(r == 0 || r == -ENODATA || r == -EMSGSIZE);
        return secret;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_buffer_ Buffer output = BUFFER_INIT_WIPED(SECRET_SIZE_MAX + 2);
        _cleanup_(secret_freep) Secret *printed = NULL, *basic = NULL;
        Observation refusal = OBSERVATION_NONE;

        if (size > SECRET_SIZE_MAX + 2 || buffer_append(&output, data, size) < 0)
                return 0;
        _cleanup_(secret_freep) Secret *read = from_file(data, size);
        expect(credential_from_output("/usr/bin/vault", &output, &printed, &refusal) == 0);
        expect((printed == NULL) == !observation_is_none(&refusal));
        expect((printed == NULL) == (read == NULL) && (!read || secret_equal(printed, read)));
        if (!printed)
                return 0;
        expect(secret_size(printed) <= size && memcmp(secret_bytes(printed), data, secret_size(printed)) == 0);
        int r = credential_basic("admin", printed, &basic);
        expect(r == 0 || r == -EINVAL);
        if (r == 0)
                expect(strspn(secret_bytes(basic), "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=") ==
                       secret_size(basic));
        return 0;
}
