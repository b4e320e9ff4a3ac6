# SPDX-License-Identifier: Apache-2.0
"""Faults of all origins for places.py, each with the reason that is to be named and the states in which it is looked for.

What the coordinator does wrong comes from fault_table.py, where its reason was written down. A state that a fault is waited
out in comes first; FAILED after it is brought about by a spec with a short give_up_after, so the verdict is told of while the fault
still lasts. Rows that are not in the bounded run have a neighbour of the same origin and course in it.
"""

import os
import pathlib
import signal
import socket

import fault_link as link
import fault_table as table
from bench import HOST_IP, IMAGE, INSTALLER
from coordsim.process import TOKENS
from fault_several import named
from fault_table import spec_with
from fault_watch import Fault, rule
from places_watch import VERDICT, Seen, row_of

AT_GATE = ("PREFLIGHT", VERDICT)
PAUSED = ("BACKOFF", VERDICT)
LOOKED_AT = ("VERIFYING", VERDICT)
AT_ONCE = (VERDICT,)
_kept = []  # what has to live as long as the case's process


def injected(act, **more):
    return Fault(act, **more)


# The spec. A file that is none, or not there, names no place for metrics: the agent goes on with those of the last one. Until
# there is a spec again nobody knows a webhook, and nothing has failed.

def write_nonsense(bench):
    bench.spec_path.write_text("version: 1\nhost: {roles: [allocater]}\n")


def no_storage(bench):
    bench.storage.rmdir()


def leave(bench):
    bench.spoken("leave", "--yes", *bench.options())


SPECS = (
    Seen("the spec is edited into nonsense", "spec.invalid", AT_ONCE, injected(no_storage), write_nonsense, "PREFLIGHT",
         reports=False),
    Seen("the spec is removed", "spec.absent", ("UNCONFIGURED",), injected(no_storage), lambda bench: bench.spec_path.unlink(), "PREFLIGHT"),
    Seen("the host is told to leave", "host.left", ("UNCONFIGURED",), Fault(), leave, "ENROLLED"),
)


# Gates of the host. Each of them opens by itself as far as the agent knows. Where no record can be written, no report can be kept.

def hide(find):
    return lambda bench: find(bench).rename(find(bench).with_suffix(".aside"))


def only_root_may_use_it(bench):
    bench.engine.socket.chmod(0o600)
    os.chown(bench.engine.socket, 0, 0)


class Thawing:
    """Closed before the stand-in is, which then can end."""

    def __init__(self, process):
        self.process = process

    def close(self) -> None:
        self.process.send_signal(signal.SIGCONT)


def engine_hangs(bench):
    bench.engine.process.send_signal(signal.SIGSTOP)
    bench._keep(Thawing(bench.engine.process))


def somebody_upgrades(bench):
    bench.containers.place(name=INSTALLER, image=IMAGE, command=["elastic-cloud-enterprise-upgrader"])


def port_is_taken(bench):
    _kept.append(socket.create_server(("127.0.0.1", 21000)))


