"""`python -m tests.kit.box_service`: the small service of tests/kit/web.py as a process.

It prints its address, and `entered` when /patient is being answered, which it is only once the
process was told to stop. An argument such as `HEAD_SECONDS=0.2` is another bound than usual.
"""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from urllib.parse import urlsplit

from starlette.types import ASGIApp

from airside.web import handler, protocol, server
from airside.web.app import make_app
from airside.web.handler import Edge
from airside.web.resource import Answer, Call, Resource
from airside.web.server import listening, run
from airside.web.settings import HttpSettings
from tests.kit.web import RESOURCES, Boxes

WAIT_SECONDS_MAX = 60.0
MUCH = b" " * 32 * 1024 * 1024  # more than the kernel keeps for a client that does not read
BOUNDS = {
    "HEAD_SECONDS": protocol,
    "WRITE_SECONDS": protocol,
    "KEEP_ALIVE_SECONDS": server,
    "SEND_SECONDS": handler,
}


class BoxService:
    """The process, as its starter sees it."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self.url = self.says()

    def says(self) -> str:
        """The next line that it prints."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def connect(self) -> socket.socket:
        """A connection to it."""
        parts = urlsplit(self.url)
        assert parts.hostname is not None
        return socket.create_connection((parts.hostname, parts.port or 0), WAIT_SECONDS_MAX)

    def told_to_stop(self) -> None:
        """SIGTERM."""
        self.process.send_signal(signal.SIGTERM)

    def complaints(self) -> str:
        """What it wrote to its standard error, once it has ended."""
        return self.process.communicate(timeout=WAIT_SECONDS_MAX)[1]

    def ended(self) -> int:
        """Its exit code, once it has ended."""
        return self.process.wait(WAIT_SECONDS_MAX)


@contextmanager
def box_service(*arguments: str, stderr: int | None = None) -> Iterator[BoxService]:
    """The process, killed at the end if it still lives."""
    command = [sys.executable, "-m", "tests.kit.box_service", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True) as process:
        try:
            yield BoxService(process)
        finally:
            process.kill()


def everything(connection: socket.socket) -> bytes:
    """What comes until the other side closes."""
    parts = []
    while part := connection.recv(65_536):
        parts.append(part)
    return b"".join(parts)


def until(connection: socket.socket, end: bytes) -> bytes:
    """What comes, up to this end."""
    found = b""
    while not found.endswith(end):
        part = connection.recv(65_536)
        assert part, f"closed after {found!r}"
        found += part
    return found


async def much(_boxes: Boxes, _call: Call) -> Answer:
    return Answer(MUCH)


@asynccontextmanager
async def opened(stopping: asyncio.Event) -> AsyncIterator[ASGIApp]:
    """The service. Whoever asks /patient is answered when it was told to stop."""
    boxes = Boxes()
    boxes.open = stopping

    async def tell() -> None:
        await boxes.entered.wait()
        os.write(1, b"entered\n")

    telling = asyncio.create_task(tell())
    resources = (*RESOURCES, Resource("/much", much, "Much.", scope=None, answer=str))
    yield make_app(resources, boxes, Edge())
    telling.cancel()


def main(arguments: list[str]) -> None:
    """Until told to stop."""
    for argument in arguments:
        name, _, seconds = argument.partition("=")
        setattr(BOUNDS[name], name, float(seconds))
    with listening(HttpSettings(port=0)) as bound:
        run(opened, bound, ready=lambda: _say(bound.url))


def _say(text: str) -> None:
    os.write(1, f"{text}\n".encode())


if __name__ == "__main__":
    main(sys.argv[1:])
