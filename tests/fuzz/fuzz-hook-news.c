/* SPDX-License-Identifier: Apache-2.0 */

/*
 * hook_news_read() and health_answer(): any status is refused, or gives words that a shell script may be handed as they are; any
 * request is answered with one whole answer.
 */

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "report/health.h"
#include "report/hook-news.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char harmless[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";

static void expect(int condition) {
        if (!condition)
                abort();
}

static void answer(const char *request, const json_t *status) {
        _cleanup_buffer_ Buffer text = BUFFER_INIT(HEALTH_ANSWER_MAX);

        (void) health_request_is_whole(request);
        expect(health_answer(request, status, &text) == 0 || text.size > 0);
        expect(text_starts_with(buffer_string(&text), "HTTP/1.1 "));
        expect(strstr(buffer_string(&text), "\r\n\r\n") != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_json_ json_t *status = NULL;
        _cleanup_buffer_ Buffer request = BUFFER_INIT(HEALTH_REQUEST_MAX);
        HookNews news;

        if (size <= HEALTH_REQUEST_MAX && buffer_append(&request, data, size) == 0)
                answer(buffer_string(&request), NULL);
        if (json_read((const char *) data, size, &status, NULL) < 0)
                return 0;
        if (json_is_object(status) && strlen(json_member_string(status, "state") ?: "") < 64)
                answer("GET /azure HTTP/1.1\r\n\r\n", NULL);
        if (hook_news_read(status, &news) < 0)
                return 0;
        expect(text_consists_of(news.state, harmless));
        expect(!*news.reason || text_consists_of(news.reason, harmless));
        expect(!*news.runner_id || text_consists_of(news.runner_id, harmless));
        expect(news.roles < 1U << _ROLE_MAX);
        answer("GET /azure HTTP/1.1\r\n\r\n", status);
        return 0;
}
