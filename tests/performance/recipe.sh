#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What people do today: ECE's documented recipe, curl and jq around the installer.
#
#   recipe.sh URL CA-FILE KEY-FILE INSTALLER RUNNER-ID HOST-IP ZONE
#
# It asks what ece-enroll asks, and as often, so that the comparison is one of programs and not of diligence. The documentation has the mint
# and the installer; people who are careful add the looks before and after. In two things it is better than what is copied
# from there: the certificate is verified, and nothing runs when a step has failed. What it leaves out: retries, other
# coordinators, the check of the script and of the host, of the token's roles and of its life, a record, a report; and the token is seen
# in argument lists, the key in curl's.
set -o errexit -o nounset -o pipefail
url=$1/api/v1 ca=$2 key_file=$3 installer=$4 runner_id=$5 host_ip=$6 zone=$7
key=$(cat "$key_file")

ask() { # METHOD PATH [CURL-WORD...]
        local method=$1 path=$2
        shift 2
        curl --silent --show-error --cacert "$ca" --request "$method" --header "Authorization: ApiKey $key" \
                --header 'Accept: application/json' "$@" "$url$path"
}

version=$(ask GET /platform --fail | jq --raw-output .version)
status=$(ask GET "/platform/infrastructure/runners/$runner_id" --output /dev/null --write-out '%{http_code}')
if [ "$status" != 404 ]; then
        echo "the platform knows a host $runner_id already: $status" >&2
        exit 1
fi

token=$(ask POST /platform/configuration/security/enrollment-tokens --fail --header 'Content-Type: application/json' \
        --data '{"persistent":false,"roles":["allocator"],"validity_in_seconds":3600}' | jq --raw-output .token)

"$installer" --coordinator-host "${1#https://}" --roles-token "$token" --roles allocator --runner-id "$runner_id" \
        --host-ip "$host_ip" --availability-zone "$zone" --cloud-enterprise-version "$version"

# One look a second until the host is there, as long as an installation may take.
for ((look = 0; look < 600; look++)); do
        [ $look -eq 0 ] || sleep 1
        ask GET "/platform/infrastructure/runners/$runner_id" |
                jq --exit-status '.connected and .healthy and ([.roles[].role_name] | index("allocator"))' >/dev/null || continue
        ask GET /platform/infrastructure/blueprinter/roles/allocator --fail |
                jq --exit-status --arg id "$runner_id" '.blessings.value.runner_ids_to_blessing[$id].value' >/dev/null || continue
        ask GET "/platform/infrastructure/allocators/$runner_id" --fail |
                jq --exit-status .status.connected >/dev/null || continue
        echo "enrolled: $runner_id"
        exit 0
done
echo "not enrolled: $runner_id" >&2
exit 1
