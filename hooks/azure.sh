# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
#
# Azure's instance metadata service, which wants the header Metadata and no proxy
# (https://learn.microsoft.com/azure/virtual-machines/instance-metadata-service), and its scheduled events
# (https://learn.microsoft.com/azure/virtual-machines/linux/scheduled-events). For azure-scale-set and scale-in-azure.

AZURE_KEYS="protect client_id leave_timeout interval metadata endpoint ca_file proxy"
AZURE_EVENTS="metadata/scheduledevents?api-version=2020-07-01"

azure_begin() {
        azure_url=$(conf_url metadata http://169.254.169.254 "http https")
}

# azure_ask METHOD PATH [BODY]
azure_ask() {
        request "$1" "$azure_url/$2" 'noproxy = "*"
header = "Metadata: true"
header = "Content-Type: application/json"' "${3-}"
}

# azure_get PATH LETTERS: one word of these letters in http_body. Ends without it.
azure_get() {
        azure_ask GET "$1"
        [ "$http_status" = 200 ] || answer_end "the metadata service"
        case $http_body in '' | *[!$2]*) answer_end "the metadata service" ;; esac
}

# The name by which events know this machine.
azure_name() {
        azure_get 'metadata/instance/compute/name?api-version=2021-02-01&format=text' 'A-Za-z0-9_.-'
        azure_machine=$http_body
}

# Those Terminate and Preempt events in http_body that are scheduled for this machine: "ID WHEN", one a line. All machines of a
# placement group are told of all. An event's object holds no other, so that an opening brace begins one.
azure_events() {
        printf '%s' "$http_body" | tr '\n\r\t{' '   \n' |
                sed -n -e '/"EventType" *: *"\(Terminate\|Preempt\)"/!d' -e '/"EventStatus" *: *"Scheduled"/!d' \
                        -e '/"Resources" *: *\[[^]]*"'"$azure_machine"'"[^]]*\]/!d' \
                        -e 's/.*"EventId" *: *"\([A-Za-z0-9-]\{1,64\}\)".*"NotBefore" *: *"\([A-Za-z0-9 ,:+-]*\)".*/\1 \2/p' \
                        -e 's/.*"NotBefore" *: *"\([A-Za-z0-9 ,:+-]*\)".*"EventId" *: *"\([A-Za-z0-9-]\{1,64\}\)".*/\2 \1/p'
}

# Lets those events begin at once that wait for us. The platform would otherwise wait until their time.
azure_approve() {
        azure_ask GET "$AZURE_EVENTS"
        [ "$http_status" = 200 ] || answer_end "the metadata service"
        azure_ids=$(azure_events | sed -e 's/^\([^ ]*\).*/{"EventId":"\1"}/' | tr '\n' ',')
        [ -n "$azure_ids" ] || return 0
        azure_ask POST "$AZURE_EVENTS" "{\"StartRequests\":[${azure_ids%,}]}"
        case $http_status in 2??) ;; *) answer_end "the metadata service" ;; esac
}
