# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
#
# What the hooks of this directory share: words for the journal, the configuration, secrets, one HTTP request. Read by them
# with `.`, from where they lie themselves. POSIX sh, curl 7.76, coreutils, and logger(1), whose absence does no harm.
#
# - A hook's output goes nowhere (it may hold anything), so what a person has to know goes to the journal: sentences of ours,
#   numbers, and words whose form was looked at. Never a part of an answer as it came, and never a secret.
# - Secrets are variables of the shell and are handed to curl in a configuration on its standard input (curl -K -): nothing
#   of them is in an argument list, in the environment of a child, or in a file. printf is built into every /bin/sh for which
#   this is written, so no process is made for it (POSIX asks for no more than that it exists).
# - Every request has a maximal time and a maximal size, follows no redirection, and speaks the one protocol that was asked
#   for. An answer is held against its form before anything is done with it.
# - The configuration is read, not executed: KEY=VALUE, a known KEY, printable ASCII, no quotes around it.
#
# Exit statuses are those of sysexits.h, as everywhere in ece-enroll: 75 run me again (the runner of hooks knows only this one),
# 76 an answer that is none, 77 refused, 78 configuration.

EXIT_AGAIN=75 EXIT_PROTOCOL=76 EXIT_DENIED=77 EXIT_CONFIG=78
ANSWER_MAX=131072

LC_ALL=C
export LC_ALL
umask 077
# A variable that came with the environment stays exported when it is assigned to. Those that hold secrets, or what secrets are
# made from, shall not, whatever somebody has who tries a hook by hand.
unset token secret signed bearer header tls line value conf_line conf_lines conf_value tls_proxy http_body request_answer imds_token
unset aws_secret aws_session aws_key aws_tls aws_canonical aws_text aws_header octal_rest octal_text pad_rest pad_text hmac_inner

say() {
        printf '%s: %s\n' "$hook" "$1" >&2
        logger -t "ece-enroll-$hook" -p daemon.warning -- "$1" </dev/null >/dev/null 2>&1 || :
}

# end STATUS SENTENCE. In a $(...) it ends only that, and `set -e` does the rest.
end() {
        say "$2"
        exit "$1"
}

# --- Configuration and secrets ---

# trusted FILE MASK: a regular file of root's or ours, with none of the mode bits of MASK.
trusted() {
        trusted_is=$(stat -L -c '%f %u' -- "$1" 2>/dev/null) || return 1
        trusted_mode=$((0x${trusted_is% *})) trusted_uid=${trusted_is#* }
        [ $((trusted_mode & 0170000)) -eq $((0100000)) ] && [ $((trusted_mode & $2)) -eq 0 ] &&
                { [ "$trusted_uid" -eq 0 ] || [ "$trusted_uid" -eq "$(id -u)" ]; }
}

# conf_load FILE KEYS: FILE may be absent if it is the usual one.
conf_load() {
        conf_lines=
        [ -e "$1" ] || [ "$conf_given" = yes ] || return 0
        trusted "$1" 0022 || end $EXIT_CONFIG "$1 is no regular file of root's that nobody else may write"
        while IFS= read -r line || [ -n "$line" ]; do
                case $line in '' | '#'*) continue ;; esac
                key=${line%%=*} value=${line#*=}
                case $line in *=*) ;; *) end $EXIT_CONFIG "$1: a line that is not KEY=VALUE" ;; esac
                case $key in '' | *[!a-z_]*) end $EXIT_CONFIG "$1: a key that is none" ;; esac
                case " $2 " in *" $key "*) ;; *) end $EXIT_CONFIG "$1: unknown key $key" ;; esac
                case $value in
                '' | *[!\ -~]* | ' '* | *' ' | [\"\']*) end $EXIT_CONFIG "$1: $key: not plain printable text, or in quotes" ;;
                esac
                [ -z "$(conf "$key")" ] || end $EXIT_CONFIG "$1: $key stands there twice"
                conf_lines="$conf_lines$line
"
        done <"$1"
}

# conf KEY [DEFAULT]
conf() {
        while IFS= read -r conf_line; do
                case $conf_line in "$1="*)
                        printf '%s\n' "${conf_line#*=}"
                        return
                        ;;
                esac
        done <<EOT
