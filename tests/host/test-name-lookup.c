/* SPDX-License-Identifier: Apache-2.0 */

/* Names with a resolver of our own: addresses are not looked up, names are, all at once; one that hangs holds up
 * nobody beyond the limit, is never looked up twice at once, and its late answer serves the next question. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "host/name-lookup.h"

#define NEVER_US USEC_PER_HOUR
#define SHORT_US (100 * USEC_PER_MSEC)

static int held = -1; /* the lookup of "slow" waits until the other end is closed */
static atomic_uint lookups;

static struct addrinfo *make(const char *address) {
        struct addrinfo *a = calloc(1, sizeof(*a) + sizeof(struct sockaddr_in));
        struct sockaddr_in *to = (struct sockaddr_in *) (void *) (a + 1);

        to->sin_family = AF_INET;
        (void) inet_pton(AF_INET, address, &to->sin_addr);
        a->ai_addr = (struct sockaddr *) to;
        a->ai_addrlen = sizeof(*to);
        return a;
}

int getaddrinfo(const char *host, const char *port, const struct addrinfo *hints, struct addrinfo **ret) {
        struct pollfd p = { .fd = held };
        struct in_addr address;

        if (inet_pton(AF_INET, host, &address) == 1) {
                *ret = make(host);
                return 0;
        }
        if (hints->ai_flags & AI_NUMERICHOST)
                return EAI_NONAME;
        atomic_fetch_add(&lookups, 1);
        if (streq(host, "slow"))
                (void) poll(&p, 1, -1);
        if (streq(host, "missing"))
                return EAI_NONAME;
        *ret = make("192.0.2.10");
        return 0;
}

void freeaddrinfo(struct addrinfo *list) {
        free(list);
}

static sd_event *event;
static NameLookup *lookup;
static LookupResult results[LOOKUP_NAMES_MAX];
static unsigned answers;

static void on_answer(void *userdata, const LookupResult *r, size_t n) {
        for (size_t i = 0; i < n; i++)
                results[i] = r[i];
        answers++;
}

static void start(const char *one, const char *two, usec_t limit_us) {
        const char *const hosts[] = { one, two }, *const ports[] = { "12443", "12443" };

        answers = 0;
        assert_int_equal(name_lookup_start(lookup, hosts, ports, two ? 2 : 1, limit_us, on_answer, NULL), 0);
        assert_int_equal(answers, 0); /* never from inside */
}

static void wait_for_answer(void) {
        while (answers == 0)
                assert_return_code(sd_event_run(event, UINT64_MAX), -1);
        assert_int_equal(answers, 1);
}

static int setup(void **state) {
        atomic_store(&lookups, 0);
        if (sd_event_new(&event) < 0)
                return -1;
        return name_lookup_new(event, &lookup);
}

static int teardown(void **state) {
        lookup = name_lookup_free(lookup);
        event = sd_event_unref(event);
        return 0;
}

static void test_addresses(void **state) {
        start("192.0.2.1", "192.0.2.2", NEVER_US);
        wait_for_answer();
        assert_true(results[0].literal && results[0].answered && results[0].n == 1);
        assert_int_equal(atomic_load(&lookups), 0);
}

static void test_names(void **state) {
        start("ece.example", "missing", NEVER_US);
        wait_for_answer();
        assert_false(results[0].literal);
        assert_int_equal(results[0].n, 1);
        assert_true(results[1].answered);
        assert_int_equal(results[1].n, 0);
        assert_true(results[1].why[0] != '\0');
}

static void test_one_that_hangs(void **state) {
        int fds[2];

        assert_return_code(pipe(fds), errno);
        held = fds[0];
        for (int i = 0; i < 2; i++) {
                start("slow", "ece.example", SHORT_US);
                wait_for_answer();
                assert_false(results[0].answered);
                assert_int_equal(results[1].n, 1);
        }
        assert_int_equal(atomic_load(&lookups), 3); /* "slow" once, the other one each time */
        start("slow", NULL, NEVER_US);
        (void) close(fds[1]);
        wait_for_answer();
        assert_int_equal(results[0].n, 1);
        assert_int_equal(atomic_load(&lookups), 3);
        (void) close(fds[0]);
}

static void test_cancel(void **state) {
        start("ece.example", NULL, NEVER_US);
        name_lookup_cancel(lookup);
        start("192.0.2.1", NULL, NEVER_US);
        wait_for_answer();
        assert_true(results[0].literal);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_addresses, setup, teardown),
                cmocka_unit_test_setup_teardown(test_names, setup, teardown),
                cmocka_unit_test_setup_teardown(test_one_that_hangs, setup, teardown),
                cmocka_unit_test_setup_teardown(test_cancel, setup, teardown),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
