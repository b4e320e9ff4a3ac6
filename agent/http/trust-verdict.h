/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What OpenSSL objected to, in our words. Private to this room. */

#include <openssl/x509.h>

#include "model/outcome.h"

/* The Observation code for an X509_V_ERR_* number: "untrusted", "name-mismatch", "expired",
 * "not-yet-valid", "weak" or "other". */
const char *trust_code(int verify_error);

/* "certificate 'CN', issued by 'CN', valid DATE to DATE: REASON". certificate may be NULL.
 * Printable. */
void trust_describe(X509 *certificate, const char *reason, char ret[static OBSERVATION_DETAIL_SIZE]);
