/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The reasons: everything that can stand between a host and its enrollment, as one table.
 *
 * Each row is read by the state machine (class), by scripts (id, exit code) and by a person at
 * three in the morning (sentence, what the agent does about it, what to do). The ids are public and
 * never change their meaning. Sorted by id; a test holds order, classes and exit codes together.
 * How an observation finds its row is in reason-matches.c.
 */

#include "engine/reasons.h"

#include <assert.h>

#include "base/cleanup.h"

/* What the agent does: one sentence for each way of dealing with trouble. */
#define RETRIES \
        "waits, longer each time, and tries again until the deadline"
#define FAILS_OVER \
        "asks the other coordinators, then waits and tries again until the deadline"
#define HONOURS_WAIT \
        "waits as long as it was asked to, a little spread, then tries again until the " \
        "deadline"
#define WAITS_FOR_HOST \
        "checks again, with growing pauses, until the host is ready or the deadline has come; " \
        "no token is spent meanwhile"
#define WAITS_FOR_OTHERS \
        "waits for its end and touches nothing; no installer of ours is started meanwhile"
#define ASKS_SLOWLY \
        "keeps asking at its slowest pace until the deadline: a person may mend it at any time"
#define READS_AGAIN \
        "pauses, reads the secret again and tries once more; stops at the second refusal in a row"
#define MINTS_ANEW \
        "drops the token and opens the next window with a new one"
#define WAITS_FOR_CLOCK \
        "waits for the clock to be set and tries again until the deadline; the check is never " \
        "skipped"
#define LOOKS_AGAIN \
        "keeps looking until verify.timeout is over, then stops"
#define WAITS_FOR_SPEC \
        "does nothing until the spec changes; 'ece-enroll run' ends"
#define ATTACHES_AGAIN \
        "connects again and asks what runs; starts nothing before it knows"
#define WAITS_FOR_RECORD \
        "does nothing that must be on record before it happens, neither minting nor installing; " \
        "keeps reading, and tries to write again until the deadline"
#define ENDS \
        "stops; nothing of it is left running ('ece-enrolld' leaves a running installer to its " \
        "keeper)"
#define STOPS \
        "stops at once and waits for a person or a changed spec"

