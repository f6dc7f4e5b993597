"""A replay's shards shared out to processes, each with connections of its own.

The processes only fold and compare; the one that asked for it promotes. One that dies takes
nothing with it: its shards stand at their checkpoints, and the same replay goes on there.
"""

import multiprocessing
import os
import queue
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
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
JOIN_SECONDS = 10.0
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
    with _running([SPAWN.Process(target=_work, args=(part, answers)) for part in parts]) as (
        processes
    ):
        return _collect(processes, answers, job, tell)


def _worth_it(read_side: ReadSide, job: Job) -> int:
    """At most one for each core, and none that has next to nothing to do."""
    events = sum(
        live_rows(read_side.store, job.live, shard)[0]
        - live_rows(read_side.store, job.rebuilt, shard)[0]
        for shard in job.shards
    )
    return min(os.cpu_count() or 1, len(job.shards), 1 + events // EVENTS_WORTH)


@contextmanager
def _running(processes: Sequence[SpawnProcess]) -> Iterator[Sequence[SpawnProcess]]:
    """Started, and gone in any case at the end."""
    try:
        for process in processes:
            process.start()
        yield processes
    finally:
        for process in processes:
            if process.pid is not None and process.is_alive():
                process.terminate()
        for process in processes:
            if process.pid is not None:
                process.join(JOIN_SECONDS)
                process.close()


def _collect(
    processes: Sequence[SpawnProcess], answers: Any, job: Job, tell: Tell
) -> Verification:
    """What all of them found. Raises: what one of them raised; Unavailable where one died."""
    found: list[Verification] = []
    last: ShardProgress | None = None
    missing = 0  # processes that had ended without an answer when it was looked last
    while len(found) < len(processes):
        try:
            answer = answers.get(timeout=LOOK_SECONDS)
        except queue.Empty:
            ended = [p.exitcode for p in processes if p.exitcode is not None]
            if missing:
                raise Unavailable(
                    f"a process that builds shards ended (exit codes: {ended}). Nothing is "
                    "lost: the same replay goes on where it stopped."
                ) from None
            missing = len(ended) - len(found)
            if last is not None:
                tell(last)  # nobody else says that this builder is alive
            continue
        match answer:
            case ShardProgress():
                last = answer
                tell(answer)
            case Verification():
                found.append(answer)
            case _:
                raise answer
    return sum(found, Verification())


def _work(part: Part, answers: Any) -> None:
    """The life of one process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started it hears it, and ends it
    collect_rarely()
    by_name = {projection.name: projection for projection in PROJECTIONS}
    try:
        with (
            open_existing(part.settings) as deployment,
            rebuilding(deployment, part.source, shares=len(part.job.shards)) as read_side,
        ):
            tell = _unless_orphaned(part.parent, answers.put)
            answers.put(build_here(by_name[part.projection], read_side, part.job, tell))
    except AirsideError as error:
        answers.put(error)


def _unless_orphaned(parent: int, put: Callable[[ShardProgress], None]) -> Tell:
    def tell(progress: ShardProgress) -> None:
        if os.getppid() != parent:
            raise SystemExit("whoever asked for this replay is gone")
        put(progress)

    return tell
