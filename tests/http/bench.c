/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The bench for HTTP tests. The peer is another program in another language on purpose: what it
 * receives and sends is read and written by no code of ours. It serves connections one by one and
 * ends when its standard input is closed, so a log is complete when peer_stop() returns it, and
 * nothing here waits by the clock.
 */

#include "bench.h"

#include <assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>

#include "base/file.h"
#include "bench-certificates.h"
#include "http/trust-pins.h"

#define HERE_NAMES "IP:127.0.0.1,DNS:localhost"
#define RING 8U

extern char **environ;

static char scratch[] = "/tmp/ece-enroll-bench-XXXXXX";

const char *bench_path(const char *name) {
        static char ring[RING][256];
        static size_t at;
        char *path = ring[at++ % RING];

        (void) snprintf(path, sizeof(ring[0]), "%s/%s", scratch, name);
        return path;
}

static void write_chain(const char *name, X509 *leaf, X509 *below, X509 *root) {
        X509 *chain[] = { leaf, below, root };

        certificates_write(bench_path(name), chain, below ? (root ? 3 : 2) : 1);
}

/* Signs a leaf by inter and writes its chain. */
static void make_leaf(const char *file, const CertificateRequest *request, EVP_PKEY *key, X509 *inter,
                      EVP_PKEY *inter_key, X509 *root) {
        X509 *leaf = certificate_make(request, key, inter, inter_key);

        write_chain(file, leaf, inter, root);
        X509_free(leaf);
}

static void make_certificates(void) {
        EVP_PKEY *root_key = EVP_EC_gen("P-256"), *inter_key = EVP_EC_gen("P-256"),
                 *other_key = EVP_EC_gen("P-256");
        EVP_PKEY *key = EVP_EC_gen("P-256");

        X509 *root =
                certificate_make(&(CertificateRequest){ "bench root", NULL, -9, 9 }, root_key, NULL, NULL);
        X509 *inter = certificate_make(&(CertificateRequest){ "bench inter", NULL, -9, 9 }, inter_key, root,
                                       root_key);
        X509 *other =
                certificate_make(&(CertificateRequest){ "other root", NULL, -9, 9 }, other_key, NULL, NULL);
        X509 *self = certificate_make(&(CertificateRequest) { "self", HERE_NAMES, -9, 9 }, key, NULL, NULL);
        X509 *forged =
                certificate_make(&(CertificateRequest){ "good", HERE_NAMES, -9, 9 }, key, other, other_key);

        key_write(bench_path("leaf.key"), key);
        write_chain("root.pem", root, NULL, NULL);
        write_chain("inter.pem", inter, NULL, NULL);
        write_chain("other-root.pem", other, NULL, NULL);
        write_chain("self.pem", self, NULL, NULL);
        write_chain("forged.pem", forged, root, NULL);
        make_leaf("good.pem", &(CertificateRequest){ "good", HERE_NAMES, -9, 9 }, key, inter, inter_key,
                  root);
        make_leaf("stranger.pem", &(CertificateRequest){ "stranger", "DNS:other.example", -9, 9 }, key, inter,
                  inter_key, root);
        make_leaf("expired.pem", &(CertificateRequest){ "expired", HERE_NAMES, -9, -1 }, key, inter,
                  inter_key, root);
        make_leaf("early.pem", &(CertificateRequest){ "early", HERE_NAMES, 1, 9 }, key, inter, inter_key,
                  root);

        X509 *made[] = { root, inter, other, self, forged };
        for (size_t i = 0; i < ELEMENTS(made); i++)
                X509_free(made[i]);
        EVP_PKEY *keys[] = { root_key, inter_key, other_key, key };
        for (size_t i = 0; i < ELEMENTS(keys); i++)
                EVP_PKEY_free(keys[i]);
}

void bench_open_bare(void) {
        bool made = mkdtemp(scratch) != NULL;

        assert(made);
}

void bench_open(void) {
        bench_open_bare();
        make_certificates();
}

void bench_close(void) {
        DIR *directory = opendir(scratch);

        for (struct dirent *entry; directory && (entry = readdir(directory));)
                if (entry->d_name[0] != '.')
                        (void) unlinkat(dirfd(directory), entry->d_name, 0);
        if (directory)
                (void) closedir(directory);
        (void) rmdir(scratch);
}

const char *bench_pin(const char *name) {
        static char ring[RING][PIN_TEXT_SIZE];
        static size_t at;
        char *pin = ring[at++ % RING], file[64];

        (void) snprintf(file, sizeof(file), "%s.pem", name);
        X509 *certificate = certificate_read(bench_path(file));
        bool formatted = pin_format(certificate, pin);
        assert(formatted);
        X509_free(certificate);
        return pin;
}

static void peer_spawn(Peer *peer, char *const *argv, int input, int output) {
        posix_spawn_file_actions_t actions;

        int r = posix_spawn_file_actions_init(&actions);
        assert(r == 0);
        (void) posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
        (void) posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
        r = posix_spawnp(&peer->pid, argv[0], &actions, NULL, argv, environ);
        assert(r == 0);
        (void) posix_spawn_file_actions_destroy(&actions);
}

/* Its first line is its port, and says that it listens. */
static unsigned read_port(int fd) {
        unsigned port = 0;
        char digit = '0';

        while (read(fd, &digit, 1) == 1 && digit >= '0' && digit <= '9')
                port = port * 10 + (unsigned) (digit - '0');
        assert(digit == '\n');
        return port;
}

Peer peer_start(const char *leaf, const char *script) {
        static unsigned n;
        char name[64], chain[256] = "", key[256] = "";
        Peer peer = { 0 };
        int input[2], output[2];

        (void) snprintf(name, sizeof(name), "log-%u", n);
        (void) snprintf(peer.log_path, sizeof(peer.log_path), "%s", bench_path(name));
        if (leaf) {
                (void) snprintf(name, sizeof(name), "%s.pem", leaf);
                (void) snprintf(chain, sizeof(chain), "%s", bench_path(name));
                (void) snprintf(key, sizeof(key), "%s", bench_path("leaf.key"));
        } else {
                (void) snprintf(name, sizeof(name), "socket-%u", n);
                (void) snprintf(peer.unix_path, sizeof(peer.unix_path), "%s", bench_path(name));
        }
        n++;
        char *argv[] = {
                (char[]) { "python3" }, (char[]) { TOP_SRCDIR "/tests/http/server.py" },
                peer.log_path, strdup(script),
                leaf ? (char[]) { "--tls" } : (char[]) { "--unix" },
                leaf ? chain : peer.unix_path, leaf ? key : NULL,
                NULL,
        };
        bool piped = pipe2(input, O_CLOEXEC) == 0 && pipe2(output, O_CLOEXEC) == 0;
        assert(piped);
        peer_spawn(&peer, argv, input[0], output[1]);
        (void) close(input[0]);
        (void) close(output[1]);
        peer.input = input[1];
        peer.port = read_port(output[0]);
        (void) close(output[0]);
        free(argv[3]);
        return peer;
}

char *peer_stop(Peer *peer) {
        _cleanup_buffer_ Buffer log = BUFFER_INIT(16U * 1024U * 1024U);
        int status;

        (void) close(TAKE_FD(peer->input));
        bool ended =
                waitpid(peer->pid, &status, 0) == peer->pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
        assert(ended);
        int r = file_read(peer->log_path, &log);
        assert(r == 0);
        return buffer_take(&log);
}

size_t log_requests(const char *log) {
        size_t n = 0;

        for (const char *end = strstr(log, "\n~~\n"); end; end = strstr(end + 1, "\n~~\n"))
                n++;
        return n;
}
