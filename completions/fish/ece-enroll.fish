# SPDX-License-Identifier: Apache-2.0
#
# Completion of ece-enroll for fish.

# The words of the command line before the cursor, without the program's own.
function __ece_enroll_words
        set -l words (commandline -opc)
        set -e words[1]
        test (count $words) -gt 0; and printf '%s\n' $words
end

function __ece_enroll_no_command
        test (count (__ece_enroll_words)) -eq 0
end

function __ece_enroll_is
        set -l words (__ece_enroll_words)
        test (count $words) -gt 0; and test $words[1] = $argv[1]
end

# True before the first argument of a command; options and their values are none.
function __ece_enroll_is_first
        set -l value no
        for word in (__ece_enroll_words)[2..-1]
                if test $value = yes
                        set value no
                else if string match -q -- '-*' $word
                        contains -- $word $__ece_enroll_options_with_values; and set value yes
                else
                        return 1
                end
        end
        return 0
end

# The value of --state-dir=DIR without the option, which fish puts before each candidate itself.
function __ece_enroll_directories
        __fish_complete_directories (commandline -ct | string replace -r -- '^--[a-z-]+=' '')
end

complete -c ece-enroll -f
complete -c ece-enroll -n __ece_enroll_no_command -l version -d 'Print the version'
complete -c ece-enroll -l help -d 'Print help'

# Made: from here to the next such line this is what the program prints.
set -g __ece_enroll_options_with_values --spec --state-dir --runtime-dir --log-format --timeout --role --validity --set --runner-id

function __ece_enroll_roles
        printf '%s\n' allocator coordinator director proxy none
end

