/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Whom to trust: the first line is a pin, the rest is the content of a CA file, PEM or not. Whatever it is, it becomes
 * a Trust or a refusal that says where; a file without a certificate is never a Trust that believes in nobody or in
 * the system's own list instead.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

/* One file for all inputs, of ours as a CA file has to be. */
static struct {
        char path[64];
        int fd;
} ca;

static void remove_file(void) {
        (void) unlink(ca.path);
}

static void prepare(void) {
        if (ca.path[0] != '\0')
                return;
        (void) snprintf(ca.path, sizeof(ca.path), "/tmp/fuzz-trust.XXXXXX");
        ca.fd = mkostemp(ca.path, O_CLOEXEC);
        expect(ca.fd >= 0 && atexit(remove_file) == 0);
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
        _cleanup_free_ char *pin = strndup((const char *) data, n);

        if (!pin)
                return 0;
        prepare();
        try_pin(pin);
        data += n;
        size -= n;
        expect(ftruncate(ca.fd, 0) == 0 && lseek(ca.fd, 0, SEEK_SET) == 0 && file_write_all(ca.fd, data, size) == 0);
        try_trust(ca.path, NULL, has_certificate(data, size));
        if (*pin)
                try_trust(ca.path, pin, has_certificate(data, size) && text_starts_with(pin, "sha256//"));
        return 0;
}
