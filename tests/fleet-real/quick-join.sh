#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# An installer that does nothing but join: presents the host at the simulator's door for hosts, after so long a time as DIR/takes
# says. Where the door is stands in DIR/door; nobody's environment reaches an installer.
set -eu
CLOUD_ENTERPRISE_VERSION=4.0.3
token='' roles='' runner='' address='' zone=''
while [ $# -gt 0 ]; do
        case $1 in
                --roles-token) token=$2 ;;
                --roles) roles=$2 ;;
                --runner-id) runner=$2 ;;
                --host-ip) address=$2 ;;
                --availability-zone) zone=$2 ;;
                --cloud-enterprise-version) CLOUD_ENTERPRISE_VERSION=$2 ;;
        esac
        shift
done

here=${0%/*}
read -r host port <"$here/door"
read -r least span <"$here/takes"
# Each host takes its own time, the same in each run: its number's place in a well-mixed row.
number=$((${address##*.} + 256 * $(cut -d. -f3 <<<"$address")))
sleep "$((least + number * 7919 % (span + 1)))e-3"

exec 3<>"/dev/tcp/$host/$port"
printf '{"token": "%s", "runner_id": "%s", "roles": "%s", "host_ip": "%s", "zone": "%s", "version": "%s"}\n' \
        "$token" "$runner" "$roles" "$address" "$zone" "$CLOUD_ENTERPRISE_VERSION" >&3
read -r answer <&3
echo "$answer" | sed 's/^/the platform says: /'
[[ $answer == *'"accepted": true'* ]]
