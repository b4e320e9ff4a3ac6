# SPDX-License-Identifier: Apache-2.0
"""The stand-in engine and its clients, and that the real docker command takes it for an engine."""

import os
import shutil
import signal
import unittest

from enginetest import EngineTest, tap

from enginesim.client import parse_run

IMAGE = "registry.example.com:5000/cloud-enterprise/elastic-cloud-enterprise:4.0.3"
INSTALLER = "elastic-cloud-enterprise-installer"


def is_real_docker(path) -> bool:
    """An ELF program, not a script of somebody's."""
    with open(path, "rb") as file:
        return file.read(4) == b"\x7fELF"


def real_docker():
    for directory in os.get_exec_path() + ["/usr/local/bin", "/usr/bin", os.environ.get("ECE_ENGINE_CLIENTS", "")]:
        path = shutil.which("docker", path=directory)
        if path and is_real_docker(path):
            return path
    return None


class ClientChecks:
    """What holds for the stand-in client and for the real one."""

    def client(self) -> str:
        raise NotImplementedError

    def run_words(self, *options, command=INSTALLER, name=INSTALLER):
        return [self.client(), "-H", "unix://" + self.socket, "run", "--env", "RUNNER_ID=r1",
                "--env", "HOST_IP=192.0.2.1", "--env", "COORDINATOR_HOST=192.0.2.10",
                *options, "-p", "20000:20000", "-v", self.socket + ":/run/docker.sock",
                "--rm", "--name", name, "--interactive", IMAGE, command]

    def test_a_good_run(self):
        self.engine.behave({"lines": ["working"]})
        status, out, err = self.call(*self.run_words("--env", "RUNNER_ROLES=allocator",
                                                     "--env", "RUNNER_ROLES_TOKEN=a.b.c", "--label", "x=y"))
        self.assertEqual((status, out), (0, "working\n"), err)
        host = self.platform.hosts[0]
        self.assertEqual((host["token"], host["roles"], host["runner_id"], host["version"]),
                         ("a.b.c", "allocator", "r1", "4.0.3"))
        self.assertEqual(self.bench.events("create", INSTALLER)[0]["labels"], {"x": "y"})
        self.assertNotIn(INSTALLER, self.bench.names())
        self.assertIn("frc-allocators-allocator", self.bench.names())
        self.assertNotIn("a.b.c", (self.engine.directory / "events.jsonl").read_text())

    def test_the_status_passes_through(self):
        self.engine.behave(*({"exit": n} for n in (1, 5, 7, 137)))
        for expected in (1, 5, 7, 137):
            self.assertEqual(self.call(*self.run_words())[0], expected)

    def test_a_refused_host(self):
        self.platform.answer = {"accepted": False, "code": "token.expired", "message": "no"}
        status, out, _ = self.call(*self.run_words())
        self.assertEqual(status, 1)
        self.assertIn("Errors have caused Elastic Cloud Enterprise installation to fail", out)
        self.assertEqual(self.bench.names(), [])

    def test_an_environment_file_is_read_by_the_client(self):
        path = self.top / "environment"
        path.write_text("RUNNER_ROLES_TOKEN=from.a.file\n")
        self.assertEqual(self.call(*self.run_words("--env-file", path))[0], 0)
        self.assertEqual(self.platform.hosts[0]["token"], "from.a.file")
        self.call(*self.run_words("--env-file", path, "--env", "RUNNER_ROLES_TOKEN="))
        self.assertEqual(self.platform.hosts[1]["token"], "")

    def test_the_name_is_a_lock(self):
        self.bench.place(name=INSTALLER, image=IMAGE, command=["elastic-cloud-enterprise-upgrader"])
        status, _, err = self.call(*self.run_words())
        self.assertEqual(status, 125)
        self.assertIn("Conflict. The container name", err)

    def test_refusals_of_the_engine(self):
        self.engine.behave({"start_error": [500, "driver failed: Bind for 0.0.0.0:20000 failed: "
                                                 "port is already allocated"]})
        status, _, err = self.call(*self.run_words())
        self.assertEqual(status, 125)
        self.assertIn("port is already allocated", err)

    def test_a_pull_that_waits(self):
        hold = self.engine.directory / "pull-hold"
        hold.touch()
        pull = self.start(self.client(), "-H", "unix://" + self.socket, "pull", IMAGE)
        self.assertTrue(self.bench.wait("pulling", name=""))
        self.assertEqual(self.bench.events("pull"), [])
        hold.unlink()
        self.bench.release()
        pull.communicate(timeout=30)
        self.assertEqual((pull.returncode, len(self.bench.events("pull"))), (0, 1))

    def test_a_pull_that_fails(self):
        (self.engine.directory / "pull-error").write_text("denied: requested access is denied")
        status, _, err = self.call(*self.run_words())
        self.assertEqual(status, 125)
        self.assertIn("denied", err)

    def test_no_engine(self):
        status, _, err = self.call(self.client(), "-H", "unix:///nonexistent.sock", "run", IMAGE)
        self.assertEqual(status, 125)
        # The real one's wording of a refused and a missing socket differs between releases.
        self.assertRegex(err, "annot connect to the Docker daemon|failed to connect")

    def test_term_is_passed_on(self):
        self.engine.behave({"hold": True})
        process = self.start(*self.run_words())
        self.assertTrue(self.bench.wait("start"))
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
        self.assertEqual(process.returncode, 143)
        self.assertEqual(self.bench.names(), [])

    def test_kill_leaves_the_container(self):
        self.engine.behave({"hold": True})
        process = self.start(*self.run_words())
        self.assertTrue(self.bench.wait("start"))
        process.kill()
        process.communicate(timeout=30)
        self.assertEqual(self.bench.names(), [INSTALLER])
        self.bench.release()
        self.assertTrue(self.bench.wait("remove"))
        self.assertEqual(len(self.platform.hosts), 1)

    def test_ps(self):
        self.bench.place(name="frc-runners-runner", image=IMAGE)
        status, out, _ = self.call(self.client(), "ps", env={"DOCKER_HOST": "unix://" + self.socket})
        self.assertEqual(status, 0)
        self.assertIn("frc-runners-runner", out)


