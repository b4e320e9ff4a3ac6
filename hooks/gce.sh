# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
#
# Compute Engine's metadata server, which wants the header Metadata-Flavor
# (https://cloud.google.com/compute/docs/metadata/querying-metadata). For gce-mig and scale-in-gce.

GCE_KEYS="on_failure leave_timeout interval metadata endpoint ca_file proxy"

gce_begin() {
        gce_url=$(conf_url metadata http://metadata.google.internal "http https")/computeMetadata/v1
}

# gce_ask METHOD PATH [BODY [CONFIG]]
gce_ask() {
        request "$1" "$gce_url/$2" 'noproxy = "*"
header = "Metadata-Flavor: Google"
'"${4-}" "${3-}"
}

# gce_get PATH LETTERS
gce_get() {
        gce_ask GET "$1"
        [ "$http_status" = 200 ] || answer_end "the metadata server"
        case $http_body in '' | *[!$2]*) answer_end "the metadata server" ;; esac
}
