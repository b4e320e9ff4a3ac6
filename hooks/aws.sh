# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
#
# Amazon's two interfaces: the instance's metadata service, version 2 only, and the Auto Scaling API, signed. For aws-autoscaling
# and scale-in-aws.
#
# The signature is made here and not by curl's --aws-sigv4: every x-amz-* header has to be signed, that of a role's session token too
# (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html), and curl before 7.87, which is that
# of RHEL 9 and Ubuntu 22.04, signs host and x-amz-date and no header of ours (https://github.com/curl/curl/pull/7966).
# An HMAC (RFC 2104) from sha256sum alone, since openssl would want the key in its argument list.

# --- Metadata: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html ---

# False if there is no token to be had.
imds_try() {
        request PUT "$imds_url/latest/api/token" 'noproxy = "*"
header = "X-aws-ec2-metadata-token-ttl-seconds: 60"'
        [ "$http_status" = 200 ] || return 1
        case $http_body in '' | *[!A-Za-z0-9_=-]*) return 1 ;; esac
        imds_token=$http_body
}

imds_begin() {
        imds_url=$(conf_url metadata http://169.254.169.254 "http https")
        imds_try || answer_end "the metadata service"
}

# imds_get PATH: sets http_status and http_body.
imds_get() {
        request GET "$imds_url/latest/meta-data/$1" 'noproxy = "*"
header = "X-aws-ec2-metadata-token: '"$imds_token"'"'
}

# imds_word PATH LETTERS: one word, of these letters (a pattern's set), in http_body.
imds_word() {
        imds_get "$1"
        [ "$http_status" = 200 ] || answer_end "the metadata service"
        case $http_body in '' | *[!$2]*) answer_end "the metadata service" ;; esac
}

# --- Signature, version 4 ---

sha256() {
        sha256sum | head -c 64
}

