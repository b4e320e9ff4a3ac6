/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Whom to trust: the first line is a pin, the rest is the content of a CA file, PEM or not. Whatever it is, it becomes
 * a Trust or a refusal that says where; a file without a certificate is never a Trust that believes in nobody or in
 * the system's own list instead.
 */

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "http/trust-pins.h"
#include "http/trust.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(int condition) {
        if (!condition)
                abort();
}

static bool has_certificate(const uint8_t *data, size_t size) {
        return memmem(data, size, "CERTIFICATE", strlen("CERTIFICATE")) != NULL;
}

static void try_pin(const char *pin) {
        Pins pins = { 0 };

        int r = pins_add(&pins, pin);
        expect(r == 0 || r == -EINVAL);
        expect(pins.n == (r == 0) && (r < 0 || text_starts_with(pin, "sha256//")));
}

static void try_trust(const char *ca_file, char *pin, bool may_be_taken) {
        char *pins[] = { pin, NULL };
        _cleanup_(trust_freep) Trust *trust = NULL;
        Observation refusal = OBSERVATION_NONE;

        int r = trust_new(ca_file, pin ? pins : NULL, &trust, &refusal);
        expect(r == 0 || r == -EINVAL);
        expect((r == 0) == (trust != NULL) && (r == 0) == observation_is_none(&refusal));
        expect(r < 0 || may_be_taken);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        const uint8_t *line_end = memchr(data, '\n', size);
        size_t n = line_end ? (size_t) (line_end - data) : size;
        _cleanup_close_ int fd = memfd_create("fuzz", MFD_CLOEXEC);
        _cleanup_free_ char *pin = strndup((const char *) data, n);
        char path[64];

        expect(fd >= 0);
        if (!pin)
                return 0;
        try_pin(pin);
        data += n;
        size -= n;
        expect(file_write_all(fd, data, size) == 0);
        (void) snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        try_trust(path, NULL, has_certificate(data, size));
        if (*pin)
                try_trust(path, pin, has_certificate(data, size) && text_starts_with(pin, "sha256//"));
        return 0;
}
