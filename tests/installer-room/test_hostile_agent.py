#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What someone can do who has taken over the agent: attacks on a real ece-installd, each with the answer that it must get.

After every one of them no program has been started, the keeper serves the honest agent, and holds no descriptor more than
before. At last the honest agent installs, and exactly the spec's script was started, with exactly the spec's arguments.

    test_hostile_agent.py                          as `make check` runs it
    test_hostile_agent.py --conversations 20000    the fuzzed agent for longer; --seed N repeats a run
"""

import argparse
import json
import os
import random
import resource
import socket
import struct
import sys

import hostile_world
from hostile_world import ATTEMPT, COORDINATOR, SEALS, TOKEN, VERSION, Agent, Closed, World, memfd

ATTACKS = []
CLOSED = "closed"


def attack(name, expected):
    def keep(function):
        ATTACKS.append((name, expected, function))
        return function
    return keep


def sends(name, data, expected=CLOSED):
    """A packet, or a function of the agent that makes one."""
    ATTACKS.append((name, expected, lambda agent: agent.send(data(agent) if callable(data) else data)))


def with_member(**members):
    return lambda agent: {**agent.message("probe"), **members}


def installs(name, expected, **members):
    ATTACKS.append((name, expected, lambda agent: agent.install(**members)))


def passes(name, make, expected="refused refused"):
    """An install request with a descriptor that is no token's."""
    ATTACKS.append((name, expected, lambda agent: agent.install(fds=[make()])))


# --- What is no message ---------------------------------------------------------------------------------------

sends("an empty packet", b"")
sends("words", b"hello")
sends("a list", [1, 2, 3])
sends("an object cut short", lambda a: json.dumps(a.message("probe")).encode()[:-1])
sends("an object and more", lambda a: json.dumps(a.message("probe")).encode() + b" {}")
sends("brackets without end", b"[" * 8000)
sends("a string with a NUL", with_member(kind="probe\0"))
sends("bytes that are no UTF-8", lambda a: json.dumps(a.message("probe")).encode().replace(b"probe", b"prob\xff"))
sends("a packet of 16 KiB and a byte", lambda a: json.dumps(a.message("probe")).encode().ljust(16 * 1024 + 1))
sends("a packet of 128 KiB", b"{" + b" " * 128 * 1024 + b"}")
sends("a kind that is said twice", lambda a: json.dumps(a.message("settle")).replace("{", '{"kind": "probe", ', 1).encode())
sends("a spec that is said twice", lambda a: json.dumps(a.message("probe")).replace("{", '{"spec": "%s", ' % ("0" * 64), 1).encode())

# --- What is no request ---------------------------------------------------------------------------------------

sends("another protocol", with_member(protocol=2))
sends("the protocol as a word", with_member(protocol="1"))
sends("the protocol as a fraction", with_member(protocol=1.0))
sends("a kind that there is not", with_member(kind="execute"))
sends("a kind that is a number", with_member(kind=7))
sends("a member too many", with_member(extra=1))
sends("no spec", lambda a: {"protocol": 1, "kind": "probe"})
sends("a digest too short", with_member(spec="0" * 63))
sends("a digest that is none", with_member(spec="/" * 64))
sends("an event: state", {"protocol": 1, "kind": "state", "attempt": ATTEMPT, "state": "ended", "running_s": 0})
sends("an event: prepared", {"protocol": 1, "kind": "prepared"})
sends("an event: line", {"protocol": 1, "kind": "line", "attempt": "", "text": "x"})
sends("another spec's digest", with_member(spec="0" * 64), "refused spec-differs")
sends("an attempt that is a path", lambda a: a.message("terminate", attempt="../../../../../../etc/cron.d"))
sends("an attempt in capitals", lambda a: a.message("terminate", attempt=ATTEMPT.upper()))
sends("the end of somebody's attempt", lambda a: a.message("terminate", attempt="f" * 32), "refused refused")
sends("an attempt that was never made is acknowledged", lambda a: a.message("acknowledge", attempt="f" * 32), "state")

# --- A choice that is not the agent's -------------------------------------------------------------------------

for member, value in (("script", "/tmp/evil.sh"), ("user", "root"), ("storage_path", "/"), ("extra_args", ["--force"]),
                      ("engine_socket", "/tmp/evil.sock"), ("path", "/tmp"), ("environment", {"BASH_ENV": "/tmp/evil"})):
    installs("its own " + member, CLOSED, **{member: value})
