"""The command line as a process, as people run it."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from airside.settings import Settings

ROOT = Path(__file__).parents[2]
CATALOG = ROOT / "examples" / "catalog.json"
AIRSIDE = (sys.executable, "-m", "airside")
START_SECONDS_MAX = 90.0
STOP_SECONDS_MAX = 60.0
PATIENTLY = ("--wait", "--timeout", "60")  # for the outcome of a command
LINES_SHOWN = 60  # of what a worker said, where a test fails


@dataclass(frozen=True)
class Ran:
    """What a run printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON value on standard output."""
        return json.loads(self.out)


@dataclass(frozen=True)
class Shell:
    """Runs verbs on one deployment: a data directory, or engines by their addresses."""

    data: Path
    events: str | None = None
    log: str | None = None
    views: str | None = None
    archive: Path | None = None

    def __call__(self, *words: str, stdin: bytes = b"") -> Ran:
        done = subprocess.run(
            [*AIRSIDE, *words],
            input=stdin,
            capture_output=True,
            env=self.environment,
            timeout=100,
            check=False,
        )
        return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())

    @property
    def settings(self) -> Settings:
        """The same deployment, for code."""
        return Settings(
            data=self.data,
            events=self.events,
            log=self.log,
            views=self.views,
            archive=self.archive,
        )

    @property
    def environment(self) -> dict[str, str]:
        """The same deployment, for a process."""
        return environment() | self.settings.environment()

    def start(self, role: str, *options: str, program: Sequence[str] = AIRSIDE) -> "Worker":
        """A role as a process of its own, ready."""
        self.data.mkdir(parents=True, exist_ok=True)
        worker = Worker(self, role, options, program)
        try:
            worker.wait_until_up()
        except BaseException:
            worker.kill()
            raise
        return worker

    def send(self, command_type: str, *fields: str) -> Any:
        """Send a command, wait for its outcome, and give it back as JSON."""
        return self("send", command_type, *fields, *PATIENTLY, "--json").json

    def ask(self, *words: str) -> Any:
        """A query's answer as JSON."""
        return self("query", *words, "--json").json


def environment() -> dict[str, str]:
    """Ours, without what would choose another deployment."""
    ours = {name: value for name, value in os.environ.items() if "AIRSIDE" not in name}
    return ours | {"PYTHONFAULTHANDLER": "1"}


class Worker:
    """A role at work. What it says goes to a file: a pipe that nobody reads would fill up."""

    def __init__(
        self,
        shell: Shell,
        role: str,
        options: Sequence[str] = (),
        program: Sequence[str] = AIRSIDE,
    ) -> None:
        shell.data.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f"{role}-", suffix=".log", dir=shell.data)
        self.said = Path(name)
        try:
            self.process = subprocess.Popen(
                [*program, role, *options],
                stdout=subprocess.DEVNULL,
                stderr=handle,
                env=shell.environment,
                cwd=ROOT,
            )
        finally:
            os.close(handle)

    @property
    def text(self) -> str:
        """All that it has said."""
        return self.said.read_text(errors="replace")

    @property
    def last_words(self) -> str:
        """The end of it, under a title, and whether the process lives."""
        code = self.process.poll()
        state = "at work" if code is None else f"ended with {code}"
        lines = self.text.splitlines()[-LINES_SHOWN:]
        return "\n  ".join([f"--- {self.said.name}, {state}:", *lines])

    def wait_until_up(self) -> None:
        """Until it says so."""
        deadline = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < deadline:
            said = self.text
            if " is up: " in said:
                return
            assert self.process.poll() is None, f"it ended before it was up:\n{said}"
            time.sleep(0.02)
        raise AssertionError(f"it did not come up in time:\n{said}")

    def kill(self) -> None:
        """As if the machine had lost its power."""
        self._signal(signal.SIGKILL)
        self.process.wait(timeout=STOP_SECONDS_MAX)

    def pause(self) -> None:
        """It stands still until `go_on`, and does not know."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """As if nothing had been."""
        self._signal(signal.SIGCONT)

    def stop(self) -> int:
        """In good order; the exit code."""
        self._signal(signal.SIGCONT)
        self._signal(signal.SIGINT)
        try:
            return self.process.wait(timeout=STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self._signal(signal.SIGABRT)  # it says where each of its threads is
            self.process.wait(timeout=STOP_SECONDS_MAX)
            raise AssertionError(f"it did not stop:\n{self.text}") from None

    def _signal(self, number: signal.Signals) -> None:
        if self.process.poll() is None:
            self.process.send_signal(number)


@contextmanager
def at_work(shell: Shell, *roles: str) -> Iterator[list[Worker]]:
    """These roles, each a process of its own; stopped at the end unless they are gone."""
    workers: list[Worker] = []
    try:
        for role in roles:
            workers.append(shell.start(role))
        with quoted(workers):
            yield workers
    finally:
        codes = [worker.stop() for worker in workers]
        assert codes, "nobody was at work"


@contextmanager
def quoted(workers: Sequence[Worker]) -> Iterator[None]:
    """An error of the block says the last that each of them said, too."""
    try:
        yield
    except BaseException as error:
        for worker in workers:
            error.add_note(worker.last_words)
        raise


@contextmanager
def up(data: Path) -> Iterator[Worker]:
    """`airside up` on the embedded engines."""
    with at_work(Shell(data), "up") as workers:
        yield workers[0]
