# SPDX-License-Identifier: Apache-2.0
"""Inside of the virtual machine: the real agent and keeper, their state on the disk whose power is cut.

Platform and container engine stand outside, so that they remember what was done; here are only doors to them, under the addresses
that the spec has. The agent's state is said on the line whenever it changes. Nobody asks for an end: the power goes when the
machine's owner has seen enough.
"""

import fcntl
import json
import os
import pathlib
import socket
import subprocess
import threading
import time

LINE = "/dev/ttyS1"
OUTSIDE = "10.0.2.2"  # the machine's owner, in qemu's own network
STATE = pathlib.Path("/disk/state")
KEEPER = pathlib.Path("/disk/installd")
RUNTIME = pathlib.Path("/run/ece-enroll")


def pump(source, target):
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def door(listener, port):
    """Whoever comes in is led to the port outside."""
    while True:
        inner, _ = listener.accept()
        outer = socket.create_connection((OUTSIDE, port))
        for pair in ((inner, outer), (outer, inner)):
            threading.Thread(target=pump, args=pair, daemon=True).start()


def open_doors(settings):
    for port in settings["tcp_ports"]:
        listener = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=door, args=(listener, port), daemon=True).start()
    path = pathlib.Path(settings["engine_socket"])
    path.parent.mkdir(parents=True, exist_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen(16)
    os.chmod(path, 0o666)
    threading.Thread(target=door, args=(listener, settings["engine_port"]), daemon=True).start()


def network():
    for words in ("link set lo up", "addr add 10.0.2.15/24 dev eth0", "link set eth0 up", "route add default via " + OUTSIDE):
        subprocess.run(["ip", *words.split()], check=True)


def keeper(settings, environment):
    """What the socket unit does, for good: a keeper that starts when somebody connects, and again."""
    path = str(RUNTIME / "installd.sock")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(path)
    os.chmod(path, 0o666)
    listener.listen(8)
    # A high number, so that the shell in between can move it to 3.
    fd = fcntl.fcntl(listener.fileno(), fcntl.F_DUPFD_CLOEXEC, 64)
    activate = 'fd=$1; shift; exec 3<&"$fd"; LISTEN_PID=$$ LISTEN_FDS=1 exec "$@"'
    user = settings["user"]

    def serve():
        while True:
            subprocess.run(["bash", "-c", activate, "activate", str(fd), settings["programs"] + "/ece-installd",
                            "--spec", settings["spec"], "--state-dir", KEEPER, "--runtime-dir", "/run/installd", "--shim",
                            settings["programs"] + "/ece-enroll-shim"],
                           env=environment, pass_fds=[fd], stdin=subprocess.DEVNULL, cwd="/", check=False,
                           user=user["uid"], group=user["gid"], extra_groups=user["groups"])

    threading.Thread(target=serve, daemon=True).start()


def directories(user):
    RUNTIME.mkdir()
    for path in (STATE, KEEPER, pathlib.Path("/run/installd")):
        path.mkdir(mode=0o700, exist_ok=True)
    for path in (KEEPER, "/run/installd", *user["directories"]):
        pathlib.Path(path).mkdir(mode=0o700, exist_ok=True)
        os.chown(path, user["uid"], user["gid"])


def state():
    """The agent's state, and the reason if it has one."""
    try:
        status = json.loads((RUNTIME / "status.json").read_text())
        return "%s %s" % (status["state"], (status.get("reason") or {}).get("text", ""))
    except (OSError, ValueError, KeyError):
        return ""


def main():
    settings = json.loads(pathlib.Path("/guest.json").read_text())
    environment = {"PATH": settings["path"], "HOME": "/", "LC_ALL": "C.UTF-8"}
    os.environ.update(environment)
    os.symlink("/proc/self/fd", "/dev/fd")
    network()
    directories(settings["user"])
    open_doors(settings)
    with open(LINE, "w", buffering=1) as line:
        print("up", file=line)
        keeper(settings, environment)
        agent = subprocess.Popen([settings["programs"] + "/ece-enrolld", "--spec", settings["spec"], "--state-dir", STATE,
                                  "--runtime-dir", RUNTIME], env=environment, stdin=subprocess.DEVNULL, cwd="/")
        before = ""
        while agent.poll() is None:
            now = state()
            if now != before:
                print("state", now, file=line)
                before = now
            # status.json is replaced; looking again costs less than being told.
            time.sleep(0.05)
        print("bad the agent has left with", agent.returncode, file=line)
        time.sleep(3600)


main()