function __ece_enroll_reasons
        printf '%s\t%s\n' \
                agent.deadline 'the time for the whole enrollment is over' \
                agent.internal 'the agent has a fault' \
                agent.interrupted 'the agent was told to stop' \
                agent.loop 'enrollment has begun by itself again and again, over restarts of this host, and came to nothing' \
                agent.other 'the agent met something that it does not know' \
                agent.resources 'this host lacks memory or descriptors for the agent' \
                agent.windows 'the tokens that may be used are used up' \
                coordinator.bad-address 'a coordinator\'s address can\'t be used' \
                coordinator.client-fault 'the HTTP library failed on this host' \
                coordinator.conflict 'somebody else changed the same thing at the same time' \
                coordinator.connect-refused 'no coordinator accepts connections' \
                coordinator.empty-reply 'the peer closed the connection without an answer' \
                coordinator.in-between 'something that is no coordinator refused the request' \
                coordinator.no-such-address 'the coordinator does not know this address of its API' \
                coordinator.not-ready 'the coordinator is starting and not ready to serve' \
                coordinator.proxy-authentication 'a proxy in between asks for a login' \
                coordinator.redirect 'a coordinator answered with a redirect, which is never followed with a credential' \
                coordinator.reply-html 'a web page came back instead of the API\'s answer' \
                coordinator.reply-too-large 'a coordinator\'s answer is larger than it can be' \
                coordinator.reply-unusable 'a coordinator\'s answer can\'t be used' \
                coordinator.request-invalid 'the coordinator found the request malformed' \
                coordinator.request-refused 'the coordinator refused the request for good' \
                coordinator.reset 'the connection to a coordinator broke' \
                coordinator.resolve-failed 'a coordinator\'s name does not resolve' \
                coordinator.server-error 'a coordinator has trouble of its own' \
                coordinator.throttled 'a coordinator asks for fewer requests' \
                coordinator.timeout 'a coordinator did not answer in time' \
                coordinator.tls-expired 'the coordinator\'s certificate has expired by this host\'s clock' \
                coordinator.tls-failed 'the coordinator\'s certificate could not be checked' \
                coordinator.tls-name-mismatch 'the coordinator\'s certificate is for another name or address' \
                coordinator.tls-not-yet-valid 'the coordinator\'s certificate is not valid yet by this host\'s clock' \
                coordinator.tls-pin-mismatch 'no certificate of the coordinator\'s chain has a pinned key' \
                coordinator.tls-protocol 'the TLS handshake with a coordinator failed' \
                coordinator.tls-refused 'the coordinator\'s certificate does not pass the check' \
                coordinator.tls-untrusted 'the coordinator\'s certificate is not signed by anyone that \'trust\' names' \
                coordinator.tls-weak 'the coordinator\'s certificate or key is too weak to be trusted' \
                coordinator.transfer-failed 'a transfer from a coordinator failed' \
                coordinator.unknown-answer 'a coordinator gave an answer of an unknown kind' \
                coordinator.wants-certificate 'the coordinator, or something before it, wants a certificate of this host, or refuses the one that it has' \
                credential.client-certificate 'the client certificate can\'t be used' \
                credential.command-failed 'the command that yields the secret failed' \
                credential.denied 'the coordinator does not accept the credential' \
                credential.elevation-required 'the platform wants elevated permissions, which a program can\'t have (ECE up to 3.5)' \
                credential.empty 'the secret is empty' \
                credential.login-failing 'the platform\'s authentication cluster has trouble' \
                credential.login-unavailable 'the platform can\'t do logins: it has no authentication cluster' \
                credential.missing 'the secret is not where the spec says' \
                credential.not-permitted 'the credential may not do this: it lacks the Platform admin role' \
                credential.other 'the secret could not be taken in' \
                credential.permissions 'the secret\'s file is open to others' \
                credential.refused 'the coordinator refuses the credential in a way that is not known' \
                credential.session-expired 'the login session was not accepted, also after a new login' \
                credential.unreadable 'the secret can\'t be read' \
                credential.unusable 'the secret can\'t be used' \
                engine.foreign-installer 'an installer or upgrade that is not ours runs on this host' \
                engine.not-answering 'the container engine does not answer' \
                engine.not-settled 'the installer\'s container could not be brought to an end' \
                engine.other 'the container engine refused a request' \
                host.address 'this host has no usable address' \
                host.disk-space 'a file system of this host has too little room' \
                host.engine-client 'the container engine\'s client program is missing' \
                host.engine-socket 'the container engine does not answer on its socket' \
                host.group 'the install user may not use the container engine\'s socket' \
                host.left 'this host was told to leave the installation, and stays out of it' \
                host.no-answer 'a look at this host did not come to an end in time' \
                host.other 'this host is not ready' \
                host.other-installation 'this host runs ECE already, and the platform that the spec names does not know it' \
                host.ports 'a port that the installer needs is taken' \
                host.record 'the record of the enrollment can\'t be written' \
                host.route 'this host has no way to any coordinator\'s network' \
                host.script 'the installer script is not usable' \
                host.script-permissions 'somebody else than root could change the installer script' \
                host.script-sha256 'the installer script is not (yet) the one that installer.sha256 names' \
                host.script-version 'the installer script\'s version can\'t be told' \
                host.storage 'the storage path is not usable' \
                host.user 'the install user can\'t be used' \
                host.user-missing 'the install user does not exist (yet)' \
                installer.bad-arguments 'the installer does not know an option or command that was given to it' \
                installer.engine-denied 'the install user could not use the container engine' \
                installer.engine-down 'the installer could not reach the container engine' \
                installer.engine-run-failed 'the container engine could not run the installer\'s container' \
                installer.engine-socket 'the installer did not find the container engine\'s socket' \
                installer.failed 'the installer failed in an unknown way' \
                installer.firewalld 'the installer refuses to run beside firewalld' \
                installer.handoff-failed 'the installer did not pass the token on in the way that was expected' \
                installer.host-ip 'the installer could not find an address of this host' \
                installer.installation-failed 'the installation inside the container failed' \
                installer.killed 'the installer was killed from outside' \
                installer.name-conflict 'an installer container is there already' \
                installer.not-runnable 'the installer, or a program that it needs, can\'t be run' \
                installer.os-unsupported 'the installer does not support this operating system with this engine' \
                installer.port-in-use 'a port that the installer\'s container needs is taken' \
                installer.pull-failed 'the installer\'s image could not be pulled' \
                installer.run-failed 'the installer\'s container ended with a failure' \
                installer.script-failed 'the installer failed before its container was started' \
                installer.script-too-old 'the installer is older than the installation it is to join' \
                installer.shim-failed 'the program that hands over the token failed' \
                installer.status-lost 'the installer ended while nobody was there to see how' \
                installer.storage-permissions 'the installer may not read or write the storage path' \
                installer.terminated 'the installer was ended on request' \
                installer.timed-out 'the installer did not come to an end in its time' \
                installer.user-ids 'the installer refuses the user\'s uid or gid, which is below 1000' \
                keeper.busy 'ece-installd is still busy with an earlier request' \
                keeper.internal 'ece-installd met trouble of its own' \
                keeper.lost 'the connection to ece-installd broke' \
                keeper.not-answering 'ece-installd does not answer' \
                keeper.other 'ece-installd gave an answer of an unknown kind' \
                keeper.peer 'who listens on ece-installd\'s socket is not the install user' \
                keeper.protocol 'agent and ece-installd do not understand each other' \
                keeper.refused 'ece-installd refused the request' \
                keeper.spec-differs 'agent and ece-installd have read different specs' \
                keeper.unreachable 'ece-installd can\'t be reached' \
                plan.other 'the spec does not fit this host or this platform' \
                plan.script-too-old 'the installer script is older than the installation' \
                plan.script-version-unknown 'the installer script does not say which version it is' \
                plan.stale-runner 'the platform knows a disconnected host under our id and address' \
                plan.value-refused 'a value could do harm in the installer\'s command line' \
                plan.version-mismatch 'installer.version is not the version of the installation' \
                platform.move-refused 'the platform refuses to move the instances of an allocator' \
                platform.no-signing-key 'the platform has no key to sign roles tokens with' \
                platform.not-found-yet 'the platform does not know this host yet' \
                platform.not-removed 'the platform refuses to remove the disconnected host that bears our id' \
                platform.role-unknown 'the platform does not know a role that the spec asks for' \
                platform.token-unknown 'the platform has no such persistent token' \
                platform.user-unknown 'the platform does not know the credential\'s owner' \
                proxy.authentication 'the proxy wants another user or password' \
                proxy.failing 'the proxy does not get through to the coordinator' \
                proxy.forbidden 'the proxy does not let us through to the coordinator' \
                proxy.other 'the proxy answers in a way that is not known' \
                proxy.unreachable 'the proxy can\'t be reached' \
                spec.absent 'there is no spec' \
                spec.invalid 'the spec is not valid' \
                spec.other 'the spec can\'t be used' \
                token.absent 'the answer to the token request holds no roles token' \
                token.expired 'the roles token has expired' \
                token.given-expired 'the roles token that this host was given has expired' \
                token.given-too-short 'the roles token that this host was given lives shorter than one attempt may take' \
                token.malformed 'what came back is no roles token' \
                token.no-expiry 'the roles token never expires although an ephemeral one was asked for' \
                token.other 'the roles token can\'t be used' \
                token.persistent 'the roles token is a persistent one although an ephemeral one was asked for' \
                token.role-missing 'the roles token lacks a role that was asked for' \
                token.short-lived 'the roles token lives shorter than one attempt may take' \
                token.still-listed 'a persistent token was deleted, and the platform lists it all the same' \
                verify.foreign-host 'another host uses our runner id on the platform' \
                verify.instances-left 'the host can\'t leave as long as its allocator holds instances' \
                verify.local-role 'the containers of a wanted role do not run on this host' \
                verify.local-runner 'the runner does not run on this host' \
                verify.maintenance-mode 'this host is in maintenance mode and takes no new work' \
                verify.other 'the platform\'s view of this host differs from the spec' \
                verify.role-extra 'this host has a role that the spec does not name' \
                verify.role-missing 'a wanted role is not assigned to this host' \
                verify.role-not-blessed 'a wanted role is listed but not blessed by the platform' \
                verify.role-not-effective 'a wanted role is granted but does not work yet' \
                verify.role-pending 'a wanted role waits for the platform\'s blessing' \
                verify.runner-not-connected 'the platform sees this host as not connected' \
                verify.runner-not-found 'the platform does not know this host' \
                verify.runner-not-healthy 'the platform sees this host as not healthy' \
                verify.unstable 'this host does not stay as planned' \
                verify.version-differs 'this host runs another version than the installation' \
                verify.zone-differs 'this host is in another availability zone than the spec says'
