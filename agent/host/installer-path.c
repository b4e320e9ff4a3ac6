/* SPDX-License-Identifier: Apache-2.0 */

/*
 * PATH, as it is made for the installer and as programs are looked for in it.
 *
 * The script calls everything by bare name: the engine's client, sysctl, df, id. An inherited PATH
 * may put a site's own directories first, but a relative or empty entry means "wherever we happen
 * to be" and is dropped, as is every name that the allow-list does not know; the system's own
 * directories always follow, sbin included. So is a directory into which somebody else could put a program, or
 * in place of which another one (base/guarded.h): what is found there would run with the install user's rights.
 *
 * What fails: memory (NULL), and a program that is not there (-ENOENT).
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/guarded.h"
#include "base/text.h"
#include "host/gates.h"
#include "model/allow-list.h"

/* What the allow-list lets pass as one value; the inherited part leaves room for the system's. */
#define PATH_SIZE_MAX 4096U
#define PATH_INHERITED_MAX (PATH_SIZE_MAX - 256U)
#define DIRECTORY_SIZE 1024U

static const char *const system_directories[] = {
        "/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin",
};

/* Copies the entry at *cursor and moves behind it; false at the end. One that is too long comes
 * out empty. */
static bool next_directory(const char **cursor, char ret[static DIRECTORY_SIZE]) {
        size_t n;

        if (!*cursor)
                return false;
        n = strcspn(*cursor, ":");
        ret[0] = '\0';
        if (n < DIRECTORY_SIZE) {
                (void) memcpy(ret, *cursor, n);
                ret[n] = '\0';
        }
        *cursor = (*cursor)[n] == ':' ? *cursor + n + 1 : NULL;
        return true;
}

static bool contains(const char *path, const char *directory) {
        char entry[DIRECTORY_SIZE];

        while (next_directory(&path, entry))
                if (streq(entry, directory))
                        return true;
        return false;
}

/* One that is not there (yet) is left alone: nothing is found in it. */
static bool others_could_change(const char *directory) {
        _cleanup_close_ int fd = -1;
        char why[GUARDED_WHY_SIZE];

        return guarded_open(directory, O_PATH | O_DIRECTORY, geteuid(), &fd, why) == -EPERM;
}

static int append_once(Buffer *path, const char *directory) {
        if (contains(buffer_string(path), directory))
                return 0;
        return buffer_append_format(path, "%s%s", path->size > 0 ? ":" : "", directory);
}

char *installer_path_make(const char *path) {
        _cleanup_buffer_ Buffer made = BUFFER_INIT(PATH_SIZE_MAX);
        char directory[DIRECTORY_SIZE];

        while (next_directory(&path, directory)) {
                if (allow_list_check(VALUE_PATH, directory, NULL) < 0 || others_could_change(directory) ||
                    made.size + strlen(directory) + 1 > PATH_INHERITED_MAX)
                        continue;
                if (append_once(&made, directory) < 0)
                        return NULL;
        }
        for (size_t i = 0; i < ELEMENTS(system_directories); i++)
                if (append_once(&made, system_directories[i]) < 0)
                        return NULL;
        return buffer_take(&made);
}

static bool is_program(const char *path) {
        struct stat st;

        return stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
               faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == 0;
}

int path_find(const char *path, const char *name, char *ret, size_t ret_size) {
        char directory[DIRECTORY_SIZE], candidate[DIRECTORY_SIZE + 256];

        while (next_directory(&path, directory)) {
                int n;

                if (directory[0] != '/')
                        continue;
                n = snprintf(candidate, sizeof(candidate), "%s/%s", directory, name);
                if (n < 0 || (size_t) n >= sizeof(candidate) || (size_t) n >= ret_size ||
                    !is_program(candidate))
                        continue;
                (void) memcpy(ret, candidate, (size_t) n + 1);
                return 0;
        }
        return -ENOENT;
}