class StandInClient(ClientChecks, EngineTest):
    def client(self):
        return self.clients / "docker"

    def test_versions(self):
        self.assertEqual(self.call(self.client(), "--version")[1], "Docker version 27.0.3, build 7d4bcd8\n")
        self.assertEqual(self.call(self.clients / "podman-remote", "--url", "unix://" + self.socket, "version",
                                   "--format", "{{.Version}}")[1], "5.2.2\n")

    def test_podman_runs_too(self):
        words = self.run_words()
        words[:2] = [self.clients / "podman-remote", "--url"]
        self.assertEqual(self.call(*words)[0], 0)

    def test_pull(self):
        self.assertEqual(self.call(self.client(), "-H", "unix://" + self.socket, "pull", IMAGE)[0], 0)
        self.assertEqual(self.bench.events("pull")[0]["image"], IMAGE)

    def test_unknown_options_are_refused(self):
        status, _, err = self.call(*self.run_words("--teleport"))
        self.assertEqual(status, 125)
        self.assertIn("unknown flag", err)

    def test_parsing(self):
        name, config = parse_run(["--env=A=1", "-e", "B=x=y", "-it", "--rm", "--name", "n", "image", "cmd", "--rm"])
        self.assertEqual((name, config["Env"]), ("n", ["A=1", "B=x=y"]))
        self.assertEqual((config["Image"], config["Cmd"]), ("image", ["cmd", "--rm"]))


@unittest.skipUnless(real_docker(), "no real docker (scripts/engine-clients fetches one)")
class RealClient(ClientChecks, EngineTest):
    def client(self):
        return real_docker()


class Daemon(EngineTest):
    """What an agent asks the socket itself."""

    def get(self, path):
        return self.bench.call("GET", "/v1.41" + path)

    def test_lists_and_filters(self):
        self.bench.place(name="one", image=IMAGE, labels={"owner": "me"})
        self.bench.place(name="two", image=IMAGE, status="exited")
        names = [c["Names"] for c in self.get("/containers/json")[1]]
        self.assertEqual(names, [["/one"]])
        for query, expected in (("all=1", 2), ("filters=%7B%22name%22%3A%5B%22%5E%2Ftwo%24%22%5D%7D&all=1", 1),
                                ("all=1&filters=%7B%22label%22%3A%5B%22owner%3Dme%22%5D%7D", 1),
                                ("all=1&filters=%7B%22label%22%3A%7B%22owner%3Dyou%22%3Atrue%7D%7D", 0)):
            self.assertEqual(len(self.get("/containers/json?" + query)[1]), expected, query)

    def test_inspect_stop_remove(self):
        self.bench.place(name="c", image=IMAGE, command=["x", "y"], env=["A=b"])
        value = self.get("/containers/c/json")[1]
        self.assertEqual((value["State"]["Running"], value["Config"]["Env"], value["Path"]), (True, ["A=b"], "x"))
        self.assertEqual(self.bench.call("DELETE", "/containers/c")[0], 409)
        self.assertEqual(self.bench.call("POST", "/containers/c/stop?t=5")[0], 204)
        self.assertEqual(self.get("/containers/c/json")[1]["State"]["ExitCode"], 143)
        self.assertEqual(self.bench.call("POST", "/containers/c/stop")[0], 304)
        self.assertEqual(self.bench.call("DELETE", "/containers/c")[0], 204)
        self.assertEqual(self.get("/containers/c/json")[0], 404)

    def test_one_that_is_deaf_is_killed_after_the_grace(self):
        self.engine.behave({"hold": True, "deaf": ["TERM"]})
        self.bench.call("POST", "/images/create?fromImage=i&tag=1")
        created = self.bench.call("POST", "/containers/create?name=c", {"Image": "i:1", "Cmd": [INSTALLER]})[1]
        self.bench.call("POST", "/containers/c/start")
        self.assertEqual(self.bench.call("POST", "/containers/%s/stop?t=0.2" % created["Id"])[0], 204)
        self.assertEqual(self.get("/containers/c/json")[1]["State"]["ExitCode"], 137)

    def test_images(self):
        self.assertEqual(self.get("/images/%s/json" % IMAGE)[0], 404)
        self.bench.call("POST", "/images/create?fromImage=%s&tag=%s" % tuple(IMAGE.rsplit(":", 1)))
        self.assertEqual(self.get("/images/%s/json" % IMAGE)[0], 200)
        self.assertEqual(self.get("/images/json")[1][0]["RepoTags"], [IMAGE])

    def test_ping(self):
        connection = self.bench.open("GET", "/_ping")
        response = connection.getresponse()
        self.assertEqual((response.read(), response.headers["Api-Version"]), (b"OK", "1.45"))
        connection.close()


if __name__ == "__main__":
    tap.main()
