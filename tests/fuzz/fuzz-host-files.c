/* SPDX-License-Identifier: Apache-2.0 */

/* Files of the system that people and their tools write as they like: the first byte chooses the reader, the rest is the
 * file. What comes out is printable, and rights are given to nobody whom no line names. */

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "host/host-files.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(int condition) {
        if (!condition)
                abort();
}

static bool in_group(const Who *who, const char *group) {
        return streq(group, "wheel");
}

static const Who elastic = { "elastic", 1234, in_group, NULL };

static void try_os_release(const char *text) {
        OsRelease release;

        os_release_read(text, &release);
        expect(text_is_printable(release.id) && text_is_printable(release.version));
}

static void try_proc(const char *text) {
        uint64_t value = 0;

        int r = meminfo_find(text, "MemTotal:", &value);
        expect(r == 0 || r == -ENOENT);
        if (command_line_has(text, "swapaccount=1"))
                expect(strstr(text, "swapaccount=1") != NULL);
}

static void try_mounts(const char *text) {
        Mount mount = { .type = "" };

        int r = mounts_find(text, "/mnt/data/elastic", &mount);
        expect(r == 0 || r == -ENOENT);
        if (r < 0)
                return;
        expect(text_is_printable(mount.device) && text_is_printable(mount.point) && text_is_printable(mount.type));
        expect(text_starts_with("/mnt/data/elastic", mount.point));
}

static void try_limits(const char *text) {
        Limits limits = { .soft[LIMIT_NOFILE].rank = LIMIT_UNSET };

        limits_read(text, "file", &elastic, &limits);
        for (LimitKind kind = 0; kind < _LIMIT_MAX; kind++)
                if (limits.soft[kind].rank != LIMIT_UNSET)
                        expect(strstr(text, limit_kind_to_string(kind)) != NULL);
}

static void try_sudoers(const char *text) {
        if (sudoers_read(text, &elastic) == SUDO_ALL)
                expect(strstr(text, "elastic") != NULL || strstr(text, "%wheel") != NULL || strstr(text, "ALL") != NULL);
}

static void try_time_zone(const char *text, size_t n) {
        char zone[TIME_ZONE_SIZE] = "";

        int r = time_zone_read(text, n, zone);
        expect(r == -EBADMSG || (r == 0 && zone[0] != '\0' && text_is_printable(zone)));
}

static void try_settings(const char *text, size_t n) {
        char value[FACT_SIZE] = "";
        Limits limits = { .soft[LIMIT_NOFILE].rank = LIMIT_UNSET };

        int r = setting_find(text, "network", "network_backend", value);
        expect((r == 0 && text_is_printable(value)) || (r == -ENOENT && value[0] == '\0'));
        r = ulimits_read(text, n, &limits);
        expect(r == 0 || r == -EBADMSG);
}

static void try_reader(unsigned which, const char *text, size_t n) {
        switch (which) {
        case 0:
                return try_os_release(text);
        case 1:
                return try_proc(text);
        case 2:
                return try_mounts(text);
        case 3:
                return try_limits(text);
        case 4:
                return try_sudoers(text);
        case 5:
                return try_time_zone(text, n);
        case 6:
                return try_settings(text, n);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        if (size == 0)
                return 0;
        /* Ended by a zero, as the content of a Buffer is. */
        char *text = malloc(size);
        if (!text)
                abort();
        memcpy(text, data + 1, size - 1);
        text[size - 1] = '\0';
        try_reader(data[0] % 7, text, size - 1);
        free(text);
        return 0;
}
