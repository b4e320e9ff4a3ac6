/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Observations are made here and nowhere else.
 *
 * Whoever talks to the world hands over what it heard as it heard it. observe() makes that text
 * printable and cuts it to size, so that everything behind it (classification, journal, status
 * file, terminal) may show an Observation without another thought. Keeping secrets out of it is the
 * caller's part: no type with a secret in it has a printable form.
 *
 * Nothing in this file can fail.
 */

#include "model/outcome.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"

static const char *const origin_words[_ORIGIN_MAX] = {
        [ORIGIN_NONE] = "none",
        [ORIGIN_CURL] = "curl",
        [ORIGIN_PROXY] = "proxy",
        [ORIGIN_TLS] = "tls",
        [ORIGIN_HTTP] = "http",
        [ORIGIN_ECE] = "ece",
        [ORIGIN_REPLY] = "reply",
        [ORIGIN_TOKEN] = "token",
        [ORIGIN_CREDENTIAL] = "credential",
        [ORIGIN_SPEC] = "spec",
        [ORIGIN_HOST] = "host",
        [ORIGIN_PLAN] = "plan",
        [ORIGIN_INSTALLER] = "installer",
        [ORIGIN_ENGINE] = "engine",
        [ORIGIN_KEEPER] = "keeper",
        [ORIGIN_VERIFY] = "verify",
        [ORIGIN_AGENT] = "agent",
};

static const char *const class_words[_CLASS_MAX] = {
        [CLASS_OK] = "ok",
        [CLASS_TRANSIENT] = "transient",
        [CLASS_THROTTLED] = "throttled",
        [CLASS_HOST] = "host",
        [CLASS_TIME] = "time",
        [CLASS_EXPIRED] = "expired",
        [CLASS_CREDENTIAL] = "credential",
        [CLASS_OPERATOR] = "operator",
        [CLASS_PERMANENT] = "permanent",
};

const char *origin_to_string(Origin o) {
        assert(o >= 0 && o < _ORIGIN_MAX);
        return origin_words[o];
}

const char *outcome_class_to_string(OutcomeClass c) {
        assert(c >= 0 && c < _CLASS_MAX);
        return class_words[c];
}

Observation observe(Origin origin, int number, const char *code, const char *where,
                    const char *detail, ...) {
        /* Twice the room, so that text_copy_printable() is the one that cuts, and marks the cut. */
        char text[2 * OBSERVATION_DETAIL_SIZE] = "";
        Observation o = { .origin = origin, .number = number };

        assert(origin >= 0 && origin < _ORIGIN_MAX);

        if (detail) {
                va_list arguments;

                va_start(arguments, detail);
                if (vsnprintf(text, sizeof(text), detail, arguments) < 0)
                        text[0] = '\0';
                va_end(arguments);
        }
        (void) text_copy_printable(o.code, sizeof(o.code), code ? code : "");
        (void) text_copy_printable(o.where, sizeof(o.where), where ? where : "");
        (void) text_copy_printable(o.detail, sizeof(o.detail), text);
        return o;
}
