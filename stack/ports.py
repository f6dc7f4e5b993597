"""Ports of loopback addresses: found free, and kept with the data of their server."""

import errno
import json
import random
import socket
from collections.abc import Sequence
from pathlib import Path

from schemas.errors import Unavailable

# Below the range that the system gives to outgoing connections: one of those could take a
# port while its server is down, or a client that redials a closed port could reach itself.
PORTS = range(20_000, 32_000)
TRIES_MAX = 1_000
ANSWER_SECONDS_MAX = 1.0


def ports_of(
    directory: Path, count: int, *, hosts: Sequence[str] = ("127.0.0.1",)
) -> list[int]:
    """The ports that belong to a data directory: always the same ones, free at first.

    A server that comes back with its data then has the address that others know, be it
    clients or the members of its cluster, which store it. Raises: Unavailable.
    """
    kept = directory / "ports.json"
    if kept.exists():
        ports: list[int] = json.loads(kept.read_text())
        return ports
    ports = free_ports(count, hosts=hosts)
    directory.mkdir(parents=True, exist_ok=True)
    kept.write_text(json.dumps(ports))
    return ports


def free_ports(count: int, *, hosts: Sequence[str] = ("127.0.0.1",)) -> list[int]:
    """Port numbers that nobody uses on any of the hosts. Raises: Unavailable."""
    found: list[int] = []
    for port in random.sample(PORTS, TRIES_MAX):
        if all(is_free(host, port) for host in hosts):
            found.append(port)
        if len(found) == count:
            return found
    raise Unavailable(f"no {count} free ports between {PORTS.start} and {PORTS.stop}.")


def is_free(host: str, port: int) -> bool:
    """Whether a server could listen there. Raises: Unavailable if the host is not ours."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRNOTAVAIL:
                raise Unavailable(
                    f"{host} is no address of this machine. Add it to the loopback interface "
                    f"(macOS: sudo ifconfig lo0 alias {host})."
                ) from error
            return False
    return True


def answers(host: str, port: int) -> bool:
    """Whether somebody listens there."""
    try:
        with socket.create_connection((host, port), timeout=ANSWER_SECONDS_MAX):
            return True
    except OSError:
        return False
