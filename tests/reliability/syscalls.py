# SPDX-License-Identifier: Apache-2.0
"""Each system call by which the programs keep their records, start programs and talk to each other fails once."""

import collections
import itertools
import re

import records
from matrix import Case, Skip
from scene import JOINS, Scene, need_root, not_here, until_it_hits
from tracer import attach, calls_in, detach, injected, need_strace, strace

TITLE = "A system call fails once; full and read-only disks; damaged records"
METHOD = """\
Which calls there are is found by tracing an undisturbed enrollment with strace, so that the list stays whole when the
code changes: those on files and directories of the host, on descriptors of a spawn, on sockets, timers and the event
loop, in ece-enrolld, ece-installd and `ece-enroll run`. strace then makes one of them fail, once, with an error that it
may have; that it hit is the mark (INJECTED) in its log, and a fault that did not hit is no pass. A program that a failing
machine ends with 70 is started again as its unit would. Calls that only the child of a spawn makes are made to
fail by a strace that is attached to the running keeper and let go after the first hit.

Disks are small file systems, filled up or remounted read-only, and mended later. Records are damaged while the programs
are dead: each damage must be noticed and set aside as it was found."""

PROGRAMS = {"ece-enrolld": ("service", "agent"), "ece-installd": ("service", "keeper"), "ece-enroll run": ("run", "agent")}
CASES_MAX = 600
CASES_BOUNDED = 60

# The errors that a call may have on a machine in trouble.
ERRORS = {
    "openat": ("EMFILE", "EIO", "EACCES"), "openat O_CREAT": ("ENOSPC", "EROFS", "EMFILE"),
    "read": ("EIO", "EINTR"), "write": ("ENOSPC", "EIO", "EINTR"), "fchmod": ("EIO", "EROFS"),
    "fsync": ("EIO", "ENOSPC", "EDQUOT"), "renameat": ("EIO", "ENOSPC", "EROFS"), "unlinkat": ("EIO", "EROFS"),
    "mkdirat": ("ENOSPC", "EROFS"), "symlinkat": ("ENOSPC", "EROFS"), "flock": ("ENOLCK", "EINTR"), "fchown": ("EROFS",),
    "unlink": ("EROFS",), "chmod": ("EROFS",), "getdents64": ("EIO",), "ftruncate": ("ENOSPC",),
    "getrandom": ("EINTR",), "fcntl": ("ENOMEM",), "mlock": ("ENOMEM", "EAGAIN"),
    "pipe2": ("EMFILE", "ENFILE"), "memfd_create": ("EMFILE", "ENOMEM"), "clone": ("EAGAIN", "ENOMEM"),
    "clone3": ("EAGAIN", "ENOMEM"), "vfork": ("EAGAIN", "ENOMEM"), "pidfd_open": ("EMFILE", "ENOMEM", "ENFILE"),
    "waitid": ("EINTR", "ECHILD"), "kill": ("EPERM",),
    "socket": ("EMFILE", "ENFILE", "ENOMEM"), "socketpair": ("EMFILE", "ENOMEM"), "connect": ("EAGAIN", "ECONNREFUSED", "EACCES"),
    "bind": ("EADDRINUSE", "EACCES"), "listen": ("EADDRINUSE",), "accept4": ("EMFILE", "ECONNABORTED", "EINTR"),
    "getsockopt": ("ENOBUFS",), "setsockopt": ("ENOMEM",), "sendmsg": ("EPIPE", "ENOBUFS", "EAGAIN", "EINTR"),
    "recvmsg": ("ECONNRESET", "ENOMEM", "EINTR", "EAGAIN"), "sendto": ("EPIPE", "ECONNRESET", "EINTR"),
    "recvfrom": ("ECONNRESET", "ENOMEM", "EINTR"), "poll": ("ENOMEM", "EINTR"),
    "epoll_create1": ("EMFILE", "ENOMEM"), "epoll_ctl": ("ENOMEM", "ENOSPC"), "epoll_wait": ("EINTR", "ENOMEM"),
    "timerfd_create": ("EMFILE", "ENOMEM"), "timerfd_settime": ("ENOMEM",), "signalfd4": ("EMFILE", "ENOMEM"),
    "eventfd2": ("EMFILE",),
}
CALLS = tuple(sorted({key.split()[0] for key in ERRORS}))

# Between fork and exec of a spawn, and the exec itself.
CHILD_ERRORS = {"execve": ("ENOMEM", "EAGAIN", "EACCES", "EIO"), "dup2": ("EBUSY", "EMFILE"), "chdir": ("EACCES", "EIO"),
                "setsid": ("EPERM",)}

# What these are made on says nothing about a file of the host, so all of them count.
WITHOUT_PATH = {"pipe2", "memfd_create", "clone", "clone3", "vfork", "pidfd_open", "waitid", "kill", "socket", "socketpair",
                "connect", "bind", "listen", "accept4", "getsockopt", "setsockopt", "sendmsg", "recvmsg", "sendto", "recvfrom",
                "poll", "epoll_create1", "epoll_ctl", "epoll_wait", "timerfd_create", "timerfd_settime", "signalfd4", "eventfd2",
                "getrandom", "mlock"}
WITH_PATH = {"openat", "renameat", "unlinkat", "mkdirat", "symlinkat", "unlink", "chmod"}
ELSEWHERE = re.compile(r"/var/run/nscd|userdb|/programs/")
RANDOM_NAME = re.compile(r"[0-9a-f]{16,}")
DESCRIPTOR = re.compile(r"^-?\d+<(?P<what>[^>]*)")
QUOTED = re.compile(r'"(?P<path>[^"]*)"')