# octal HEX: as printf's %b wants it.
octal() {
        octal_rest=$1 octal_text=
        while [ -n "$octal_rest" ]; do
                octal_byte=$((0x${octal_rest%"${octal_rest#??}"})) octal_rest=${octal_rest#??}
                octal_text="$octal_text\\0$((octal_byte / 64))$((octal_byte / 8 % 8))$((octal_byte % 8))"
        done
        printf '%s' "$octal_text"
}

# pad HEX BYTE: a key of 64 bytes, each exclusive-or BYTE, for printf's %b.
pad() {
        pad_rest=$1 pad_text=
        while [ ${#pad_rest} -lt 128 ]; do pad_rest=${pad_rest}00; done
        while [ -n "$pad_rest" ]; do
                pad_byte=$((0x${pad_rest%"${pad_rest#??}"} ^ $2)) pad_rest=${pad_rest#??}
                pad_text="$pad_text\\0$((pad_byte / 64))$((pad_byte / 8 % 8))$((pad_byte % 8))"
        done
        printf '%s' "$pad_text"
}

# hmac KEY TEXT: the key and the result in hexadecimal digits; a key of at most 64 bytes.
hmac() {
        hmac_inner=$({ printf '%b' "$(pad "$1" 54)"; printf '%s' "$2"; } | sha256)
        { printf '%b' "$(pad "$1" 92)"; printf '%b' "$(octal "$hmac_inner")"; } | sha256
}

# aws_signature SECRET DATE REGION SERVICE TEXT
aws_signature() {
        aws_key=$(printf 'AWS4%s' "$1" | od -An -v -tx1 | tr -d ' \n')
        for aws_part in "$2" "$3" "$4" aws4_request; do aws_key=$(hmac "$aws_key" "$aws_part"); done
        hmac "$aws_key" "$5"
}

# aws_authorization METHOD TIME NAMES HEADERS BODY: the header for the path "/" without a query. NAMES and HEADERS of what is signed,
# in order: "host;x-amz-date", and a line "name:value" for each. From aws_id, aws_secret, aws_region, aws_service.
aws_authorization() {
        aws_scope=${2%T*}/$aws_region/$aws_service/aws4_request
        aws_canonical=$(printf '%s\n/\n\n%s\n\n%s\n%s' "$1" "$4" "$3" "$(printf '%s' "$5" | sha256)")
        aws_text=$(printf 'AWS4-HMAC-SHA256\n%s\n%s\n%s' "$2" "$aws_scope" "$(printf '%s' "$aws_canonical" | sha256)")
        printf 'AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s' \
                "$aws_id" "$aws_scope" "$3" "$(aws_signature "$aws_secret" "${2%T*}" "$aws_region" "$aws_service" "$aws_text")"
}

# --- The API: https://docs.aws.amazon.com/autoscaling/ec2/APIReference/ ---

# Who we are and with which role, from the metadata service.
aws_begin() {
        imds_begin
        imds_word instance-id 'a-z0-9-'
        aws_instance=$http_body
        imds_word placement/region 'a-z0-9-'
        aws_region=$http_body
        aws_group=$(conf group)
        if [ -z "$aws_group" ]; then
                # There only if the launch template has InstanceMetadataTags=enabled.
                imds_get tags/instance/aws:autoscaling:groupName
                [ "$http_status" != 404 ] || end $EXIT_CONFIG "no group in the configuration, and no tag tells it"
                [ "$http_status" = 200 ] || answer_end "the metadata service"
                case $http_body in '' | *[!\ -~]*) answer_end "the metadata service" ;; esac
                aws_group=$http_body
        fi
        imds_get iam/security-credentials/
        [ "$http_status" != 404 ] || end $EXIT_DENIED "the instance has no IAM role"
        [ "$http_status" = 200 ] || answer_end "the metadata service"
        case $http_body in '' | *[!A-Za-z0-9+=,.@_-]*) answer_end "the metadata service" ;; esac
        imds_get "iam/security-credentials/$http_body"
        [ "$http_status" = 200 ] || answer_end "the metadata service"
        aws_id=$(json_word AccessKeyId) aws_secret=$(json_word SecretAccessKey) aws_session=$(json_word Token)
        # A key of HMAC that is longer than a block would have to be hashed first; Amazon's have 40 letters.
        [ -n "$aws_id" ] && [ -n "$aws_secret" ] && [ -n "$aws_session" ] && [ ${#aws_secret} -le 60 ] || answer_end "the metadata service"
}

# As form fields want it: every byte that is not "unreserved" (RFC 3986).
urlencode() {
        encode_rest=$1
        while [ -n "$encode_rest" ]; do
                encode_char=${encode_rest%"${encode_rest#?}"} encode_rest=${encode_rest#?}
                case $encode_char in
                [A-Za-z0-9._~-]) printf '%s' "$encode_char" ;;
                *) printf '%%%02X' "'$encode_char" ;;
                esac
        done
}

# aws_lifecycle ACTION HOOK [RESULT]: ends if it was not done. An action that is over, or has never been, is done.
aws_lifecycle() {
        aws_body="Action=$1&Version=2011-01-01&AutoScalingGroupName=$(urlencode "$aws_group")&LifecycleHookName=$(urlencode "$2")"
        aws_body="$aws_body&InstanceId=$aws_instance${3:+&LifecycleActionResult=$3}"
        case $aws_region in cn-*) aws_domain=amazonaws.com.cn ;; *) aws_domain=amazonaws.com ;; esac
        aws_url=$(conf_url endpoint "https://autoscaling.$aws_region.$aws_domain" https)
        aws_service=autoscaling aws_time=$(date -u +%Y%m%dT%H%M%SZ)
        aws_type=application/x-www-form-urlencoded aws_tls=$(tls_config)
        aws_header=$(aws_authorization POST "$aws_time" "content-type;host;x-amz-date;x-amz-security-token" "content-type:$aws_type
host:${aws_url#*://}
x-amz-date:$aws_time
x-amz-security-token:$aws_session" "$aws_body")
        request POST "$aws_url/" "$aws_tls
header = \"Content-Type: $aws_type\"
header = \"X-Amz-Date: $aws_time\"
header = \"X-Amz-Security-Token: $aws_session\"
header = \"Authorization: $aws_header\"" "$aws_body"
        case $http_status:$http_body in 200:*"<$1Response"*) return 0 ;; esac
        aws_code=$(printf '%s' "$http_body" | tr '\n' ' ' | sed -n 's|.*<Code>\([A-Za-z.]\{1,64\}\)</Code>.*|\1|p')
        case $aws_code:$http_body in ValidationError:*"No active Lifecycle Action found"*) return 0 ;; esac
        # https://docs.aws.amazon.com/autoscaling/ec2/APIReference/CommonErrors.html
        case $http_status:$aws_code in
        [45]??:Throttling* | [45]??:RequestLimitExceeded | [45]??:RequestExpired | [45]??:ExpiredToken | [45]??:ResourceContention)
                end $EXIT_AGAIN "Auto Scaling answers with $http_status $aws_code"
                ;;
        403:?* | 401:?* | 400:IncompleteSignature | 400:NotAuthorized | 400:OptInRequired)
                end $EXIT_DENIED "Auto Scaling refuses $1: $http_status $aws_code"
                ;;
        400:?*) end $EXIT_PROTOCOL "Auto Scaling answers $1 with $http_status $aws_code" ;;
        esac
        answer_end "Auto Scaling"
}
