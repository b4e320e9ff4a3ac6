# SPDX-License-Identifier: Apache-2.0
"""The door for tests: faults, preset runners, and waiting for events. Plain HTTP on loopback.

    POST   /faults    [rule, ...]            DELETE /faults
    PUT    /runners   {"runner_id", "host_ip", ...}: members of state.Runner, and "blessed": [...]
    PATCH  /platform  {"version", "offset_s", "join_delay_s", ...}
    PATCH  /listeners {"number": 0, "up": false}: a coordinator dies, or comes back
    GET    /state     counts and runners     GET    /events
    GET    /wait?event=join&count=2&timeout=10[&path=REGEX&method=POST]
"""

import http.client
import http.server
import json
import re
import time
import urllib.parse

from .state import NEVER, Runner

_PLATFORM_MEMBERS = ("version", "join_delay_s", "effect_delay_s", "index_lag_s",
                     "refuse_connected_delete", "no_authentication_cluster", "bare_login_reply")


def _matcher(query):
    """A function of one event, from the query of /wait."""
    wanted = {k: re.compile(v) for k, v in query.items() if k not in ("count", "timeout")}

    def matches(event) -> bool:
        return all(p.search(str(event.get(k, ""))) if k != "event" else event["event"] == query["event"]
                   for k, p in wanted.items())
    return matches


class ControlHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _dispatch(self):
        parts = urllib.parse.urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        name = "%s_%s" % (self.command.lower(), parts.path.strip("/").replace("/", "_"))
        operation = getattr(self, "op_" + name, None)
        try:
            if operation is None:
                raise ValueError("no such control operation: %s %s" % (self.command, self.path))
            value = operation(json.loads(body) if body else None,
                              dict(urllib.parse.parse_qsl(parts.query)))
            self._send(200, value)
        except (ValueError, KeyError, TypeError) as error:
            self._send(400, {"error": "%s: %s" % (type(error).__name__, error)})

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _dispatch

    def _send(self, status, value):
        data = json.dumps(value).encode("utf-8")
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format, *arguments):
        pass

    @property
    def platform(self):
        return self.server.platform

    def op_post_faults(self, body, query):
        self.server.faults.add(body)
        return {}

    def op_delete_faults(self, body, query):
        self.server.faults.clear()
        return {}

    def op_put_runners(self, body, query):
        """A runner that is there already; a `connected` of false makes it a stale one."""
        members = dict(body)
        blessed = members.pop("blessed", members.get("roles", []))
        connected = members.pop("connected", True)
        runner = Runner(**members)
        runner.version = runner.version or self.platform.version
        if not connected:
            runner.connected_from = runner.effective_from = NEVER
        with self.platform.lock:
            self.platform.runners[runner.runner_id] = runner
            self.platform.bless(runner, blessed)
        return {}

    def op_patch_runners(self, body, query):
        """Changes one that is there: {"runner_id": ..., member: value...}; `connected` and `blessed` as above,
        "pending": [role...]."""
        members = dict(body)
        with self.platform.lock:
            runner = self.platform.runners[members.pop("runner_id")]
            if "connected" in members:
                runner.connected_from = time.monotonic() if members.pop("connected") else NEVER
            blessed, pending = members.pop("blessed", None), members.pop("pending", None)
            for name, value in members.items():
                setattr(runner, name, value)
            if blessed is not None:
                self.platform.bless(runner, blessed)
            if pending is not None:
                for name in runner.roles:
                    self.platform.roles[name].pending[runner.runner_id] = name in pending
        return {}

    def op_patch_platform(self, body, query):
        for name, value in body.items():
            if name == "offset_s":
                self.platform.clock.offset_s = value
            elif name in _PLATFORM_MEMBERS:
                setattr(self.platform, name, value)
            else:
                raise ValueError("unknown member %s" % name)
        return {}

    def op_patch_listeners(self, body, query):
        listener = self.server.sim.listener(body["number"])
        if body["up"]:
            listener.come_back()
        else:
            listener.go_down()
        return {}

    def op_get_state(self, body, query):
        with self.platform.lock:
            kinds = [event["event"] for event in self.platform.events]
            return {"version": self.platform.version, "counts": {k: kinds.count(k) for k in set(kinds)},
                    "persistent_tokens": self.platform.tokens,
                    "runners": {r.runner_id: {
                        "host_ip": r.host_ip, "zone": r.zone, "roles": r.roles, "connected": r.connected,
                        "maintenance": r.maintenance,
                        "blessed": [name for name in r.roles if self.platform.blessed(r, name)]}
                        for r in self.platform.runners.values()}}

    def op_get_events(self, body, query):
        with self.platform.lock:
            return list(self.platform.events)

    def op_get_wait(self, body, query):
        matches, count = _matcher(query), int(query.get("count", 1))

        def enough(events):
            found = [event for event in events if matches(event)]
            return found if len(found) >= count else None

        found = self.platform.wait_for(enough, float(query.get("timeout", 10)))
        return {"reached": bool(found), "events": found or []}


class ControlServer(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address, platform, faults):
        self.platform, self.faults, self.sim = platform, faults, None
        super().__init__(address, ControlHandler)


class Control:
    """The other end, for tests. address: "host:port"."""

    def __init__(self, address):
        self.address = address

    def call(self, method, path, body=None, timeout_s=30):
        connection = http.client.HTTPConnection(self.address, timeout=timeout_s)
        try:
            connection.request(method, path, None if body is None else json.dumps(body))
            response = connection.getresponse()
            value = json.loads(response.read())
        finally:
            connection.close()
        if response.status != 200:
            raise ValueError(value["error"])
        return value

    def fault(self, action, *, event="request", method="", path="", listener=None, times=None,
              after=0, **arguments) -> None:
        match = {"event": event, "method": method, "path": path, "listener": listener}
        self.call("POST", "/faults", [dict(arguments, match=match, action=action, times=times, after=after)])

    def clear_faults(self) -> None:
        self.call("DELETE", "/faults")

    def add_runner(self, **members) -> None:
        self.call("PUT", "/runners", members)

    def change_runner(self, **members) -> None:
        self.call("PATCH", "/runners", members)

    def change_platform(self, **members) -> None:
        self.call("PATCH", "/platform", members)

    def listener(self, up, number=0) -> None:
        self.call("PATCH", "/listeners", {"number": number, "up": up})

    def state(self) -> dict:
        return self.call("GET", "/state")

    def events(self, kind=None):
        return [event for event in self.call("GET", "/events") if kind in (None, event["event"])]

    def wait(self, event, count=1, timeout_s=10, **filters) -> bool:
        query = urllib.parse.urlencode(dict(filters, event=event, count=count, timeout=timeout_s))
        return self.call("GET", "/wait?" + query, timeout_s=timeout_s + 10)["reached"]
