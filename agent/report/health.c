/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One request, one answer, and the connection ends: that is all of HTTP/1.1 (RFC 9112) that a probe needs. Of the request only
 * its first line is looked at, and nothing of it is repeated in the answer. Pure.
 */

#include "report/health.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

typedef enum Health { HEALTH_PENDING, HEALTH_GOOD, HEALTH_BAD } Health;

typedef struct Answer {
        int code;
        const char *words; /* of the status line */
        json_t *body;      /* NULL: none */
} Answer;

bool health_request_is_whole(const char *request) {
        return strstr(request, "\r\n\r\n") || strstr(request, "\n\n");
}

static Health health_of(const json_t *status) {
        const char *state = json_member_string(status, "state") ?: "";

        if (streq(state, "ENROLLED"))
                return HEALTH_GOOD;
        return streq(state, "FAILED") ? HEALTH_BAD : HEALTH_PENDING;
}

static json_t *body(const json_t *status, bool azure) {
        const char *state = json_member_string(status, "state") ?: "";
        const char *reason = json_member_string(json_member_object(status, "reason"), "id") ?: "";
        json_t *object = json_pack("{s:s, s:s}", "state", state, "reason", reason);
        Health health = health_of(status);

        if (object && azure && health != HEALTH_PENDING)
                (void) json_object_set_new(object, "ApplicationHealthState",
                                           json_string(health == HEALTH_GOOD ? "Healthy" : "Unhealthy"));
        return object;
}

/* "GET /path HTTP/1.1": what is between the first blank and the next, up to a question mark. */
static bool path_is(const char *line, const char *path) {
        const char *at = strchr(line, ' ');
        size_t n = strlen(path);

        return at && strncmp(at + 1, path, n) == 0 && (at[1 + n] == ' ' || at[1 + n] == '?');
}

static Answer decide(const char *line, const json_t *status) {
        bool azure = path_is(line, "/azure"), good = health_of(status) == HEALTH_GOOD;

        if (!text_starts_with(line, "GET ") && !text_starts_with(line, "HEAD "))
                return (Answer){ 405, "Method Not Allowed", NULL };
        if (!azure && !path_is(line, "/"))
                return (Answer){ 404, "Not Found", NULL };
        if (good || (azure && health_of(status) == HEALTH_BAD))
                return (Answer){ 200, "OK", body(status, azure) };
        return (Answer){ 503, "Service Unavailable", body(status, azure) };
}

static bool is_http(const char *line) {
        return text_consists_of(line, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~:/?#[]@!$&'()*+,;=% ") &&
               strstr(line, " HTTP/1.");
}

int health_answer(const char *request, const json_t *status, Buffer *ret) {
        Answer answer = { 400, "Bad Request", NULL };
        _cleanup_json_ json_t *object = NULL;
        _cleanup_free_ char *text = NULL;
        char line[1024];
        int error;

        (void) snprintf(line, sizeof(line), "%.*s", (int) strcspn(request, "\r\n"), request);
        if (is_http(line))
                answer = decide(line, status);
        object = answer.body;
        text = object ? json_write_compact(object) : strdup("{}");
        if (!text)
                return -ENOMEM;
        error = buffer_append_format(ret,
                                     "HTTP/1.1 %d %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n"
                                     "Cache-Control: no-store\r\nConnection: close\r\n%s\r\n",
                                     answer.code, answer.words, strlen(text) + 1, answer.code == 405 ? "Allow: GET, HEAD\r\n" : "");
        if (error < 0 || text_starts_with(line, "HEAD "))
                return error;
        return buffer_append_format(ret, "%s\n", text);
}