installs("a coordinator that is not the spec's", "refused refused", coordinator="198.51.100.66")
installs("the spec's coordinator and more", "refused refused", coordinator=COORDINATOR + ".example.com")
installs("the beginning of the spec's coordinator", "refused refused", coordinator="192.0.2.1")
installs("a coordinator with its port", "refused refused", coordinator=COORDINATOR + ":12443")
installs("no coordinator", CLOSED, coordinator=None)
installs("an empty coordinator", "refused refused", coordinator="")
installs("a coordinator for the shell", "refused refused", coordinator=COORDINATOR + ";reboot")
installs("a coordinator that is an option", "refused refused", coordinator="--force")
installs("a version for the shell", "refused refused", version="4.0.3$(reboot)")
installs("a version that is another image", "refused refused", version="4.0.3/../../evil/image")
installs("a version with a digest", "refused refused", version="4.0.3@sha256")
installs("a version that is an option", "refused refused", version="--podman")
installs("an empty version", "refused refused", version="")
installs("a version newer than the script", "refused script-too-old", version="99.0.0")
sends("an image's version for the shell", lambda a: a.message("prepare", version="4.0.3`id`"), "refused refused")

# --- A token that is none -------------------------------------------------------------------------------------

installs("no descriptor", CLOSED, fds=[])
ATTACKS.append(("two descriptors", CLOSED, lambda a: a.install(fds=[memfd(TOKEN), memfd(TOKEN)])))
ATTACKS.append(("nine descriptors", CLOSED, lambda a: a.install(fds=[memfd(TOKEN) for _ in range(9)])))
ATTACKS.append(("250 descriptors", CLOSED, lambda a: a.install(fds=[memfd(TOKEN) for _ in range(250)])))


@attack("a descriptor with a probe", CLOSED)
def _(agent):
    fd = memfd(TOKEN)
    agent.say("probe", fds=[fd])
    os.close(fd)


@attack("a descriptor with an empty packet", CLOSED)
def _(agent):
    fd = memfd(TOKEN)
    agent.send(b"", [fd])
    os.close(fd)


def a_pipe():
    reader, writer = os.pipe()
    os.close(writer)
    return reader


def a_file():
    fd = os.open("/tmp", os.O_RDWR | os.O_TMPFILE, 0o600)
    os.write(fd, TOKEN)
    return fd


passes("a pipe", a_pipe)
passes("a directory", lambda: os.open("/", os.O_RDONLY))
passes("a file with a token", a_file)
passes("/dev/zero", lambda: os.open("/dev/zero", os.O_RDONLY))
passes("its memory", lambda: os.open("/proc/self/mem", os.O_RDWR))
passes("a socket", lambda: socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET).detach())
passes("a terminal", lambda: os.open("/dev/ptmx", os.O_RDWR | os.O_NOCTTY))
passes("a memory file without seals", lambda: memfd(TOKEN, seals=0))
passes("a memory file that can be written to", lambda: memfd(TOKEN, seals=SEALS & ~8))
passes("a memory file that can grow", lambda: memfd(TOKEN, seals=SEALS & ~4))
passes("a memory file that can shrink", lambda: memfd(TOKEN, seals=SEALS & ~2))
passes("an empty memory file", lambda: memfd(b""))
passes("a memory file of 17 KiB", lambda: memfd(b"a.b." + b"c" * 17 * 1024))
passes("a memory file of a terabyte, all holes", lambda: memfd(TOKEN, size=1 << 40))
passes("a token with a NUL behind it", lambda: memfd(TOKEN + b"\0--force"))
passes("a token of two parts", lambda: memfd(b"a.b"))
passes("a token for the shell", lambda: memfd(b"eyJh.$(reboot).c"))
passes("a token with a line behind it", lambda: memfd(TOKEN + b"\nPATH=/tmp\n"))
passes("a token that is an option", lambda: memfd(b"--force.b.c"))


@attack("the connection's own other end as a descriptor", "refused refused")
def _(agent):
    agent.install(fds=[os.dup(agent.socket.fileno())])


# --- Time and number ------------------------------------------------------------------------------------------

