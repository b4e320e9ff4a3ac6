# SPDX-License-Identifier: Apache-2.0
"""What a reboot does to a host, without one: everything of it is dead, the boot id is another, its clock begins anew.

The boot id is a file bound over the kernel's in a mount namespace of the case's own; CLOCK_BOOTTIME begins anew in a time
namespace that each program enters as it is started. /run is empty after a boot, but for the socket, which its unit
has made again.
"""

import ctypes
import os
import shutil
import time
import uuid

from matrix import Skip
from scene import need_root
import tap

CLONE_NEWNS = 0x00020000
MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 1 << 18
BOOT_ID = "/proc/sys/kernel/random/boot_id"
UP_S = 20  # what the clock says when the host is up again

libc = ctypes.CDLL(None, use_errno=True)


def private_mounts() -> None:
    """For this process and all that it starts from now on."""
    need_root("make a mount namespace")
    if libc.unshare(CLONE_NEWNS) != 0:
        raise Skip("no mount namespace: " + os.strerror(ctypes.get_errno()))
    mount(None, "/", None, MS_REC | MS_PRIVATE)


def mount(source, target, kind, flags=0, options=None) -> None:
    words = [None if word is None else os.fsencode(word) for word in (source, target, kind)]
    if libc.mount(*words, ctypes.c_ulong(flags), options) != 0:
        raise OSError(ctypes.get_errno(), "mount %s: %s" % (target, os.strerror(ctypes.get_errno())))


def boottime_options():
    return ["--time", "--boottime", str(int(UP_S - time.clock_gettime(time.CLOCK_BOOTTIME)))]


def new_boot(scene) -> None:
    """Everything of the host dies, its containers too; whatever is started from now on finds another boot."""
    containers = scene.bench.containers
    for name in scene.bench.installer_containers():
        containers.expect("DELETE", "/containers/%s?force=1" % name)
    scene.agent.kill()
    scene.kill_keeper()
    tap.sweep(scene.platform | {scene.agent.process.pid} | ({scene.unit.process.pid} if scene.unit.process else set()))
    empty_runtime(scene)
    private_mounts()
    boot_id = scene.tracing / "boot_id"
    boot_id.write_text("%s\n" % uuid.uuid4())
    mount(boot_id, BOOT_ID, None, MS_BIND)
    user = scene.bench.user
    scene.wrap_agent = lambda start: ["unshare", *boottime_options()]
    scene.wrap_keeper = lambda start: ["unshare", *boottime_options(), "setpriv", "--reuid", user.pw_name,
                                       "--regid", str(user.pw_gid), "--init-groups"]


def empty_runtime(scene) -> None:
    for path in scene.bench.runtime.iterdir():
        if not path.is_socket():
            path.unlink()
    for path in scene.keeper_directory.glob("attempt-*"):
        shutil.rmtree(path)
