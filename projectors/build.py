"""Build some shards of a new generation, and compare them with the live one.

It is the part of a replay that may be shared out to processes (airside/parallel.py): shards
know nothing of each other.
"""

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from msgspec import Struct

from projectors.fingerprint import fold_fingerprint
from projectors.projection import Projection
from projectors.read_side import ReadSide
from projectors.throttle import Throttle
from projectors.verification import Verification, verify_shard
from projectors.view_store import Generation, ViewStore
from projectors.worker import ShardProjector

V = TypeVar("V")


class Job(Struct, frozen=True):
    """What is to be built, and compared with what."""

    live: Generation
    rebuilt: Generation
    shards: tuple[int, ...]
    lag_ms_max: int | None = None  # of the live one; None: no matter


class ShardProgress(Struct, frozen=True):
    """How far one shard is."""

    shard: int
    built: int  # events
    goal: int  # … to where the live one stood at the beginning
    rows: int = 0  # of the live one
    compared: int = 0  # rows


Tell = Callable[[ShardProgress | None], None]
"""How far a shard is; None: alive, and nothing new."""


class BuildShards(Protocol):
    """Builds the shards of a job, here or elsewhere."""

    def __call__(
        self, projection: Projection[Any], read_side: ReadSide, job: Job, tell: Tell
    ) -> Verification:
        """What the comparison found; `tell` hears of every batch. Raises: see `replay`."""


def build_here(
    projection: Projection[V], read_side: ReadSide, job: Job, tell: Tell
) -> Verification:
    """Build and compare one shard after the other, in this thread."""
    goals = {shard: live_rows(read_side.store, job.live, shard) for shard in job.shards}
    found = Verification()
    fingerprint = fold_fingerprint(projection, read_side.codec)
    builders = [
        read_side.projector(projection, job.rebuilt, shard, fingerprint, read_side.building)
        for shard in job.shards
    ]
    try:
        for builder in builders:
            _build(read_side, job, builder, *goals[builder.shard], tell)
        for builder in builders:
            found += _verify(read_side, job, builder, *goals[builder.shard], tell)
    finally:
        for builder in builders:
            builder.close()
    return found


def live_rows(store: ViewStore, live: Generation, shard: int) -> tuple[int, int]:
    """A shard's seq and its number of rows."""
    rows = store.rows(live, shard, ())
    return rows.checkpoint.seq, rows.row_count


def _build(
    read_side: ReadSide,
    job: Job,
    builder: ShardProjector[V],
    goal: int,
    rows: int,
    tell: Tell,
) -> None:
    """Bring a shard to where the live one stood."""
    throttle = _throttle(read_side, job, builder, tell)
    is_done = False
    while not is_done:
        if throttle is not None:
            throttle.wait()
        is_done = builder.advance(goal)
        tell(ShardProgress(builder.shard, builder.checkpoint.seq, goal, rows))


def _throttle(
    read_side: ReadSide, job: Job, builder: ShardProjector[V], tell: Tell
) -> Throttle | None:
    if job.lag_ms_max is None:
        return None

    def waiting(seconds: float) -> None:
        tell(None)
        read_side.sleep(seconds)

    return Throttle(
        read_side.store,
        job.live,
        builder.shard,
        end=builder.end if job.rebuilt.source == "topic" else None,
        clock=read_side.clock,
        sleep=waiting,
        lag_ms_max=job.lag_ms_max,
    )


def _verify(
    read_side: ReadSide,
    job: Job,
    builder: ShardProjector[V],
    goal: int,
    rows: int,
    tell: Tell,
) -> Verification:
    compared = 0

    def add(count: int) -> None:
        nonlocal compared
        compared += count
        tell(ShardProgress(builder.shard, goal, goal, rows, compared))

    found = verify_shard(read_side.store, job.live, builder, add)
    tell(ShardProgress(builder.shard, goal, goal, rows, found.rows))
    return found
