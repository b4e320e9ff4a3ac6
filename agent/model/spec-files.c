/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Finding and reading the files of a spec.
 *
 * Drop-ins lie in FILE.d/, end in ".yaml" and are read in byte order of their names, whatever the
 * locale. Too many or too large files, things that are no files, and what somebody else could
 * change are problems of the spec. A missing main file is -ENOENT; that the machine refuses to let us read is passed up as errno, with
 * a problem that names the file.
 */

#include "model/spec-files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/guarded.h"
#include "base/text.h"

static inline void dir_closep(DIR **slot) {
        if (*slot)
                (void) closedir(*slot);
}

void spec_files_done(SpecFiles *files) {
        for (size_t i = 0; i < SPEC_FILES_MAX; i++)
                buffer_done(files->text + i);
        string_list_free(files->names);
        *files = (SpecFiles) { 0 };
}

static int files_init(SpecFiles *files, const char *name) {
        *files = (SpecFiles) { 0 };
        for (size_t i = 0; i < SPEC_FILES_MAX; i++)
                files->text[i] = BUFFER_INIT(SPEC_SIZE_MAX);
        files->names = calloc(SPEC_FILES_MAX + 1, sizeof(char *));
        if (!files->names)
                return -ENOMEM;
        files->names[files->n] = strdup(name);
        return files->names[files->n++] ? 0 : -ENOMEM;
}

static bool ends_with(const char *s, const char *end) {
        size_t n = strlen(s), m = strlen(end);

        return n > m && streq(s + n - m, end);
}

/* Inserts in byte order behind the main file. When there is no room: the last name gives way, so
 * that the result does not hang on the order of the directory. */
static int add_drop_in(SpecFiles *files, char *name) {
        if (files->n == SPEC_FILES_MAX) {
                free(name);
                files->incomplete = true;
                return 0;
        }
        size_t at = files->n++;
        for (; at > 1 && strcmp(files->names[at - 1], name) > 0; at--)
                files->names[at] = files->names[at - 1];
        files->names[at] = name;
        return 0;
}

static int consider_entry(const char *directory, const char *name, Problems *problems,
                          SpecFiles *files) {
        char *path = NULL;
        int r = 0;

        if (name[0] == '.' || (!ends_with(name, ".yaml") && !ends_with(name, ".yml")))
                return 0;
        if (asprintf(&path, "%s/%s", directory, name) < 0)
                return -ENOMEM;
        if (ends_with(name, ".yaml"))
                return add_drop_in(files, path);
        Place place = { .file = path };
        r = problem_warning(problems, &place, "ignored: the names of drop-ins end in .yaml");
        free(path);
        return r;
}

/* Opening a directory that is not there is the common case. 0 with *ret NULL then, and when a problem says why. */
static int open_drop_ins(const char *directory, Problems *problems, DIR **ret) {
        _cleanup_close_ int fd = -1;
        char why[GUARDED_WHY_SIZE];
        Place place = { .file = directory };

        int r = guarded_open(directory, O_RDONLY | O_DIRECTORY, geteuid(), &fd, why);
        if (r == -ENOENT)
                return 0;
        if (r == -ENOTDIR)
                return problem_error(problems, &place, "is not a directory");
        if (r == -EPERM && *why)
                return problem_error(problems, &place, "%s", why);
        if (r >= 0) {
                *ret = fdopendir(fd);
                if (*ret)
                        (void) TAKE_FD(fd);
                else
                        r = -errno;
        }
        if (r >= 0)
                return 0;
        int reported = problem_error(problems, &place, "can't be read: %s", strerror(-r));
        return reported < 0 ? reported : r;
}

static int find_drop_ins(const char *main_file, Problems *problems, SpecFiles *files) {
        _cleanup_free_ char *directory = NULL;
        _cleanup_(dir_closep) DIR *dir = NULL;
        int r = 0;

        if (asprintf(&directory, "%s.d", main_file) < 0) {
                directory = NULL;
                return -ENOMEM;
        }
        Place place = { .file = directory };
        r = open_drop_ins(directory, problems, &dir);
        if (r < 0 || !dir)
                return r;
        while (r == 0) {
                errno = 0;
                const struct dirent *entry = readdir(dir);
                if (!entry)
                        r = errno != 0 ? -errno : 1;
                else
                        r = consider_entry(directory, entry->d_name, problems, files);
        }
        if (r < 0)
                return r;
        if (files->incomplete)
                return problem_error(problems, &place, "has more than %u drop-ins",
                                     SPEC_DROP_INS_MAX);
        return 0;
}

static int report_unreadable(SpecFiles *files, size_t i, Problems *problems, int error, const char *why) {
        Place place = { .file = files->names[i] };
        int r;

        files->unreadable[i] = true;
        if (error == -EPERM && *why)
                return problem_error(problems, &place, "%s", why);
        if (error == -EMSGSIZE)
                return problem_error(problems, &place,
                                     "is larger than %u KiB; a spec is not that large",
                                     SPEC_SIZE_MAX / 1024);
        if (error == -EISDIR || error == -EINVAL)
                return problem_error(problems, &place, "is not a regular file");
        r = problem_error(problems, &place, "can't be read: %s", strerror(-error));
        if (r < 0)
                return r;
        /* A drop-in that vanished or whose link leads nowhere is the configuration's fault. */
        return error == -ENOENT || error == -ELOOP ? 0 : error;
}

static int read_one(SpecFiles *files, size_t i, Problems *problems, uid_t *ret_owner) {
        char why[GUARDED_WHY_SIZE] = "";
        int r = guarded_read(files->names[i], geteuid(), files->text + i, ret_owner, why);

        if (r >= 0 || (i == 0 && (r == -ENOENT || r == -ENOTDIR)))
                return r;
        return report_unreadable(files, i, problems, r, why);
}

int spec_files_read(const char *path, Problems *problems, SpecFiles *files) {
        int r = files_init(files, path), first = 0;

        if (r < 0)
                return r;
        r = read_one(files, 0, problems, &files->owner);
        if (r == -ENOTDIR)
                return -ENOENT;
        if (r < 0)
                return r;
        r = find_drop_ins(path, problems, files);
        if (r < 0)
                return r;
        /* All of them, so that all of them are told; the first errno is what is passed up. */
        for (size_t i = 1; i < files->n; i++) {
                r = read_one(files, i, problems, NULL);
                if (r < 0 && first == 0)
                        first = r;
        }
        return first;
}

int spec_files_take(const char *name, const char *text, size_t n, Problems *problems,
                    SpecFiles *files) {
        int r = files_init(files, name);

        if (r < 0)
                return r;
        files->owner = geteuid();
        r = buffer_append(files->text, text, n);
        return r == -EMSGSIZE ? report_unreadable(files, 0, problems, r, "") : r;
}
