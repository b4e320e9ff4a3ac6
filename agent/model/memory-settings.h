/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The value of the installer's --memory-settings: compact JSON, because the installer splits at
 * blanks, and only the form that we print ourselves: {"runner":{"xms":"1G","xmx":"1G"},...}.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Parts of ECE whose memory may be set, _MAX words for suggestions. "proxy" is not among them:
 * ECE's documentation says not to set it. */
#define MEMORY_PARTS_MAX 6U
const char *const *memory_part_words(void);
bool memory_part_known(const char *s, size_t n);

/* "512M", "1G": whole number, unit K, M or G. 0 and bytes, -EINVAL for another form or 0. */
int memory_size_parse(const char *s, size_t n, uint64_t *ret_bytes);

/* NULL when the text is well-formed, else a sentence fragment ("names a part twice"). */
const char *memory_settings_check(const char *text);