end

complete -c ece-enroll -n __ece_enroll_no_command -a run -d 'enroll this host now, in the foreground'
complete -c ece-enroll -n '__ece_enroll_is run' -l spec -r -F -d 'The spec (default: $ECE_ENROLL_SPEC or /etc/ece-enroll/enroll.yaml)'
complete -c ece-enroll -n '__ece_enroll_is run' -l state-dir -r -f -a '(__ece_enroll_directories)' -d 'Where the record is kept (default: /var/lib/ece-enroll)'
complete -c ece-enroll -n '__ece_enroll_is run' -l runtime-dir -r -f -a '(__ece_enroll_directories)' -d 'Where status.json is (default: /run/ece-enroll)'
complete -c ece-enroll -n '__ece_enroll_is run' -l log-format -r -f -d 'A log on standard error instead of the story: plain, or ecs (JSON, Elastic Common Schema)'

complete -c ece-enroll -n __ece_enroll_no_command -a validate -d 'check a spec; contacts nothing'
complete -c ece-enroll -n '__ece_enroll_is validate' -l spec -r -F -d 'The spec (default: $ECE_ENROLL_SPEC or /etc/ece-enroll/enroll.yaml)'
complete -c ece-enroll -n '__ece_enroll_is validate; and __ece_enroll_is_first' -F

