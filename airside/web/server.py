"""Runs an application: binds, serves until a signal, and finishes what it has begun."""

import asyncio
import contextlib
import gc
import logging
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass

import uvicorn
from starlette.types import ASGIApp

from airside.web.quick import QuickHttp
from airside.web.settings import HttpSettings
from schemas.errors import Invalid, Unavailable

BACKLOG = 2_048  # connections that wait to be accepted
CONNECTIONS_MAX = 8_192  # beyond them 503
KEEP_ALIVE_SECONDS = 65  # of an idle connection; longer than a proxy's usual minute
FINISH_SECONDS = 20  # that requests under way have after a signal; then they are cut off
FILES_MAX = 65_536
GARBAGE = (50_000, 20, 20)  # of `gc.set_threshold`; measured: a tenth less time a request

OpenApp = Callable[[asyncio.Event], AbstractAsyncContextManager[ASGIApp]]
"""Opens the application in the event loop that will run it; the event is set when it stops."""

log = logging.getLogger("airside.web")


@dataclass(frozen=True, slots=True)
class Listening:
    """A socket that is bound, and its address for people."""

    socket: socket.socket
    url: str


@contextmanager
def listening(settings: HttpSettings) -> Iterator[Listening]:
    """Bind. Raises: Invalid where that would not be safe, Unavailable where it cannot be."""
    settings.check()
    try:
        found = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)
        family, kind, protocol, _, address = found[0]
        bound = socket.socket(family, kind, protocol)
    except (OSError, OverflowError) as error:
        raise Invalid(
            f"host {settings.host}: {error}. Name an address of this machine."
        ) from error
    with contextlib.closing(bound):
        try:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind(address)
        except OSError as error:
            raise Unavailable(
                f"{settings.host}:{settings.port} cannot be listened on: {error.strerror}. "
                "Name another port with --port."
            ) from error
        host, port = bound.getsockname()[:2]
        shown = f"[{host}]" if ":" in host else host
        yield Listening(bound, f"http://{shown}:{port}")


def run(opened: OpenApp, bound: Listening, *, ready: Callable[[], None]) -> None:
    """Serve until SIGINT or SIGTERM; then take no more, finish, and return.

    Requests under way have FINISH_SECONDS; a second signal ends them at once. `ready` is called
    when the first request can come.
    """
    _allow_files()
    gc.set_threshold(*GARBAGE)
    factory = _config(_nothing).get_loop_factory()
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(_serve(opened, bound, ready))


class _Server(uvicorn.Server):
    """Its signals are ours: uvicorn would die of them after all is done."""

    def __init__(self, config: uvicorn.Config, stopping: asyncio.Event) -> None:
        super().__init__(config)
        self._stopping = stopping

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """None: see `told_to_stop`."""
        yield

    def told_to_stop(self) -> None:
        """At the first signal finish, at the second end."""
        self.force_exit = self._stopping.is_set()
        self._stopping.set()
        self.should_exit = True


async def _serve(opened: OpenApp, bound: Listening, ready: Callable[[], None]) -> None:
    stopping = asyncio.Event()
    async with opened(stopping) as app:
        server = _Server(_config(app), stopping)
        with _signals(server.told_to_stop):
            bound.socket.listen(BACKLOG)
            ready()
            await server.serve(sockets=[bound.socket])


def _config(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        loop="auto",  # uvloop where it is installed
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=False,  # it would log paths, and accounts in them
        server_header=False,
        proxy_headers=False,
        http=QuickHttp,
        ws="none",
        backlog=BACKLOG,
        limit_concurrency=CONNECTIONS_MAX,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=FINISH_SECONDS,
    )


@contextmanager
def _signals(told: Callable[[], None]) -> Iterator[None]:
    numbers = (signal.SIGINT, signal.SIGTERM)
    loop = asyncio.get_running_loop()
    if sys.platform == "win32":
        for number in numbers:
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(told))
        yield
        return
    for number in numbers:
        loop.add_signal_handler(number, told)
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)


def _allow_files() -> None:
    """As many open files as this process may have: each connection is one."""
    if sys.platform != "win32":
        import resource  # noqa: PLC0415

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        most = FILES_MAX if hard == resource.RLIM_INFINITY else min(hard, FILES_MAX)
        if soft != resource.RLIM_INFINITY and soft < most:
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


async def _nothing(scope: object, receive: object, send: object) -> None:
    """An application that is never called."""
