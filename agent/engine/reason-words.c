/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The table in words, for `explain` and the manual: what a match row stands for, what a class means.
 *
 * libcurl's own words for its codes change from release to release and the manual must not, so the
 * few that are needed stand here; a test demands one for each code of the table.
 */

#include "engine/reasons.h"

#include <assert.h>
#include <stdio.h>

#include "base/cleanup.h"

static const struct {
        int number;
        const char *words;
} curl_words[] = {
        { 1, "the address is not https" },
        { 2, "libcurl could not be set up" },
        { 3, "the address is malformed" },
        { 4, "libcurl was built without what is needed" },
        { 5, "a proxy's name does not resolve" },
        { 6, "the name does not resolve" },
        { 7, "couldn't connect" },
        { 8, "the reply is not HTTP" },
        { 16, "HTTP/2 framing" },
        { 18, "the reply ended early" },
        { 23, "our own bound on the reply" },
        { 27, "out of memory" },
        { 28, "timed out" },
        { 34, "the request could not be put together" },
        { 35, "the connection was cut during the handshake" },
        { 42, "a function of ours ended it" },
        { 43, "wrong use of libcurl" },
        { 47, "redirects" },
        { 48, "libcurl does not know an option" },
        { 49, "libcurl refuses an option" },
        { 52, "an empty reply" },
        { 53, "OpenSSL lacks an engine" },
        { 54, "OpenSSL refuses an engine" },
        { 55, "sending failed" },
        { 56, "receiving failed" },
        { 58, "this host's own certificate" },
        { 59, "no cipher in common" },
        { 60, "the certificate is refused" },
        { 61, "an unknown encoding" },
        { 63, "too large a reply" },
        { 65, "the request would have to be sent again" },
        { 66, "OpenSSL can't start an engine" },
        { 67, "the address holds a user name" },
        { 77, "a CA file can't be read" },
        { 80, "the end of TLS failed" },
        { 81, "the socket is not ready" },
        { 83, "the issuer is refused" },
        { 89, "no connection is free" },
        { 90, "no pinned key" },
        { 91, "the certificate's status" },
        { 92, "HTTP/2 stream" },
        { 93, "wrong use of libcurl" },
        { 94, "an authentication function failed" },
        { 97, "a proxy's handshake" },
        { 98, "the peer wants a certificate of this host" },
        { 99, "poll(2) failed" },
        { 100, "something is larger than libcurl takes" },
};

/* What precedes a row's code, and what the row for everything else says. */
static const struct {
        const char *coded, *otherwise;
} origin_words[_ORIGIN_MAX] = {
        [ORIGIN_NONE] = { "nothing", "nothing" },
        [ORIGIN_CURL] = { "curl", "any other code of curl" },
        [ORIGIN_PROXY] = { "proxy", "any other answer of the proxy" },
        [ORIGIN_TLS] = { "certificate check", "any other failure of the certificate check" },
        [ORIGIN_HTTP] = { "HTTP", "any other HTTP status without a body of ECE's" },
        [ORIGIN_ECE] = { "ECE code", "any other status with an unknown ECE code" },
        [ORIGIN_REPLY] = { "reply", "any other unusable reply" },
        [ORIGIN_TOKEN] = { "token", "any other finding about the token" },
        [ORIGIN_CREDENTIAL] = { "secret", "any other finding about the secret" },
        [ORIGIN_SPEC] = { "spec", "any other finding about the spec" },
        [ORIGIN_HOST] = { "host", "any other finding about the host" },
        [ORIGIN_PLAN] = { "plan", "any other finding about the plan" },
        [ORIGIN_INSTALLER] = { "installer evidence", "any other installer exit without other evidence" },
        [ORIGIN_ENGINE] = { "container engine", "any other trouble with the container engine" },
        [ORIGIN_KEEPER] = { "ece-installd", "any other trouble with ece-installd" },
        [ORIGIN_VERIFY] = { "verification", "any other difference" },
        [ORIGIN_AGENT] = { "agent", "anything else of the agent" },
};

static const struct {
        const char *meaning;
        const char *exits;
} class_words[_CLASS_MAX] = {
        [CLASS_OK] = { "nothing is wrong", "0" },
        [CLASS_TRANSIENT] = { "passes by itself: the agent waits, longer each time, and tries again; the "
                              "deadline and the token windows bound it",
                              "69, 70, 75, 76, 77, 78, 143" },
        [CLASS_THROTTLED] = { "as transient, and the peer has said how long to wait",
                              "that of the transient reason" },
        [CLASS_HOST] = { "this host is not ready yet: the agent looks again until it is, or until the "
                         "deadline; no token is spent meanwhile",
                         "69, 75, 78" },
        [CLASS_TIME] = { "explained by this host's clock: the agent waits for it, and skips no check",
                         "69" },
        [CLASS_EXPIRED] = { "the token has ended: the next window opens with a new one", "75" },
        [CLASS_CREDENTIAL] = { "the secret was refused or could not be had: it is read again and tried "
                               "once more, and the second refusal in a row is final",
                               "77" },
        [CLASS_OPERATOR] = { "a person has to act on the platform or in between, and may do so at any "
                             "time: the agent asks at its slowest pace until the deadline",
                             "69, 73, 76, 78" },
        [CLASS_PERMANENT] = { "does not change by itself: the agent stops at once",
                              "69, 70, 73, 75, 76, 77, 78" },
};

