#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# A stand-in for the installer of Elastic Cloud Enterprise, for tests. It shares no text with the real one but
# the messages that programs match on; it has the same interface, the same order of checks, the same exit codes
# and, on purpose, the same traps:
#
#   * a value is assigned through an eval inside single quotes: a quote in it runs code
#   * a value is passed on unquoted: split at blanks, globbed
#   * an empty argument ends the parsing, silently
#   * the version is compared arithmetically: a subscript in it runs code
#   * most variables are never initialised, so the environment presets them
#
# Beside the script may lie a file stand-in.conf, read as shell: OS_RELEASE names the os-release to believe.
#
# shellcheck disable=SC2086  # unquoted values are one of the traps
set -o errexit -o pipefail

CLOUD_ENTERPRISE_VERSION="4.0.3"
OWN_VERSION=$CLOUD_ENTERPRISE_VERSION

IMAGE_NAME=elastic-cloud-enterprise
INSTALLER_NAME=elastic-cloud-enterprise-installer

OS_RELEASE=/etc/os-release
CONF=$(dirname "${BASH_SOURCE[0]}")/stand-in.conf
# shellcheck disable=SC1090
if [[ -r $CONF ]]; then source "$CONF"; fi

RED=$'\e[31m' YELLOW=$'\e[33m' PLAIN=$'\e[0m'

# Only these start from known values; everything else may come from the environment.
DOCKER_REGISTRY=docker.elastic.co
ECE_DOCKER_REPOSITORY=cloud-enterprise
HOST_STORAGE_PATH=/mnt/data/elastic
CONTAINER_ENGINE=docker
OVERWRITE_EXISTING_IMAGE=false
FORCE_INSTALL=false
ENABLE_DEBUG_LOGGING=false
ECE_TIMEOUT_FACTOR=1.0
SELINUX=false
HOST_PREREQ_FAILED=false
SKIP_CLOUD_ENTERPRISE_VERSION_CHECK=${SKIP_CLOUD_ENTERPRISE_VERSION_CHECK:-false}

# Errors go to stdout, coloured, terminal or not.
complain() { # STATUS TEXT...
    local status=$1
    shift
    printf '%s%s%s\n' "$RED" "$*" "$PLAIN"
    exit "$status"
}

warn() {
    printf '%s%s%s\n' "$YELLOW" "$*" "$PLAIN"
}

# The trap itself: NAME is set to the first word of what the caller passed on unquoted.
assign() { # NAME WORD...
    eval "$1='$2'"
}

assign HOST_DOCKER_HOST ${DOCKER_HOST:-/var/run/docker.sock}

usage() {
    cat <<'EOF'
elastic-cloud-enterprise.sh [COMMAND] {OPTIONS}   (a stand-in for tests)

Commands: install, upgrade, reset-adminconsole-password, add-stack-version, configure-selinux-settings
Roles supported by --roles: director, coordinator, allocator, proxy
EOF
    exit 0
}

# Variable behind each option that takes a value.
variable_of() {
    case $1 in
        --coordinator-host) echo COORDINATOR_HOST ;;
        --roles-token) echo RUNNER_ROLES_TOKEN ;;
        --roles) echo RUNNER_ROLES ;;
        --availability-zone) echo AVAILABILITY_ZONE ;;
        --runner-id) echo RUNNER_ID ;;
        --host-ip) echo HOST_IP ;;
        --capacity) echo CAPACITY ;;
        --memory-settings) echo MEMORY_SETTINGS ;;
        --host-storage-path) echo HOST_STORAGE_PATH ;;
        --host-docker-host) echo HOST_DOCKER_HOST ;;
        --cloud-enterprise-version) echo CLOUD_ENTERPRISE_VERSION ;;
        --docker-registry) echo DOCKER_REGISTRY ;;
        --ece-docker-repository) echo ECE_DOCKER_REPOSITORY ;;
        --external-hostname) echo RUNNER_EXTERNAL_HOSTNAME ;;
        --api-base-url) echo API_BASE_URL ;;
        --allocator-tags) echo ALLOCATOR_TAGS ;;
        --proxy-tags) echo PROXY_TAGS ;;
        --environment-metadata) echo RUNNER_ENVIRONMENT_METADATA_JSON ;;
        --config-file) echo CONFIG_FILE ;;
        --client-forwarder-observers-tag) echo CLIENT_FORWARDER_OBSERVERS_TAG ;;
        --latest-stack-pre-release) echo LATEST_STACK_PRE_RELEASE ;;
        --previous-stack-pre-release) echo PREVIOUS_STACK_PRE_RELEASE ;;
        --timeout-factor) echo ECE_TIMEOUT_FACTOR ;;
    esac
}

