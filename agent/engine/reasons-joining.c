/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Reasons of joining: what is planned, what the platform says, the proxy on the way to it, the spec, the token, and the view
 * that the platform has of the host afterwards. What a row is, and how it is found, stands in
 * reasons.c.
 */

#include "engine/reasons.h"

#include "base/cleanup.h"

const Reason reasons_of_joining[] = {
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
        { "platform.move-refused", CLASS_OPERATOR, EXIT_DIFFERS,
          "the platform refuses to move the instances of an allocator", ASKS_SLOWLY,
          "Look at the deployments on this allocator in the Cloud UI: a plan that is pending or broken must be ended first." },
        { "platform.no-signing-key", CLASS_OPERATOR, EXIT_UNREACHABLE,
          "the platform has no key to sign roles tokens with", ASKS_SLOWLY,
          "Ask the platform's administrator: its security configuration is incomplete." },
        { "platform.not-found-yet", CLASS_TRANSIENT, EXIT_DIFFERS,
          "the platform does not know this host yet", LOOKS_AGAIN,
          "If it stays: look at the installer's log under the storage path, logs/bootstrap-logs." },
        { "platform.not-removed", CLASS_OPERATOR, EXIT_DIFFERS,
          "the platform refuses to remove the disconnected host that bears our id", ASKS_SLOWLY,
          "Look at that host on the platform: what still runs on it, or is still connected, must be "
          "moved or ended first." },
        { "platform.role-unknown", CLASS_PERMANENT, EXIT_CONFIGURATION,
          "the platform does not know a role that the spec asks for", STOPS,
          "Correct host.roles: allocator, coordinator, director and proxy are the ones an "
          "installation has." },
        { "platform.token-unknown", CLASS_PERMANENT, EXIT_CONFIGURATION,
          "the platform has no such persistent token", STOPS,
          "It is deleted already, or it was an ephemeral one, which ends by itself and can't be "
          "deleted." },
        { "platform.user-unknown", CLASS_CREDENTIAL, EXIT_DENIED,
          "the platform does not know the credential's owner", READS_AGAIN,
          "Check on the platform whether the user was removed, and replace the credential where "
          "'credential' reads it from." },
        { "proxy.authentication", CLASS_OPERATOR, EXIT_CONFIGURATION, "the proxy wants another user or password",
          ASKS_SLOWLY, "Check proxy_credential against what the proxy's administrator has given out." },
        { "proxy.failing", CLASS_TRANSIENT, EXIT_UNREACHABLE, "the proxy does not get through to the coordinator",
          FAILS_OVER, "Check from the proxy's host whether the coordinator is reached, or name it in no_proxy." },
        { "proxy.forbidden", CLASS_OPERATOR, EXIT_CONFIGURATION, "the proxy does not let us through to the coordinator",
          ASKS_SLOWLY, "Let the proxy allow CONNECT to the coordinators' port, or name them in no_proxy." },
        { "proxy.other", CLASS_TRANSIENT, EXIT_UNREACHABLE, "the proxy answers in a way that is not known", FAILS_OVER,
          "Check that 'proxy' names an HTTP proxy that knows CONNECT." },
        { "proxy.unreachable", CLASS_TRANSIENT, EXIT_UNREACHABLE, "the proxy can't be reached", FAILS_OVER,
          "Check host and port of 'proxy', and that it runs. Coordinators that need none belong into no_proxy." },
        { "spec.absent", CLASS_PERMANENT, EXIT_CONFIGURATION, "there is no spec", WAITS_FOR_SPEC,
          "Write /etc/ece-enroll/enroll.yaml; see enroll.yaml(5). The agent notices by itself." },
        { "spec.invalid", CLASS_PERMANENT, EXIT_CONFIGURATION, "the spec is not valid",
          WAITS_FOR_SPEC,
          "Correct what 'ece-enroll validate' lists. The agent notices by itself." },
        { "spec.other", CLASS_PERMANENT, EXIT_CONFIGURATION, "the spec can't be used",
          WAITS_FOR_SPEC, "Run 'ece-enroll validate'." },
        { "token.absent", CLASS_OPERATOR, EXIT_CONFIGURATION,
          "the answer to the token request holds no roles token", ASKS_SLOWLY,
          "Something in between may answer, or the platform is of a version that ece-enroll does "
          "not know; check 'coordinators'." },
        { "token.expired", CLASS_EXPIRED, EXIT_TRANSIENT, "the roles token has expired", MINTS_ANEW,
          "A pre-minted one must be replaced where the spec reads it from." },
        { "token.given-expired", CLASS_PERMANENT, EXIT_DENIED,
          "the roles token that this host was given has expired", STOPS,
          "Mint a new one and put it where token.source reads it from, then " START_OVER "." },
        { "token.given-too-short", CLASS_PERMANENT, EXIT_DENIED,
          "the roles token that this host was given lives shorter than one attempt may take", STOPS,
          "Mint a new one and put it where token.source reads it from, then " START_OVER "; or lower "
          "installer.attempt_timeout." },
        { "token.malformed", CLASS_PERMANENT, EXIT_CONFIGURATION,
          "what came back is no roles token", STOPS,
          "Check that 'coordinators' or the pre-minted source really yields an ECE roles token." },
        { "token.no-expiry", CLASS_PERMANENT, EXIT_CONFIGURATION,
          "the roles token never expires although an ephemeral one was asked for", STOPS,
          "Delete it on the platform if it is listed there among the roles tokens, and report "
          "the platform's version." },
        { "token.other", CLASS_TRANSIENT, EXIT_TRANSIENT, "the roles token can't be used", TAKES_FOR_PASSING,
          "Look at the detail above." },
        { "token.persistent", CLASS_PERMANENT, EXIT_CONFIGURATION,
          "the roles token is a persistent one although an ephemeral one was asked for", STOPS,
          "Delete it on the platform, where it is listed among the roles tokens. For a pre-minted "
          "one: mint an ephemeral one." },
        { "token.role-missing", CLASS_PERMANENT, EXIT_DIFFERS,
          "the roles token lacks a role that was asked for", STOPS,
          "Installing with it would leave the role unassigned. Check what the credential's "
          "owner may grant, or the roles of the pre-minted token." },
        { "token.short-lived", CLASS_OPERATOR, EXIT_CONFIGURATION,
          "the roles token lives shorter than one attempt may take", ASKS_SLOWLY,
          "Raise token.validity or lower installer.attempt_timeout; the platform may grant "
          "less than was asked for." },
        { "token.still-listed", CLASS_TRANSIENT, EXIT_DIFFERS,
          "a persistent token was deleted, and the platform lists it all the same", RETRIES,
          "Look at 'ece-enroll token list': if it stays, delete it in the Cloud UI, and ask the platform's "
          "administrator." },
        { "verify.foreign-host", CLASS_PERMANENT, EXIT_DIFFERS,
          "another host uses our runner id on the platform", STOPS,
          "Choose another host.runner_id, or remove the other host. It is never replaced." },
        { "verify.instances-left", CLASS_OPERATOR, EXIT_DIFFERS,
          "the host can't leave as long as its allocator holds instances", ASKS_SLOWLY,
          "Make room on other allocators, or move the instances in the Cloud UI; then 'ece-enroll leave' goes on." },
        { "verify.local-role", CLASS_TRANSIENT, EXIT_DIFFERS,
          "the containers of a wanted role do not run on this host", LOOKS_AGAIN,
          "Look at the role's containers on this host (docker ps) and their logs; on the platform, whether the role is "
          "assigned and blessed." },
        { "verify.local-runner", CLASS_TRANSIENT, EXIT_DIFFERS, "the runner does not run on this host", LOOKS_AGAIN,
          "Look at its container (frc-runners-runner) and at the installer's log under the storage path." },
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
          "Assign it on the platform (Update roles)." },
        { "verify.role-not-blessed", CLASS_TRANSIENT, EXIT_DIFFERS,
          "a wanted role is listed but not blessed by the platform", LOOKS_AGAIN,
          "The role has no effect so. Set it again on the platform (Update roles)." },
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

const size_t reasons_of_joining_n = ELEMENTS(reasons_of_joining);
