# SPDX-License-Identifier: Apache-2.0
"""What the agent works on, as far as an enrollment on a failing disk needs it: keeper, installer, container, coordinator.

It stands outside of the machine whose power is cut, so it knows for certain what was done. A promise that is broken is kept in
`broken`. Classes and memberships are the words and numbers of agent/model/outcome.h and agent/engine/machine.h.
"""

import dataclasses

NONE, AS_PLANNED = 0, 1
TOKEN_S = 3600
WINDOWS = 5
TOKENS_MAX = 2  # one, and one more for the installer that a cut has ended


@dataclasses.dataclass
class World:
    running: bool = False  # an installer
    container: bool = False  # of an installer, running or left over
    ended: str = ""  # the outcome of the last attempt, in the keeper's record until it is acknowledged
    member: bool = False
    successes: int = 0
    tokens: int = 0
    broken: str = ""

    def copy(self):
        return dataclasses.replace(self)

    def power_cut(self):
        """Processes die; the container stays where it is, and the keeper finds an attempt whose end nobody has seen."""
        if self.running:
            self.running, self.ended = False, "class=transient"

    def _promise(self, holds, what):
        if not holds and not self.broken:
            self.broken = what

    def answer(self, question):
        return getattr(self, "_on_" + question.lower())()

    def _on_idle(self):
        if not self.running:
            return "nothing"
        self.running = self.container = False
        self.member, self.ended = True, "class=ok"
        self.successes += 1
        return "INSTALL_EXITED class=ok"

    def _on_load_spec(self):
        return "SPEC_LOADED"

    def _on_attach(self):
        if self.running:
            return "KEEPER_RUNNING"
        return "INSTALL_EXITED " + self.ended if self.ended else "KEEPER_IDLE"

    def _on_check_host(self):
        return "HOST_READY"

    def _on_check_network(self):
        return "NETWORK_READY"

    def _on_probe(self):
        return "PROBED membership=%d" % (AS_PLANNED if self.member else NONE)

    def _on_prepare(self):
        return "PREPARED"

    def _on_mint(self):
        self.tokens += 1
        self._promise(self.tokens <= WINDOWS, "more tokens than windows")
        self._promise(not self.member, "a token for a member")
        return "MINTED token_s=%d" % TOKEN_S

    def _on_install(self):
        self._promise(not self.running, "two installers at once")
        self._promise(not self.container, "an installer beside what another one left")
        self._promise(not self.member, "an installer on a member")
        self.running = self.container = True
        return "KEEPER_RUNNING"

    def _on_settle(self):
        self._promise(not self.running, "settled while an installer was running")
        self.container = False
        return "SETTLED"

    def _on_acknowledge(self):
        self.ended = ""
        return "nothing"

    def _on_look(self):
        return "VIEWED class=ok" if self.member else "VIEWED class=transient"