# Compares major and minor only, arithmetically: the second trap.
check_version() {
    local major minor own_major own_minor _
    IFS=. read -r major minor _ <<<"$CLOUD_ENTERPRISE_VERSION"
    IFS=. read -r own_major own_minor _ <<<"$OWN_VERSION"
    if [[ $major -gt $own_major || ( $major -eq $own_major && $minor -gt $own_minor ) ]]; then
        complain 1 "Can't use a --cloud-enterprise-version value greater than $OWN_VERSION."
    fi
}

parse_options() {
    local variable
    while [[ $1 != "" ]]; do
        case $1 in
            --help | help) usage ;;
            --overwrite-existing-image) OVERWRITE_EXISTING_IMAGE=true ;;
            --force) FORCE_INSTALL=true ;;
            --debug) ENABLE_DEBUG_LOGGING=true ;;
            --podman) CONTAINER_ENGINE=podman ;;
            --selinux) SELINUX=true ;;
            --skip-cloud-enterprise-version-check) SKIP_CLOUD_ENTERPRISE_VERSION_CHECK=true ;;
            *)
                variable=$(variable_of "$1")
                if [[ -z $variable ]]; then complain 3 "Unknown argument '$1'"; fi
                if [[ -z $2 || $2 == --* ]]; then complain 3 "Argument '$1' does not have a value"; fi
                assign "$variable" $2
                if [[ $variable == CLOUD_ENTERPRISE_VERSION ]]; then check_version; fi
                shift
                ;;
        esac
        shift
    done
    HOST_DOCKER_HOST=${HOST_DOCKER_HOST#unix://}
}

check_socket() {
    if [[ ! -S $HOST_DOCKER_HOST ]]; then
        complain 5 "ECE could not verify the Docker socket ($HOST_DOCKER_HOST)."
    fi
}

check_user() {
    if (($(id -ru) < 1000 || $(id -rg) < 1000)); then
        complain 4 "The UID or GID must not be smaller than 1000."
    fi
}

# `docker ps` is meant literally, with podman too.
check_engine() {
    if docker ps >/dev/null; then return; fi
    if [[ " $(id -Gn) " != *" docker "* ]]; then
        warn "The user is not a member of the docker group."
    fi
    local text="To resolve the issue, add the user to the docker group or install as a different user."
    if [[ $FORCE_INSTALL == true ]]; then
        warn "$text"
        HOST_PREREQ_FAILED=true
    else
        complain 4 "$text"
    fi
}

check_firewalld() {
    if command -v firewall-cmd >/dev/null && firewall-cmd --state >/dev/null 2>&1; then
        warn "The firewalld service may interfere with the installation of ECE."
        HOST_PREREQ_FAILED=true
    fi
}

open_log() {
    mkdir -p "$HOST_STORAGE_PATH/logs/bootstrap-logs"
    LOG_FILE=$HOST_STORAGE_PATH/logs/bootstrap-logs/elastic-cloud-enterprise.log
}

note() {
    printf '[%s] %s\n' "$(date -u '+%Y-%m-%d %H:%M:%S')" "$*" | tee -a "$LOG_FILE"
}

