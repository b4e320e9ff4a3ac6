# SPDX-License-Identifier: Apache-2.0
"""The preparation of a host as a real systemd shows it: what runs, what starts at boot, which version of control groups; and the
fixes of `ece-enroll check`, pasted."""

import json
import os

from machinetest import MachineTest

SERVICE = "[Service]\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n"


class Preparation(MachineTest):
    @staticmethod
    def items(host):
        text = host.run("ece-enroll", "check", "--json", check=False)[1]
        return {row["name"]: row for row in json.loads(text) if "documented" in row}

    def test_services_and_time(self):
        host = self.host()
        for name in ("nscd", "firewalld"):
            host.write("etc/systemd/system/%s.service" % name, SERVICE)
        host.write("usr/local/bin/sudo", '#!/bin/sh\nexec "$@"\n', 0o755)
        local = host.tree / "etc/localtime"
        if local.is_symlink() or local.exists():
            local.unlink()
        os.symlink("/usr/share/zoneinfo/Europe/Berlin", local)
        host.boot()
        host.wait_for(lambda: host.active("multi-user.target"), "multi-user.target")
        # A first boot has enabled what can be; these two stay at work and won't come back.
        host.run("systemctl", "disable", "firewalld.service", "docker.service")
        before = self.items(host)
        wanted = {"nscd": "runs, starts at boot", "firewalld": "runs", "engine-at-boot": "not enabled: docker.service",
                  "cgroup-version": "version 2", "time-zone": "CET-1CEST,M3.5.0,M10.5.0/3"}
        self.assertEqual({name: before[name]["found"] for name in wanted}, wanted)
        self.assertEqual({before[name]["state"] for name in wanted}, {"advised"})

        mended = sorted(wanted.keys() - {"cgroup-version"}) + ["limit-nofile", "storage-owner", "engine-group"]
        for name in mended:
            if before[name]["remedy"]:
                host.run("sh", "-ec", before[name]["remedy"])
        after = self.items(host)
        self.assertEqual({name: after[name]["state"] for name in mended}, dict.fromkeys(mended, "prepared"))
        self.assertEqual(after["nscd"]["found"], "neither runs nor starts at boot")
        self.assertFalse(host.active("firewalld.service"))
