/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * Memory that runs out. A program that links scarce-memory.c gets its malloc(3), calloc(3), realloc(3) and free(3), whoever
 * calls them: our code, libyaml, jansson, OpenSSL, libc itself.
 */

/* Work that is done again and again: with memory it gives `expected`, and it releases all that it took. Called with plenty of memory
 * once before, so that libraries have set themselves up. */
typedef int (*ScarceWork)(const void *subject);

/*
 * Does the work with one allocation failing after the other, each of them first alone and then with all that follow. What
 * comes out must be `expected` or -ENOMEM, and nothing may be leaked, else the test (cmocka) ends. Returns how many allocations there
 * were.
 */
size_t scarce_torture(ScarceWork work, const void *subject, int expected);

/* Is the allocator in force? Not with a sanitizer or valgrind, which have their own. */
bool scarce_memory_in_force(void);

/* The same; if not, prints a TAP line that skips the whole program. */
bool scarce_memory_or_skip(void);

/* For cmocka_run_group_tests(): the libraries allocate as they do in our programs, from their first block on. */
int scarce_memory_setup(void **state);
