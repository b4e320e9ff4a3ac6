#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""ece-enroll diag: all that a support case needs, and nothing that must not leave the host."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import tap  # noqa: E402
from bench import HOST_IP, EndToEnd  # noqa: E402

JWT = "eyJhbGciOiJub25lIn0.eyJyb2xlcyI6WyJhbGxvY2F0b3IiXX0.c2lnbmF0dXJl"


class Diag(EndToEnd):
    def diag(self):
        code, out, err = self.bench.spoken("diag", *self.bench.options())
        self.assertEqual((code, err), (0, ""))
        return out

    def parts(self, out):
        pieces = out.split("\n===== ")
        return {title: text for title, _, text in (piece.partition(" =====\n") for piece in pieces[1:])}

    def test_a_member(self):
        (self.bench.top / "enroll.yaml.d").mkdir()
        (self.bench.top / "enroll.yaml.d" / "10-zone.yaml").write_text("host: {availability_zone: ece-zone-1b}\n")
        self.assertEnrolled(self.bench.run())
        out = self.diag()
        parts = self.parts(out)
        self.assertIn('"state": "ENROLLED"', parts[str(self.bench.runtime / "status.json")])
        self.assertIn(HOST_IP, parts[str(self.bench.state / "record.json")])
        self.assertIn("coordinators:", parts[str(self.bench.spec_path)])
        self.assertIn("ece-zone-1b", parts[str(self.bench.top / "enroll.yaml.d" / "10-zone.yaml")])
        self.assertIn("valid", parts["ece-enroll validate"])
        self.assertIn("--availability-zone", parts["ece-enroll plan"])
        self.assertIn("engine-socket", parts["ece-enroll check"])
        self.assertIn("NAME=", parts["/etc/os-release"])
        self.assertNotIn(self.sim.credentials["api_key"], out)

    def test_one_that_has_nothing(self):
        self.bench.spec_path.unlink()
        parts = self.parts(self.diag())
        self.assertEqual(parts[str(self.bench.spec_path)], "(No such file or directory)\n")
        self.assertIn("No such file", parts["ece-enroll validate"])

    def test_what_looks_like_a_secret(self):
        """Wherever somebody has written one by mistake, and whatever a terminal would obey."""
        with open(self.bench.spec_path, "a") as spec:
            spec.write("# %s\n# the password is hunter2\n# \x1b[2J\n" % JWT)
        text = self.parts(self.diag())[str(self.bench.spec_path)]
        for secret in (JWT, "hunter2", "\x1b"):
            self.assertNotIn(secret, text)
        self.assertEqual(text.count("[redacted]"), 2)


if __name__ == "__main__":
    tap.main()
