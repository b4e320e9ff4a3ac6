# SPDX-License-Identifier: Apache-2.0
#
# Library checks that say what to install.

# ECE_MISSING(WHAT, DEBIAN-PACKAGE, RHEL-PACKAGE)
# Notes something that is missing. All of it is reported at once, by ECE_REPORT_MISSING.
AC_DEFUN([ECE_MISSING], [
        ece_missing="$ece_missing
    $1
        Debian, Ubuntu:  apt-get install $2
        RHEL, Rocky:     dnf install $3"
])

# ECE_LIBRARY(PREFIX, MODULE, VERSION, DEBIAN-PACKAGE, RHEL-PACKAGE)
# pkg-config's MODULE at VERSION or newer gives PREFIX_CFLAGS and PREFIX_LIBS.
AC_DEFUN([ECE_LIBRARY], [
        PKG_CHECK_MODULES([$1], [$2 >= $3], [], [ECE_MISSING([$2 $3 or newer], [$4], [$5])])
])

AC_DEFUN([ECE_REPORT_MISSING], [
        AS_IF([test -n "$ece_missing"], [
                AC_MSG_ERROR([what the build needs is not all there:
$ece_missing

On Debian and Ubuntu scripts/setup installs everything at once.])
        ])
])