complete -c ece-enroll -n __ece_enroll_no_command -a schema -d 'print the JSON Schema of the spec, for editors and pipelines'

complete -c ece-enroll -n __ece_enroll_no_command -a plan -d 'show what would be requested and run, without doing it'
complete -c ece-enroll -n '__ece_enroll_is plan' -l spec -r -F -d 'The spec (default: $ECE_ENROLL_SPEC or /etc/ece-enroll/enroll.yaml)'
complete -c ece-enroll -n '__ece_enroll_is plan' -l json -d 'Print JSON'
complete -c ece-enroll -n '__ece_enroll_is plan' -l online -d 'Ask the platform, too (reading only)'
complete -c ece-enroll -n '__ece_enroll_is plan; and __ece_enroll_is_first' -F

complete -c ece-enroll -n __ece_enroll_no_command -a check -d 'look at everything that must hold before this host can join'
complete -c ece-enroll -n '__ece_enroll_is check' -l spec -r -F -d 'The spec (default: $ECE_ENROLL_SPEC or /etc/ece-enroll/enroll.yaml)'
complete -c ece-enroll -n '__ece_enroll_is check' -l json -d 'Print JSON'
complete -c ece-enroll -n '__ece_enroll_is check; and __ece_enroll_is_first' -F

complete -c ece-enroll -n __ece_enroll_no_command -a pin -d 'show the public keys of a coordinator, to compare and to pin'
complete -c ece-enroll -n '__ece_enroll_is pin' -l spec -r -F -d 'The spec (default: $ECE_ENROLL_SPEC or /etc/ece-enroll/enroll.yaml)'
complete -c ece-enroll -n '__ece_enroll_is pin' -l json -d 'Print JSON'