@attack("a thousand connections that say nothing", "state")
def _(agent):
    silent = []
    for _ in range(1000):
        silent.append(socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET))
        silent[-1].setblocking(False)
        try:
            silent[-1].connect(str(agent.world.socket_path))
        except BlockingIOError:
            pass  # the queue is full, which is its bound
    for one in silent:
        one.close()
    # It was replaced by these: an honest agent comes again.
    agent.socket.close()
    agent.__init__(agent.world)
    agent.say("probe")


@attack("somebody who stays and says nothing", "state")
def _(agent):
    agent.silent = Agent(agent.world)  # the newer one; whoever speaks has to come again
    agent.socket.close()
    agent.__init__(agent.world)
    agent.say("probe")


@attack("requests without reading the answers", CLOSED)
def _(agent):
    agent.socket.setblocking(False)
    data = json.dumps(agent.message("probe")).encode()
    for _ in range(200000):
        try:
            agent.socket.send(data)
        except BlockingIOError:
            agent.socket.settimeout(0.05)
            try:
                agent.socket.send(data)
            except TimeoutError:
                pass
            except OSError:
                break
            agent.socket.setblocking(False)
        except OSError:
            break
    agent.socket.settimeout(hostile_world.LIMIT_S)
    try:
        while True:
            agent.receive()
    except Closed:
        pass


@attack("half of the connection closed", CLOSED)
def _(agent):
    agent.socket.shutdown(socket.SHUT_WR)


@attack("somebody else's pid and uid", "state")
def _(agent):
    if os.geteuid() != 0:
        return agent.say("probe")
    data = json.dumps(agent.message("probe")).encode()
    return agent.socket.sendmsg([data], [(socket.SOL_SOCKET, 2, struct.pack("3i", 1, 0, 0))])  # SCM_CREDENTIALS


@attack("another user of this host", CLOSED)
def _(agent):
    if os.geteuid() != 0:
        agent.socket.shutdown(socket.SHUT_WR)  # there is nobody else to be
        return
    agent.socket.close()
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        try:
            os.setgroups([])
            os.setresgid(54321, 54321, 54321)
            os.setresuid(54321, 54321, 54321)
            with Agent(agent.world) as stranger:
                stranger.say("probe")
                theirs.send(stranger.answer().encode())
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
    theirs.close()
    agent.answer = lambda: ours.recv(100).decode()


# --- Order ----------------------------------------------------------------------------------------------------

def during_an_installation(world):
    """What is refused while an installer runs, and after its end until that is acknowledged. (name, expected, seen)."""
    wait, go = world.top / "storage" / "wait", world.top / "storage" / "go"
    wait.touch()
    with Agent(world) as agent:
        agent.install()
        yield "the honest installation begins", "state", agent.answer()
        agent.install()
        yield "a second installation beside it", "refused busy", agent.answer()
        agent.say("prepare", version=VERSION)
        yield "an image's pull beside it", "refused busy", agent.answer()
        agent.say("terminate", attempt="f" * 32)
        yield "the end of another attempt", "refused refused", agent.answer()
        go.touch()
        yield "it ends", "exited", agent.answer()
        agent.install()
        yield "a second installation before the first is acknowledged", "refused busy", agent.answer()
    wait.unlink()
    go.unlink()
    yield "acknowledged", "none", world.acknowledge()
    yield "one program was started, the spec's", repr([(str(world.script), world.expected_arguments())]), repr(world.programs())


# --- The fuzzed agent -----------------------------------------------------------------------------------------

HOSTILE = ["", "x" * 5000, "\0", "../../etc", "$(reboot)", "`id`", ";reboot", "-", "--force", "\u202e", "\ud800", "%s%n", "4.0.3", "0",
           "ffffffffffffffffffffffffffffffff", COORDINATOR, "2001:db8::1", "none", 0, -1, 1, 1 << 63, 1e308, True, None, [], {}, [[]]]
KINDS = ["probe", "gates", "prepare", "install", "attach", "terminate", "settle", "look", "acknowledge", "state", "line", "exited", "run"]


