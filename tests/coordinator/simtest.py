# SPDX-License-Identifier: Apache-2.0
"""What the simulator's own tests share: one set of certificates, and a simulator for each class of tests."""

import atexit
import pathlib
import shutil
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]

import tap  # noqa: E402,F401
from coordsim.process import TOKENS, SimProcess  # noqa: E402,F401

_scratch = pathlib.Path(tempfile.mkdtemp(prefix="ece-coordsim-"))
atexit.register(shutil.rmtree, _scratch, True)


class SimTest(unittest.TestCase):
    """A test class around one running simulator, clean of faults before each test."""

    options = ()
    pki = _scratch / "pki"

    @classmethod
    def setUpClass(cls):
        cls.sim = SimProcess(tempfile.mkdtemp(dir=_scratch), *cls.options, pki=cls.pki)
        cls.addClassCleanup(cls.sim.close)
        cls.key = cls.sim.api_key()

    def setUp(self):
        self.sim.control.clear_faults()

    def ask(self, method, path, body=None, auth="", **more):
        """As the native administrator, unless auth says otherwise (None: nobody)."""
        return self.sim.ask(method, path, body, self.key if auth == "" else auth, **more)

    def mint(self, roles=("allocator",), **more):
        """The token, with the simulator's defaults unless `more` says otherwise."""
        answer = self.ask("POST", TOKENS, dict({"persistent": False, "roles": list(roles)}, **more))
        self.assertEqual(answer.status, 200)
        return answer.value["token"]