Call = collections.namedtuple("Call", "program name number what errors")  # number: which of this name, as strace counts


# The list

def what_on(name, rest, top) -> str:
    """What a call is made on, in words that are the same in each enrollment."""
    descriptor = DESCRIPTOR.match(rest)
    quoted = QUOTED.search(rest) if name in WITH_PATH else None
    words = [descriptor["what"].partition("->")[0].partition(":[")[0]] if descriptor else []
    words += [quoted["path"]] if quoted else []
    text = "/".join(words).replace(top + "/", "").replace(top, "").replace("(deleted)", "")
    return RANDOM_NAME.sub("*", text).strip("/")


def counts(name, rest, top) -> bool:
    if ELSEWHERE.search(rest):
        return False
    if name in WITHOUT_PATH:
        return True
    return top in rest.rpartition(" = ")[0] or "boot_id" in rest or "memfd:" in rest


# What a person has forbidden is no fault of the machine; that it is told as one is for others to prove.
MAY_BE_FORBIDDEN = re.compile(r"enroll\.yaml|ca\.pem|/key\b")


def errors_of(name, rest):
    if name == "openat" and MAY_BE_FORBIDDEN.search(rest):
        return ("EMFILE", "EIO", "ENFILE")
    return ERRORS["openat O_CREAT"] if name == "openat" and "O_CREAT" in rest else ERRORS[name]


def calls_of(program, log, top):
    """What the program itself does: the shell that passes the socket on comes before its execve."""
    numbers = collections.Counter()
    started = not program.startswith("ece-installd")
    for name, rest in calls_in(log):
        if name == "execve":
            started = started or "ece-installd" in rest
            continue
        numbers[name] += 1
        if started and counts(name, rest, top):
            yield Call(program, name, numbers[name], what_on(name, rest, top), errors_of(name, rest))


def traced_calls():
    for how in ("service", "run"):
        with Scene(how) as scene:
            scene.begin(lambda start: trace(scene, "agent", start, (*CALLS, "execve")),
                        lambda start: trace(scene, "keeper", start, (*CALLS, "execve")))
            scene.to_the_end()
            for program, (its_how, who) in PROGRAMS.items():
                if its_how == how:
                    yield from calls_of(program, scene.tracing / ("%s-1" % who), str(scene.bench.top))


def trace(scene, who, start, calls, inject=None):
    return strace(scene.tracing / ("%s-%d" % (who, start)), calls, inject,
                  user=scene.bench.user.pw_name if who == "keeper" else None)


# The choice

def spread(items, most):
    """The first, the last, and some between them."""
    if len(items) <= most:
        return list(items)
    return [items[at * (len(items) - 1) // max(1, most - 1)] for at in range(most)]


def faults(calls):
    """(call, error) in the order of their worth: each kind of call on each thing once, then its other errors and uses."""
    kinds = {}
    for call in calls:
        kinds.setdefault((call.program, call.name, call.what), []).append(call)
    first, later = [], []
    for at, uses in enumerate(kinds.values()):
        uses, errors = spread(uses, 4), uses[0].errors
        first.append((uses[0], errors[at % len(errors)]))
        later += [(uses[0], error) for error in errors if error != errors[at % len(errors)]]
        later += [(use, errors[(at + n) % len(errors)]) for n, use in enumerate(uses[1:], 1)]
    return first, later


def one_of_each(first):
    """Each call of each program once, and what is left for more of them."""
    seen, chosen, rest = set(), [], []
    for fault in first:
        key = (fault[0].program, fault[0].name)
        (rest if key in seen else chosen).append(fault)
        seen.add(key)
    return chosen, rest


def choose(calls, full):
    first, later = faults(calls)
    if full:
        return first + spread(later, max(0, CASES_MAX - len(first)))
    chosen, rest = one_of_each(first)
    return chosen + spread(rest, max(0, CASES_BOUNDED - len(chosen)))


# The cases

def fail_once(call, error) -> str:
    how, who = PROGRAMS[call.program]
    with Scene(how) as scene:
        log = scene.tracing / (who + "-1")
        inject = "%s:error=%s:when=%d" % (call.name, error, call.number)

        def wrap(whose):
            return lambda start: trace(scene, who, start, (call.name,), inject) if who == whose and start == 1 else ()

        scene.fault_may_end_agent = who == "agent"
        scene.begin(wrap("agent"), wrap("keeper"))
        scene.until_hit(lambda: injected(log))
        scene.to_the_end()
        return scene.verdict()


def fail_in_child(name, error) -> str:
    with Scene() as scene:
        log = scene.tracing / "child"
        scene.start_keeper()
        tracer = attach(scene.keeper(), log, "%s:error=%s:when=1" % (name, error))
        scene.begin()
        scene.until_hit(lambda: injected(log))
        detach(tracer)
        scene.to_the_end()
        return scene.verdict()


def call_case(call, error) -> Case:
    fault = "%s: %s fails, use %d%s: %s" % (call.program, call.name, call.number, call.what and " on " + call.what, error)
    return Case(fault, JOINS.expects(PROGRAMS[call.program][0]), lambda: until_it_hits(lambda _: fail_once(call, error)))


def child_cases(full):
    for name, errors in CHILD_ERRORS.items():
        for error in errors if full else errors[:1]:
            yield Case("ece-installd's child: %s fails: %s" % (name, error), JOINS.expected,
                       lambda n=name, e=error: until_it_hits(lambda _: fail_in_child(n, e)))


def cases(full):
    try:
        need_strace()
        need_root("mount a file system")
    except Skip as missing:
        yield not_here(missing)
        return
    yield from itertools.starmap(call_case, choose(list(traced_calls()), full))
    yield from child_cases(full)
    yield from records.cases(full)
