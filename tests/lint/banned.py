# SPDX-License-Identifier: Apache-2.0
"""Functions that nobody calls here, each with what to use instead, and descriptors that would leak into children."""

import re

import lint

BANNED = {
    "alloca": "the heap, or a fixed array with a named maximum",
    "asctime": "strftime", "ctime": "strftime",
    "atof": "base/text.h", "atoi": "base/text.h", "atol": "base/text.h", "atoll": "base/text.h",
    "strtol": "base/text.h", "strtoll": "base/text.h", "strtoul": "base/text.h", "strtoull": "base/text.h",
    "sscanf": "base/text.h", "strtod": "nothing: no floating point here",
    "fgets": "base/file.h", "getline": "base/file.h", "gets": "base/file.h",
    "localtime": "gmtime_r", "gmtime": "gmtime_r", "mktime": "timegm (dates of HTTP are GMT)",
    "mktemp": "mkstemp", "tempnam": "mkstemp", "tmpnam": "mkstemp",
    "popen": "posix_spawn", "system": "posix_spawn", "vfork": "posix_spawn", "fork": "posix_spawn",
    "pipe": "pipe2", "accept": "accept4", "dup": "fcntl(F_DUPFD_CLOEXEC)", "creat": "open",
    "putenv": "an environment of the child's own", "setenv": "an environment of the child's own",
    "rand": "getrandom", "random": "getrandom", "srand": "getrandom",
    "readdir_r": "scandir or readdir", "strerror_r": "strerror (one thread)",
    "setjmp": "a return value", "longjmp": "a return value",
    "sleep": "a timer of the loop", "usleep": "a timer of the loop", "nanosleep": "a timer of the loop",
    "signal_handler": "sd_event_add_signal",
    "sprintf": "snprintf", "vsprintf": "vsnprintf", "strcat": "base/buffer.h", "strncat": "base/buffer.h",
    "strcpy": "snprintf", "strncpy": "snprintf", "stpcpy": "snprintf", "strtok": "strcspn", "strtok_r": "strcspn",
    "bzero": "memset, or secret_wipe", "memfrob": "an honest cipher",
}
# cmocka wants setjmp.h; its macros are not calls of ours. "accept" is also a word.
ALLOWED_IN_TESTS = {"accept", "setenv", "unsetenv", "fork", "pipe", "sleep", "usleep", "nanosleep", "dup", "fgets"}
# Where an exception stands, its reason stands there too.
ALLOWED = {("agent/cli/command-status.c", "nanosleep")}

CALL = re.compile(r"(?<![\w.>])(%s)\s*\(" % "|".join(BANNED))
# Descriptor makers and what has to be among their arguments.
CLOEXEC = {"open": "O_CLOEXEC", "openat": "O_CLOEXEC", "pipe2": "O_CLOEXEC", "socket": "SOCK_CLOEXEC",
           "socketpair": "SOCK_CLOEXEC", "accept4": "SOCK_CLOEXEC", "memfd_create": "MFD_CLOEXEC",
           "epoll_create1": "EPOLL_CLOEXEC", "eventfd": "EFD_CLOEXEC", "inotify_init1": "IN_CLOEXEC",
           "signalfd": "SFD_CLOEXEC", "timerfd_create": "TFD_CLOEXEC", "recvmsg": "MSG_CMSG_CLOEXEC"}
MAKER = re.compile(r"(?<![\w.>])(%s)\s*\(" % "|".join(CLOEXEC))


def sources(prefix):
    for name in lint.files(".c", ".h"):
        if name.startswith(prefix):
            yield name, lint.code(lint.text(name))


def calls(prefix, allowed):
    for name, source in sources(prefix):
        for match in CALL.finditer(source):
            function = match.group(1)
            if function not in allowed and (name, function) not in ALLOWED:
                yield f"{name}:{lint.line_of(source, match.start())}: {function}(); use {BANNED[function]}"


def arguments(source, start):
    depth = 0
    for end in range(start, len(source)):
        depth += {"(": 1, ")": -1}.get(source[end], 0)
        if depth == 0:
            return source[start:end]
    return source[start:]


def leaks():
    for name, source in sources("agent/"):
        for match in MAKER.finditer(source):
            flag = CLOEXEC[match.group(1)]
            # A prototype or a variable with flags is judged where the flags are: only literal flags count as seen.
            inside = arguments(source, match.end() - 1)
            if flag not in inside and not re.search(r"\bflags\b", inside):
                yield f"{name}:{lint.line_of(source, match.start())}: {match.group(1)}() without {flag}"
        for match in re.finditer(r"\bfd?open\s*\(", source):
            original = lint.text(name)[match.start():match.start() + 120].split(";")[0]
            if match.group().startswith("fo") and not re.search(r'"[rwa]\+?e', original):
                yield f"{name}:{lint.line_of(source, match.start())}: fopen() without \"e\""


def words():
    for name, source in sources("agent/"):
        for match in re.finditer(r"\bgoto\b|\bvolatile\b", source):
            yield f"{name}:{lint.line_of(source, match.start())}: {match.group()}"


def wrong_errno():
    """sd_*() and posix_spawn() return their error; errno is then somebody else's."""
    pattern = re.compile(r"\b(\w+) = ((?:sd_|posix_spawn)\w+)\(")
    for name, source in sources("agent/"):
        lines = source.splitlines()
        for number, line in enumerate(lines, 1):
            match = pattern.search(line)
            if not match:
                continue
            after = "\n".join(lines[number:number + 4]).split(";\n")[:2]
            if any(re.search(r"return\s+-errno", piece) for piece in after):
                yield f"{name}:{number}: -errno after {match.group(2)}(), which returns its error"


lint.main([
    ("no banned function in agent/", calls("agent/", set())),
    ("no banned function in tests/", calls("tests/", ALLOWED_IN_TESTS)),
    ("descriptors are close-on-exec from birth", leaks()),
    ("no goto", words()),
    ("no -errno after functions that return their error", wrong_errno()),
])
