"""The command line as a process, as people run it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
CATALOG = ROOT / "examples" / "catalog.json"
AIRSIDE = (sys.executable, "-m", "airside")
START_SECONDS_MAX = 30.0


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
    """Runs verbs on one data directory."""

    data: Path

    def __call__(self, *words: str, stdin: bytes = b"") -> Ran:
        done = subprocess.run(
            [*AIRSIDE, "--data", str(self.data), *words],
            input=stdin,
            capture_output=True,
            env=environment(),
            timeout=100,
            check=False,
        )
        return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())

    def send(self, command_type: str, *fields: str) -> Any:
        """Send a command, wait for its outcome, and give it back as JSON."""
        return self("send", command_type, *fields, "--wait", "--json").json

    def ask(self, *words: str) -> Any:
        """A query's answer as JSON."""
        return self("query", *words, "--json").json


def environment() -> dict[str, str]:
    """Ours, without what would choose another deployment."""
    return {name: value for name, value in os.environ.items() if "AIRSIDE" not in name}


@contextmanager
def up(data: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`airside up`, ready; interrupted at the end unless it is gone by then."""
    process = subprocess.Popen(
        [*AIRSIDE, "--data", str(data), "up"], stderr=subprocess.PIPE, env=environment()
    )
    try:
        wait_until_up(process)
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.communicate(timeout=START_SECONDS_MAX)


def wait_until_up(process: subprocess.Popen[bytes]) -> None:
    """Until it says so."""
    assert process.stderr is not None
    deadline = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < deadline:
        line = process.stderr.readline()
        if b"airside is up" in line:
            return
        assert line, "airside up ended before it was up"
    raise AssertionError("airside up did not come up in time")
