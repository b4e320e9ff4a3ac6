# SPDX-License-Identifier: Apache-2.0
#
# Probes for compiler and linker flags. Each flag is tried on its own, with warnings made fatal (clang
# only warns about what it does not know), and what works is appended to a variable of OURS: CFLAGS,
# CPPFLAGS and LDFLAGS belong to whoever builds.

# ECE_APPEND_CFLAGS(VARIABLE, FLAGS)
# Appends each of the blank-separated FLAGS that the C compiler accepts.
AC_DEFUN([ECE_APPEND_CFLAGS], [
        for ece_flag in $2; do
                AC_MSG_CHECKING([whether $CC accepts $ece_flag])
                ece_saved_CFLAGS=$CFLAGS
                CFLAGS="$CFLAGS -Werror $ece_flag"
                AC_COMPILE_IFELSE([AC_LANG_PROGRAM([], [])], [ece_accepted=yes], [ece_accepted=no])
                CFLAGS=$ece_saved_CFLAGS
                AC_MSG_RESULT([$ece_accepted])
                AS_IF([test "$ece_accepted" = yes], [$1="${$1:+$$1 }$ece_flag"])
        done
])

# ECE_APPEND_LDFLAGS(VARIABLE, FLAGS)
# The same for flags of the link step.
AC_DEFUN([ECE_APPEND_LDFLAGS], [
        for ece_flag in $2; do
                AC_MSG_CHECKING([whether the linker accepts $ece_flag])
                ece_saved_CFLAGS=$CFLAGS
                ece_saved_LDFLAGS=$LDFLAGS
                CFLAGS="$CFLAGS $AM_CFLAGS -Werror"
                LDFLAGS="$LDFLAGS $ece_flag"
                AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])], [ece_accepted=yes], [ece_accepted=no])
                CFLAGS=$ece_saved_CFLAGS
                LDFLAGS=$ece_saved_LDFLAGS
                AC_MSG_RESULT([$ece_accepted])
                AS_IF([test "$ece_accepted" = yes], [$1="${$1:+$$1 }$ece_flag"])
        done
])

# ECE_REQUIRE_CFLAGS(VARIABLE, FLAGS, WHY)
# As ECE_APPEND_CFLAGS, but a flag that does not work (compile and link) ends configure.
AC_DEFUN([ECE_REQUIRE_CFLAGS], [
        for ece_flag in $2; do
                AC_MSG_CHECKING([whether $CC builds with $ece_flag])
                ece_saved_CFLAGS=$CFLAGS
                CFLAGS="$CFLAGS -Werror $ece_flag"
                AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])], [ece_accepted=yes], [ece_accepted=no])
                CFLAGS=$ece_saved_CFLAGS
                AC_MSG_RESULT([$ece_accepted])
                AS_IF([test "$ece_accepted" = yes],
                        [$1="${$1:+$$1 }$ece_flag"],
                        [AC_MSG_ERROR([$CC can not build with $ece_flag ($3)])])
        done
])

# ECE_FORTIFY(VARIABLE)
# Appends the highest -D_FORTIFY_SOURCE that works, but only when the compiler optimises (it has no effect
# otherwise, and glibc warns) and neither the user nor the distribution's compiler has chosen a level already.
AC_DEFUN([ECE_FORTIFY], [
        AC_MSG_CHECKING([for the level of _FORTIFY_SOURCE])
        AC_COMPILE_IFELSE([AC_LANG_SOURCE([[
                #ifndef __OPTIMIZE__
                #error "not optimising"
                #endif
        ]])], [ece_optimises=yes], [ece_optimises=no])
        AC_COMPILE_IFELSE([AC_LANG_SOURCE([[
                #ifdef _FORTIFY_SOURCE
                #error "somebody has chosen"
                #endif
        ]])], [ece_preset=no], [ece_preset=yes])
        ece_level=none
        AS_IF([test "$ece_preset" = yes], [ece_level="preset"],
              [test "$ece_optimises" = no], [ece_level="none, not optimising"], [
                for ece_try in 3 2; do
                        ece_saved_CFLAGS=$CFLAGS
                        CFLAGS="$CFLAGS -Werror -D_FORTIFY_SOURCE=$ece_try"
                        AC_COMPILE_IFELSE([AC_LANG_PROGRAM([[#include <string.h>]], [])],
                                [ece_level=$ece_try])
                        CFLAGS=$ece_saved_CFLAGS
                        AS_IF([test "$ece_level" = "$ece_try"], [
                                $1="${$1:+$$1 }-D_FORTIFY_SOURCE=$ece_level"
                                break
                        ])
                done
        ])
        AC_MSG_RESULT([$ece_level])
])

# ECE_PACK_RELOCATIONS(VARIABLE)
# Appends -Wl,-z,pack-relative-relocs when a program linked by it runs: the linker may know it (binutils 2.38, lld 15) and the C library
# not (glibc before 2.36, without somebody's backport), whose loader then refuses the program. Not when cross compiling: who knows where to.
AC_DEFUN([ECE_PACK_RELOCATIONS], [
        AC_MSG_CHECKING([whether programs with packed relocations run])
        ece_saved_CFLAGS=$CFLAGS
        ece_saved_LDFLAGS=$LDFLAGS
        CFLAGS="$CFLAGS $AM_CFLAGS"
        LDFLAGS="$LDFLAGS $AM_LDFLAGS -Wl,-z,pack-relative-relocs"
        AC_RUN_IFELSE([AC_LANG_PROGRAM([[
                static int number = 7;
                static int *volatile pointers[] = { &number, &number, &number };
        ]], [[
                return *pointers[2] != 7;
        ]])], [ece_runs=yes], [ece_runs=no], [ece_runs="assumed not, cross compiling"])
        CFLAGS=$ece_saved_CFLAGS
        LDFLAGS=$ece_saved_LDFLAGS
        AC_MSG_RESULT([$ece_runs])
        AS_IF([test "$ece_runs" = yes], [$1="${$1:+$$1 }-Wl,-z,pack-relative-relocs"])
])
