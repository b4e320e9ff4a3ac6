/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A stable number for this host, from which its place in the splay and its jitter follow.
 *
 * It identifies nothing to anybody, so an image whose machine-id is not initialised yet is no
 * failure: the host's name, hashed, spreads a fleet just as well. Nothing here fails.
 */

#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/file.h"
#include "base/text.h"
#include "host/host-facts.h"

#define MACHINE_ID_PATH "/etc/machine-id"
#define ID_LENGTH (MACHINE_ID_SIZE - 1)

static bool read_machine_id(char ret[static MACHINE_ID_SIZE]) {
        _cleanup_buffer_ Buffer text = BUFFER_INIT(64);

        if (file_read(MACHINE_ID_PATH, &text) < 0)
                return false;
        if (text.size > 0 && text.data[text.size - 1] == '\n')
                text.data[--text.size] = '\0';
        if (text.size != ID_LENGTH || !text_consists_of(text.data, "0123456789abcdef"))
                return false;
        (void) memcpy(ret, text.data, MACHINE_ID_SIZE);
        return true;
}

void host_machine_id(char ret[static MACHINE_ID_SIZE]) {
        char name[256] = "", hash[SHA256_HEX_SIZE] = "";

        if (read_machine_id(ret))
                return;
        (void) gethostname(name, sizeof(name) - 1);
        if (bytes_sha256(name, strlen(name), hash) < 0)
                (void) memset(hash, '0', ID_LENGTH);
        (void) memcpy(ret, hash, ID_LENGTH);
        ret[ID_LENGTH] = '\0';
}