$conf_lines
EOT
        printf '%s\n' "${2-}"
}

# conf_number KEY DEFAULT
conf_number() {
        conf_value=$(conf "$1" "$2")
        case $conf_value in *[!0-9]* | ??????*) end $EXIT_CONFIG "$1 is no number of at most 5 digits" ;; esac
        printf '%s\n' "$conf_value"
}

# conf_url KEY DEFAULT PROTOCOLS: without the last slash. PROTOCOLS as in "http https".
conf_url() {
        conf_value=$(conf "$1" "$2")
        case " $3 " in *" ${conf_value%%://*} "*) ;; *) end $EXIT_CONFIG "$1 is no URL with $3" ;; esac
        is_plain "$conf_value" || end $EXIT_CONFIG "$1 holds what no URL holds"
        printf '%s\n' "${conf_value%/}"
}

# Safe between the quotes of curl's configuration.
is_plain() {
        case $1 in '' | *[!\ -~]* | *[\"\\\ ]*) return 1 ;; esac
}

# secret_read KEY CREDENTIAL: the only line of the file that KEY names, or else of the credential of this name that systemd has
# given us; nothing when there is neither.
secret_read() {
        secret_path=$(conf "$1")
        if [ -n "$secret_path" ]; then
                trusted "$secret_path" 0077 || end $EXIT_CONFIG "$1: no regular file of root's that nobody else may read"
        elif [ -n "${CREDENTIALS_DIRECTORY-}" ] && [ -f "$CREDENTIALS_DIRECTORY/$2" ]; then
                secret_path=$CREDENTIALS_DIRECTORY/$2
        else
                return 0
        fi
        secret=$(head -c 65536 -- "$secret_path") || end $EXIT_CONFIG "$1 can't be read"
        case $secret in '' | *[!\ -~]* | *[\"\\]*) end $EXIT_CONFIG "$1: not one line of printable text without \" and \\" ;; esac
        printf '%s\n' "$secret"
}

# --- HTTP ---

# Seconds for a whole request; attempts at each, where nobody runs the hook again.
request_time=8 request_tries=1

# request METHOD URL CONFIG [BODY]: sets http_status (000: no answer, 999: one that is too long) and http_body. CONFIG: further
# lines of curl's configuration. A BODY goes by descriptor 3, since 0 is taken by the configuration.
request() {
        request_left=$request_tries
        while :; do
                request_once "$@"
                request_left=$((request_left - 1))
                case $http_status in 000 | 408 | 429 | 5??) ;; *) return 0 ;; esac
                [ "$request_left" -gt 0 ] || return 0
                sleep 1
        done
}

request_once() {
        case $2 in https:*) request_protocol==https ;; *) request_protocol==http ;; esac
        request_answer=$(
                printf '%s' "${4-}" | {
                        exec 3<&0
                        {
                                printf 'request = "%s"\nurl = "%s"\n%s\n' "$1" "$2" "$3"
                                # A proxy may make curl wait for "100 Continue".
                                [ -z "${4-}" ] || printf 'data-binary = "@/dev/fd/3"\nheader = "Expect:"\n'
                        } | curl -q -K - --silent --globoff --proto "$request_protocol" --connect-timeout 3 --max-time "$request_time" \
                                --write-out '\n%{exitcode} %{http_code}' 2>/dev/null
                } | head -c $ANSWER_MAX | tr -d '\000'
        )
        http_body=${request_answer%
*}
        # Not by ${...##*}, which takes a shell a time that grows with the square of the length.
        request_tail=$(printf '%s' "$request_answer" | tail -n 1)
        case $request_tail in
        [0-9]*' '[0-9][0-9][0-9]) curl_exit=${request_tail% *} http_status=${request_tail#* } ;;
        *) curl_exit=23 http_status=999 ;;
        esac
        # A body that was broken off is none, whatever its first line said.
        case $curl_exit in 0) ;; *) [ "$http_status" = 999 ] || http_status=000 ;; esac
}

