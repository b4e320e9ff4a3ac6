/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The floor: what an enrollment can't do without. A list of requests, one after the other, with libcurl, over one connection that
 * is kept, and nothing else: no spec, no plan, no checks, no state, no second program. What ece-enroll costs is held
 * against this. The certificate is verified against the CA file, for nothing is a floor that does less than ece-enroll may.
 *
 *   floor URL CA-FILE KEY-FILE DOOR-DIRECTORY [--wait] <requests
 *
 * A line is "GET PATH", "POST PATH BODY", or "JOIN": there the host joins, which for all others their installer sees to.
 * With --wait it says so at the end (a byte to standard output) and stays, its connection open, until a signal ends it. It ends
 * with 1 at the first thing that goes wrong; which, says standard error.
 */

#include <curl/curl.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_SIZE 4096
#define BODY_MAX (1024U * 1024U)

static size_t body_size;

static size_t on_body(char *bytes, size_t size, size_t n, void *userdata) {
        (void) bytes;
        (void) userdata;
        body_size += size * n;
        return body_size > BODY_MAX ? 0 : size * n;
}

static bool complain(const char *what) {
        (void) fprintf(stderr, "floor: %s\n", what);
        return false;
}

/* One descriptor of a named pipe: a word into it, or what comes out of it until its end. */
static bool use_pipe(const char *directory, const char *name, const char *word) {
        char path[LINE_SIZE], answer[64];
        bool good;

        (void) snprintf(path, sizeof(path), "%s/%s", directory, name);
        int fd = open(path, (word ? O_WRONLY : O_RDONLY) | O_CLOEXEC);
        if (fd < 0)
                return complain("no such door");
        good = word ? write(fd, word, strlen(word)) > 0 : read(fd, answer, sizeof(answer)) > 0;
        (void) close(fd);
        return good || complain("nobody at the door");
}

static bool join(const char *directory) {
        return use_pipe(directory, "door", "join\n") && use_pipe(directory, "answer", NULL);
}

/* A status is the answer that it is: the first look at a new host is a 404. */
static bool ask(CURL *easy, const char *url, char *words) {
        char address[LINE_SIZE], error[CURL_ERROR_SIZE] = "";
        char *path = strchr(words, ' '), *body;

        if (!path)
                return complain("not a request");
        *path++ = '\0';
        body = strchr(path, ' ');
        if (body)
                *body++ = '\0';
        (void) snprintf(address, sizeof(address), "%s%s", url, path);
        body_size = 0;
        if (body)
                (void) curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, body);
        else
                (void) curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
        (void) curl_easy_setopt(easy, CURLOPT_URL, address);
        (void) curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, error);
        CURLcode code = curl_easy_perform(easy);
        (void) curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, NULL);
        return code == CURLE_OK || complain(error);
}

static bool play(CURL *easy, const char *url, const char *directory) {
        char line[LINE_SIZE];

        while (fgets(line, sizeof(line), stdin)) {
                line[strcspn(line, "\n")] = '\0';
                if (strcmp(line, "JOIN") == 0 ? !join(directory) : !ask(easy, url, line))
                        return false;
        }
        return true;
}

static bool read_key(const char *path, char *key, size_t size) {
        FILE *file = fopen(path, "re");
        bool good = file && fgets(key, (int) size, file);

        if (file)
                (void) fclose(file);
        if (good)
                key[strcspn(key, "\n")] = '\0';
        return good || complain("no key");
}

static struct curl_slist *headers(const char *key) {
        static const char *const fixed[] = { "Accept: application/json", "Content-Type: application/json", "Expect:" };
        char line[LINE_SIZE + 32];

        (void) snprintf(line, sizeof(line), "Authorization: ApiKey %s", key);
        struct curl_slist *list = curl_slist_append(NULL, line);
        for (size_t i = 0; list && i < sizeof(fixed) / sizeof(fixed[0]); i++)
                list = curl_slist_append(list, fixed[i]);
        return list;
}

/* Whoever waits for us reads the byte, measures, and ends us. */
static void stay(void) {
        if (write(STDOUT_FILENO, ".", 1) == 1)
                (void) pause();
}

int main(int argc, char *argv[]) {
        bool stays = argc == 6 && strcmp(argv[5], "--wait") == 0, good;
        char key[LINE_SIZE];

        if (argc != 5 && !stays) {
                (void) complain("URL CA-FILE KEY-FILE DOOR-DIRECTORY [--wait] <requests");
                return 64;
        }
        if (!read_key(argv[3], key, sizeof(key)) || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
                return 1;
        CURL *easy = curl_easy_init();
        struct curl_slist *list = headers(key);
        if (!easy || !list)
                return 1;
        (void) curl_easy_setopt(easy, CURLOPT_HTTPHEADER, list);
        (void) curl_easy_setopt(easy, CURLOPT_CAINFO, argv[2]);
        (void) curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
        (void) curl_easy_setopt(easy, CURLOPT_PROXY, "");
        (void) curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
        (void) curl_easy_setopt(easy, CURLOPT_USERAGENT, "floor");
        (void) curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
        good = play(easy, argv[1], argv[4]);
        if (good && stays)
                stay();
        curl_easy_cleanup(easy);
        curl_slist_free_all(list);
        curl_global_cleanup();
        return good ? 0 : 1;
}