complete -c ece-enroll -n __ece_enroll_no_command -a status -d 'show the state, since when, why, and what happens next'
complete -c ece-enroll -n '__ece_enroll_is status' -l state-dir -r -f -a '(__ece_enroll_directories)' -d 'Where the record is kept (default: /var/lib/ece-enroll)'
complete -c ece-enroll -n '__ece_enroll_is status' -l runtime-dir -r -f -a '(__ece_enroll_directories)' -d 'Where status.json is (default: /run/ece-enroll)'
complete -c ece-enroll -n '__ece_enroll_is status' -l json -d 'Print JSON'
complete -c ece-enroll -n '__ece_enroll_is status' -l watch -d 'Print again at each change, until the state is final'

complete -c ece-enroll -n __ece_enroll_no_command -a wait -d 'return when this host is enrolled or has failed'
complete -c ece-enroll -n '__ece_enroll_is wait' -l state-dir -r -f -a '(__ece_enroll_directories)' -d 'Where the record is kept (default: /var/lib/ece-enroll)'
complete -c ece-enroll -n '__ece_enroll_is wait' -l runtime-dir -r -f -a '(__ece_enroll_directories)' -d 'Where status.json is (default: /run/ece-enroll)'
complete -c ece-enroll -n '__ece_enroll_is wait' -l json -d 'Print JSON'
complete -c ece-enroll -n '__ece_enroll_is wait' -l timeout -r -f -d 'How long to wait'

complete -c ece-enroll -n __ece_enroll_no_command -a retry -d 'have the agent try again, after a failure or before its time'
complete -c ece-enroll -n '__ece_enroll_is retry' -l state-dir -r -f -a '(__ece_enroll_directories)' -d 'Where the record is kept (default: /var/lib/ece-enroll)'
complete -c ece-enroll -n '__ece_enroll_is retry' -l runtime-dir -r -f -a '(__ece_enroll_directories)' -d 'Where status.json is (default: /run/ece-enroll)'

complete -c ece-enroll -n __ece_enroll_no_command -a hooks -d 'run the hooks for what happens on this host, as its service does'
complete -c ece-enroll -n '__ece_enroll_is hooks' -l spec -r -F -d 'The spec (default: $ECE_ENROLL_SPEC or /etc/ece-enroll/enroll.yaml)'
complete -c ece-enroll -n '__ece_enroll_is hooks' -l state-dir -r -f -a '(__ece_enroll_directories)' -d 'Where the record is kept (default: /var/lib/ece-enroll)'
complete -c ece-enroll -n '__ece_enroll_is hooks' -l runtime-dir -r -f -a '(__ece_enroll_directories)' -d 'Where status.json is (default: /run/ece-enroll)'

complete -c ece-enroll -n __ece_enroll_no_command -a health -d 'answer one HTTP request with this host\'s health, for its socket unit'
complete -c ece-enroll -n '__ece_enroll_is health' -l state-dir -r -f -a '(__ece_enroll_directories)' -d 'Where the record is kept (default: /var/lib/ece-enroll)'
complete -c ece-enroll -n '__ece_enroll_is health' -l runtime-dir -r -f -a '(__ece_enroll_directories)' -d 'Where status.json is (default: /run/ece-enroll)'

complete -c ece-enroll -n __ece_enroll_no_command -a token -d 'the platform\'s roles tokens: make one, list and delete the persistent ones'
complete -c ece-enroll -n '__ece_enroll_is token' -l spec -r -F -d 'The spec (default: $ECE_ENROLL_SPEC or /etc/ece-enroll/enroll.yaml)'
complete -c ece-enroll -n '__ece_enroll_is token' -l json -d 'Print JSON'
complete -c ece-enroll -n '__ece_enroll_is token' -l role -r -f -a '(__fish_complete_list , __ece_enroll_roles)' -d 'A role that the token is for, several with commas, or none'
complete -c ece-enroll -n '__ece_enroll_is token' -l persistent -d 'A token that lives until it is deleted'
complete -c ece-enroll -n '__ece_enroll_is token' -l validity -r -f -d 'How long the token lives (default: the spec\'s)'
complete -c ece-enroll -n '__ece_enroll_is token' -l show -d 'Print the token to a terminal as well'
complete -c ece-enroll -n '__ece_enroll_is token' -l force -d 'Do it although it is refused with good reason'
complete -c ece-enroll -n '__ece_enroll_is token; and __ece_enroll_is_first' -a create
complete -c ece-enroll -n '__ece_enroll_is token; and __ece_enroll_is_first' -a list
complete -c ece-enroll -n '__ece_enroll_is token; and __ece_enroll_is_first' -a delete

