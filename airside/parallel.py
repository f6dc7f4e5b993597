"""A replay's shards shared out to processes, each with connections of its own.

The processes only fold and compare; the one that asked for it promotes. One that dies takes
nothing with it: its shards stand at their checkpoints, and the same replay goes on there.
"""

import multiprocessing
import os
import queue
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing.context import SpawnProcess
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from airside.projecting import rebuilding
from airside.running import collect_rarely
from airside.settings import Settings
from airside.wiring import open_existing
from projectors.all import PROJECTIONS
from projectors.build import BuildShards, Job, ShardProgress, Tell, build_here, live_rows
from projectors.projection import Projection
from projectors.read_side import ReadSide
from projectors.verification import Verification
from projectors.view_store import Source
from schemas.errors import AirsideError, Unavailable

SPAWN = multiprocessing.get_context("spawn")
LOOK_SECONDS = 0.5  # how long a death may go unseen
SILENT_SECONDS = 60.0  # of a process, after which it is thought to hang
EVENTS_WORTH = 200_000  # of one process more, which takes a second to start


class Part(Struct, frozen=True):
    """What one process is given."""

    settings: Settings
    projection: str
    source: Source
    job: Job
    parent: int  # process id: an orphan ends by itself


def in_processes(settings: Settings, source: Source, count: int | None) -> BuildShards:
    """A way to build that shares out shards to processes; None: as many as are worth it."""
    return partial(_share_out, settings, source, count)


def _share_out(
    settings: Settings,
    source: Source,
    wanted: int | None,
    projection: Projection[Any],
    read_side: ReadSide,
    job: Job,
    tell: Tell,
) -> Verification:
    count = wanted or _worth_it(read_side, job)
    if count == 1:
        return build_here(projection, read_side, job, tell)
    parts = [
        Part(settings, projection.name, source, replace(job, shards=shards), os.getpid())
        for n in range(min(count, len(job.shards)))
        if (shards := job.shards[n::count])
    ]
    answers: Any = SPAWN.Queue()
    processes = [
        SPAWN.Process(target=_work, args=(number, part, answers))
        for number, part in enumerate(parts)
    ]
    with _running(processes):
        return _collect(Team(parts, processes, answers), tell)


def _worth_it(read_side: ReadSide, job: Job) -> int:
    """At most one for each core, and none that has next to nothing to do."""
    events = sum(
        live_rows(read_side.store, job.live, shard)[0]
        - live_rows(read_side.store, job.rebuilt, shard)[0]
        for shard in job.shards
    )
    return min(os.cpu_count() or 1, len(job.shards), 1 + events // EVENTS_WORTH)


@contextmanager
def _running(processes: Sequence[SpawnProcess]) -> Iterator[None]:
    """Started, and killed at the end: what they save is saved whole, or not at all."""
    try:
        for process in processes:
            process.start()
        yield
    finally:
        for process in processes:
            if process.pid is not None:
                process.kill()
                process.join()
                process.close()


@dataclass
class Team:
    """The processes at work, and what was heard of each."""

    parts: Sequence[Part]
    processes: Sequence[SpawnProcess]
    answers: Any  # a queue of (number of the process, what it says)
    monotonic: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        self.found: dict[int, Verification] = {}
        self._heard_at = dict.fromkeys(range(len(self.parts)), self.monotonic())
        self._ended: set[int] = set()  # without an answer, when it was looked last

    def hear(self) -> ShardProgress | None:
        """What one of them says next, if anything. Raises: what one raised; Unavailable."""
        try:
            number, said = self.answers.get(timeout=LOOK_SECONDS)
        except queue.Empty:
            self._look()
            return None
        self._heard_at[number] = self.monotonic()
        match said:
            case AirsideError():
                raise said
            case Verification():
                self.found[number] = said
                return None
            case _:
                progress: ShardProgress | None = said
                return progress

    def _look(self) -> None:
        """Is one dead, or silent for too long? Its last words may be on their way still."""
        silent_since = self.monotonic() - SILENT_SECONDS
        ended = set()
        for number in self._heard_at.keys() - self.found.keys():
            code = self.processes[number].exitcode
            if code is not None:
                ended.add(number)
            if number in self._ended or self._heard_at[number] < silent_since:
                what = "says nothing" if code is None else f"ended with exit code {code}"
                shards = ", ".join(map(str, self.parts[number].job.shards))
                raise Unavailable(
                    f"the process that builds shards {shards} {what}. Nothing is lost: the "
                    "same replay goes on where it stopped."
                )
        self._ended = ended


def _collect(team: Team, tell: Tell) -> Verification:
    """What all of them found. Raises: what one of them raised; Unavailable where one died."""
    tell(None)
    while len(team.found) < len(team.parts):
        tell(team.hear())
    return sum(team.found.values(), Verification())


def _work(number: int, part: Part, answers: Any) -> None:
    """The life of one process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started it hears it, and ends it
    collect_rarely()
    by_name = {projection.name: projection for projection in PROJECTIONS}
    try:
        with (
            open_existing(part.settings) as deployment,
            rebuilding(deployment, part.source, shares=len(part.job.shards)) as read_side,
        ):

            def tell(progress: ShardProgress | None) -> None:
                if os.getppid() != part.parent:
                    raise SystemExit("whoever asked for this replay is gone")
                answers.put((number, progress))

            found = build_here(by_name[part.projection], read_side, part.job, tell)
        answers.put((number, found))
    except AirsideError as error:
        answers.put((number, error))
