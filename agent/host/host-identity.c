/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Which host is this? From /etc/machine-id, from DMI (sysfs, readable for root alone) and from the addresses of those network
 * devices that have hardware behind them: /sys/class/net/NAME/device. Bridges and containers' ends have none and come
 * and go. Nothing here can fail in a way that matters: what is not there is not compared.
 */

#include "host/host-identity.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

#define DEVICES_MAX 64

static void read_line(const char *path, char *ret, size_t ret_size) {
        _cleanup_buffer_ Buffer text = BUFFER_INIT(4096);

        ret[0] = '\0';
        if (file_read(path, &text) < 0 || text.size == 0)
                return;
        text.data[strcspn(buffer_string(&text), "\n")] = '\0';
        if (strlen(buffer_string(&text)) < ret_size)
                text_copy_printable(ret, ret_size, buffer_string(&text));
}

static int by_text(const void *a, const void *b) {
        return strcmp(a, b);
}

typedef char Address[32];

static size_t read_addresses(const char *root, Address addresses[static DEVICES_MAX]) {
        char path[PATH_MAX];
        size_t n = 0;
        struct dirent *entry;
        DIR *directory;

        (void) snprintf(path, sizeof(path), "%s/sys/class/net", root);
        directory = opendir(path);
        while (directory && n < DEVICES_MAX && (entry = readdir(directory))) {
                if (entry->d_name[0] == '.')
                        continue;
                (void) snprintf(path, sizeof(path), "%s/sys/class/net/%s/device", root, entry->d_name);
                if (access(path, F_OK) < 0)
                        continue;
                (void) snprintf(path, sizeof(path), "%s/sys/class/net/%s/address", root, entry->d_name);
                read_line(path, addresses[n], sizeof(addresses[n]));
                n += addresses[n][0] != '\0' && strspn(addresses[n], "0:") < strlen(addresses[n]);
        }
        if (directory)
                (void) closedir(directory);
        qsort(addresses, n, sizeof(addresses[0]), by_text);
        return n;
}

void host_identity_gather(const char *root, HostIdentity *ret) {
        Address addresses[DEVICES_MAX];
        char path[PATH_MAX];
        size_t n = read_addresses(root, addresses), used = 0;

        *ret = (HostIdentity) {};
        (void) snprintf(path, sizeof(path), "%s/etc/machine-id", root);
        read_line(path, ret->machine_id, sizeof(ret->machine_id));
        (void) snprintf(path, sizeof(path), "%s/sys/class/dmi/id/product_uuid", root);
        read_line(path, ret->product_uuid, sizeof(ret->product_uuid));
        for (size_t i = 0; i < n && used + strlen(addresses[i]) + 1 < sizeof(ret->hardware_addresses); i++)
                used += (size_t) snprintf(ret->hardware_addresses + used, sizeof(ret->hardware_addresses) - used, "%s%s", i > 0 ? "," : "",
                                          addresses[i]);
}
