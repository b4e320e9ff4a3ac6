/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Reasons of the way to the platform: the agent itself, the coordinators, the credential. What a
 * row is, and how it is found, stands in reasons.c.
 */

#include "engine/reasons.h"

#include "base/cleanup.h"

const Reason reasons_of_platform[] = {
        { "agent.deadline", CLASS_TRANSIENT, EXIT_TRANSIENT,
          "the time for the whole enrollment is over", ENDS,
          "Mend what the last trouble names, then " START_OVER ". retry.give_up_after sets the time." },
        { "agent.internal", CLASS_PERMANENT, EXIT_INTERNAL, "the agent has a fault", STOPS,
          "Report it, with the journal of ece-enrolld." },
        { "agent.interrupted", CLASS_TRANSIENT, EXIT_INTERRUPTED_TERM, "the agent was told to stop",
          ENDS, "" },
        { "agent.loop", CLASS_PERMANENT, EXIT_TRANSIENT,
          "enrollment has begun by itself again and again, over restarts of this host, and came to nothing",
          STOPS,
          "Mend what the last trouble names (ece-enroll status; the journal tells of earlier boots), "
          "then " START_OVER "." },
        { "agent.other", CLASS_TRANSIENT, EXIT_INTERNAL,
          "the agent met something that it does not know", TAKES_FOR_PASSING,
          "Report it, with the journal of ece-enrolld." },
        { "agent.resources", CLASS_TRANSIENT, EXIT_INTERNAL,
          "this host lacks memory or descriptors for the agent", RETRIES,
          "Look at what uses them up (free, systemctl status ece-enrolld), and at the unit's limits." },
        { "agent.windows", CLASS_TRANSIENT, EXIT_TRANSIENT,
          "the tokens that may be used are used up", ENDS,
          "Mend what the last trouble names, then " START_OVER ". retry.windows sets the number." },
        { "coordinator.bad-address", CLASS_PERMANENT, EXIT_CONFIGURATION,
          "a coordinator's address can't be used", STOPS,
          "Correct 'coordinators': each is https://HOST:PORT without a path." },
        { "coordinator.client-fault", CLASS_TRANSIENT, EXIT_INTERNAL,
          "the HTTP library failed on this host", FAILS_OVER,
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
          "Check the way to port 12443 (firewall, routing, an IPAddressAllow= of ece-enrolld.service that does not name the "
          "coordinator) and the load of the coordinators." },
        { "coordinator.tls-expired", CLASS_TIME, EXIT_UNREACHABLE,
          "the coordinator's certificate has expired by this host's clock", WAITS_FOR_CLOCK,
          "Check this host's clock (timedatectl). If it is right, renew the coordinator's "
          "certificate." },
        { "coordinator.tls-failed", CLASS_TRANSIENT, EXIT_UNREACHABLE,
          "the coordinator's certificate could not be checked", TAKES_FOR_PASSING,
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
          "Compare the chain (openssl s_client -showcerts -connect HOST:PORT) with the platform's own "
          "certificates out of band, and correct trust.pins. If the "
          "key was not changed on purpose, somebody is in between." },
        { "coordinator.tls-protocol", CLASS_TRANSIENT, EXIT_UNREACHABLE,
          "the TLS handshake with a coordinator failed", FAILS_OVER,
          "Check that the port speaks TLS 1.2 or newer (12443, not 12400) and that no proxy is "
          "in between." },
        { "coordinator.tls-refused", CLASS_PERMANENT, EXIT_UNREACHABLE,
          "the coordinator's certificate does not pass the check", STOPS,
          "The detail names the certificate and what OpenSSL found. Have the platform's certificate "
          "remade." },
        { "coordinator.tls-untrusted", CLASS_PERMANENT, EXIT_UNREACHABLE,
          "the coordinator's certificate is not signed by anyone that 'trust' names", STOPS,
          "Compare the chain (openssl s_client -showcerts -connect HOST:PORT) with the platform's own "
          "certificates out of band. If the platform's CA changed, "
          "put the new one into trust.ca_file; if not, somebody is in between." },
        { "coordinator.tls-weak", CLASS_PERMANENT, EXIT_UNREACHABLE,
          "the coordinator's certificate or key is too weak to be trusted", STOPS,
          "Have the platform's certificate remade with a stronger key and SHA-256." },
        { "coordinator.transfer-failed", CLASS_TRANSIENT, EXIT_UNREACHABLE,
          "a transfer from a coordinator failed", TAKES_FOR_PASSING,
          "If it stays: run 'ece-enroll check' and compare with curl from this host." },
        { "coordinator.unknown-answer", CLASS_TRANSIENT, EXIT_UNREACHABLE,
          "a coordinator gave an answer of an unknown kind", TAKES_FOR_PASSING,
          "Look at the status and code above; if it stays, report it." },
        { "coordinator.wants-certificate", CLASS_OPERATOR, EXIT_CONFIGURATION,
          "the coordinator, or something before it, wants a certificate of this host, or refuses the one that it has",
          ASKS_SLOWLY, "Name the certificate and its key in client_certificate, and check who has issued it." },
        { "credential.client-certificate", CLASS_PERMANENT, EXIT_CONFIGURATION,
          "the client certificate can't be used", STOPS,
          "Check client_certificate: file and key must be PEM and of each other, and the key without a passphrase." },
        { "credential.command-failed", CLASS_TRANSIENT, EXIT_DENIED,
          "the command that yields the secret failed", RETRIES,
          "Run it by hand as the agent's user and look at its status." },
        { "credential.denied", CLASS_CREDENTIAL, EXIT_DENIED,
          "the coordinator does not accept the credential", READS_AGAIN,
          "Check user and password, or whether the API key is expired or revoked, and replace "
          "it where 'credential' reads it from. Then " START_OVER "." },
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
        { "credential.permissions", CLASS_PERMANENT, EXIT_CONFIGURATION,
          "the secret's file is open to others", STOPS,
          "Make it readable by the agent's user only (mode 0400). Consider it known and "
          "replace the secret." },
        { "credential.refused", CLASS_CREDENTIAL, EXIT_DENIED,
          "the coordinator refuses the credential in a way that is not known", READS_AGAIN,
          "Look at the code and message above. The credential's owner needs the role Platform admin." },
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
};

const size_t reasons_of_platform_n = ELEMENTS(reasons_of_platform);
