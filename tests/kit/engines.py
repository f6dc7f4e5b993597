"""A deployment of its own on engines that others use as well."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, TypeVar

from schemas.envelope import new_id
from tests.kit.cli import CATALOG, Shell


class Server(Protocol):
    """Any of `stack`'s."""

    def start(self) -> None:
        """Return when it answers."""

    def stop(self) -> None:
        """Stop it in good order."""


S = TypeVar("S", bound=Server)


@contextmanager
def running(server: S) -> Iterator[S]:
    """A server for as long as the block lasts."""
    server.start()
    try:
        yield server
    finally:
        server.stop()


def on_engines(directory: Path, *, events: str, log: str, views: str, shards: int = 4) -> Shell:
    """A fresh keyspace and fresh topics, laid out, with the catalog of the examples loaded.

    `events` and `log` are addresses without a path.
    """
    name = f"t{new_id()[:10]}"
    shell = Shell(directory, events=f"{events}/{name}", log=f"{log}/{name}", views=views)
    ran = shell("--shards", str(shards), "init")
    assert ran.code == 0, ran.err
    ran = shell("catalog", "load", str(CATALOG))
    assert ran.code == 0, ran.err
    return shell
