/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Takes out of a foreign sentence, in place, what may be a secret: JWTs, and all that follows
 * "password". The text never grows. Pure. */
void reply_redact(char *text);
