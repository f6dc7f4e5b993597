"""Read models that other code built are rebuilt beside the served ones, one after the other.

Each rebuild is `airside replay` in a process of its own: it takes no time from the folding, and
what becomes of it becomes of nobody else. Of several projectors that see the need one gets the
build; the others are told so, and look again later.
"""

import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from typing import Literal

from airside.settings import Settings

RETRY_SECONDS = 60.0  # after one that failed, or that somebody else was at; then twice that, …
RETRY_SECONDS_MAX = 3_600.0
STOP_SECONDS = 10.0

Rebuild = Literal["promote", "build", "no"]
"""What a projector does about such read models: serve the rebuilt ones, leave that to a person,
or nothing."""

REPLAY = (sys.executable, "-m", "airside", "replay")

log = logging.getLogger("airside.rebuilds")

Start = Callable[[str, Rebuild], "subprocess.Popen[bytes]"]


class Rebuilds:
    """At most one at a time. `start` begins the replay of a projection."""

    def __init__(self, start: Start, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._start, self._monotonic = start, monotonic
        self._process: subprocess.Popen[bytes] | None = None
        self._name = ""
        self._rest_until: dict[str, float] = {}
        self._rests: dict[str, float] = {}

    def look(self, outdated: Mapping[str, Rebuild]) -> None:
        """See what became of the one that runs; begin the next one that is due.

        `outdated`: by name of the projection, what to do about it.
        """
        if self._process is not None:
            code = self._process.poll()
            if code is None:
                return
            self._process = None
            rest = min(2 * self._rests.get(self._name, RETRY_SECONDS / 2), RETRY_SECONDS_MAX)
            self._rests[self._name] = rest
            self._rest_until[self._name] = self._monotonic() + rest
            said = "rebuilt" if code == 0 else f"not rebuilt (exit code {code})"
            log.info("%s: %s", self._name, said)
        now = self._monotonic()
        due = (name for name in outdated if now >= self._rest_until.get(name, 0.0))
        name = next(due, None)
        if name is not None:
            log.warning(
                "%s was built by other code and is not written any more: building a new "
                "generation beside it. Watch it: airside projections --watch",
                name,
            )
            self._name, self._process = name, self._start(name, outdated[name])

    def close(self) -> None:
        """Stop the one that runs; the same replay goes on where it stopped."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def replaying(settings: Settings) -> Start:
    """Start `airside replay` on the same engines. What it says goes to standard error."""

    def start(name: str, rebuild: Rebuild) -> "subprocess.Popen[bytes]":
        options = ["--no-promote"] if rebuild == "build" else []
        return subprocess.Popen(
            [*REPLAY, name, "--if-missing", "--processes", "1", *options],
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr.fileno(),
            env=os.environ | settings.environment(),  # an address may hold a password
        )

    return start
