"""Running roles in threads: turn after turn until told to stop, patient with engines."""

import logging
import threading
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import Protocol

from schemas.errors import Transient

IDLE_SECONDS_MIN = 0.002
IDLE_SECONDS_MAX = 0.05  # the longest that something new lies unseen
RETRY_SECONDS_MIN = 0.1
RETRY_SECONDS_MAX = 10.0

log = logging.getLogger("airside.running")


class Role(Protocol):
    """One kind of work of the pipeline."""

    name: str

    def turn(self) -> int:
        """Do what has arrived, at most one bounded batch of everything; 0 means idle."""


OpenRole = Callable[[], AbstractContextManager[Role]]
"""Opens a role in the thread that will run it, since connections belong to a thread."""


class Crew:
    """Roles in threads of their own. One that dies stops the others: half alive is a lie."""

    def __init__(self, roles: Iterable[tuple[str, OpenRole]]) -> None:
        self.stop = threading.Event()
        self.failure: BaseException | None = None
        self._threads = [
            threading.Thread(target=self._run, args=(opened,), name=name, daemon=True)
            for name, opened in roles
        ]

    def start(self) -> None:
        """Start every thread."""
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        """Wait until all have finished their last batch. Raises: what killed a role."""
        for thread in self._threads:
            thread.join()
        if self.failure is not None:
            raise self.failure

    def _run(self, opened: OpenRole) -> None:
        try:
            with opened() as role:
                take_turns(role, self.stop)
        except BaseException as error:
            log.exception("a role died name=%s", threading.current_thread().name)
            self.failure = self.failure or error
        finally:
            self.stop.set()


def take_turns(role: Role, stop: threading.Event) -> None:
    """Turn after turn; waits a little while idle and longer while an engine is away."""
    idle, retry = IDLE_SECONDS_MIN, RETRY_SECONDS_MIN
    while not stop.is_set():
        try:
            did = role.turn()
        except Transient as error:
            log.warning("trying again role=%s in=%.1fs because %s", role.name, retry, error)
            stop.wait(retry)
            retry = min(2 * retry, RETRY_SECONDS_MAX)
            continue
        retry = RETRY_SECONDS_MIN
        if did:
            idle = IDLE_SECONDS_MIN
        else:
            stop.wait(idle)
            idle = min(2 * idle, IDLE_SECONDS_MAX)
