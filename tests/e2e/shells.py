# SPDX-License-Identifier: Apache-2.0
"""Asks real shells what they would offer for a line, as a person does who presses a key: bash and zsh on a terminal of their
own, fish by the question that it has for this.

bash and zsh get keys bound that put all candidates into the line, and that print the line between two marks; so what is read back
is words and no screen.
"""

import os
import pty
import re
import select
import subprocess
import time

LIMIT_S = 30
ALL, SHOW, EMPTY = "\x14", "\x0f", "\x15"  # ^T, ^O, ^U

BASH_RC = r"""
PS1='' PS2=''
. /usr/share/bash-completion/bash_completion
bind 'set bell-style none'
bind 'set mark-directories off'
bind 'set completion-query-items 0'
bind '"\C-t": insert-completions'
bind -x '"\C-o": printf "\n<<%s>>\n" "$READLINE_LINE"'
printf '\n<<ready>>\n'
"""

ZSH_RC = r"""
PROMPT= RPROMPT= PROMPT2=
unsetopt PROMPT_SP PROMPT_CR
fpath=("$SITE_FUNCTIONS" $fpath)
autoload -Uz compinit && compinit -u -D
zle -C all-candidates complete-word _generic
zstyle ':completion:all-candidates:*' completer _all_matches _complete
zstyle ':completion:all-candidates:*' insert true
show-line() { print -r -- $'\n'"<<$BUFFER>>" }
zle -N show-line
bindkey -e
bindkey '^T' all-candidates
bindkey '^O' show-line
bindkey '^U' kill-whole-line
print -r -- $'\n<<ready>>'
"""


def bare(candidate):
    """Without the option that it is the value of, and without what a shell puts behind it to go on with."""
    return re.sub(r"^--[a-z-]+=(?=.)|[=/,]$", "", candidate)


class Terminal:
    """An interactive shell; ask() gives the words that it has put behind a line."""

    def __init__(self, command, environment, folder):
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=environment, cwd=folder, start_new_session=True)
        os.close(slave)
        self.seen = ""
        self.marked()

    def marked(self):
        """The next text between marks."""
        end = time.monotonic() + LIMIT_S
        while not (found := re.search(r"<<([^<>]*)>>\r?\n", self.seen)):
            if not select.select([self.master], [], [], max(0, end - time.monotonic()))[0]:
                raise AssertionError("no answer of the shell: %r" % self.seen)
            self.seen += os.read(self.master, 65536).decode("utf-8", "replace")
        self.seen = self.seen[found.end():]
        return found[1]

    def ask(self, line):
        os.write(self.master, (line + ALL + SHOW).encode())
        answer = self.marked()
        os.write(self.master, EMPTY.encode())
        return answer

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.master)


class Shell:
    """What the three have in common: offered(line) is the set of candidates for the line's last word."""

    def __init__(self, share, folder, home, programs):
        self.folder = folder
        # fish reads no completions of a program that is not there.
        self.environment = {"PATH": "%s:%s" % (programs, os.environ["PATH"]), "HOME": str(home), "TERM": "dumb", "LC_ALL": "C.UTF-8", "COLUMNS": "10000",
                            "XDG_DATA_DIRS": str(share), "XDG_CONFIG_HOME": str(home / "config"), "XDG_DATA_HOME": str(home / "data"),
                            "SITE_FUNCTIONS": str(share / "zsh" / "site-functions")}

    def close(self):
        pass


class OnTerminal(Shell):
    def offered(self, line):
        answer = self.terminal.ask(line)
        if answer.rstrip() == line.rstrip():
            return set()
        before = re.sub(r"[^ =]*$", "", line)
        assert answer.startswith(before), (line, answer)
        return {bare(word) for word in answer[len(before):].split()}

    def close(self):
        self.terminal.close()


class Bash(OnTerminal):
    program = "bash"
    needs = "/usr/share/bash-completion/bash_completion"

    def __init__(self, share, folder, home, programs):
        super().__init__(share, folder, home, programs)
        (home / "bashrc").write_text(BASH_RC)
        self.terminal = Terminal(["bash", "--noprofile", "--rcfile", home / "bashrc", "-i"], self.environment, folder)


class Zsh(OnTerminal):
    program = "zsh"
    needs = "/"

    def __init__(self, share, folder, home, programs):
        super().__init__(share, folder, home, programs)
        (home / ".zshrc").write_text(ZSH_RC)
        self.terminal = Terminal(["zsh", "-i"], dict(self.environment, ZDOTDIR=str(home)), folder)


class Fish(Shell):
    program = "fish"
    needs = "/"

    def offered(self, line):
        said = subprocess.run(["fish", "-c", "complete -C $argv[1]", line], env=self.environment, cwd=self.folder,
                              capture_output=True, text=True, timeout=LIMIT_S, check=True)
        assert not said.stderr, said.stderr
        return {bare(candidate.partition("\t")[0]) for candidate in said.stdout.splitlines()}