class Fuzzer:
    def __init__(self, world, seed):
        self.world, self.random = world, random.Random(seed)

    def message(self, agent):
        pick = self.random
        m = agent.message(pick.choice(KINDS))
        if m["kind"] in ("install", "terminate", "acknowledge"):
            m["attempt"] = ATTEMPT
        if m["kind"] in ("install", "prepare"):
            m["version"] = VERSION
        if m["kind"] == "install":
            m["coordinator"] = pick.choice([COORDINATOR, "2001:db8::1"])
        for _ in range(pick.choice([0, 0, 1, 1, 2, 4])):
            name = pick.choice([*m, "script", "user", "argv", "attempt", "version"])
            if pick.random() < 0.25:
                m.pop(name, None)
            else:
                m[name] = pick.choice(HOSTILE)
        data = json.dumps(m).encode()
        if pick.random() < 0.1:
            data = data.replace(b"{", b'{"%s": "%s", ' % (pick.choice([b"kind", b"version"]), b"install"), 1)
        if pick.random() < 0.15:
            at = pick.randrange(len(data))
            data = data[:at] + bytes([pick.randrange(256)]) + data[at + pick.choice([0, 1, 20]):]
        return data, m.get("kind")

    def descriptors(self, kind):
        pick = self.random
        if pick.random() < (0.1 if kind == "install" else 0.9):
            return []
        makers = [lambda: memfd(TOKEN), lambda: memfd(TOKEN), lambda: memfd(TOKEN, seals=pick.randrange(16)),
                  lambda: memfd(bytes(pick.randrange(256) for _ in range(40))), a_pipe, a_file,
                  lambda: memfd(TOKEN[:20] + pick.choice([b"'", b"$", b" ", b"\n", b"\0"]) + TOKEN[20:])]
        return [pick.choice(makers)() for _ in range(pick.choice([1, 1, 1, 1, 2, 9]))]

    def converse(self):
        """Says some things and goes away, in the middle or at the end."""
        with Agent(self.world) as agent:
            for _ in range(self.random.randrange(1, 7)):
                data, kind = self.message(agent)
                fds = self.descriptors(kind)
                agent.send(data, fds)
                for fd in fds:
                    os.close(fd)
            if self.random.random() < 0.5:
                try:
                    agent.receive()
                except Closed:
                    pass

    def judge(self):
        """Nothing but the spec's script, with the spec's arguments; only what an agent may choose may differ."""
        allowed = [(str(self.world.script), self.world.expected_arguments(coordinator))
                   for coordinator in (COORDINATOR, "2001:db8::1")]
        programs = self.world.programs()
        for program in programs:
            assert program in allowed, program
        return len(programs)

    def run(self, conversations):
        installations = 0
        for n in range(conversations):
            self.converse()
            if n % 50 == 49 or n == conversations - 1:
                self.world.settle()
                installations += self.judge()
        return installations


# --- All of it ------------------------------------------------------------------------------------------------

class Table:
    def __init__(self):
        self.number, self.failed = 0, 0

    def row(self, name, expected, seen):
        self.number += 1
        ok = expected == seen
        self.failed += not ok
        # Short words are a table; a list of programs is shown only when it is wrong.
        print("%sok %d - %-58s %s" % ("" if ok else "not ", self.number, name, expected if len(expected) < 40 else "as expected"), flush=True)
        if not ok:
            print("#   expected %s\n#   seen     %s" % (expected, seen), flush=True)


def play(world, function):
    with Agent(world) as agent:
        function(agent)
        seen = agent.answer()
        world.settle()
        programs = world.programs()
    return seen if not programs else "%s, and started %r" % (seen, programs)


def main():
    parser = argparse.ArgumentParser(description="Attacks of an agent that was taken over.")
    parser.add_argument("--conversations", type=int, default=300)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    options = parser.parse_args()
    if hostile_world.lacking():
        print("1..0 # SKIP " + hostile_world.lacking())
        return 0
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard), hard))
    world, table = World(), Table()
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard), hard))
    try:
        for name, expected, function in ATTACKS:
            table.row(name, expected, play(world, function))
        for name, expected, seen in during_an_installation(world):
            table.row(name, expected, seen)
        print("# %d attacks; the fuzzed agent: --conversations %d --seed %d" % (len(ATTACKS), options.conversations, options.seed), flush=True)
        try:
            installations = Fuzzer(world, options.seed).run(options.conversations)
            seen = "as expected"
            print("# %d of its conversations came to an installation, each the spec's" % installations)
        except (AssertionError, OSError, Closed) as error:
            seen = "%s: %s" % (type(error).__name__, error)
        table.row("the fuzzed agent", "as expected", seen)
    finally:
        world.close()
    print("1..%d" % table.number)
    return 1 if table.failed else 0


sys.exit(main())
