/* SPDX-License-Identifier: Apache-2.0 */

/*
 * ece-enroll schema: the JSON Schema of the spec. It is made when it is asked for, so it is that of this very program; the file
 * that is installed is the same, held against this by a test. Only memory fails.
 */

#include <errno.h>
#include <stdio.h>

#include "base/json.h"
#include "cli/command.h"
#include "model/json-schema.h"

int command_schema(const CommonOptions *options) {
        _cleanup_json_ json_t *schema = json_schema_of_spec();

        (void) options; /* it takes none */
        if (!schema)
                return command_failed(-ENOMEM);
        if (json_dumpf(schema, stdout, JSON_INDENT(2)) < 0)
                return EXIT_INTERNAL;
        (void) fputc('\n', stdout);
        return EXIT_DONE;
}
