"""Running roles in threads: turn after turn until told to stop, patient with engines."""

import gc
import logging
import threading
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, ExitStack
from typing import Protocol

from schemas.errors import AirsideError, Transient

IDLE_SECONDS_MIN = 0.002
IDLE_SECONDS_MAX = 0.05  # the longest that something new lies unseen
SIGNAL_SECONDS_MAX = 0.5  # the longest that a request to stop is not heard
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


def no_revival() -> None:
    """For engines that somebody else keeps alive."""


def collect_rarely() -> None:
    """For a process of workers: what they make is trees, which need no collector of cycles.

    Measured: a handler that loads every account takes a sixth less time.
    """
    gc.set_threshold(100_000, 20, 20)


class Patience:
    """Longer and longer waits while an engine is away, each after a try to revive it."""

    def __init__(self, name: str, stop: threading.Event, revive: Callable[[], None]) -> None:
        self._name, self._stop, self._revive = name, stop, revive
        self._retry = RETRY_SECONDS_MIN

    def wait(self, error: Transient) -> None:
        """Say why, revive what can be, and wait."""
        told = "trying again role=%s in=%.1fs because %s"
        log.warning(told, self._name, self._retry, error)
        try:
            self._revive()
        except Transient as why:
            log.warning("not revived role=%s because %s", self._name, why)
        self._stop.wait(self._retry)
        self._retry = min(2 * self._retry, RETRY_SECONDS_MAX)

    def renew(self) -> None:
        """It works again."""
        self._retry = RETRY_SECONDS_MIN


class Crew:
    """Roles in threads of their own. One that dies stops the others: half alive is a lie."""

    def __init__(
        self, roles: Iterable[tuple[str, OpenRole]], revive: Callable[[], None] = no_revival
    ) -> None:
        self._revive = revive
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
        """Wait until all have finished their last batch. Raises: what killed a role.

        It looks up all the time: the system may give a signal to another thread (behind a
        SIGCONT it does), and then only a main thread that runs gets to handle it.
        """
        for thread in self._threads:
            while thread.is_alive():
                thread.join(SIGNAL_SECONDS_MAX)
        if self.failure is not None:
            raise self.failure

    def _run(self, opened: OpenRole) -> None:
        try:
            with ExitStack() as held:
                role = self._open(opened, held)
                if role is not None:
                    take_turns(role, self.stop, self._revive)
        except AirsideError as error:
            log.error("a role died name=%s because %s", threading.current_thread().name, error)
            self.failure = self.failure or error
        except BaseException as error:
            log.exception("a role died name=%s", threading.current_thread().name)
            self.failure = self.failure or error
        finally:
            self.stop.set()

    def _open(self, opened: OpenRole, held: ExitStack) -> Role | None:
        """The role, as soon as its engines answer; None if told to stop before."""
        patience = Patience(threading.current_thread().name, self.stop, self._revive)
        while not self.stop.is_set():
            try:
                return held.enter_context(opened())
            except Transient as error:
                patience.wait(error)
        return None


def take_turns(
    role: Role, stop: threading.Event, revive: Callable[[], None] = no_revival
) -> None:
    """Turn after turn; waits a little while idle and longer while an engine is away."""
    idle = IDLE_SECONDS_MIN
    patience = Patience(role.name, stop, revive)
    while not stop.is_set():
        try:
            did = role.turn()
        except Transient as error:
            patience.wait(error)
            continue
        patience.renew()
        if did:
            idle = IDLE_SECONDS_MIN
        else:
            stop.wait(idle)
            idle = min(2 * idle, IDLE_SECONDS_MAX)
