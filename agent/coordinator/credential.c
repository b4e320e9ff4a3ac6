/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Taking a credential in.
 *
 * A source that can't be used is the operator's matter and becomes an Observation that says what to
 * mend; the secret's value is in none of them. Files are judged by the opened descriptor, so that
 * what was checked is what is read: no link, a regular file, of ours or root's, closed to others, in
 * directories where nobody else could put another one: a link to some other file of root's would
 * have it sent to the coordinator. A group may read: systemd's credentials and shared secrets are
 * handed over so.
 *
 * The environment is the weakest source (any process of the same user can see it) and is there for
 * `ece-enroll run` only. The variable is not removed: a refused credential is read again.
 */

#include "coordinator/credential.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/guarded.h"
#include "base/text.h"
#include "coordinator/credential-private.h"

static int refuse(Observation *refusal, const char *code, const char *where, const char *detail) {
        *refusal = observe(ORIGIN_CREDENTIAL, 0, code, where, "%s", detail);
        return 0;
}

/* What stands against reading this file, or NULL. */
static const char *file_objection(int fd, const char **ret_code) {
        struct stat st;

        *ret_code = "unreadable";
        if (fstat(fd, &st) < 0)
                return "its owner and mode can't be read";
        if (!S_ISREG(st.st_mode))
                return "it is not a regular file";
        *ret_code = "permissions";
        if ((st.st_mode & S_IRWXO) != 0)
                return "others than owner and group have access to it; chmod o= it";
        if (st.st_uid != 0 && st.st_uid != geteuid())
                return "it belongs neither to root nor to the user that reads it";
        return NULL;
}

static int refuse_unopened(Observation *refusal, const char *where, int error) {
        if (error == -ENOENT)
                return refuse(refusal, "missing", where, "there is no such file");
        if (error == -ELOOP)
                return refuse(refusal, "unreadable", where, "it is a symbolic link");
        return refuse(refusal, "unreadable", where, strerror(-error));
}

static int read_opened(int fd, const char *where, Secret **ret, Observation *refusal) {
        const char *code, *objection = file_objection(fd, &code);

        if (objection)
                return refuse(refusal, code, where, objection);
        int r = secret_new_from_fd(fd, ret);
        if (r == -ENOMEM)
                return r;
        if (r == -ENODATA)
                return refuse(refusal, "empty", where, "it is empty");
        if (r == -EMSGSIZE)
                return refuse(refusal, "too-large", where, "it is larger than any credential may be");
        if (r < 0)
                return refuse(refusal, "unreadable", where, strerror(-r));
        return 0;
}

static int read_file(const char *path, Secret **ret, Observation *refusal) {
        char why[GUARDED_WHY_SIZE];
        _cleanup_close_ int fd = -1;

        int r = guarded_open(path, O_RDONLY | O_NOFOLLOW, geteuid(), &fd, why);
        if (r < 0 && *why)
                return refuse(refusal, "permissions", path, why);
        return r < 0 ? refuse_unopened(refusal, path, r) : read_opened(fd, path, ret, refusal);
}

static int read_systemd(const char *name, Secret **ret, Observation *refusal) {
        const char *directory = getenv("CREDENTIALS_DIRECTORY");

        if (!*name || strchr(name, '/') || streq(name, ".") || streq(name, ".."))
                return refuse(refusal, "unreadable", name, "this is not the name of a systemd credential");
        if (!directory)
                return refuse(refusal, "missing", name,
                              "CREDENTIALS_DIRECTORY is not set: the service has no LoadCredential= or was "
                              "not started by systemd");
        _cleanup_close_ int dir_fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (dir_fd < 0)
                return refuse(refusal, "unreadable", directory, strerror(errno));
        /* Not blocking, because a fifo in its place must not hold us up before it is looked at. */
        _cleanup_close_ int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
        return fd < 0 ? refuse_unopened(refusal, name, -errno) : read_opened(fd, name, ret, refusal);
}

