/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Judging a reply: status, headers and bytes in, an object or an Observation out.
 *
 * The status alone misleads: coordinators were seen answering 200 with an error body, and 403 has
 * two opposite meanings. So the body speaks first, its error code second, the status last. Between
 * us and the coordinator may stand a balancer that answers in HTML, so "no ECE body" is a finding
 * of its own. Pure but for memory, whose lack shows as an unreadable body; never logs, never quotes
 * a body, only its error messages, made printable and redacted.
 */

#include "coordinator/reply.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>

#include "base/text.h"
#include "coordinator/reply-redact.h"

#define STATUS_IS_2XX(status) ((status) >= 200 && (status) < 300)
#define STATUS_IS_3XX(status) ((status) >= 300 && (status) < 400)

/* The first code of a list, without the quotes that ECE prints around some of them. False when
 * there is none. */
static bool code_copy(const char *from, char ret[static OBSERVATION_CODE_SIZE]) {
        size_t n = 0;

        for (; *from && n < OBSERVATION_CODE_SIZE - 1; from++) {
                if (*from == '"' || *from == '\'' || (isspace((unsigned char) *from) && n == 0))
                        continue;
                if (*from == ',' || isspace((unsigned char) *from))
                        break;
                ret[n++] = *from;
        }
        ret[n] = '\0';
        return n > 0;
}

/* observe() with a foreign sentence: redacted before it is cut, so that no half of a secret is
 * left. */
static Observation observe_foreign(Origin origin, int status, const char *code, const char *where,
                                   const char *message) {
        char text[1024];

        text_copy_printable(text, sizeof(text), message ? message : "");
        reply_redact(text);
        return observe(origin, status, code, where, "%s", text);
}

/* The first error that has a code; *ret_any tells whether the body claims any error at all. */
static Observation judge_errors(const json_t *object, int status, const char *where, bool *ret_any) {
        const json_t *errors = json_object_get(object, "errors");
        size_t n = json_is_array(errors) ? json_array_size(errors) : 0;
        char code[OBSERVATION_CODE_SIZE];

        *ret_any = json_is_array(errors) ? n > 0 : errors && !json_is_null(errors);
        for (size_t i = 0; i < n; i++) {
                const json_t *error = json_array_get(errors, i);
                const char *said = json_member_string(error, "code");
                if (said && code_copy(said, code))
                        return observe_foreign(ORIGIN_ECE, status, code, where,
                                               json_member_string(error, "message"));
        }
        return OBSERVATION_NONE;
}

/* {"ok":false,"message":...} of the old interface, and {"error":"..."} of who knows whom. */
static Observation judge_not_ok(const json_t *object, int status, const char *where) {
        const char *message = json_member_string(object, "message");
        const char *error = json_member_string(object, "error");

        if (json_member_bool(object, "ok", true) && !error)
                return OBSERVATION_NONE;
        if (status == 401)
                return observe_foreign(ORIGIN_ECE, status, "root.unauthenticated", where,
                                       message ? message : error);
        if (STATUS_IS_2XX(status))
                return observe_foreign(ORIGIN_REPLY, status, "not-ok", where, message ? message : error);
        return OBSERVATION_NONE;
}

/* Does the text open more brackets than it closes? Then its end is missing. Strings are stepped
 * over. */
static bool text_is_open(const char *text, size_t n) {
        bool in_string = false;
        size_t depth = 0;

        for (size_t i = 0; i < n; i++) {
                if (in_string) {
                        if (text[i] == '\\')
                                i++;
                        else if (text[i] == '"')
                                in_string = false;
                } else if (text[i] == '"')
                        in_string = true;
                else if (text[i] == '{' || text[i] == '[')
                        depth++;
                else if ((text[i] == '}' || text[i] == ']') && depth > 0)
                        depth--;
        }
        return in_string || depth > 0;
}

/* What a body is that json_read() refused. */
static const char *unreadable_code(const Buffer *body) {
        const char *text = buffer_string(body);
        size_t blank = strspn(text, " \t\r\n");

        if (blank == body->size)
                return "empty";
        if (text[blank] == '<')
                return "html";
        if ((text[blank] == '{' || text[blank] == '[') && text_is_open(text + blank, body->size - blank))
                return "truncated";
        return "not-json";
}

/* No ECE body: the status speaks, or the header that some operations send. */
static Observation judge_status(const HttpReply *reply, const char *where, const char *body_is) {
        char code[OBSERVATION_CODE_SIZE];

        if (STATUS_IS_3XX(reply->status))
                return observe(ORIGIN_REPLY, reply->status, "redirect", where,
                               "redirected (status %d); redirects are never followed", reply->status);
        if (code_copy(reply->error_codes, code))
                return observe(ORIGIN_ECE, reply->status, code, where,
                               "status %d, code from the reply's header", reply->status);
        return observe(ORIGIN_HTTP, reply->status, "", where, "status %d, body is %s", reply->status,
                       body_is);
}

static Observation judge_unreadable(const HttpReply *reply, const char *where, int error, const char *why) {
        const char *code = error == -EMSGSIZE ? "too-large" : unreadable_code(&reply->body);

        if (!STATUS_IS_2XX(reply->status))
                return judge_status(reply, where, code);
        return observe(ORIGIN_REPLY, reply->status, code, where, "%zu bytes of %s: %s", reply->body.size,
                       reply->content_type[0] ? reply->content_type : "unnamed type", why);
}

static Observation judge_object(const HttpReply *reply, const json_t *object, const char *where) {
        bool any_error;
        Observation seen = judge_errors(object, reply->status, where, &any_error);

        if (observation_is_none(&seen))
                seen = judge_not_ok(object, reply->status, where);
        if (!observation_is_none(&seen))
                return seen;
        if (!STATUS_IS_2XX(reply->status))
                return judge_status(reply, where, "JSON without an error code");
        if (any_error)
                return observe(ORIGIN_REPLY, reply->status, "wrong-type", where,
                               "the reply has errors, and none of them a code");
        return OBSERVATION_NONE;
}

Observation reply_judge(const HttpReply *reply, const char *where, json_t **ret) {
        _cleanup_json_ json_t *document = NULL;
        char why[JSON_WHY_SIZE] = "";
        Observation seen;

        int r = json_read(buffer_string(&reply->body), reply->body.size, &document, why);
        if (r < 0)
                seen = judge_unreadable(reply, where, r, why);
        else if (json_is_object(document))
                seen = judge_object(reply, document, where);
        else if (STATUS_IS_2XX(reply->status))
                seen = observe(ORIGIN_REPLY, reply->status, "wrong-type", where,
                               "the reply is JSON, but no object");
        else
                seen = judge_status(reply, where, "JSON, but no object");

        seen.retry_after_us = observation_is_none(&seen) ? 0 : reply->retry_after_us;
        if (observation_is_none(&seen))
                *ret = TAKE_PTR(document);
        return seen;
}
