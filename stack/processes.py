"""A server as a child process: started, looked at until it is ready, stopped by its own id."""

import logging
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from pathlib import Path
from typing import IO, Protocol

from schemas.errors import Unavailable
from stack.ports import is_free

START_SECONDS_MAX = 180.0  # from the start to the first answer; a cold, busy machine included
STOP_SECONDS_MAX = 30.0  # from TERM to KILL
PAUSE_SECONDS = 0.05  # between two looks
PROGRESS_SECONDS = 10.0  # between two words about a slow start
LOG_LINES_SHOWN = 12  # of a server that did not come up

_LEASH = Path(__file__).with_name("leash.py")
_log = logging.getLogger("airside.stack")


class ServerProcess:
    """One server, which can be started again. It ends with us even if we are killed (leash.py).

    `listens` are the addresses it takes; nobody else may have them when it starts.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        log: Path,
        listens: Sequence[tuple[str, int]],
    ) -> None:
        self.name = name
        self.log = log
        self._command = list(command)
        self._listens = tuple(listens)
        self._leash: subprocess.Popen[str] | None = None
        self._is_paused = False
        self._pid = 0

    @property
    def pid(self) -> int:
        """The server's own process id, not its leash's. Raises: Unavailable if none runs."""
        self._running()
        return self._pid

    @property
    def is_running(self) -> bool:
        """Whether the process lives, paused or not."""
        leash = self._leash
        return leash is not None and leash.poll() is None

    def start(
        self, is_ready: Callable[[], bool], *, seconds_max: float = START_SECONDS_MAX
    ) -> None:
        """Return when it is ready. Nothing is left running otherwise. Raises: Unavailable."""
        self.spawn()
        try:
            self.wait_until(is_ready, seconds_max=seconds_max)
        except BaseException:
            self.kill()
            raise

    def spawn(self) -> None:
        """Start it and return at once. Raises: Unavailable if it cannot be run at all."""
        if self.is_running:
            raise Unavailable(f"{self.name} runs already (process {self._pid}). Stop it first.")
        self._forget()
        for host, port in self._listens:
            if not is_free(host, port):
                raise Unavailable(
                    f"{self.name} cannot start: {host}:{port} is taken. Does one run on the "
                    f"same data ({self.log.parent})? Stop it, or use another directory."
                )
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._leash = subprocess.Popen(
                [sys.executable, "-I", "-S", str(_LEASH), str(self.log), *self._command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,  # Ctrl-C is for us: we stop it in our own order
            )
        self._is_paused = False
        said = _output(self._leash).readline()
        if not said:
            self._forget()
            raise Unavailable(f"{self.name} cannot be run: {self._last_words()}")
        self._pid = int(said)

    def wait_until(self, is_ready: Callable[[], bool], *, seconds_max: float) -> None:
        """Return when the condition holds; it is looked at often. Raises: Unavailable."""
        began = time.monotonic()
        spoken = began
        while not is_ready():
            now = time.monotonic()
            if not self.is_running:
                raise Unavailable(f"{self.name} ended while it started: {self._last_words()}")
            if now - began > seconds_max:
                raise Unavailable(
                    f"{self.name} is not ready after {seconds_max:.0f} s: {self._last_words()}"
                )
            if now - spoken > PROGRESS_SECONDS:
                spoken = now
                _log.info("%s starts seconds=%.0f log=%s", self.name, now - began, self.log)
            time.sleep(PAUSE_SECONDS)

    def stop(self, *, seconds_max: float = STOP_SECONDS_MAX) -> None:
        """End it in good order (TERM), after the bound at all (KILL). A repeat is nothing."""
        if self.is_running:
            self._send(signal.SIGTERM)
            if self._is_paused:
                self._send(signal.SIGCONT)
            try:
                self._running().wait(seconds_max)
            except subprocess.TimeoutExpired:
                _log.warning("killing %s: it did not stop in %.0f s", self.name, seconds_max)
                self._send(signal.SIGKILL)
        self._forget()

    def kill(self) -> None:
        """End it with `kill -9`, paused or not; it is gone when this returns."""
        if self.is_running:
            self._send(signal.SIGKILL)
        self._forget()

    def pause(self) -> None:
        """Freeze it (SIGSTOP): connections stay open, nothing answers. Raises: Unavailable."""
        self._running()
        self._send(signal.SIGSTOP)
        self._is_paused = True

    def go_on(self) -> None:
        """Let a paused one go on (SIGCONT). Raises: Unavailable if it has ended."""
        self._running()
        self._send(signal.SIGCONT)
        self._is_paused = False

    def _running(self) -> "subprocess.Popen[str]":
        leash = self._leash
        if leash is None or leash.poll() is not None:
            raise Unavailable(f"{self.name} does not run. Start it first. Log: {self.log}")
        return leash

    def _send(self, number: signal.Signals) -> None:
        leash = self._leash
        if leash is None:
            return
        try:
            _input(leash).write(f"{number.value}\n")
            _input(leash).flush()
            _output(leash).readline()  # the signal is out when its number comes back
        except BrokenPipeError:
            _log.debug("%s ended before signal %d", self.name, number)

    def _forget(self) -> None:
        """Close the pipes, which ends what still runs, and take note of its end."""
        leash, self._leash = self._leash, None
        if leash is None:
            return
        with suppress(BrokenPipeError):
            _input(leash).close()
        leash.wait()
        _output(leash).close()

    def _last_words(self) -> str:
        lines = self.log.read_text("utf-8", errors="replace").splitlines()[-LOG_LINES_SHOWN:]
        return "\n  ".join(["the end of its log:", *lines, f"The whole log: {self.log}"])


class Server(Protocol):
    """What can be started together with others."""

    def start(self) -> None:
        """Return when it is ready. Raises: Unavailable."""

    def stop(self) -> None:
        """End it in good order."""

    def kill(self) -> None:
        """End it at once."""


def start_together(servers: Sequence[Server]) -> None:
    """Start all at once. All are ready when this returns, or none runs. Raises: Unavailable."""
    try:
        with ThreadPoolExecutor(len(servers)) as threads:
            starting = [threads.submit(server.start) for server in servers]
            try:
                for done in as_completed(starting):
                    done.result()
            except BaseException:
                _kill(servers)  # who still waits for one of them gives up
                raise
    except BaseException:
        _kill(servers)  # who was not even spawned then
        raise


def stop_together(servers: Sequence[Server]) -> None:
    """Stop all at once: in a cluster one alone may wait for the others."""
    with ThreadPoolExecutor(len(servers)) as threads:
        for stopping in [threads.submit(server.stop) for server in servers]:
            stopping.result()


def _kill(servers: Sequence[Server]) -> None:
    for server in servers:
        server.kill()


def _input(leash: "subprocess.Popen[str]") -> IO[str]:
    assert leash.stdin is not None
    return leash.stdin


def _output(leash: "subprocess.Popen[str]") -> IO[str]:
    assert leash.stdout is not None
    return leash.stdout
