# SPDX-License-Identifier: Apache-2.0
"""Disks that are full or read-only, and records that are damaged, torn, or somebody else's."""

import ctypes
import errno
import hashlib
import json
import os

from matrix import Case
from reboot import libc, mount, private_mounts
from scene import JOINED, JOINS, SET_ASIDE_BY_KEEPER, Scenario, Scene

DISK_SIZE = "256k"
MS_REMOUNT, MS_RDONLY = 0x20, 0x1
HELD = Scenario("held", JOINED, JOINED + ", exit 0", behaviour=({"hold": True},))
STRIDE, STRIDE_BOUNDED = 7, 89
SET_ASIDE = "record.json.damaged"
SET_ASIDE_WHOLE = "record.json.other-release"


# A disk of its own

class Disk:
    """A small file system at a directory of the host, in a mount namespace of the case's own. by: "full" or "read-only"."""

    def __init__(self, by, directory, user=None):
        private_mounts()
        self.by, self.directory = by, directory
        directory.mkdir(mode=0o700, exist_ok=True)
        options = "size=%s,mode=0700" % DISK_SIZE
        options += ",uid=%d,gid=%d" % (user.pw_uid, user.pw_gid) if user else ""
        mount("tmpfs", directory, "tmpfs", 0, options.encode())
        self.ballast = directory / "ballast"

    def fill(self) -> None:
        with open(self.ballast, "wb", buffering=0) as file:
            while True:
                try:
                    file.write(b"x" * 4096)
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
                    return

    def free(self) -> None:
        self.ballast.unlink()

    def read_only(self, on) -> None:
        mount("tmpfs", self.directory, "tmpfs", MS_REMOUNT | (MS_RDONLY if on else 0), None)

    def break_down(self) -> None:
        self.read_only(True) if self.by == "read-only" else self.fill()

    def mend(self) -> None:
        self.read_only(False) if self.by == "read-only" else self.free()

    def close(self) -> None:
        libc.umount2(os.fsencode(self.directory), ctypes.c_int(2))  # MNT_DETACH


def says(scene, reason) -> bool:
    status = scene.bench.status() or {}
    return (status.get("reason") or {}).get("id") == reason


def broken_at_start(how, by) -> str:
    """It waits without a token and without an installer, says why, and goes on by itself once there is room."""
    with Scene(how) as scene:
        disk = Disk(by, scene.bench.state)
        disk.break_down()
        scene.begin()
        scene.go_on(lambda: says(scene, "host.record"))
        early = scene.bench.minted(), scene.bench.installs()
        disk.mend()
        scene.to_the_end()
        return verdict_and_close(scene, disk) if early == (0, 0) else "%d minted and %d installed unrecorded" % early


def verdict_and_close(scene, disk) -> str:
    try:
        return scene.verdict()
    finally:
        disk.close()


def broken_while_installing(by) -> str:
    """The end is found out all the same, also by an agent that is killed then and started again; and it stays true."""
    with Scene("service", HELD) as scene:
        disk = Disk(by, scene.bench.state)
        scene.begin()
        scene.bench.wait_status("INSTALLING")
        scene.go_on(lambda: scene.bench.containers.events("start"))
        disk.break_down()
        scene.bench.containers.release()
        scene.to_the_end()
        scene.agent.kill()
        scene.go_on(lambda: scene.agent.starts == 2)
        scene.to_the_end()
        disk.mend()
        return verdict_and_close(scene, disk)


def keeper_broken_at_start(by) -> str:
    """No installer without a record of it; once it can be written, one."""
    with Scene() as scene:
        disk = Disk(by, scene.bench.owned("installd"), scene.bench.user)
        disk.break_down()
        scene.begin()
        scene.go_on(lambda: scene.bench.minted() > 0 and (scene.bench.status() or {}).get("state") == "BACKOFF")
        early = scene.bench.installs()
        disk.mend()
        scene.to_the_end()
        return verdict_and_close(scene, disk) if early == 0 else "%d installed unrecorded" % early


def keeper_broken_while_installing(by) -> str:
    with Scene("service", HELD) as scene:
        disk = Disk(by, scene.bench.owned("installd"), scene.bench.user)
        scene.begin()
        scene.bench.wait_status("INSTALLING")
        scene.go_on(lambda: scene.bench.containers.events("start"))
        disk.break_down()
        scene.bench.containers.release()
        scene.bench.containers.wait("remove")
        scene.kill_keeper()
        scene.to_the_end()
        disk.mend()
        return verdict_and_close(scene, disk)


def disk_cases():
    for by in ("full", "read-only"):
        for how in ("service", "run"):
            yield Case("%s: the state directory's disk is %s at the start, mended later" % (how, by), JOINS.expects(how),
                       lambda h=how, b=by: broken_at_start(h, b))
        for what, run in (("the state directory's disk becomes %s while an installer runs", broken_while_installing),
                          ("the keeper's disk is %s at the start, mended later", keeper_broken_at_start),
                          ("the keeper's disk becomes %s while an installer runs, and it is killed",
                           keeper_broken_while_installing)):
            yield Case("service: " + what % by, JOINS.expected, lambda r=run, b=by: r(b))


