#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Many container engines in one process: each host of a fleet has an engine of its own, with nothing in it.

    engines.py SOCKET...        says "ready" when all of them listen
"""

import os
import pathlib
import selectors
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "installer" / "engine"))

from enginesim.installer import Behaviour  # noqa: E402
from enginesim.model import Engine, sleeper  # noqa: E402
from enginesim.server import EngineServer  # noqa: E402


def main(sockets) -> None:
    selector = selectors.DefaultSelector()
    for path in map(pathlib.Path, sockets):
        server = EngineServer(str(path), Engine(path.parent, sleeper), Behaviour(path.parent / "behaviour.json"), None, path.parent)
        os.chmod(path, 0o666)
        selector.register(server, selectors.EVENT_READ)
    print("ready", flush=True)
    while True:
        for key, _ in selector.select():
            key.fileobj.handle_request()  # in a thread of its own


main(sys.argv[1:])
