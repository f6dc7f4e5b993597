"""/metrics of a process that serves nothing else: the worker roles and replays."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from schemas.errors import Invalid

if TYPE_CHECKING:
    from airside.telemetry.metrics import Metrics

LOOPBACK = "127.0.0.1"
PORT_MAX = 65_535

log = logging.getLogger("airside.telemetry")


@dataclass(frozen=True, slots=True)
class Address:
    """Where metrics are served. Port 0 is any that is free."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(text: str) -> Address:
    """`HOST:PORT`, or a port alone on loopback. Raises: Invalid."""
    host, _, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]") or LOOPBACK
    if not (port.isascii() and port.isdigit()) or int(port) > PORT_MAX:
        raise Invalid(f"{text!r:.80} is no HOST:PORT. Write 127.0.0.1:9464, or 9464.")
    return Address(host, int(port))


@contextmanager
def serving(metrics: "Metrics", address: Address) -> Iterator[Address]:
    """Serve /metrics; where, if the port was any. Raises: Invalid where that cannot be."""
    from prometheus_client import start_http_server  # noqa: PLC0415

    try:
        server, thread = start_http_server(address.port, address.host, metrics.registry)
    except OSError as error:
        raise Invalid(
            f"metrics cannot be served at {address}: {error.strerror or error}. Name another "
            "HOST:PORT in --metrics or AIRSIDE_METRICS; each process needs its own."
        ) from error
    bound = Address(address.host, server.server_port)
    log.info("metrics are at http://%s/metrics", bound)
    try:
        yield bound
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