# Many damages, on a host that is a member

def truncations(text, stride):
    for size in range(0, len(text), stride):
        yield "cut off after %d bytes" % size, text[:size]


def flips(text, stride):
    for at in range(0, len(text), stride):
        bit = 1 << (at // stride) % 8
        yield "bit %d of byte %d" % (bit, at), text[:at] + bytes([text[at] ^ bit]) + text[at + 1:]


def all_noticed(variants, stride) -> str:
    """Each one is set aside as it is, and the host is found to be a member without another token or installer."""
    with Scene() as scene:
        scene.begin()
        scene.to_the_end()
        record, aside = scene.bench.state / "record.json", scene.bench.state / SET_ASIDE
        scene.agent.leave()
        whole, missed, count = record.read_bytes(), [], 0
        for what, content in variants(whole, stride):
            record.write_bytes(content)
            scene.agent.start()
            scene.to_the_end()
            scene.agent.leave()
            if not aside.exists() or aside.read_bytes() != content:
                missed.append(what)
            aside.unlink(missing_ok=True)
            count += 1
        scene.agent.start()
        scene.to_the_end()
        words = [scene.verdict()] + ["not noticed: " + what for what in missed[:3]]
        return ", ".join(words) if count > 1 else "nothing was tried"


# One damage each, with an installer at work

def of_the_future(text):
    """A whole record of another release's: its seal is right."""
    record = json.loads(text)
    del record["sha256"]
    record["schema"] += 1
    sealed = json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    record["sha256"] = hashlib.sha256(sealed.encode()).hexdigest()
    return json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


DAMAGES = {
    "empty": lambda text: b"",
    "half": lambda text: text[:len(text) // 2],
    "torn: its second half is zeros": lambda text: text[:len(text) // 2] + bytes(len(text) - len(text) // 2),
    "twice": lambda text: text + text,
    "random bytes": lambda text: hashlib.sha512(text).digest() * 8,
    "another program's JSON": lambda text: b'{"schema":1,"state":"running","services":[]}\n',
    "larger than a record may be": lambda text: text.rstrip() + b" " * (1 << 20),
    "of a release to come": of_the_future,
}


def replace_by_directory(path) -> None:
    path.unlink()
    path.mkdir()


def replace_by_link(path) -> None:
    path.unlink()
    path.symlink_to("/etc/passwd")


def replace_by_pipe(path) -> None:
    path.unlink()
    os.mkfifo(path)


THINGS = {"a directory": replace_by_directory, "a symbolic link": replace_by_link, "a pipe": replace_by_pipe}


def damage(path, how) -> None:
    if how in THINGS:
        THINGS[how](path)
        return
    content = DAMAGES[how](path.read_bytes())
    path.write_bytes(content)


def with_installer_at_work(whose, how) -> str:
    """The installer is neither forgotten nor joined by a second one."""
    with Scene("service", HELD) as scene:
        scene.begin()
        scene.bench.wait_status("INSTALLING")
        scene.go_on(lambda: scene.bench.containers.events("start"))
        scene.agent.kill()
        if whose == "keeper":
            scene.kill_keeper()
        directory = scene.bench.state if whose == "agent" else scene.keeper_directory
        damage(directory / ("record.json" if whose == "agent" else "attempt.json"), how)
        scene.go_on(lambda: scene.agent.starts == 2 and scene.agent.has_told())
        scene.bench.containers.release()
        scene.to_the_end()
        return ", ".join([scene.verdict(), *not_set_aside(directory, whose, how)])


def not_set_aside(directory, whose, how):
    name = SET_ASIDE_BY_KEEPER if whose == "keeper" else SET_ASIDE_WHOLE if how == "of a release to come" else SET_ASIDE
    if not os.path.lexists(directory / name):
        yield name + " is not there"


def damage_cases(full):
    stride = STRIDE if full else STRIDE_BOUNDED
    for what, variants in (("cut off", truncations), ("with one flipped bit", flips)):
        yield Case("the agent's record %s, at every %d bytes" % (what, stride), JOINS.expected,
                   lambda v=variants: all_noticed(v, stride))
    for whose, name in (("agent", "record.json"), ("keeper", "attempt.json")):
        for at, how in enumerate((*DAMAGES, *THINGS)):
            if full or at % 2 == (whose == "keeper"):
                yield Case("installer at work, %s is found to be %s" % (name, how), JOINS.expected,
                           lambda w=whose, h=how: with_installer_at_work(w, h))


def cases(full):
    yield from disk_cases()
    yield from damage_cases(full)