engine_version() {
    if [[ $CONTAINER_ENGINE == podman ]]; then
        podman-remote --url "unix://$HOST_DOCKER_HOST" version --format '{{.Version}}' | cut -d. -f1
    else
        docker -H "unix://$HOST_DOCKER_HOST" --version | sed -n 's/^Docker version \([0-9]*\.[0-9]*\).*/\1/p'
    fi
}

# Operating system and engine that this version was made for.
check_os() {
    local wanted="${CLOUD_ENTERPRISE_VERSION%.*}"
    if [[ $SKIP_CLOUD_ENTERPRISE_VERSION_CHECK == true ]]; then
        note "Skipping the validation of ECE version $wanted"
        return
    fi
    note "Validating ECE version $wanted compatibility with OS and Docker/Podman."
    local os engine
    # shellcheck disable=SC1090
    os=$(source "$OS_RELEASE" && echo "$ID ${VERSION_ID}")
    engine="$CONTAINER_ENGINE $(engine_version)"
    case "$os/$engine" in
        ubuntu\ 2[02].04/docker\ 2[567].0 | ubuntu\ 24.04/docker\ 2[67].0) ;;
        rhel\ 8*/podman\ 4 | rhel\ 9*/podman\ [45] | rocky\ 8*/podman\ 4 | rocky\ 9*/podman\ 5) ;;
        sles\ 1[25]*/docker\ 25.0) ;;
        *) complain 1 "ECE version $wanted is not compatible with $os and $engine." ;;
    esac
    note "Verified that ECE version $wanted is compatible with $os and $engine."
}

check_storage() {
    local what
    for what in read write; do
        if ! test "-${what:0:1}" "$HOST_STORAGE_PATH"; then
            complain 1 "Host storage path $HOST_STORAGE_PATH exists but doesn't have $what permissions for user ${USER:-$(id -un)}"
        fi
    done
}

# Without --host-ip: the addresses of the default route's interface, perhaps more than one word.
find_host_ip() {
    if [[ -n $HOST_IP ]]; then return; fi
    if ! command -v ip >/dev/null; then
        complain 1 "Can't determine a default HOST_IP ('ip' tool can't be found). Use --host-ip."
    fi
    local routes
    routes=$(ip -4 route show default | sed -n 's/.* dev \([^ ]*\).*/\1/p')
    if [[ $(wc -w <<<"$routes") -ne 1 ]]; then
        complain 1 "Can't determine a default HOST_IP (the default gateway was not found). Use --host-ip."
    fi
    HOST_IP=$(ip -4 -o addr show dev "$routes" | sed -n 's/.* inet \([0-9.]*\).*/\1/p')
    if [ -z $HOST_IP ]; then complain 1 "Can't determine a default HOST_IP. Use --host-ip."; fi
}

engine() {
    if [[ $CONTAINER_ENGINE == podman ]]; then
        podman-remote --url "unix://$HOST_DOCKER_HOST" "$@"
    else
        docker -H "unix://$HOST_DOCKER_HOST" "$@"
    fi
}

image() {
    echo "$DOCKER_REGISTRY/$ECE_DOCKER_REPOSITORY/$IMAGE_NAME:$CLOUD_ENTERPRISE_VERSION"
}

read_kernel_parameters() {
    if ! command -v sysctl >/dev/null; then
        warn "The installation process was not able to check the host kernel parameters"
        return
    fi
    HOST_KERNEL_PARAMETERS=$(sysctl net.ipv4.ip_local_port_range 2>/dev/null)
}