const Reason reasons_table[] = {
        { "agent.deadline", CLASS_TRANSIENT, EXIT_TRANSIENT,
          "the time for the whole enrollment is over", ENDS,
          "Mend what the last trouble names, then: ece-enroll retry. retry.give_up_after sets "
          "the time." },
        { "agent.internal", CLASS_PERMANENT, EXIT_INTERNAL, "the agent has a fault", STOPS,
          "Report it, with the journal of ece-enrolld." },
        { "agent.interrupted", CLASS_TRANSIENT, EXIT_INTERRUPTED_TERM, "the agent was told to stop",
          ENDS, "" },
        { "agent.loop", CLASS_PERMANENT, EXIT_TRANSIENT,
          "installers were started again and again, over restarts of this host, without success",
          STOPS,
          "Mend what the last trouble names (ece-enroll status; the journal tells of earlier boots), "
          "then: ece-enroll retry." },
        { "agent.other", CLASS_TRANSIENT, EXIT_INTERNAL,
          "the agent met something that it does not know", RETRIES,
          "Report it, with the journal of ece-enrolld." },
        { "agent.windows", CLASS_TRANSIENT, EXIT_TRANSIENT,
          "the tokens that may be used are used up", ENDS,
          "Mend what the last trouble names, then: ece-enroll retry. retry.windows sets the "
          "number." },
        { "coordinator.bad-address", CLASS_PERMANENT, EXIT_CONFIGURATION,
          "a coordinator's address can't be used", STOPS,
          "Correct 'coordinators': each is https://HOST:PORT without a path." },
        { "coordinator.client-fault", CLASS_TRANSIENT, EXIT_INTERNAL,
          "the HTTP library failed on this host", RETRIES,
          "Look for memory or file descriptor exhaustion; check that libcurl and OpenSSL are "
          "whole." },
        { "coordinator.conflict", CLASS_TRANSIENT, EXIT_TRANSIENT,
          "somebody else changed the same thing at the same time", RETRIES, "" },
        { "coordinator.connect-refused", CLASS_TRANSIENT, EXIT_UNREACHABLE,
          "no coordinator accepts connections", FAILS_OVER,
          "Check that the coordinators run, that port 12443 is open towards this host, and "
          "that the addresses in 'coordinators' are right." },
        { "coordinator.empty-reply", CLASS_TRANSIENT, EXIT_UNREACHABLE,
          "the peer closed the connection without an answer", FAILS_OVER,
          "The host may be no coordinator, or port 12443 may be another service. Check "
          "'coordinators'." },
        { "coordinator.in-between", CLASS_OPERATOR, EXIT_CONFIGURATION,
          "something that is no coordinator refused the request", ASKS_SLOWLY,
          "A balancer, proxy or filter between this host and the coordinator answered. Let "
          "/api/v1 pass, or use the coordinator's own address." },
        { "coordinator.no-such-address", CLASS_PERMANENT, EXIT_CONFIGURATION,
          "the coordinator does not know this address of its API", STOPS,
          "Check host, port and version of the coordinator: the API is at "
          "https://HOST:12443/api/v1." },
        { "coordinator.not-ready", CLASS_TRANSIENT, EXIT_UNREACHABLE,
          "the coordinator is starting and not ready to serve", FAILS_OVER, "" },
        { "coordinator.proxy-authentication", CLASS_OPERATOR, EXIT_CONFIGURATION,
          "a proxy in between asks for a login", ASKS_SLOWLY,
          "Let this host reach the coordinators without a proxy." },
        { "coordinator.redirect", CLASS_PERMANENT, EXIT_CONFIGURATION,
          "a coordinator answered with a redirect, which is never followed with a credential",
          STOPS,
          "Put the address that serves the API itself into 'coordinators' (https, port 12443)." },
        { "coordinator.reply-html", CLASS_TRANSIENT, EXIT_UNREACHABLE,
          "a web page came back instead of the API's answer", FAILS_OVER,
          "A balancer or proxy is in between, perhaps with an error page of its own." },
        { "coordinator.reply-too-large", CLASS_TRANSIENT, EXIT_UNREACHABLE,
          "a coordinator's answer is larger than it can be", FAILS_OVER,
          "Something that is no coordinator may be answering; check 'coordinators'." },
        { "coordinator.reply-unusable", CLASS_TRANSIENT, EXIT_UNREACHABLE,
          "a coordinator's answer can't be used", FAILS_OVER,
          "If it stays: something in between damages replies, or the platform is of a version "
          "that ece-enroll does not know." },
        { "coordinator.request-invalid", CLASS_PERMANENT, EXIT_CONFIGURATION,
          "the coordinator found the request malformed", STOPS,
          "Check host.roles and token.validity. If they are right, report this as a bug of "
          "ece-enroll." },
        { "coordinator.request-refused", CLASS_PERMANENT, EXIT_CONFIGURATION,
          "the coordinator refused the request for good", STOPS,
          "The code and message above are the coordinator's own. If the spec is right, report "
          "them as a bug of ece-enroll." },
        { "coordinator.reset", CLASS_TRANSIENT, EXIT_UNREACHABLE,
          "the connection to a coordinator broke", FAILS_OVER,
          "If it stays: look for a firewall or balancer in between that cuts connections, and "
          "at the coordinator's own log." },
        { "coordinator.resolve-failed", CLASS_TRANSIENT, EXIT_UNREACHABLE,
          "a coordinator's name does not resolve", FAILS_OVER,
          "Check the names in 'coordinators' and this host's resolver: getent hosts NAME." },
        { "coordinator.server-error", CLASS_TRANSIENT, EXIT_UNREACHABLE,
          "a coordinator has trouble of its own", FAILS_OVER,
          "If it stays: look at the platform's health; the status and code above say where." },
        { "coordinator.throttled", CLASS_TRANSIENT, EXIT_UNREACHABLE,
          "a coordinator asks for fewer requests", HONOURS_WAIT,
          "If it stays: raise retry.splay, so that fewer hosts ask at a time." },
        { "coordinator.timeout", CLASS_TRANSIENT, EXIT_UNREACHABLE,
          "a coordinator did not answer in time", FAILS_OVER,
          "Check the way to port 12443 (firewall, routing) and the load of the coordinators." },
        { "coordinator.tls-expired", CLASS_TIME, EXIT_UNREACHABLE,
          "the coordinator's certificate has expired by this host's clock", WAITS_FOR_CLOCK,
          "Check this host's clock (timedatectl). If it is right, renew the coordinator's "
          "certificate." },
        { "coordinator.tls-failed", CLASS_TRANSIENT, EXIT_UNREACHABLE,
          "the coordinator's certificate could not be checked", FAILS_OVER,
          "Look at the detail; check trust.ca_file and the installed OpenSSL." },
        { "coordinator.tls-name-mismatch", CLASS_PERMANENT, EXIT_UNREACHABLE,
          "the coordinator's certificate is for another name or address", STOPS,
          "Use in 'coordinators' a name or address that the certificate carries, or have a "
          "certificate made that carries this one (a balancer's name is not in the default "
          "one)." },
        { "coordinator.tls-not-yet-valid", CLASS_TIME, EXIT_UNREACHABLE,
          "the coordinator's certificate is not valid yet by this host's clock", WAITS_FOR_CLOCK,
          "Check this host's clock (timedatectl): it is probably behind. Enable time "
          "synchronisation." },
        { "coordinator.tls-pin-mismatch", CLASS_PERMANENT, EXIT_UNREACHABLE,
          "no certificate of the coordinator's chain has a pinned key", STOPS,
          "Compare with 'ece-enroll pin HOST:PORT' out of band and correct trust.pins. If the "
          "key was not changed on purpose, somebody is in between." },
        { "coordinator.tls-protocol", CLASS_TRANSIENT, EXIT_UNREACHABLE,
          "the TLS handshake with a coordinator failed", FAILS_OVER,
          "Check that the port speaks TLS 1.2 or newer (12443, not 12400) and that no proxy is "
          "in between." },
        { "coordinator.tls-untrusted", CLASS_PERMANENT, EXIT_UNREACHABLE,
          "the coordinator's certificate is not signed by anyone that 'trust' names", STOPS,
          "Compare with 'ece-enroll pin HOST:PORT' out of band. If the platform's CA changed, "
          "put the new one into trust.ca_file; if not, somebody is in between." },
        { "coordinator.tls-weak", CLASS_PERMANENT, EXIT_UNREACHABLE,
          "the coordinator's certificate or key is too weak to be trusted", STOPS,
          "Have the platform's certificate remade with a stronger key and SHA-256." },
        { "coordinator.transfer-failed", CLASS_TRANSIENT, EXIT_UNREACHABLE,
          "a transfer from a coordinator failed", FAILS_OVER,
          "If it stays: run 'ece-enroll check' and compare with curl from this host." },
        { "coordinator.unknown-answer", CLASS_TRANSIENT, EXIT_UNREACHABLE,
          "a coordinator gave an answer of an unknown kind", FAILS_OVER,
          "Look at the status and code above; if it stays, report it." },
        { "credential.command-failed", CLASS_TRANSIENT, EXIT_DENIED,
          "the command that yields the secret failed", RETRIES,
          "Run it by hand as the agent's user and look at its status." },
        { "credential.denied", CLASS_CREDENTIAL, EXIT_DENIED,
          "the coordinator does not accept the credential", READS_AGAIN,
          "Check user and password, or whether the API key is expired or revoked, and replace "
          "it where 'credential' reads it from. Then: ece-enroll retry." },
        { "credential.elevation-required", CLASS_PERMANENT, EXIT_DENIED,
          "the platform wants elevated permissions, which a program can't have (ECE up to 3.5)",
          STOPS, "Use an API key, or upgrade the platform: newer ones do not ask for this." },
        { "credential.empty", CLASS_CREDENTIAL, EXIT_DENIED, "the secret is empty", READS_AGAIN,
          "Write the secret into the place that the spec names." },
        { "credential.login-failing", CLASS_TRANSIENT, EXIT_UNREACHABLE,
          "the platform's authentication cluster has trouble", FAILS_OVER,
          "If it stays: check the security deployment of the platform." },
        { "credential.login-unavailable", CLASS_PERMANENT, EXIT_CONFIGURATION,
          "the platform can't do logins: it has no authentication cluster", STOPS,
          "Use credential.api_key or credential.basic instead of bearer." },
        { "credential.missing", CLASS_CREDENTIAL, EXIT_DENIED,
          "the secret is not where the spec says", READS_AGAIN,
          "Put it there: a systemd credential (LoadCredential=), a file, or a command's "
          "output, as the spec names it." },
        { "credential.not-permitted", CLASS_PERMANENT, EXIT_DENIED,
          "the credential may not do this: it lacks the Platform admin role", STOPS,
          "Give its owner the role Platform admin: only that may create roles tokens." },
        { "credential.other", CLASS_CREDENTIAL, EXIT_DENIED, "the secret could not be taken in",
          READS_AGAIN, "Look at the detail above." },
        { "credential.permissions", CLASS_PERMANENT, EXIT_DENIED,
          "the secret's file is open to others", STOPS,
          "Make it readable by the agent's user only (mode 0400). Consider it known and "
          "replace the secret." },
        { "credential.session-expired", CLASS_CREDENTIAL, EXIT_DENIED,
          "the login session was not accepted, also after a new login", READS_AGAIN,
          "Check that the user may still log in. An API key avoids sessions altogether." },
        { "credential.unreadable", CLASS_CREDENTIAL, EXIT_DENIED, "the secret can't be read",
          READS_AGAIN,
          "Check owner and mode: the agent's user must be able to read the file, and it must "
          "be a regular one." },
        { "credential.unusable", CLASS_PERMANENT, EXIT_DENIED, "the secret can't be used", STOPS,
          "It must be one line of printable text, at most 16 KiB; from an environment variable "
          "only with 'ece-enroll run'." },
        { "engine.foreign-installer", CLASS_HOST, EXIT_TRANSIENT,
          "an installer or upgrade that is not ours runs on this host", WAITS_FOR_OTHERS,
          "Wait for it, or end it yourself: ece-enroll never touches what it did not start." },
        { "engine.not-answering", CLASS_HOST, EXIT_CONFIGURATION,
          "the container engine does not answer", WAITS_FOR_HOST,
          "Check the engine: systemctl status docker, or podman.socket." },
        { "engine.other", CLASS_HOST, EXIT_TRANSIENT, "the container engine refused a request",
          RETRIES, "Look at the engine's log and the detail above." },
        { "host.address", CLASS_HOST, EXIT_CONFIGURATION, "this host has no usable address",
          WAITS_FOR_HOST,
          "Check network and default route, or set host.host_ip to an address of this host." },
        { "host.clock", CLASS_TIME, EXIT_CONFIGURATION, "this host's clock is not set yet",
          WAITS_FOR_CLOCK,
          "Enable time synchronisation and look at timedatectl: certificates and tokens are good for "
          "a time." },
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
        { "host.other", CLASS_HOST, EXIT_CONFIGURATION, "this host is not ready", WAITS_FOR_HOST,
          "Run 'ece-enroll check'." },
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
        { "host.script-sha256", CLASS_PERMANENT, EXIT_CONFIGURATION,
          "the installer script is not the one that installer.sha256 names", STOPS,
          "Compare the file with its origin. If it was replaced on purpose, correct "
          "installer.sha256." },
        { "host.script-version", CLASS_PERMANENT, EXIT_CONFIGURATION,
          "the installer script's version can't be told", STOPS,
          "Check that installer.script is an unmodified elastic-cloud-enterprise.sh." },
        { "host.state-directory", CLASS_HOST, EXIT_CONFIGURATION,
          "the agent's state directory can't be used", WAITS_FOR_HOST,
          "Create it for the agent's user, mode 0700 (/var/lib/ece-enroll, or where --state-dir "
          "points)." },
        { "host.storage", CLASS_HOST, EXIT_CONFIGURATION, "the storage path is not usable",
          WAITS_FOR_HOST,
          "Mount and create installer.storage_path (XFS with quota), owned by the install "
          "user, mode 0700." },
        { "host.user", CLASS_PERMANENT, EXIT_CONFIGURATION, "the install user can't be used", STOPS,
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
          "the installer failed in an unknown way", RETRIES,
          "Look at logs/bootstrap-logs under the storage path." },
        { "installer.firewalld", CLASS_PERMANENT, EXIT_INSTALLER,
          "the installer refuses to run beside firewalld", STOPS,
          "Stop and disable firewalld, then: ece-enroll retry." },
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
          "Look for the out-of-memory killer (journalctl -k) or somebody's kill." },
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
        { "keeper.lost", CLASS_TRANSIENT, EXIT_TRANSIENT, "the connection to ece-installd broke",
          ATTACHES_AGAIN, "If it stays: journalctl -u ece-installd." },
        { "keeper.not-answering", CLASS_TRANSIENT, EXIT_TRANSIENT, "ece-installd does not answer",
          ATTACHES_AGAIN,
          "Look at what holds it up: systemctl status ece-installd, journalctl -u ece-installd. A storage path on "
          "a dead mount can." },
        { "keeper.other", CLASS_TRANSIENT, EXIT_INTERNAL,
          "ece-installd gave an answer of an unknown kind", ATTACHES_AGAIN,
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
        { "plan.other", CLASS_PERMANENT, EXIT_CONFIGURATION,
          "the spec does not fit this host or this platform", STOPS,
          "Run 'ece-enroll plan --online' and look at the detail above." },
        { "plan.script-too-old", CLASS_PERMANENT, EXIT_CONFIGURATION,
          "the installer script is older than the installation", STOPS,
          "Get the elastic-cloud-enterprise.sh of the installation's version or a newer one." },
        { "plan.script-version-unknown", CLASS_PERMANENT, EXIT_CONFIGURATION,
          "the installer script does not say which version it is", STOPS,
          "Check that installer.script is an unmodified elastic-cloud-enterprise.sh." },
        { "plan.stale-runner", CLASS_PERMANENT, EXIT_DIFFERS,
          "the platform knows a disconnected host under our id and address", STOPS,
          "If that host is gone: remove it on the platform, or set on_stale_runner to replace. "
          "If this is that host and it was reset, the same." },
        { "plan.value-refused", CLASS_PERMANENT, EXIT_CONFIGURATION,
          "a value could do harm in the installer's command line", STOPS,
          "The installer's shell evaluates its arguments; use only the characters that "
          "enroll.yaml(5) allows for this key." },
        { "plan.version-mismatch", CLASS_PERMANENT, EXIT_CONFIGURATION,
          "installer.version is not the version of the installation", STOPS,
          "Set installer.version to auto, or to the version that the coordinator reports." },
        { "platform.no-signing-key", CLASS_OPERATOR, EXIT_UNREACHABLE,
          "the platform has no key to sign roles tokens with", ASKS_SLOWLY,
          "Ask the platform's administrator: its security configuration is incomplete." },
        { "platform.not-found-yet", CLASS_TRANSIENT, EXIT_DIFFERS,
          "the platform does not know this host yet", LOOKS_AGAIN,
          "If it stays: look at the installer's log under the storage path, logs/bootstrap-logs." },
        { "platform.role-unknown", CLASS_PERMANENT, EXIT_CONFIGURATION,
          "the platform does not know a role that the spec asks for", STOPS,
          "Correct host.roles: allocator, coordinator, director and proxy are the ones an "
          "installation has." },
        { "spec.absent", CLASS_PERMANENT, EXIT_CONFIGURATION, "there is no spec", WAITS_FOR_SPEC,
          "Write /etc/ece-enroll/enroll.yaml; see enroll.yaml(5). The agent notices by itself." },
        { "spec.invalid", CLASS_PERMANENT, EXIT_CONFIGURATION, "the spec is not valid",
          WAITS_FOR_SPEC,
          "Correct what 'ece-enroll validate' lists. The agent notices by itself." },
        { "spec.other", CLASS_PERMANENT, EXIT_CONFIGURATION, "the spec can't be used",
          WAITS_FOR_SPEC, "Run 'ece-enroll validate'." },
        { "spec.unsupported", CLASS_PERMANENT, EXIT_CONFIGURATION,
          "the spec asks for something that this release does not do", WAITS_FOR_SPEC,
          "Remove the key that is named above, or use a release that supports it." },
        { "token.absent", CLASS_OPERATOR, EXIT_CONFIGURATION,
          "there is no roles token where the spec says", ASKS_SLOWLY,
          "Put a fresh one there: ece-enroll token create --role R..." },
        { "token.expired", CLASS_EXPIRED, EXIT_TRANSIENT, "the roles token has expired", MINTS_ANEW,
          "A pre-minted one must be replaced where the spec reads it from." },
        { "token.malformed", CLASS_PERMANENT, EXIT_CONFIGURATION,
          "what came back is no roles token", STOPS,
          "Check that 'coordinators' or the pre-minted source really yields an ECE roles token." },
        { "token.no-expiry", CLASS_PERMANENT, EXIT_CONFIGURATION,
          "the roles token never expires although an ephemeral one was asked for", STOPS,
          "Delete it on the platform if it is listed there (ece-enroll token list), and report "
          "the platform's version." },
        { "token.other", CLASS_TRANSIENT, EXIT_TRANSIENT, "the roles token can't be used", RETRIES,
          "Look at the detail above." },
        { "token.persistent", CLASS_PERMANENT, EXIT_CONFIGURATION,
          "the roles token is a persistent one although an ephemeral one was asked for", STOPS,
          "Delete it on the platform (ece-enroll token list, token delete). For a pre-minted "
          "one: mint an ephemeral one." },
        { "token.role-missing", CLASS_PERMANENT, EXIT_DIFFERS,
          "the roles token lacks a role that was asked for", STOPS,
          "Installing with it would leave the role unassigned. Check what the credential's "
          "owner may grant, or the roles of the pre-minted token." },
        { "token.short-lived", CLASS_OPERATOR, EXIT_CONFIGURATION,
          "the roles token lives shorter than one attempt may take", ASKS_SLOWLY,
          "Raise token.validity or lower installer.attempt_timeout; the platform may grant "
          "less than was asked for." },
        { "verify.foreign-host", CLASS_PERMANENT, EXIT_DIFFERS,
          "another host uses our runner id on the platform", STOPS,
          "Choose another host.runner_id, or remove the other host. It is never replaced." },
        { "verify.maintenance-mode", CLASS_TRANSIENT, EXIT_DIFFERS,
          "this host is in maintenance mode and takes no new work", LOOKS_AGAIN,
          "End the maintenance mode on the platform when it is wanted no more." },
        { "verify.other", CLASS_TRANSIENT, EXIT_DIFFERS,
          "the platform's view of this host differs from the spec", LOOKS_AGAIN,
          "Look at the detail above." },
        { "verify.role-extra", CLASS_TRANSIENT, EXIT_DIFFERS,
          "this host has a role that the spec does not name", LOOKS_AGAIN,
          "Remove the role on the platform, or name it in host.roles." },
        { "verify.role-missing", CLASS_TRANSIENT, EXIT_DIFFERS,
          "a wanted role is not assigned to this host", LOOKS_AGAIN,
          "Assign it on the platform (Update roles, or ece-enroll roles --set)." },
        { "verify.role-not-blessed", CLASS_TRANSIENT, EXIT_DIFFERS,
          "a wanted role is listed but not blessed by the platform", LOOKS_AGAIN,
          "The role has no effect so. Set it again on the platform (Update roles, or "
          "ece-enroll roles --set)." },
        { "verify.role-not-effective", CLASS_TRANSIENT, EXIT_DIFFERS,
          "a wanted role is granted but does not work yet", LOOKS_AGAIN,
          "Look at the role's containers on this host (docker ps) and their logs." },
        { "verify.role-pending", CLASS_TRANSIENT, EXIT_DIFFERS,
          "a wanted role waits for the platform's blessing", LOOKS_AGAIN,
          "Accept the role on the platform." },
        { "verify.runner-not-connected", CLASS_TRANSIENT, EXIT_DIFFERS,
          "the platform sees this host as not connected", LOOKS_AGAIN,
          "Check the runner's container (frc-runners-runner) and the ports 22191-22195 and "
          "12191-12201 to the coordinators." },
        { "verify.runner-not-found", CLASS_TRANSIENT, EXIT_DIFFERS,
          "the platform does not know this host", LOOKS_AGAIN,
          "Look at the installer's log under the storage path: it ended well, and yet the host "
          "did not register." },
        { "verify.runner-not-healthy", CLASS_TRANSIENT, EXIT_DIFFERS,
          "the platform sees this host as not healthy", LOOKS_AGAIN,
          "The detail names what is unhealthy: engine, ZooKeeper connection or containers." },
        { "verify.unstable", CLASS_TRANSIENT, EXIT_DIFFERS, "this host does not stay as planned",
          LOOKS_AGAIN, "Look for restarting containers (docker ps) and an unsteady network." },
        { "verify.version-differs", CLASS_TRANSIENT, EXIT_DIFFERS,
          "this host runs another version than the installation", LOOKS_AGAIN,
          "Finish or repeat the upgrade of the installation." },
        { "verify.zone-differs", CLASS_TRANSIENT, EXIT_DIFFERS,
          "this host is in another availability zone than the spec says", LOOKS_AGAIN,
          "A host's zone can't be changed: remove it from the platform and enroll it again, or "
          "correct host.availability_zone." },
};

const size_t reasons_n = ELEMENTS(reasons_table);
static_assert(ELEMENTS(reasons_table) <= REASONS_MAX, "reason_ids() has room for all");