const char *outcome_class_meaning(OutcomeClass class) {
        assert(class >= 0 && class < _CLASS_MAX);
        return class_words[class].meaning;
}

const char *outcome_class_exits(OutcomeClass class) {
        assert(class >= 0 && class < _CLASS_MAX);
        return class_words[class].exits;
}

const char *reason_match_number(const ReasonMatch *match, char buffer[static REASON_NUMBER_SIZE]) {
        if (match->number == MATCH_ANY)
                (void) snprintf(buffer, REASON_NUMBER_SIZE, "any");
        else if (match->number >= MATCH_5XX && match->number <= MATCH_3XX)
                (void) snprintf(buffer, REASON_NUMBER_SIZE, "%dxx", -match->number);
        else
                (void) snprintf(buffer, REASON_NUMBER_SIZE, "%d", match->number);
        return buffer;
}

static const char *curl_meaning(int number) {
        for (size_t i = 0; i < ELEMENTS(curl_words); i++)
                if (curl_words[i].number == number)
                        return curl_words[i].words;
        return NULL;
}

static void number_in_words(const ReasonMatch *match, const char *number,
                            char ret[static REASON_WORDS_SIZE]) {
        const char *other = match->number < MATCH_ANY ? "any other " : "";
        const char *meaning = NULL;

        switch (match->origin) {
        case ORIGIN_CURL:
                meaning = curl_meaning(match->number);
                (void) snprintf(ret, REASON_WORDS_SIZE, "curl %s%s%s%s", number, meaning ? " (" : "",
                                meaning ?: "", meaning ? ")" : "");
                return;
        case ORIGIN_HTTP:
                (void) snprintf(ret, REASON_WORDS_SIZE, "%sHTTP %s without a body of ECE's", other, number);
                return;
        case ORIGIN_ECE:
                (void) snprintf(ret, REASON_WORDS_SIZE, "%sHTTP %s with an unknown ECE code", other, number);
                return;
        case ORIGIN_PROXY:
                (void) snprintf(ret, REASON_WORDS_SIZE, "%sproxy's answer %s", other, number);
                return;
        case ORIGIN_INSTALLER:
                (void) snprintf(ret, REASON_WORDS_SIZE, "installer exit %s without other evidence", number);
                return;
        case ORIGIN_NONE:
        case ORIGIN_TLS:
        case ORIGIN_REPLY:
        case ORIGIN_TOKEN:
        case ORIGIN_CREDENTIAL:
        case ORIGIN_SPEC:
        case ORIGIN_HOST:
        case ORIGIN_PLAN:
        case ORIGIN_ENGINE:
        case ORIGIN_KEEPER:
        case ORIGIN_VERIFY:
        case ORIGIN_AGENT:
        case _ORIGIN_MAX:
                break;
        }
        (void) snprintf(ret, REASON_WORDS_SIZE, "%s %s", origin_words[match->origin].coded, number);
}

/* A number beside a code is an errno, but for those whose world has numbers of its own. */
const char *reason_match_words(const ReasonMatch *match, char buffer[static REASON_WORDS_SIZE]) {
        char number[REASON_NUMBER_SIZE];

        (void) reason_match_number(match, number);
        if (match->code && match->origin == ORIGIN_CURL)
                (void) snprintf(buffer, REASON_WORDS_SIZE, "curl %s (%s)", number, match->code);
        else if (match->code && match->number != MATCH_ANY)
                (void) snprintf(buffer, REASON_WORDS_SIZE, "%s %s (%s %s)",
                                origin_words[match->origin].coded, match->code,
                                match->origin == ORIGIN_TLS ? "OpenSSL's result" : "errno", number);
        else if (match->code)
                (void) snprintf(buffer, REASON_WORDS_SIZE, "%s %s", origin_words[match->origin].coded,
                                match->code);
        else if (match->number != MATCH_ANY)
                number_in_words(match, number, buffer);
        else
                (void) snprintf(buffer, REASON_WORDS_SIZE, "%s", origin_words[match->origin].otherwise);
        return buffer;
}
