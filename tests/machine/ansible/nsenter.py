# SPDX-License-Identifier: Apache-2.0
"""Ansible's way into a host that systemd-nspawn has booted: by its first process (ansible_leader), without a network or a daemon."""

import pathlib
import shutil
import subprocess

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.connection import ConnectionBase

DOCUMENTATION = """
    name: nsenter
    short_description: programs and files of a booted machine, from the machine around it
    description: Starts programs in the namespaces of the machine's first process, and copies files by its root in /proc.
    author: ece-enroll maintainers
    options:
      leader:
        description: process id of the machine's first process
        type: int
        required: true
        vars:
          - name: ansible_leader
"""


class Connection(ConnectionBase):
    transport = "nsenter"
    has_pipelining = True

    def _connect(self):
        self._connected = True
        return self

    def _leader(self):
        return str(self.get_option("leader"))

    def _path(self, path):
        return pathlib.Path("/proc", self._leader(), "root", path.lstrip("/"))

    def exec_command(self, cmd, in_data=None, sudoable=True):
        super().exec_command(cmd, in_data=in_data, sudoable=sudoable)
        words = ["nsenter", "--all", "-t", self._leader(), "--", "/usr/bin/env", "-i", "HOME=/", "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
                 "/bin/sh", "-c", cmd]
        done = subprocess.run(words, input=in_data or b"", capture_output=True, check=False)
        return done.returncode, done.stdout, done.stderr

    def put_file(self, in_path, out_path):
        super().put_file(in_path, out_path)
        self._copy(in_path, self._path(out_path))

    def fetch_file(self, in_path, out_path):
        super().fetch_file(in_path, out_path)
        self._copy(self._path(in_path), out_path)

    @staticmethod
    def _copy(source, target):
        try:
            shutil.copyfile(source, target)
        except OSError as error:
            raise AnsibleConnectionFailure(str(error)) from error

    def close(self):
        self._connected = False
