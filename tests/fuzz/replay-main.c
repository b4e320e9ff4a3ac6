/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plain main() for the fuzz targets, so that `make check` runs them with any compiler.
 *
 * A fuzz target is one function that takes any bytes and must neither crash nor leak. Without libFuzzer it gets the
 * seeds of tests/fuzz/corpus/NAME (NAME is ours without "fuzz-"), and of each seed some broken relatives:
 * cut off at up to CUTS places, and with single bytes replaced at up to PLACES places. That is no search, but the same
 * inputs every time, and a crash that a real search has found stays found once its input is put into the corpus.
 * A seed that a search has found, named by 40 hex digits, is run as it is: its relatives are what the search was for.
 * Each input lies in a block of exactly its size, so that AddressSanitizer and valgrind see a read past the end.
 * Prints TAP, one line a seed. Files named on the command line are run instead of the corpus.
 */
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define SEED_SIZE_MAX (1024U * 1024U)
#define CUTS 128U
#define PLACES 128U

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What single bytes become: ends of strings, quotes, brackets, blanks and both ends of the range. */
static const uint8_t replacements[] = { 0x00, '\n', '"', '\'', '{', '[', ':', '-', ' ', 0x7f, 0xff };

static void run_copy(const uint8_t *bytes, size_t n, size_t at, int replacement) {
        uint8_t *copy = malloc(n > 0 ? n : 1);

        if (!copy)
                abort();
        if (n > 0)
                memcpy(copy, bytes, n);
        if (replacement >= 0)
                copy[at] = (uint8_t) replacement;
        (void) LLVMFuzzerTestOneInput(copy, n);
        free(copy);
}

static void run_with_relatives(const uint8_t *bytes, size_t n) {
        size_t cut_step = n / CUTS + 1, place_step = n / PLACES + 1;

        run_copy(bytes, n, 0, -1);
        for (size_t cut = 0; cut < n; cut += cut_step)
                run_copy(bytes, cut, 0, -1);
        for (size_t at = 0; at < n; at += place_step)
                for (size_t i = 0; i < sizeof(replacements); i++)
                        run_copy(bytes, n, at, replacements[i]);
}

static bool was_found(const char *path) {
        const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

        return strspn(name, "0123456789abcdef") == 40 && strlen(name) == 40;
}

static bool run_file(const char *path) {
        static uint8_t bytes[SEED_SIZE_MAX];
        FILE *file = fopen(path, "re");
        size_t n;
        bool readable;

        if (!file) {
                printf("# %s: %s\n", path, strerror(errno));
                return false;
        }
        n = fread(bytes, 1, sizeof(bytes), file);
        readable = !ferror(file) && n < sizeof(bytes);
        (void) fclose(file);
        if (readable && was_found(path))
                run_copy(bytes, n, 0, -1);
        else if (readable)
                run_with_relatives(bytes, n);
        return readable;
}

static unsigned report(unsigned number, bool ok, const char *name) {
        printf("%s %u - %s\n", ok ? "ok" : "not ok", number, name);
        (void) fflush(stdout); /* the last line before a crash names the seed before it */
        return ok ? 0 : 1;
}

static int is_seed(const struct dirent *entry) {
        return entry->d_name[0] != '.';
}

static int replay_corpus(const char *program) {
        const char *slash = strrchr(program, '/'), *name = slash ? slash + 1 : program;
        struct dirent **seeds = NULL;
        char folder[4096], path[8192];
        unsigned failed = 0;
        int n;

        if (strncmp(name, "fuzz-", 5) == 0)
                name += 5;
        (void) snprintf(folder, sizeof(folder), "%s/tests/fuzz/corpus/%s", TOP_SRCDIR, name);
        n = scandir(folder, &seeds, is_seed, alphasort);
        if (n <= 0) {
                printf("1..1\nnot ok 1 - %s holds no seed\n", folder);
                return EXIT_FAILURE;
        }
        printf("1..%d\n", n);
        for (int i = 0; i < n; i++) {
                (void) snprintf(path, sizeof(path), "%s/%s", folder, seeds[i]->d_name);
                failed += report((unsigned) i + 1, run_file(path), seeds[i]->d_name);
                free(seeds[i]);
        }
        free(seeds);
        return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char *argv[]) {
        unsigned failed = 0;

        if (argc < 2)
                return replay_corpus(argv[0]);
        printf("1..%d\n", argc - 1);
        for (int i = 1; i < argc; i++)
                failed += report((unsigned) i, run_file(argv[i]), argv[i]);
        return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