def half_a_script(bench):
    whole = bench.script.read_bytes()
    bench.script.write_bytes(whole[:len(whole) // 2])


def user_is_not_there(bench):
    lines = pathlib.Path("/etc/passwd").read_text().splitlines(True)
    mine = bench.top / "passwd"
    mine.write_text("".join(line for line in lines if not line.startswith(bench.user.pw_name + ":")))
    mine.chmod(0o644)
    link.run("mount", "--bind", str(mine), "/etc/passwd")


def small_disk(bench):
    link.run("mount", "-t", "tmpfs", "-o", "size=64m,mode=700,uid=%d,gid=%d" % (bench.user.pw_uid, bench.user.pw_gid), "tmpfs",
             str(bench.storage))


def no_client(bench):
    bench.clients = bench.top / "ece"


def read_only_state(bench):
    bench.state.mkdir(0o700)
    link.run("mount", "-t", "tmpfs", "-o", "ro", "tmpfs", str(bench.state))


GATES = (
    Seen("no storage path", "host.storage", AT_GATE, injected(no_storage)),
    Seen("no script", "host.script", AT_GATE, injected(hide(lambda bench: bench.script))),
    Seen("another script than the spec's", "host.script-sha256", AT_GATE, Fault(spec=spec_with(installer={"sha256": "0" * 64}))),
    Seen("no engine", "host.engine-socket", AT_GATE, injected(hide(lambda bench: bench.engine.socket))),
    Seen("the engine's socket is another group's", "host.group", AT_GATE, injected(only_root_may_use_it)),
    Seen("the engine hangs", "engine.not-answering", AT_GATE, injected(engine_hangs), whole=False),
    Seen("somebody's upgrade is at work", "engine.foreign-installer", AT_GATE, injected(somebody_upgrades)),
    Seen("a port is taken", "host.ports", AT_GATE, injected(port_is_taken), enter=link.enter_network),
    Seen("the install user is not there", "host.user-missing", AT_GATE, injected(user_is_not_there)),
    Seen("a disk that is too small", "host.disk-space", AT_GATE, injected(small_disk)),
    Seen("no client of the engine", "host.engine-client", AT_GATE, Fault(no_client, spec=spec_with(installer={"engine": "podman"}))),
    Seen("the record can't be written", "host.record", PAUSED, injected(read_only_state), reports=False),
    Seen("an install user that may not install", "host.user", AT_ONCE, Fault(spec=spec_with(installer={"user": "daemon"}))),
    Seen("nobody keeps installers", "keeper.unreachable", AT_GATE, keeper=False),
)


# The way to a coordinator.

def from_table(rows, name, states=PAUSED, whole=True, enter=None):
    reason, fault = row_of(rows, name)
    return Seen(name, reason, states, fault, whole=whole, enter=enter)


CONNECTIONS = (
    from_table(table.CONNECTIONS, "refused", AT_GATE),
    Seen("name that does not exist", "coordinator.resolve-failed", AT_GATE, named("nxdomain", 10), enter=link.enter_resolver),
    Seen("no route", "host.route", AT_GATE, injected(lambda bench: link.far_away(True), options=("--listen", link.FAR + ":0"),
                                                     own_certificates=True), enter=link.enter_far_network),
    Seen("no proxy", "proxy.unreachable", AT_GATE, Fault(spec=spec_with(proxy="http://127.0.0.1:9", no_proxy=["localhost"]))),
    from_table(table.CONNECTIONS, "reset at the first byte", AT_GATE),
    from_table(table.CONNECTIONS, "plain HTTP on the port", AT_GATE),
    from_table(table.CONNECTIONS, "certificate expired", AT_GATE),
    from_table(table.CONNECTIONS, "certificate not yet valid", AT_GATE),
    from_table(table.STRANGERS, "another platform's CA", AT_ONCE),
    from_table(table.STRANGERS, "certificate for another name", AT_ONCE),
    from_table(table.STRANGERS, "wrong pin", AT_ONCE),
    from_table(table.STRANGERS, "key of 1024 bits", AT_ONCE),
)

# What a coordinator answers.
ANSWERS = (
    from_table(table.REPLIES, "closed after the request", AT_GATE),
    from_table(table.REPLIES, "half a JSON text"),
    from_table(table.REPLIES, "body of 8 MiB", whole=False),
    from_table(table.REPLIES, "HTML with 200"),
    from_table(table.REPLIES, "200 with errors: controller_not_ready"),
    from_table(table.REPLIES, "200 with errors of unknown code", whole=False),
    from_table(table.STATUSES, "403 of something in between"),
    from_table(table.STATUSES, "407"),
    from_table(table.STATUSES, "504 of a balancer", whole=False),
    from_table(table.STATUSES, "409 roles.version_conflict", whole=False),
    from_table(table.STATUSES, "429 of ECE"),
    from_table(table.STATUSES, "500 root.internal_error"),
    from_table(table.STATUSES, "502 authc.authentication_cluster_error", whole=False),
    from_table(table.STATUSES, "403 enrollment_tokens.signing_key_not_found"),
    from_table(table.REFUSALS, "400 enrollment_tokens.invalid_token_request", AT_ONCE),
    from_table(table.REFUSALS, "418", AT_ONCE, whole=False),
    from_table(table.REFUSALS, "404 root.resource_not_found", AT_ONCE),
    from_table(table.REFUSALS, "redirect to http", AT_ONCE),
)


# The credential, and what it is good for.

def key_with(mode=0o600, text=None):
    def act(bench):
        if text is not None:
            bench.key_path.write_text(text)
        bench.key_path.chmod(mode)
    return injected(act)


CREDENTIALS = (
    Seen("no credential", "credential.missing", PAUSED, injected(lambda bench: bench.key_path.unlink())),
    Seen("an empty credential", "credential.empty", PAUSED, key_with(text="")),
    Seen("a credential that everybody can read", "credential.permissions", AT_ONCE, key_with(0o644)),
    Seen("a credential that is no text", "credential.unusable", AT_ONCE, key_with(text="k\x01y\n")),
    from_table(table.REFUSALS, "401: nobody's key", PAUSED),
    from_table(table.REFUSALS, "403: a viewer's key", AT_ONCE),
    from_table(table.REFUSALS, "403 of unknown code", PAUSED, whole=False),
    from_table(table.REFUSALS, "449 root.needs_sudo", AT_ONCE),
    from_table(table.REFUSALS, "501 authc.no_authentication_cluster", AT_ONCE),
)

TOKEN_ROWS = (
    from_table(table.STATUSES, "a token that lives for 30 s"),
    Seen("no token in the reply", "token.absent", PAUSED, rule("edit", path=TOKENS, remove=["token"])),
    from_table(table.REFUSALS, "a token that is none", AT_ONCE),
    from_table(table.REFUSALS, "a token without the role", AT_ONCE),
    from_table(table.REFUSALS, "a token without an end", AT_ONCE),
    from_table(table.REFUSALS, "a token marked persistent", AT_ONCE),
)


# The installer's words and ends.

def behaving(**how):
    return injected(lambda bench: bench.engine.behave(rest=how))


def on_debian(bench):
    (bench.script.parent / "os-release").write_text('ID=debian\nVERSION_ID="12"\n')


INSTALLERS = (
    Seen("the installation fails", "installer.installation-failed", PAUSED, behaving(exit=1)),
    Seen("the engine does not start the container", "installer.engine-run-failed", PAUSED, behaving(
        start_error=[500, "OCI runtime create failed: unable to start container process"])),
    Seen("the container's name is taken", "installer.name-conflict", PAUSED, behaving(
        create_error=[409, 'Conflict. The container name "/%s" is already in use by container "4f2b".' % INSTALLER])),
    Seen("a port is taken when the container starts", "installer.port-in-use", PAUSED, behaving(
        start_error=[500, "driver failed programming external connectivity: port is already allocated"])),
    Seen("an installer that hangs", "installer.timed-out", PAUSED, Fault(behaving(hold=True).inject, spec=spec_with(
        installer={"attempt_timeout": "1s"}))),
    Seen("a system that ECE does not know", "installer.os-unsupported", AT_ONCE, injected(on_debian)),
)

PLANS = (
    Seen("a script older than the platform", "plan.script-too-old", AT_ONCE, Fault(options=("--version", "4.1.0"))),
    Seen("another version than the platform's", "plan.version-mismatch", AT_ONCE, Fault(spec=spec_with(installer={"version": "3.8.0"}))),
    Seen("a runner of earlier", "plan.stale-runner", AT_ONCE, injected(lambda bench: bench.sim.control.add_runner(
        runner_id=HOST_IP, host_ip=HOST_IP, roles=["allocator"], connected_from=1e12))),
)


# What the platform says of the host afterwards.

def from_verdicts(name, whole=True):
    row = from_table(table.VERDICTS, name, LOOKED_AT, whole)
    row.fault.spec = spec_with(retry={"backoff": {"min": "100ms", "max": "100ms"}}, verify={"timeout": "3s"})
    return row


def lose_the_role(bench):
    bench.sim.control.change_runner(runner_id=HOST_IP, roles=[])


VIEWS = (
    from_verdicts("not healthy"),
    from_verdicts("not connected"),
    from_verdicts("role listed, not blessed"),
    from_verdicts("role not listed", whole=False),
    from_verdicts("role without effect"),
    from_verdicts("role pending", whole=False),
    from_verdicts("wrong zone"),
    from_verdicts("wrong version", whole=False),
    from_verdicts("404 runners.runner_not_found after the installation"),
    Seen("404 roles.not_found while verifying", "platform.role-unknown", AT_ONCE, table.UNKNOWN_ROLE[3]),
    Seen("another host under our id", "verify.foreign-host", AT_ONCE, table.FOREIGN[3]),
    Seen("a member loses its role", "verify.role-missing", ("ENROLLED",), Fault(spec=spec_with(verify={"drift_every": "1s"})),
         lose_the_role, "ENROLLED"),
)

# The end comes from the agent itself.
ENDS = (
    Seen("the deadline, and nothing went wrong", "agent.deadline", AT_ONCE, Fault(rule("delay", seconds=20).inject, spec=spec_with(
        **{"retry": {"give_up_after": "1s"}, "installer": {"attempt_timeout": "1s"}}))),
    Seen("stopped while its installer runs", "agent.interrupted", ("STOPPING",), behaving(hold=True), lambda bench: None, "INSTALLING"),
)

ROWS = SPECS + GATES + CONNECTIONS + ANSWERS + CREDENTIALS + TOKEN_ROWS + INSTALLERS + PLANS + VIEWS + ENDS
