# SPDX-License-Identifier: Apache-2.0
"""Inside of a virtual machine: runs what its owner outside asks for. A line of JSON comes, [word...]; one goes back, [code, output]."""

import json
import socketserver
import subprocess


class Door(socketserver.StreamRequestHandler):
    def handle(self):
        said = subprocess.run(json.loads(self.rfile.readline()), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False)
        self.wfile.write(json.dumps([said.returncode, said.stdout.decode(errors="replace")]).encode() + b"\n")


socketserver.ThreadingTCPServer.allow_reuse_address = True
socketserver.ThreadingTCPServer(("", 4711), Door).serve_forever()
