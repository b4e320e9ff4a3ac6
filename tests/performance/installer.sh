#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# An installer that returns at once. All it does is to say at a door (a named pipe beside it, which world.py serves) that this host
# joins, and to wait for the word that it has. Builtins of the shell only, so that it costs every candidate the same, and little.
# shellcheck disable=SC2034 # read, as text, by whoever wants to know which version the script is
CLOUD_ENTERPRISE_VERSION="4.0.3"
echo join >"${0%/*}/door"
read -r _ <"${0%/*}/answer"
