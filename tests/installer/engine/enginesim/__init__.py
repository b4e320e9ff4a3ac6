# SPDX-License-Identifier: Apache-2.0
"""A stand-in for a container engine and its clients, for tests.

The daemon speaks enough of Docker's HTTP API for the real docker command and for an agent that
asks the socket itself; the clients (../bin) speak it like docker and podman-remote do. No container is ever
run: a container is a thread that prints, waits, presents itself to the coordinator simulator and exits as a
script says. Token texts are never written to disk, only their SHA-256.
"""
