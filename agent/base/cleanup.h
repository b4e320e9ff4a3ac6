/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Ownership in the type of the declaration.
 *
 * Whatever owns memory or a descriptor is declared with a cleanup attribute and an initial value; to
 * hand it on is to take it (TAKE_PTR, TAKE_FD). Failure paths then hold no cleanup code at all.
 *
 *     _cleanup_free_ char *name = strdup(id);
 *     _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
 *     _cleanup_(plan_freep) Plan *plan = NULL;
 */

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(function) __attribute__((cleanup(function)))

/* Defines the static inline name##p() that _cleanup_ wants for a type whose destructor accepts NULL. */
#define DEFINE_CLEANUP(type, function)                      \
        static inline void function##p(type *slot) {        \
                if (*slot)                                  \
                        function(*slot);                    \
        }

static inline void cleanup_freep(void *slot) {
        free(*(void **) slot);
}

static inline void cleanup_closep(int *fd) {
        if (*fd >= 0)
                (void) close(*fd);
}

static inline void cleanup_fclosep(FILE **stream) {
        if (*stream)
                (void) fclose(*stream);
}

#define _cleanup_free_ _cleanup_(cleanup_freep)
#define _cleanup_close_ _cleanup_(cleanup_closep)
#define _cleanup_fclose_ _cleanup_(cleanup_fclosep)

/* Moves a value out of its owner; the owner keeps NULL or -1 and so has nothing left to clean up. */
#define TAKE_PTR(owner)                              \
        ({                                           \
                __typeof__(owner) _taken = (owner);  \
                (owner) = NULL;                      \
                _taken;                              \
        })

#define TAKE_FD(owner)               \
        ({                           \
                int _taken = (owner); \
                (owner) = -1;        \
                _taken;              \
        })

#define ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))
