/* SPDX-License-Identifier: Apache-2.0 */

/* Replies of the container engine, another program on this host that we only believe as far as it goes: the first byte
 * chooses which reply it is, the rest is its body. */

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "installer/container-judge.h"
#include "model/allow-list.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(int condition) {
        if (!condition)
                abort();
}

static void try_list(const char *text, size_t n) {
        bool found = false;
        char id[65] = "";

        int r = engine_parse_list(text, n, &found, id);
        expect(r == 0 || r == -EBADMSG);
        if (r == 0 && found)
                expect(id[0] != '\0' && text_consists_of(id, "0123456789abcdef"));
}

static void try_inspect(const char *text, size_t n) {
        AttemptRecord record = { .state = RECORD_RUNNING, .id = "00112233445566778899aabbccddeeff", .runner_id = "192.0.2.7" };
        Container c = { .id = "" };

        int r = engine_parse_inspect(text, n, &c);
        expect(r == 0 || r == -EBADMSG);
        if (r < 0)
                return;
        expect(text_consists_of(c.id, "0123456789abcdef"));
        expect(memchr(c.label, '\0', sizeof(c.label)) && memchr(c.command, '\0', sizeof(c.command)) &&
               memchr(c.runner_id, '\0', sizeof(c.runner_id)));
        Ownership o = container_judge(&c, &record, UINT64_C(1700000000) * USEC_PER_SEC);
        expect(o != CONTAINER_FOREIGN || c.label[0] == '\0' || !streq(c.label, record.id));
        if (o == CONTAINER_FOREIGN) {
                Observation seen = container_foreign(&c);
                expect(streq(seen.code, "foreign-installer"));
        }
}

static void try_local(const char *text, size_t n) {
        LocalView view = { .version = "" };

        int r = engine_parse_local(text, n, &view);
        expect(r == 0 || r == -EBADMSG);
        for (LocalPart part = 0; r == 0 && part < _LOCAL_PART_MAX; part++)
                expect(view.state[part] >= 0 && view.state[part] < _LOCAL_STATE_MAX);
        expect(view.version[0] == '\0' || allow_list_check(VALUE_VERSION, view.version, NULL) == 0);
}

static void try_about(const char *text, size_t n) {
        for (EngineTopic topic = 0; topic < _ENGINE_TOPIC_MAX; topic++) {
                EngineFacts e = { .version = "" };

                int r = engine_parse_about(topic, text, n, &e);
                expect(r == 0 || r == -EBADMSG);
                expect(text_is_printable(e.version) && text_is_printable(e.driver) && text_is_printable(e.data_root) &&
                       text_is_printable(e.bridge_icc));
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        if (size == 0)
                return 0;
        const char *text = (const char *) data + 1;
        switch (data[0] % 4) {
        case 0:
                try_list(text, size - 1);
                break;
        case 1:
                try_inspect(text, size - 1);
                break;
        case 2:
                try_local(text, size - 1);
                break;
        case 3:
                try_about(text, size - 1);
                break;
        }
        return 0;
}