# answer_end WHO: for an answer that is not what was hoped for. Ends.
answer_end() {
        case $http_status in
        000)
                case $curl_exit in
                1 | 2 | 3 | 4) end $EXIT_CONFIG "$1 can't be asked: curl ends with $curl_exit" ;;
                *) end $EXIT_AGAIN "$1 does not answer: curl ends with $curl_exit" ;;
                esac
                ;;
        408 | 429 | 5??) end $EXIT_AGAIN "$1 answers with $http_status" ;;
        401 | 403 | 407) end $EXIT_DENIED "$1 refuses: $http_status" ;;
        999) end $EXIT_PROTOCOL "$1 gives an answer that is too long" ;;
        3??) end $EXIT_PROTOCOL "$1 redirects ($http_status), which is not followed" ;;
        2??) end $EXIT_PROTOCOL "$1 gives an answer that is none" ;;
        *) end $EXIT_PROTOCOL "$1 answers with $http_status" ;;
        esac
}

# For what is asked over TLS: an authority of one's own, a proxy.
tls_config() {
        tls_ca=$(conf ca_file) tls_proxy=$(conf proxy)
        [ -z "$tls_ca" ] || is_plain "$tls_ca" || end $EXIT_CONFIG "ca_file is no plain path"
        [ -z "$tls_proxy" ] || is_plain "$tls_proxy" || end $EXIT_CONFIG "proxy is no plain URL"
        [ -z "$tls_ca" ] || printf 'cacert = "%s"\n' "$tls_ca"
        [ -z "$tls_proxy" ] || printf 'proxy = "%s"\n' "$tls_proxy"
}

# json_word NAME: the string that the member NAME of http_body has, if it is of harmless letters. For answers that have no two of
# this name; of several it takes the last.
json_word() {
        printf '%s' "$http_body" | tr '\n\r\t' '   ' |
                sed -n 's|.*"'"$1"'" *: *"\([A-Za-z0-9+/=._~:-]*\)".*|\1|p' | head -n 1
}

# json_text TEXT: what may stand between the quotes of a JSON string. Anything but letters, digits and a few signs goes.
json_text() {
        printf '%s' "$1" | tr -cd 'A-Za-z0-9 ._,:/+=()-' | head -c 1024
}

# --- Scale-in ---

# leave_for SECONDS BEAT: `ece-enroll leave` with this much time, and the function BEAT once a minute meanwhile. Its exit code is in
# leave_code.
leave_for() {
        say "this host is to go: leaving the installation, within $1 s"
        ece-enroll leave --yes --timeout "${1}s" &
        leave_pid=$! leave_seconds=0
        trap 'kill "$leave_pid" 2>/dev/null; exit 143' TERM INT
        while kill -0 "$leave_pid" 2>/dev/null; do
                sleep 1
                leave_seconds=$((leave_seconds + 1))
                [ $((leave_seconds % 60)) -ne 0 ] || "$2"
        done
        leave_code=0
        wait "$leave_pid" || leave_code=$?
        [ "$leave_code" -eq 0 ] || say "ece-enroll leave ends with $leave_code"
}

# seconds_until TEXT DEFAULT: of a time as date(1) reads it, without the seconds that telling the cloud takes; at least 5.
seconds_until() {
        until_at=$(date -u -d "$1" +%s 2>/dev/null) || until_at=
        case $1 in '' | *[!A-Za-z0-9\ ,:+-]*) until_at= ;; esac
        until_left=${2}
        [ -z "$until_at" ] || until_left=$((until_at - $(date -u +%s) - 10))
        [ "$until_left" -ge 5 ] || until_left=5
        printf '%s\n' "$until_left"
}

# --- Arguments: --conf FILE, for tests and for a second group on one host ---

hook_begin() {
        conf_given=no conf_file=/etc/ece-enroll/$1.conf conf_keys=$2
        shift 2
        case $# in
        0) ;;
        2)
                [ "$1" = --conf ] || end 64 "the only option is --conf FILE"
                conf_given=yes conf_file=$2
                ;;
        *) end 64 "the only option is --conf FILE" ;;
        esac
        command -v curl >/dev/null || end $EXIT_CONFIG "curl is not installed"
        conf_load "$conf_file" "$conf_keys"
}
