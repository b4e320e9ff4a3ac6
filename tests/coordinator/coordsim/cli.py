# SPDX-License-Identifier: Apache-2.0
"""Options, files and life cycle of the simulator.

What it writes into its directory: ca.pem (trust this), other-ca.pem (not this), url and urls, join and control
(host:port), credentials.json (made up unless --secrets names a file), requests.jsonl, and last of all `ready`.
Secrets come from a file or are made up: never from the command line, which everybody may read.
"""

import argparse
import json
import os
import pathlib
import secrets
import signal
import sys

from . import accounts
from .control import ControlServer
from .faults import Faults
from .join import JoinServer
from .pki import LEAVES, Pki
from .server import Simulator
from .state import Clock, Platform


def _address(text):
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdigit():
        raise argparse.ArgumentTypeError("%r is not HOST:PORT" % text)
    return host, int(port)


def _parser():
    parser = argparse.ArgumentParser(prog="ece-coordinator-sim", description=__doc__.splitlines()[0])
    parser.add_argument("--dir", required=True, type=pathlib.Path, help="where to write what clients need")
    parser.add_argument("--listen", type=_address, action="append",
                        help="HOST:PORT of a coordinator; repeat for more of the same installation")
    parser.add_argument("--join", type=_address, default=("127.0.0.1", 0), help="door for hosts")
    parser.add_argument("--control", type=_address, default=("127.0.0.1", 0), help="door for tests")
    parser.add_argument("--pki", type=pathlib.Path, help="directory of certificates to use or make")
    parser.add_argument("--leaf", choices=LEAVES, default="good", help="what the coordinator's certificate is")
    parser.add_argument("--name", action="append", default=["localhost"], help="further DNS name in the certificate")
    parser.add_argument("--version", default="4.0.3", help="of the installation")
    parser.add_argument("--secrets", type=pathlib.Path, help="JSON file in the form of credentials.json")
    parser.add_argument("--faults", type=pathlib.Path, help="JSON file with a list of fault rules")
    parser.add_argument("--clock-offset", type=int, default=0, metavar="S", help="of the platform's clock")
    parser.add_argument("--join-delay", type=float, default=0.0, metavar="S", help="from joining to connected")
    parser.add_argument("--effect-delay", type=float, default=0.0, metavar="S", help="from connected to effective")
    parser.add_argument("--index-lag", type=float, default=0.0, metavar="S", help="of the lists behind the truth")
    parser.add_argument("--bearer-life", type=int, default=3600, metavar="S", help="of login sessions")
    parser.add_argument("--no-authentication-cluster", action="store_true", help="login answers 501")
    return parser


def _made_up_secrets() -> dict:
    return {"admin_password": secrets.token_urlsafe(18), "readonly_password": secrets.token_urlsafe(18),
            "ops_password": secrets.token_urlsafe(18), "deployer_password": secrets.token_urlsafe(18),
            "api_key": None, "viewer_api_key": None}


def _accounts(options, clock):
    """The built-in users, a native admin `ops`, a `deployer` without platform rights; keys for ops and viewer."""
    known = _made_up_secrets()
    if options.secrets:
        known.update(json.loads(options.secrets.read_text()))
    book = accounts.Accounts(clock, options.bearer_life)
    book.add_user("admin", known["admin_password"], accounts.ADMIN, builtin=True)
    book.add_user("readonly", known["readonly_password"], accounts.VIEWER, builtin=True)
    book.add_user("ops", known["ops_password"], accounts.ADMIN)
    book.add_user("viewer", secrets.token_urlsafe(18), accounts.VIEWER)
    book.add_user("deployer", known["deployer_password"], accounts.DEPLOYER)
    known["api_key"] = book.add_key("ops", "enrollment", known["api_key"]).secret
    known["viewer_api_key"] = book.add_key("viewer", "looking on", known["viewer_api_key"]).secret
    return book, known


def _write(directory, name, text, mode=0o644) -> None:
    """Atomically: who sees the file sees all of it."""
    temporary = directory / ("." + name)
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w") as file:
        file.write(text)
    temporary.rename(directory / name)


def _door(server) -> str:
    return "%s:%d\n" % server.server_address[:2]


def main(arguments=None) -> int:
    options = _parser().parse_args(arguments)
    directory = options.dir
    directory.mkdir(parents=True, exist_ok=True)
    listeners = options.listen or [("127.0.0.1", 0)]

    # Before any thread exists, so that all inherit it.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})

    clock = Clock(options.clock_offset)
    platform = Platform(options.version, clock, options.join_delay, options.effect_delay, options.index_lag)
    platform.accounts, known = _accounts(options, clock)
    platform.no_authentication_cluster = options.no_authentication_cluster
    platform.bare_login_reply = False
    faults = Faults()
    if options.faults:
        faults.add(json.loads(options.faults.read_text()))

    pki = Pki(options.pki or directory / "pki", listeners[0][0], options.name, options.leaf)
    sim = Simulator(platform, faults, pki, directory)
    for host, port in listeners:
        sim.listen(host, port)
    join, control = (kind(address, platform, faults) for kind, address in
                     ((JoinServer, options.join), (ControlServer, options.control)))
    control.sim = sim
    sim.add_door(join)
    sim.add_door(control)

    known["secret_in_roles"] = platform.secret_in_roles
    _write(directory, "ca.pem", pki.ca.read_text())
    _write(directory, "other-ca.pem", pki.other_ca.read_text())
    _write(directory, "url", sim.urls[0] + "\n")
    _write(directory, "urls", "".join(url + "\n" for url in sim.urls))
    _write(directory, "join", _door(join))
    _write(directory, "control", _door(control))
    _write(directory, "credentials.json", json.dumps(known, indent=1) + "\n", 0o600)
    _write(directory, "ready", "%d\n" % os.getpid())
    print("ready", *sim.urls, flush=True)

    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    sim.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