# In the foreground; its status is ours. HOST_IP stands unquoted: two addresses shift all that follows.
run_container() { # COMMAND
    local arguments=() name
    while read -r name; do
        arguments+=(--env "$name=${!name}")
    done < <(compgen -e CLOUD_FEATURE || true)
    if [[ -t 0 ]]; then arguments+=(--tty); fi
    engine run \
        --env COORDINATOR_HOST="$COORDINATOR_HOST" \
        --env RUNNER_ROLES_TOKEN="$RUNNER_ROLES_TOKEN" \
        --env RUNNER_ROLES="$RUNNER_ROLES" \
        --env AVAILABILITY_ZONE="$AVAILABILITY_ZONE" \
        --env RUNNER_ID="$RUNNER_ID" \
        --env CAPACITY="$CAPACITY" \
        --env MEMORY_SETTINGS="$MEMORY_SETTINGS" \
        --env HOST_STORAGE_PATH="$HOST_STORAGE_PATH" \
        --env HOST_STORAGE_DEVICE_PATH="$(df --output=source "$HOST_STORAGE_PATH" | tail -n 1)" \
        --env HOST_DOCKER_HOST="$HOST_DOCKER_HOST" \
        --env DOCKER_REGISTRY="$DOCKER_REGISTRY" \
        --env ECE_DOCKER_REPOSITORY="$ECE_DOCKER_REPOSITORY" \
        --env RUNNER_EXTERNAL_HOSTNAME="$RUNNER_EXTERNAL_HOSTNAME" \
        --env HOST_DNS_NAMES="$RUNNER_EXTERNAL_HOSTNAME" \
        --env ECE_ADMIN_CONSOLE_API_BASE_URL="$API_BASE_URL" \
        --env ALLOCATOR_TAGS="$ALLOCATOR_TAGS" \
        --env PROXY_TAGS="$PROXY_TAGS" \
        --env RUNNER_ENVIRONMENT_METADATA_JSON="${RUNNER_ENVIRONMENT_METADATA_JSON:-{}}" \
        --env CONFIG_FILE="$CONFIG_FILE" \
        --env CLIENT_FORWARDER_OBSERVERS_TAG="$CLIENT_FORWARDER_OBSERVERS_TAG" \
        --env ECE_TIMEOUT_FACTOR="$ECE_TIMEOUT_FACTOR" \
        --env FORCE_INSTALL="$FORCE_INSTALL" \
        --env ENABLE_DEBUG_LOGGING="$ENABLE_DEBUG_LOGGING" \
        --env CONTAINER_ENGINE="$CONTAINER_ENGINE" \
        --env HOST_KERNEL_PARAMETERS="$HOST_KERNEL_PARAMETERS" \
        --env HOST_PREREQ_FAILED="$HOST_PREREQ_FAILED" \
        --env UID="$(id -u)" --env GID="$(id -g)" --env ROLE=bootstrap-initiator \
        "${arguments[@]}" $DOCKER_ADDITIONAL_ARGUMENTS \
        --env HOST_IP=$HOST_IP \
        -p 22000:22000 -p 21000:21000 -p 20000:20000 \
        -v "$HOST_DOCKER_HOST:/run/docker.sock" -v "$HOST_STORAGE_PATH:$HOST_STORAGE_PATH" \
        --rm --name "$INSTALLER_NAME" --interactive "$(image)" "$1"
}

install() {
    parse_options "$@"
    if [[ $CONTAINER_ENGINE == podman && $SELINUX == true ]]; then sudo -n true; fi
    check_socket
    check_user
    check_engine
    check_firewalld
    open_log
    check_os
    check_storage
    find_host_ip
    if [[ $OVERWRITE_EXISTING_IMAGE == true ]]; then engine pull "$(image)"; fi
    read_kernel_parameters
    run_container elastic-cloud-enterprise-installer
}

# Runs under the installer's name, which is why nobody may remove such a container unseen.
upgrade() {
    parse_options "$@"
    check_socket
    check_user
    run_container elastic-cloud-enterprise-upgrader
}

case ${1-} in
    "" | help | --help) usage ;;
    --*) install "$@" ;;
    install | upgrade)
        command=$1
        shift
        "$command" "$@"
        ;;
    reset-adminconsole-password | add-stack-version | configure-selinux-settings) exit 0 ;;
    *) complain 2 "Unknown command '$1'" ;;
esac
