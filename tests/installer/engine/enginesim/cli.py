# SPDX-License-Identifier: Apache-2.0
"""Options and life cycle of the stand-in daemon."""

import argparse
import os
import pathlib
import signal
import threading

from .installer import Behaviour
from .model import Engine, sleeper
from .server import EngineServer


def _parser():
    parser = argparse.ArgumentParser(prog="ece-engine-sim", description=__doc__.splitlines()[0])
    parser.add_argument("--socket", required=True, help="where to listen")
    parser.add_argument("--dir", required=True, type=pathlib.Path, help="events.jsonl, behaviour.json, pull-error, pull-hold, ready")
    parser.add_argument("--join", metavar="HOST:PORT", help="the coordinator simulator's door for hosts")
    parser.add_argument("--image", action="append", default=[], help="an image that is there already")
    return parser


def main(arguments=None) -> int:
    options = _parser().parse_args(arguments)
    options.dir.mkdir(parents=True, exist_ok=True)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    if os.path.exists(options.socket):
        os.unlink(options.socket)

    engine = Engine(options.dir, sleeper)
    engine.images.update(options.image)
    engine.tell("begin")  # nothing is at work, whatever the log says of those before
    server = EngineServer(options.socket, engine, Behaviour(options.dir / "behaviour.json"),
                          options.join, options.dir)
    os.chmod(options.socket, 0o666)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    (options.dir / "ready").write_text("%d\n" % os.getpid())
    print("ready", options.socket, flush=True)

    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    os.unlink(options.socket)
    return 0