complete -c ece-enroll -n __ece_enroll_no_command -a roles -d 'show what this host may do on the platform, or give it its roles'
complete -c ece-enroll -n '__ece_enroll_is roles' -l spec -r -F -d 'The spec (default: $ECE_ENROLL_SPEC or /etc/ece-enroll/enroll.yaml)'
complete -c ece-enroll -n '__ece_enroll_is roles' -l json -d 'Print JSON'
complete -c ece-enroll -n '__ece_enroll_is roles' -l set -r -f -a '(__fish_complete_list , __ece_enroll_roles)' -d 'Give the runner these roles, and no other of the four; none: no role at all'
complete -c ece-enroll -n '__ece_enroll_is roles' -l runner-id -r -f -d 'Another runner than this host'
complete -c ece-enroll -n '__ece_enroll_is roles' -l force -d 'Do it although it is refused with good reason'
complete -c ece-enroll -n '__ece_enroll_is roles' -l timeout -r -f -d 'How long to wait'
complete -c ece-enroll -n '__ece_enroll_is roles' -f -a '(__fish_complete_list , __ece_enroll_roles)'

complete -c ece-enroll -n __ece_enroll_no_command -a leave -d 'take this host out of the installation again'
complete -c ece-enroll -n '__ece_enroll_is leave' -l spec -r -F -d 'The spec (default: $ECE_ENROLL_SPEC or /etc/ece-enroll/enroll.yaml)'
complete -c ece-enroll -n '__ece_enroll_is leave' -l state-dir -r -f -a '(__ece_enroll_directories)' -d 'Where the record is kept (default: /var/lib/ece-enroll)'
complete -c ece-enroll -n '__ece_enroll_is leave' -l runtime-dir -r -f -a '(__ece_enroll_directories)' -d 'Where status.json is (default: /run/ece-enroll)'
complete -c ece-enroll -n '__ece_enroll_is leave' -l json -d 'Print JSON'
complete -c ece-enroll -n '__ece_enroll_is leave' -l force -d 'Do it although it is refused with good reason'
complete -c ece-enroll -n '__ece_enroll_is leave' -l yes -d 'Do it; without it only what would be done is told'
complete -c ece-enroll -n '__ece_enroll_is leave' -l no-move -d 'Wait until somebody else has moved the instances away'
complete -c ece-enroll -n '__ece_enroll_is leave' -l timeout -r -f -d 'How long to wait'

complete -c ece-enroll -n __ece_enroll_no_command -a diag -d 'print all that a support case needs, without secrets'
complete -c ece-enroll -n '__ece_enroll_is diag' -l spec -r -F -d 'The spec (default: $ECE_ENROLL_SPEC or /etc/ece-enroll/enroll.yaml)'
complete -c ece-enroll -n '__ece_enroll_is diag' -l state-dir -r -f -a '(__ece_enroll_directories)' -d 'Where the record is kept (default: /var/lib/ece-enroll)'
complete -c ece-enroll -n '__ece_enroll_is diag' -l runtime-dir -r -f -a '(__ece_enroll_directories)' -d 'Where status.json is (default: /run/ece-enroll)'

complete -c ece-enroll -n __ece_enroll_no_command -a explain -d 'explain a reason, or list all of them'
complete -c ece-enroll -n '__ece_enroll_is explain' -l json -d 'Print JSON'
complete -c ece-enroll -n '__ece_enroll_is explain; and __ece_enroll_is_first' -f -a '(__ece_enroll_reasons)'
# Made: end.
