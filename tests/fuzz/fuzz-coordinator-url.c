/* SPDX-License-Identifier: Apache-2.0 */

/* Addresses of coordinators and of the webhook: what is refused has a reason, in printable words; what is taken is
 * canonical, so that reading it once more changes nothing. */

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "model/coordinator-url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(int condition) {
        if (!condition)
                abort();
}

static void expect_reason(const char why[static URL_WHY_SIZE]) {
        expect(why[0] != '\0' && memchr(why, '\0', URL_WHY_SIZE));
        for (const char *c = why; *c; c++)
                expect((unsigned char) *c >= 0x20 && *c != 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *text = strndup((const char *) data, size);
        char url[COORDINATOR_URL_SIZE] = "", again[COORDINATOR_URL_SIZE] = "";
        char why[URL_WHY_SIZE] = "";

        if (!text)
                return 0;
        int r = coordinator_url_parse(text, url, why);
        expect(r == 0 || r == -EINVAL);
        if (r < 0)
                expect_reason(why);
        else {
                expect(text_starts_with(url, "https://") && !strpbrk(url + 8, "/?#@ \\") && strrchr(url, ':') > url + 8);
                expect(coordinator_url_parse(url, again, why) == 0 && streq(url, again));
        }
        memset(why, 0, sizeof(why));
        r = webhook_url_check(text, why);
        expect(r == 0 || r == -EINVAL);
        if (r < 0)
                expect_reason(why);
        else
                expect(!strpbrk(text, " \t\r\n#"));
        return 0;
}
