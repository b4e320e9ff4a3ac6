/* SPDX-License-Identifier: Apache-2.0 */

/* SHA-256, by the examples of FIPS 180. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"

static const struct {
        const char *text, *expected;
} examples[] = {
        { "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
        { "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
        { "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
          "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
};

static void test_bytes(void **state) {
        char hex[SHA256_HEX_SIZE];

        for (size_t i = 0; i < ELEMENTS(examples); i++) {
                assert_int_equal(bytes_sha256(examples[i].text, strlen(examples[i].text), hex), 0);
                assert_string_equal(hex, examples[i].expected);
        }
        assert_int_equal(bytes_sha256(NULL, 0, hex), 0);
        assert_string_equal(hex, examples[0].expected);
}

static void test_file(void **state) {
        char hex[SHA256_HEX_SIZE];

        for (size_t i = 0; i < ELEMENTS(examples); i++) {
                _cleanup_close_ int fd = memfd_create("digest", MFD_CLOEXEC);
                off_t end = (off_t) strlen(examples[i].text);

                assert_int_equal(file_write_all(fd, examples[i].text, strlen(examples[i].text)), 0);
                assert_int_equal(file_sha256(fd, hex), 0);
                assert_string_equal(hex, examples[i].expected);
                assert_int_equal(lseek(fd, 0, SEEK_CUR), end); /* where it was */
        }
}

/* FIPS 180's million times "a": more than one piece. */
static void test_large_file(void **state) {
        _cleanup_close_ int fd = memfd_create("digest", MFD_CLOEXEC);
        char hex[SHA256_HEX_SIZE], piece[1000];

        memset(piece, 'a', sizeof(piece));
        for (int i = 0; i < 1000; i++)
                assert_int_equal(file_write_all(fd, piece, sizeof(piece)), 0);
        assert_int_equal(file_sha256(fd, hex), 0);
        assert_string_equal(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void test_unreadable(void **state) {
        char hex[SHA256_HEX_SIZE] = "untouched";
        int ends[2];

        assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
        assert_int_equal(file_sha256(ends[0], hex), -ESPIPE);
        assert_string_equal(hex, "untouched");
        assert_int_equal(close(ends[0]), 0);
        assert_int_equal(close(ends[1]), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_bytes),
                cmocka_unit_test(test_file),
                cmocka_unit_test(test_large_file),
                cmocka_unit_test(test_unreadable),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