static int read_environment(const char *name, bool allowed, Secret **ret, Observation *refusal) {
        if (!allowed)
                return refuse(refusal, "environment", name,
                              "a credential in the environment is for `ece-enroll run` only");
        const char *value = getenv(name);
        if (!value)
                return refuse(refusal, "missing", name, "the environment variable is not set");
        if (!*value)
                return refuse(refusal, "empty", name, "the environment variable is empty");
        int r = secret_new(value, strlen(value), ret);
        return r == -EINVAL ? refuse(refusal, "too-large", name, "it is larger than any credential may be")
                            : r;
}

static int read_source(const SecretSource *source, bool allow_env, Secret **ret, Observation *refusal) {
        switch (source->kind) {
        case SECRET_FROM_NOWHERE:
                return refuse(refusal, "missing", "credential", "the spec names no source");
        case SECRET_FROM_CREDENTIAL:
                return read_systemd(source->name, ret, refusal);
        case SECRET_FROM_FILE:
                return read_file(source->path, ret, refusal);
        case SECRET_FROM_COMMAND:
                return credential_run(source->argv, CREDENTIAL_COMMAND_TIMEOUT_US, ret, refusal);
        case SECRET_FROM_ENV:
                return read_environment(source->name, allow_env, ret, refusal);
        }
        return -EINVAL;
}

static const char *source_name(const SecretSource *source) {
        if (source->kind == SECRET_FROM_FILE)
                return source->path;
        if (source->kind == SECRET_FROM_COMMAND)
                return source->argv[0];
        return source->name;
}

/* Printable ASCII: it goes into a header line or into JSON, and an editor's stray bytes are found
 * here, not by a 401. */
static bool secret_is_printable(const Secret *secret, const char *besides) {
        const char *bytes = secret_bytes(secret);

        for (size_t i = 0; i < secret_size(secret); i++)
                if ((bytes[i] < 0x20 || bytes[i] > 0x7e) && (bytes[i] == '\0' || !strchr(besides, bytes[i])))
                        return false;
        return true;
}

static int read_printable(const SecretSource *source, bool allow_env, const char *besides, Secret **ret,
                          Observation *refusal) {
        _cleanup_(secret_freep) Secret *secret = NULL;

        *ret = NULL;
        int r = read_source(source, allow_env, &secret, refusal);
        if (r < 0 || !secret)
                return r;
        if (!secret_is_printable(secret, besides))
                return refuse(refusal, "not-printable", source_name(source),
                              "it has a line break, a control character or a character outside ASCII");
        *ret = TAKE_PTR(secret);
        return 0;
}

int credential_read(const SecretSource *source, bool allow_env, Secret **ret, Observation *refusal) {
        return read_printable(source, allow_env, "", ret, refusal);
}

int credential_read_text(const SecretSource *source, bool allow_env, Secret **ret, Observation *refusal) {
        return read_printable(source, allow_env, "\r\n\t", ret, refusal);
}

int credential_basic(const char *user, const Secret *password, Secret **ret) {
        size_t user_size = strlen(user), n = user_size + 1 + secret_size(password);
        size_t encoded_size = (n + 2) / 3 * 4;

        if (strchr(user, ':') || encoded_size > SECRET_SIZE_MAX)
                return -EINVAL;
        char *pair = wiping_malloc(n), *encoded = wiping_malloc(encoded_size + 1);
        int r = -ENOMEM;
        if (pair && encoded) {
                memcpy(pair, user, user_size);
                pair[user_size] = ':';
                memcpy(pair + user_size + 1, secret_bytes(password), secret_size(password));
                EVP_EncodeBlock((unsigned char *) encoded, (const unsigned char *) pair, (int) n);
                r = secret_new(encoded, encoded_size, ret);
        }
        wiping_free(pair);
        wiping_free(encoded);
        return r;
}
