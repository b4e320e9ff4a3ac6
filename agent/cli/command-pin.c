/* SPDX-License-Identifier: Apache-2.0 */

/*
 * ece-enroll pin: the public keys that a server presents, to be compared out of band and then put into trust.pins.
 *
 * Nobody has verified them, and the page says so first; what is printed proves nothing but that somebody answered.
 * No credential is read, and the handshake is broken off when the certificates are here.
 */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "base/json.h"
#include "base/text.h"
#include "cli/command.h"
#include "http/peer-chain.h"
#include "model/coordinator-url.h"

typedef struct Question {
        sd_event *event;
        PeerChain chain;
        Observation failure;
} Question;

static void on_chain(void *userdata, const PeerChain *chain, const Observation *failure) {
        Question *q = userdata;

        q->chain = *chain;
        q->failure = *failure;
        (void) sd_event_exit(q->event, 0);
}

static int ask(const char *url, Question *q) {
        _cleanup_(http_freep) Http *http = NULL;
        int error = http_new(q->event, &http);

        if (error >= 0)
                error = peer_chain_look(http, url, on_chain, q);
        return error < 0 ? error : sd_event_loop(q->event);
}

/* Does the spec hold it already? A spec that is not there, or not right, is no matter of this command. */
static bool is_in_spec(const Spec *spec, const char *pin) {
        for (size_t i = 0; spec && spec->trust.pins && spec->trust.pins[i]; i++)
                if (streq(spec->trust.pins[i], pin))
                        return true;
        return false;
}

static const char *kind_of(const PeerCertificate *c, size_t i) {
        if (i == 0)
                return c->self_signed ? "leaf, self-signed" : "leaf";
        return c->ca ? c->self_signed ? "CA, root" : "CA" : "not a CA";
}

static int print_json(const char *url, const PeerChain *chain, const Spec *spec) {
        _cleanup_json_ json_t *page = json_pack("{s:s, s:b, s:[]}", "url", url, "verified", 0, "chain");

        for (size_t i = 0; page && i < chain->n; i++) {
                const PeerCertificate *c = &chain->item[i];

                (void) json_array_append_new(json_object_get(page, "chain"),
                        json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:b,s:b,s:b}", "kind", kind_of(c, i), "subject", c->subject, "issuer",
                                  c->issuer, "names", c->names, "not_before", c->not_before, "not_after", c->not_after, "pin", c->pin,
                                  "ca", (int) c->ca, "self_signed", (int) c->self_signed, "in_spec", (int) is_in_spec(spec, c->pin)));
        }
        if (!page)
                return -ENOMEM;
        (void) json_dumpf(page, stdout, JSON_INDENT(1));
        (void) fputc('\n', stdout);
        return 0;
}

static void print_page(const char *url, const PeerChain *chain, const Spec *spec) {
        printf("%s presents these certificates. Nobody has verified them: compare a pin with what the platform's\n"
               "administrator reads off the coordinator itself before you trust it.\n", url);
        for (size_t i = 0; i < chain->n; i++) {
                const PeerCertificate *c = &chain->item[i];

                printf("\n  %zu  %s (%s)\n     issued by  %s\n", i, c->subject, kind_of(c, i), c->issuer);
                if (c->names[0])
                        printf("     made out to  %s\n", c->names);
                printf("     valid      %s to %s\n     pin        %s%s\n", c->not_before, c->not_after, c->pin[0] ? c->pin : "?",
                       is_in_spec(spec, c->pin) ? "  (in the spec)" : "");
        }
        printf("\nA leaf's key changes when its certificate is renewed with a new one; a CA's stays longer.\n");
}

static Spec *load_quietly(const char *path) {
        _cleanup_problems_ Problems problems = {};
        Spec *spec = NULL;

        return spec_load(path, &problems, &spec) < 0 ? NULL : spec;
}

static int print(const char *url, const PeerChain *chain, const CommonOptions *options) {
        _cleanup_(spec_freep) Spec *spec = load_quietly(options->spec_path);
        int error = 0;

        if (options->json)
                error = print_json(url, chain, spec);
        else
                print_page(url, chain, spec);
        (void) fflush(stdout);
        return error;
}

int command_pin(const CommonOptions *options) {
        char url[COORDINATOR_URL_SIZE], why[URL_WHY_SIZE], given[COORDINATOR_URL_SIZE + 16];
        Question q = { .failure = OBSERVATION_NONE };
        int error;

        if (!options->argument) {
                fprintf(stderr, "ece-enroll pin: HOST:PORT is missing\nTry `ece-enroll pin --help`.\n");
                return EXIT_BAD_USAGE;
        }
        (void) snprintf(given, sizeof(given), "%s%s", strstr(options->argument, "://") ? "" : "https://", options->argument);
        if (strlen(options->argument) >= COORDINATOR_URL_SIZE || coordinator_url_parse(given, url, why) < 0) {
                fprintf(stderr, "ece-enroll pin: '%.64s' is no HOST:PORT: %s\n", options->argument,
                        strlen(options->argument) >= COORDINATOR_URL_SIZE ? "it is too long" : why);
                return EXIT_BAD_USAGE;
        }
        (void) signal(SIGPIPE, SIG_IGN);
        error = sd_event_new(&q.event);
        if (error >= 0)
                error = ask(url, &q);
        (void) sd_event_unref(q.event);
        if (error < 0)
                return command_failed(error);
        if (!observation_is_none(&q.failure))
                return command_tell_seen(&q.failure);
        error = print(url, &q.chain, options);
        return error < 0 ? command_failed(error) : EXIT_DONE;
}
