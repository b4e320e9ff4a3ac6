/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Reasons of this host: its container engine, its state, the installer, the installer's keeper. What
 * a row is, and how it is found, stands in reasons.c.
 */

#include "engine/reasons.h"

#include "base/cleanup.h"

const Reason reasons_of_host[] = {
        { "engine.foreign-installer", CLASS_HOST, EXIT_TRANSIENT,
          "an installer or upgrade that is not ours runs on this host", WAITS_FOR_OTHERS,
          "Wait for it, or end it yourself: ece-enroll never touches what it did not start." },
        { "engine.not-answering", CLASS_HOST, EXIT_CONFIGURATION,
          "the container engine does not answer", WAITS_FOR_HOST,
          "Check the engine: systemctl status docker, or podman.socket." },
        { "engine.not-settled", CLASS_HOST, EXIT_TRANSIENT,
          "the installer's container could not be brought to an end", RETRIES,
          "Look at the container elastic-cloud-enterprise-installer (docker inspect, docker logs) and "
          "at the engine's log." },
        { "engine.other", CLASS_HOST, EXIT_TRANSIENT, "the container engine refused a request",
          TAKES_FOR_PASSING, "Look at the engine's log and the detail above." },
        { "host.address", CLASS_HOST, EXIT_CONFIGURATION, "this host has no usable address",
          WAITS_FOR_HOST,
          "Check network and default route, or set host.host_ip to an address of this host." },
        { "host.disk-space", CLASS_HOST, EXIT_CONFIGURATION,
          "a file system of this host has too little room", WAITS_FOR_HOST,
          "Free or add room where the detail above says: df -h, df -i." },
        { "host.engine-client", CLASS_HOST, EXIT_CONFIGURATION,
          "the container engine's client program is missing", WAITS_FOR_HOST,
          "Install docker, or podman-remote with installer.engine podman." },
        { "host.engine-socket", CLASS_HOST, EXIT_CONFIGURATION,
          "the container engine does not answer on its socket", WAITS_FOR_HOST,
          "Start the engine (systemctl start docker, or podman.socket) and check that the "
          "install user may use its socket." },
        { "host.group", CLASS_HOST, EXIT_CONFIGURATION,
          "the install user may not use the container engine's socket", WAITS_FOR_HOST,
          "Add the user to the group that the detail names: usermod -aG GROUP USER. ece-installd starts "
          "anew by itself to have it; 'ece-enroll run' as that user needs a new login." },
        { "host.left", CLASS_PERMANENT, EXIT_CONFIGURATION, "this host was told to leave the installation, and stays out of it", STOPS,
          "To enroll it again: 'ece-enroll retry', or 'ece-enroll run'. ECE's own containers and data are "
          "still on it: uninstall them first." },
        { "host.no-answer", CLASS_HOST, EXIT_CONFIGURATION,
          "a look at this host did not come to an end in time", WAITS_FOR_HOST,
          "Look for a file system or user database that hangs (a network file system whose "
          "server is away): the gate named above waits for it." },
        { "host.other", CLASS_HOST, EXIT_CONFIGURATION, "this host is not ready", WAITS_FOR_HOST,
          "Run 'ece-enroll check' and look at the detail above." },
        { "host.other-installation", CLASS_PERMANENT, EXIT_CONFIGURATION,
          "this host runs ECE already, and the platform that the spec names does not know it", STOPS,
          "If it belongs to another installation, correct the spec. If it was removed from this one, or is a clone: uninstall ECE "
          "on it as its documentation says, and " START_OVER "." },
        { "host.ports", CLASS_HOST, EXIT_CONFIGURATION, "a port that the installer needs is taken",
          WAITS_FOR_HOST, "Free the ports 20000, 21000 and 22000: ss -ltnp shows who holds them." },
        { "host.record", CLASS_HOST, EXIT_CONFIGURATION,
          "the record of the enrollment can't be written", WAITS_FOR_RECORD,
          "Free room on the state directory's file system, or make the directory writable for the "
          "agent (/var/lib/ece-enroll, or where --state-dir points)." },
        { "host.route", CLASS_HOST, EXIT_UNREACHABLE,
          "this host has no way to any coordinator's network", WAITS_FOR_HOST,
          "Check interfaces and routes: ip addr, ip route get ADDRESS." },
        { "host.script", CLASS_HOST, EXIT_CONFIGURATION, "the installer script is not usable",
          WAITS_FOR_HOST,
          "Put elastic-cloud-enterprise.sh where installer.script says, executable for the "
          "install user." },
        { "host.script-permissions", CLASS_HOST, EXIT_CONFIGURATION,
          "somebody else than root could change the installer script", WAITS_FOR_HOST,
          "Give the script and the directories above it to root, writable by nobody else: chown root, chmod "
          "go-w. Then compare it with its origin, or set installer.sha256." },
        { "host.script-sha256", CLASS_HOST, EXIT_CONFIGURATION,
          "the installer script is not (yet) the one that installer.sha256 names", WAITS_FOR_HOST,
          "Nothing while it is still being downloaded. Else compare the file with its origin; if it "
          "was replaced on purpose, correct installer.sha256." },
        { "host.script-version", CLASS_HOST, EXIT_CONFIGURATION,
          "the installer script's version can't be told", WAITS_FOR_HOST,
          "Check that installer.script is an unmodified elastic-cloud-enterprise.sh." },
        { "host.storage", CLASS_HOST, EXIT_CONFIGURATION, "the storage path is not usable",
          WAITS_FOR_HOST,
          "Mount and create installer.storage_path (XFS with quota), owned by the install "
          "user, mode 0700." },
        { "host.user", CLASS_PERMANENT, EXIT_CONFIGURATION, "the install user can't be used", STOPS,
          "Create installer.user with uid and gid of 1000 or more and membership in the "
          "engine's group." },
        { "host.user-missing", CLASS_HOST, EXIT_CONFIGURATION, "the install user does not exist (yet)",
          WAITS_FOR_HOST,
          "Create installer.user with uid and gid of 1000 or more and membership in the "
          "engine's group." },
        { "installer.bad-arguments", CLASS_PERMANENT, EXIT_INSTALLER,
          "the installer does not know an option or command that was given to it", STOPS,
          "The script is of a version that ece-enroll does not know, or installer.extra_args "
          "is wrong. The line above is the installer's own." },
        { "installer.engine-denied", CLASS_HOST, EXIT_CONFIGURATION,
          "the install user could not use the container engine", WAITS_FOR_HOST,
          "Add the user to the engine's group (docker or podman) and check that the engine "
          "runs: both look alike to the installer." },
        { "installer.engine-down", CLASS_HOST, EXIT_CONFIGURATION,
          "the installer could not reach the container engine", WAITS_FOR_HOST,
          "Check the engine: docker ps as the install user." },
        { "installer.engine-run-failed", CLASS_HOST, EXIT_TRANSIENT,
          "the container engine could not run the installer's container", RETRIES,
          "The message above is the engine's own; look at its log." },
        { "installer.engine-socket", CLASS_HOST, EXIT_CONFIGURATION,
          "the installer did not find the container engine's socket", WAITS_FOR_HOST,
          "Start the engine; check installer.engine_socket." },
        { "installer.failed", CLASS_TRANSIENT, EXIT_TRANSIENT,
          "the installer failed in an unknown way", TAKES_FOR_PASSING,
          "Look at logs/bootstrap-logs under the storage path." },
        { "installer.firewalld", CLASS_PERMANENT, EXIT_INSTALLER,
          "the installer refuses to run beside firewalld", STOPS,
          "Stop and disable firewalld, then " START_OVER "." },
        { "installer.handoff-failed", CLASS_PERMANENT, EXIT_INSTALLER,
          "the installer did not pass the token on in the way that was expected", STOPS,
          "This script works differently inside. Report its version, or set installer.handoff "
          "to argv, which shows the token to local users." },
        { "installer.host-ip", CLASS_PERMANENT, EXIT_INSTALLER,
          "the installer could not find an address of this host", STOPS,
          "Set host.host_ip to the address that other hosts reach this one by." },
        { "installer.installation-failed", CLASS_TRANSIENT, EXIT_TRANSIENT,
          "the installation inside the container failed", RETRIES,
          "Look at logs/bootstrap-logs/bootstrap.log under the storage path. Ports to the "
          "coordinators (22191-22195, 2112, 12191-12201) are the usual cause." },
        { "installer.killed", CLASS_TRANSIENT, EXIT_TRANSIENT,
          "the installer was killed from outside", RETRIES,
          "Look for the out-of-memory killer (journalctl -k) or somebody's kill; status 141 means that "
          "its output was closed, as when ece-installd dies." },
        { "installer.name-conflict", CLASS_TRANSIENT, EXIT_TRANSIENT,
          "an installer container is there already", RETRIES,
          "Ours is removed by itself. If it is not ours: wait for the upgrade or installation "
          "that somebody runs here." },
        { "installer.not-runnable", CLASS_PERMANENT, EXIT_INSTALLER,
          "the installer, or a program that it needs, can't be run", STOPS,
          "Check the script's mode and that bash, docker (or podman-remote), df, id and sysctl "
          "are there. sudo is needed only with installer.selinux." },
        { "installer.os-unsupported", CLASS_PERMANENT, EXIT_INSTALLER,
          "the installer does not support this operating system with this engine", STOPS,
          "Install a combination from Elastic's support matrix; the line above names what was "
          "found." },
        { "installer.port-in-use", CLASS_HOST, EXIT_CONFIGURATION,
          "a port that the installer's container needs is taken", WAITS_FOR_HOST,
          "Free the ports 20000, 21000 and 22000: ss -ltnp shows who holds them." },
        { "installer.pull-failed", CLASS_OPERATOR, EXIT_INSTALLER,
          "the installer's image could not be pulled", ASKS_SLOWLY,
          "Check registry, repository and version, the way to the registry, and the "
          "credentials in the install user's ~/.docker/config.json." },
        { "installer.run-failed", CLASS_TRANSIENT, EXIT_TRANSIENT,
          "the installer's container ended with a failure", RETRIES,
          "Look at logs/bootstrap-logs/bootstrap.log under the storage path." },
        { "installer.script-failed", CLASS_TRANSIENT, EXIT_TRANSIENT,
          "the installer failed before its container was started", RETRIES,
          "The lines above are the installer's own; look at its log under the storage path." },
        { "installer.script-too-old", CLASS_PERMANENT, EXIT_INSTALLER,
          "the installer is older than the installation it is to join", STOPS,
          "Get the elastic-cloud-enterprise.sh of the installation's version." },
        { "installer.shim-failed", CLASS_TRANSIENT, EXIT_TRANSIENT,
          "the program that hands over the token failed", RETRIES,
          "If it stays: check that ece-enroll is installed as a whole and that the engine's "
          "client is on the PATH." },
        { "installer.status-lost", CLASS_TRANSIENT, EXIT_TRANSIENT,
          "the installer ended while nobody was there to see how", RETRIES, "" },
        { "installer.storage-permissions", CLASS_PERMANENT, EXIT_INSTALLER,
          "the installer may not read or write the storage path", STOPS,
          "Make installer.storage_path belong to the install user, mode 0700." },
        { "installer.terminated", CLASS_TRANSIENT, EXIT_TRANSIENT,
          "the installer was ended on request", RETRIES, "" },
        { "installer.timed-out", CLASS_TRANSIENT, EXIT_TRANSIENT,
          "the installer did not come to an end in its time", RETRIES,
          "Raise installer.attempt_timeout (and installer.timeout_factor on slow hosts); look "
          "at bootstrap.log for where it hung." },
        { "installer.user-ids", CLASS_PERMANENT, EXIT_INSTALLER,
          "the installer refuses the user's uid or gid, which is below 1000", STOPS,
          "Use an installer.user with uid and gid of 1000 or more." },
        { "keeper.busy", CLASS_TRANSIENT, EXIT_TRANSIENT,
          "ece-installd is still busy with an earlier request", ATTACHES_AGAIN, "" },
        { "keeper.internal", CLASS_TRANSIENT, EXIT_INTERNAL,
          "ece-installd met trouble of its own", RETRIES,
          "Look at journalctl -u ece-installd: memory, file descriptors, its state directory." },
        { "keeper.lost", CLASS_TRANSIENT, EXIT_TRANSIENT, "the connection to ece-installd broke",
          ATTACHES_AGAIN, "If it stays: journalctl -u ece-installd." },
        { "keeper.not-answering", CLASS_TRANSIENT, EXIT_TRANSIENT, "ece-installd does not answer",
          ATTACHES_AGAIN,
          "Look at what holds it up: systemctl status ece-installd, journalctl -u ece-installd. A storage path on "
          "a dead mount can." },
        { "keeper.other", CLASS_TRANSIENT, EXIT_INTERNAL,
          "ece-installd gave an answer of an unknown kind", TAKES_FOR_PASSING,
          "Restart ece-installd.service and ece-enrolld.service." },
        { "keeper.peer", CLASS_PERMANENT, EXIT_CONFIGURATION,
          "who listens on ece-installd's socket is not the install user", STOPS,
          "Look at who made the socket in the runtime directory; User= of ece-installd.service "
          "must be installer.user." },
        { "keeper.protocol", CLASS_TRANSIENT, EXIT_INTERNAL,
          "agent and ece-installd do not understand each other", ATTACHES_AGAIN,
          "They are of different releases: restart ece-installd.service and ece-enrolld.service." },
        { "keeper.refused", CLASS_TRANSIENT, EXIT_TRANSIENT, "ece-installd refused the request",
          RETRIES, "Look at the detail above and at journalctl -u ece-installd." },
        { "keeper.spec-differs", CLASS_TRANSIENT, EXIT_CONFIGURATION,
          "agent and ece-installd have read different specs", RETRIES,
          "Did the spec change just now? Then it is read again. If it stays: systemctl reload "
          "ece-enrolld." },
        { "keeper.unreachable", CLASS_HOST, EXIT_CONFIGURATION, "ece-installd can't be reached",
          RETRIES, "Check systemctl status ece-installd.socket ece-installd.service." },
};

const size_t reasons_of_host_n = ELEMENTS(reasons_of_host);
