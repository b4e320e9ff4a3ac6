/* SPDX-License-Identifier: Apache-2.0 */

/* What of a machine is taken for its identity, read from a directory that stands for /. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "host/host-identity.h"
#include "scratch.h"

static void directory(const Scratch *s, const char *name) {
        assert_int_equal(mkdir(scratch_path(s, name), 0755), 0);
}

static void card(const Scratch *s, const char *name, const char *address, bool hardware) {
        char path[64];

        (void) snprintf(path, sizeof(path), "sys/class/net/%s", name);
        directory(s, path);
        (void) snprintf(path, sizeof(path), "sys/class/net/%s/address", name);
        (void) scratch_file(s, path, 0444, address);
        (void) snprintf(path, sizeof(path), "sys/class/net/%s/device", name);
        if (hardware)
                directory(s, path);
}

static void make_system(const Scratch *s) {
        static const char *const names[] = { "etc", "sys", "sys/class", "sys/class/net", "sys/class/dmi", "sys/class/dmi/id" };

        for (size_t i = 0; i < ELEMENTS(names); i++)
                directory(s, names[i]);
}

static void whole_machine(void **state) {
        const Scratch *s = *state;
        HostIdentity identity;

        make_system(s);
        (void) scratch_file(s, "etc/machine-id", 0444, "0123456789abcdef0123456789abcdef\n");
        (void) scratch_file(s, "sys/class/dmi/id/product_uuid", 0400, "4c4c4544-0042-3510-8052-b4c04f4c3732\n");
        card(s, "eth1", "02:00:00:00:00:02\n", true);
        card(s, "eth0", "02:00:00:00:00:01\n", true);
        card(s, "docker0", "02:42:00:00:00:01\n", false);
        card(s, "lo", "00:00:00:00:00:00\n", true);
        host_identity_gather(s->directory, &identity);
        assert_string_equal(identity.machine_id, "0123456789abcdef0123456789abcdef");
        assert_string_equal(identity.product_uuid, "4c4c4544-0042-3510-8052-b4c04f4c3732");
        assert_string_equal(identity.hardware_addresses, "02:00:00:00:00:01,02:00:00:00:00:02");
}

static void bare_machine(void **state) {
        const Scratch *s = *state;
        HostIdentity identity;

        host_identity_gather(s->directory, &identity);
        assert_string_equal(identity.machine_id, "");
        assert_string_equal(identity.product_uuid, "");
        assert_string_equal(identity.hardware_addresses, "");
}

/* Cut where a name ends, so that what is compared is whole. */
static void many_cards(void **state) {
        const Scratch *s = *state;
        HostIdentity identity;

        make_system(s);
        (void) scratch_file(s, "etc/machine-id", 0444, "");
        for (unsigned i = 0; i < 40; i++) {
                char name[16], address[32];

                (void) snprintf(name, sizeof(name), "eth%u", i);
                (void) snprintf(address, sizeof(address), "02:00:00:00:00:%02x\n", i);
                card(s, name, address, true);
        }
        host_identity_gather(s->directory, &identity);
        assert_int_equal(strlen(identity.hardware_addresses) % 18, 17);
        assert_true(strlen(identity.hardware_addresses) > 200);
        assert_string_equal(identity.machine_id, "");
}

/* The machine that the test runs on, whatever it is. */
static void this_machine(void **state) {
        HostIdentity once, twice;

        host_identity_gather("", &once);
        host_identity_gather("", &twice);
        assert_null(host_identity_difference(&once, &twice));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(whole_machine, scratch_setup, scratch_teardown),
                cmocka_unit_test_setup_teardown(bare_machine, scratch_setup, scratch_teardown),
                cmocka_unit_test_setup_teardown(many_cards, scratch_setup, scratch_teardown),
                cmocka_unit_test(this_machine),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
