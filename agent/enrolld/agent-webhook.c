/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The webhook: each verdict to the receiver that the spec names (report.webhook), over crashes and reboots, until he has it. What
 * is to be sent is in the outbox on disk before it is sent, and leaves it when the receiver has said so; a report that he has got twice
 * has the same identifier twice (`webhook-id`, Idempotency-Key). The enrollment never waits for any of it: only a run in the
 * foreground, which nobody else would send for, stays a few seconds longer once everything is over.
 *
 * 2xx is "I have it", 409 "I have had it", 410 "I want none"; everything else is tried again, in pauses that grow to an hour. For a
 * receiver that refuses us today may be mended tomorrow, and the outbox is bounded.
 *
 * What may fail: the disk, the key, the receiver. It is logged when it begins to fail, or fails otherwise, and shown in the status.
 */

#include "enrolld/agent-private.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-id128.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "coordinator/credential.h"
#include "report/cloud-event.h"
#include "report/outbox.h"
#include "report/webhook-signature.h"

#define LAST_CHANCE_US (10 * USEC_PER_SEC)
/* Of this program alone, for an identifier of the host that leads back to no other one: sd_id128_get_machine_app_specific(3). */
#define APPLICATION SD_ID128_MAKE(5e, 0b, 76, 2f, 4a, 9d, 4c, 1f, 8b, 63, d1, 27, 90, ac, 3e, 58)

static void name_host(const Agent *a, char id[static SD_ID128_STRING_MAX], char hostname[static HOST_NAME_MAX + 1], EventHost *ret) {
        sd_id128_t machine;

        if (sd_id128_get_machine_app_specific(APPLICATION, &machine) < 0)
                machine = SD_ID128_NULL;
        (void) sd_id128_to_string(machine, id);
        if (gethostname(hostname, HOST_NAME_MAX) < 0)
                hostname[0] = 0;
        hostname[HOST_NAME_MAX] = 0;
        (void) text_copy_printable(hostname, HOST_NAME_MAX + 1, hostname);
        *ret = (EventHost){ .id = id, .hostname = hostname, .ip = a->plan ? a->plan->host_ip : NULL };
}

/* What makes a verdict another one than the last: what it says, of whom, and after which installer. */
static void name_verdict(const Agent *a, const Report *r, char ret[static 512]) {
        char roles[ROLE_SET_STRING_SIZE];

        (void) snprintf(ret, 512, "%s %s %s %s %s", r->state, r->reason.reason, r->runner_id, role_set_format(r->roles, ",", roles),
                        a->record.attempt_id);
}

void agent_webhook_report(Agent *a, const Report *r) {
        char verdict[512], id[OUTBOX_ID_SIZE], machine[SD_ID128_STRING_MAX], hostname[HOST_NAME_MAX + 1];
        _cleanup_buffer_ Buffer event = BUFFER_INIT(OUTBOX_REPORT_SIZE_MAX);
        EventHost host;
        int error;

        if (!a->spec || !a->spec->report.webhook_url || (!streq(r->state, "ENROLLED") && !streq(r->state, "FAILED")))
                return;
        name_verdict(a, r, verdict);
        error = outbox_is_news(a->state_fd, verdict, id);
        if (error > 0) {
                name_host(a, machine, hostname, &host);
                error = cloud_event_write(r, &host, id, clock_realtime_us(), &event);
                if (error >= 0)
                        error = outbox_add(a->state_fd, verdict, id, buffer_string(&event), event.size);
        }
        if (error < 0)
                log_warning_errno(error, "can't keep the report for the webhook");
        agent_webhook_send(a);
}

static void complain(Agent *a, const char *why) {
        char text[sizeof(a->webhook.last)];

        (void) text_copy_printable(text, sizeof(text), why);
        if (streq(a->webhook.last, text))
                return;
        (void) snprintf(a->webhook.last, sizeof(a->webhook.last), "%s", text);
        log_warning("the report is not with the webhook yet: %s", text);
        agent_report(a, false);
}

/* In the observer's own words: the table's speak of coordinators. */
static void complain_of(Agent *a, const Observation *seen) {
        char text[OBSERVATION_WHERE_SIZE + OBSERVATION_DETAIL_SIZE + 4];

        (void) snprintf(text, sizeof(text), "%s: %s", seen->where, seen->detail[0] ? seen->detail : seen->code);
        complain(a, text);
}

static int on_send_again(sd_event_source *source, uint64_t at_us, void *userdata) {
        agent_webhook_send(userdata);
        return 0;
}

static void send_again(Agent *a, usec_t at_least_us) {
        usec_t wait_us = outbox_pause_us(a->webhook.tries, agent_random());

        if (wait_us < at_least_us)
                wait_us = at_least_us;
        a->webhook.tries++;
        a->webhook.again = sd_event_source_unref(a->webhook.again);
        (void) sd_event_add_time_relative(a->event, &a->webhook.again, CLOCK_BOOTTIME, wait_us, USEC_PER_SEC, on_send_again, a);
        agent_webhook_is_idle(a);
}

static void delivered(Agent *a, int status) {
        int error = outbox_remove(a->state_fd, a->webhook.id);

        if (status == 410)
                log_warning("the webhook wants no reports (410): this one is dropped");
        if (error < 0) {
                complain(a, "it has it, and the outbox can't be emptied");
                return send_again(a, 0);
        }
        a->webhook.tries = 0;
        a->webhook.last[0] = 0;
        agent_report(a, false);
        agent_webhook_send(a);
}

static void on_reply(void *userdata, const HttpReply *reply, const Observation *failure) {
        Agent *a = userdata;
        char why[64];

        a->webhook.transfer = NULL;
        if (!observation_is_none(failure)) {
                complain_of(a, failure);
                return send_again(a, 0);
        }
        if ((reply->status >= 200 && reply->status < 300) || reply->status == 409 || reply->status == 410)
                return delivered(a, reply->status);
        (void) snprintf(why, sizeof(why), "it has answered with status %d", reply->status);
        complain(a, why);
        send_again(a, reply->retry_after_us);
}

/* The three headers of Standard Webhooks, and the one that more receivers know. */
typedef struct Headers {
        char id[64], key[64], timestamp[64], signature[WEBHOOK_SIGNATURE_SIZE + 32];
        const char *lines[5];
} Headers;

/* 0; -ENOKEY when what the spec names is of no use, which was told; another negative errno. */
static int make_headers(Agent *a, const Buffer *report, Headers *h) {
        _cleanup_(secret_freep) Secret *key = NULL;
        const SecretSource *source = &a->spec->report.webhook_hmac_key;
        int64_t now_s = (int64_t) (clock_realtime_us() / USEC_PER_SEC);
        char signature[WEBHOOK_SIGNATURE_SIZE];
        Observation refusal = OBSERVATION_NONE;
        int error = 0;

        (void) snprintf(h->id, sizeof(h->id), "webhook-id: %s", a->webhook.id);
        (void) snprintf(h->key, sizeof(h->key), "Idempotency-Key: \"%s\"", a->webhook.id);
        (void) snprintf(h->timestamp, sizeof(h->timestamp), "webhook-timestamp: %" PRId64, now_s);
        (void) memcpy(h->lines, (const char *[]){ h->id, h->key, h->timestamp, NULL, NULL }, sizeof(h->lines));
        if (source->kind == SECRET_FROM_NOWHERE)
                return 0;
        error = credential_read(source, a->options.one_shot, &key, &refusal);
        if (error >= 0 && !key) {
                complain_of(a, &refusal);
                return -ENOKEY;
        }
        if (error >= 0)
                error = webhook_sign(key, a->webhook.id, now_s, buffer_string(report), report->size, signature);
        if (error == -EINVAL) {
                complain(a, "report.webhook.hmac_key: what is behind whsec_ is no base64");
                return -ENOKEY;
        }
        if (error < 0)
                return error;
        (void) snprintf(h->signature, sizeof(h->signature), "webhook-signature: %s", signature);
        h->lines[3] = h->signature;
        return 0;
}

/* As the last. */
static int make_trust(Agent *a) {
        Observation refusal = OBSERVATION_NONE;
        int error = a->webhook.trust ? 0 : trust_new(a->spec->report.webhook_ca_file, NULL, &a->webhook.trust, &refusal);

        if (error != -EINVAL)
                return error;
        complain_of(a, &refusal);
        return -ENOKEY;
}

static int start(Agent *a, const Buffer *report) {
        Headers headers;
        HttpRequest request = { .method = "POST",
                                .url = a->spec->report.webhook_url,
                                .body = buffer_string(report),
                                .body_size = report->size,
                                .content_type = "application/cloudevents+json",
                                .headers = headers.lines };
        int error = make_trust(a);

        if (error >= 0)
                error = make_headers(a, report, &headers);
        if (error < 0)
                return error;
        request.trust = a->webhook.trust;
        via_apply(a->via, request.url, &request);
        request.client_certificate = NULL; /* for coordinators alone */
        request.client_key = NULL;
        return http_start(a->http, &request, on_reply, a, &a->webhook.transfer);
}

void agent_webhook_send(Agent *a) {
        _cleanup_buffer_ Buffer report = BUFFER_INIT(OUTBOX_REPORT_SIZE_MAX);
        int error;

        a->webhook.again = sd_event_source_unref(a->webhook.again);
        if (a->webhook.transfer || !a->spec || !a->spec->report.webhook_url || a->state_fd < 0)
                return;
        if (a->spec->proxy.url && !a->via) /* before the first question to a coordinator; a verdict comes behind it */
                return;
        error = outbox_next(a->state_fd, a->webhook.id, &report);
        if (error > 0)
                error = start(a, &report);
        else if (error == 0)
                return agent_webhook_is_idle(a);
        if (error >= 0)
                return;
        if (error != -ENOKEY)
                complain(a, strerror(-error));
        send_again(a, 0);
}

void agent_webhook_forget(Agent *a) {
        if (a->webhook.transfer)
                http_cancel(a->webhook.transfer);
        a->webhook.transfer = NULL;
        a->webhook.again = sd_event_source_unref(a->webhook.again);
        a->webhook.trust = trust_free(a->webhook.trust);
        a->webhook.tries = 0;
}

static int on_last_chance(sd_event_source *source, uint64_t at_us, void *userdata) {
        Agent *a = userdata;

        (void) sd_event_exit(a->event, a->webhook.exit_code);
        return 0;
}

bool agent_webhook_delays_exit(Agent *a, int exit_code) {
        if (!a->options.one_shot || a->webhook.last_chance || !a->webhook.transfer)
                return false;
        a->webhook.exit_code = exit_code;
        return sd_event_add_time_relative(a->event, &a->webhook.last_chance, CLOCK_BOOTTIME, LAST_CHANCE_US, USEC_PER_SEC,
                                          on_last_chance, a) >= 0;
}

void agent_webhook_is_idle(Agent *a) {
        if (a->webhook.last_chance)
                (void) sd_event_exit(a->event, a->webhook.exit_code);
}

void agent_webhook_fill(const Agent *a, Report *r) {
        if (!a->spec || !a->spec->report.webhook_url || a->state_fd < 0)
                return;
        r->webhook_pending = outbox_count(a->state_fd);
        (void) snprintf(r->webhook_last, sizeof(r->webhook_last), "%s", a->webhook.last);
}
