"""Looking back: a read model as it was at an instant, beside the served one.

    look_back       both of these, where the read models are of this history
    begin_scratch   a generation with a label, or the same one again to go on with
    build_scratch   fold every shard up to the instant

It is never served and nobody follows it. Whole once no event up to the instant can come any
more, it stays what it is from then on, until it is retired. It holds,
of every shard, the events before the first one that is later than the instant. An event's `at`
is when the broker took its command: it never runs backwards within an account, and within a
shard only where the broker's clock was set back; then an event that lies behind a later one is
left out with it, as whoever asked at that time would not have seen it.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import replace as with_other
from datetime import UTC, datetime
from functools import partial
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from projectors.fingerprint import fold_fingerprint
from projectors.generations import (
    added,
    apply,
    ensure_serving,
    next_number,
    serving,
    update,
    without,
)
from projectors.holes import Fill
from projectors.pace import COUNT_MAX
from projectors.progress import Meter, Report
from projectors.projection import Projection
from projectors.read_side import ReadSide
from projectors.until import Until
from projectors.view_store import Generation, Registry, Source, ViewStore
from projectors.worker import STALL_WAIT_SECONDS, STALLS_MAX, ShardProjector
from schemas.codec import Codec
from schemas.errors import Contradiction, Hole, Invalid, Moved, Unavailable

LABEL = re.compile(r"(?!\d+$)[A-Za-z0-9_][A-Za-z0-9_-]{0,39}")

IsOver = Callable[[int], bool]
"""(shard) -> whether each of its events up to the instant is in the event store by now."""


class LookedBack(Struct, frozen=True):
    """What a look back came to."""

    generation: Generation
    open_shards: tuple[int, ...] = ()  # events up to the instant may still come to these

    @property
    def is_whole(self) -> bool:
        """Whether it can be asked, and stays what it is."""
        return self.generation.followed_at is not None


def look_back(
    projection: Projection[Any],
    read_side: ReadSide,
    label: str,
    *,
    as_of: int,
    is_over: IsOver,
    source: Source = "topic",
    anew: bool = False,
    report: Report = lambda progress: None,
) -> LookedBack:
    """The read model as of an instant. `source` is what the read side's sources are.

    Raises: Contradiction if the read models are of another history, and what the two raise.
    """
    fingerprint = fold_fingerprint(projection, read_side.codec)
    now_at = read_side.clock()
    ensure_serving(
        read_side.store,
        projection.name,
        fingerprint=fingerprint,
        history=read_side.history,
        shards=read_side.shards,
        now_at=now_at,
    )
    begun = begin_scratch(
        read_side.store,
        projection.name,
        label,
        as_of=as_of,
        fingerprint=fingerprint,
        now_at=now_at,
        source=source,
        anew=anew,
    )
    return build_scratch(projection, read_side, begun, is_over=is_over, report=report)


def begin_scratch(
    store: ViewStore,
    projection: str,
    label: str,
    *,
    as_of: int,
    fingerprint: str,
    now_at: int,
    source: Source = "topic",
    anew: bool = False,
) -> Generation:
    """The generation with this label; the one begun by the same code for the same instant.

    `anew` puts a fresh one in the place of any. Raises: Contradiction where another one has the
    label; Invalid for a label that could be a number, or has other characters.
    """
    if not LABEL.fullmatch(label):
        raise Invalid(
            f"label {label!r:.60}: letters, digits, _ and (not first) -, at most 40, no number."
        )

    def change(registry: Registry) -> Registry | None:
        found = registry.called(label)
        if found is not None and not anew:
            if (found.as_of, found.fingerprint) == (as_of, fingerprint):
                return None
            raise Contradiction(_taken(found, is_other_code=found.fingerprint != fingerprint))
        number = next_number(registry)
        fresh = Generation(
            projection, number, fingerprint, now_at, source=source, label=label, as_of=as_of
        )
        return added(without(registry, found), fresh)

    begun = apply(store, projection, change).called(label)
    if begun is None:
        raise Moved(f"{projection}@{label}: somebody else retired it meanwhile. Begin again.")
    return begun


def build_scratch(
    projection: Projection[Any],
    read_side: ReadSide,
    generation: Generation,
    *,
    is_over: IsOver,
    report: Report = lambda progress: None,
) -> LookedBack:
    """Fold every shard up to the generation's instant, one after the other.

    Whole once each shard has a later event, or is over; one that is whole is not touched again.
    Interrupted or not whole, the same call goes on where the checkpoints are. Raises: NotFound
    if it was retired meanwhile; Hole where events cannot be had; Moved, Unavailable.
    """
    if generation.followed_at is not None:
        return LookedBack(generation)
    totals = _totals(read_side, generation)
    done = [
        read_side.store.rows(generation, shard, ()).checkpoint.seq
        for shard in range(read_side.shards)
    ]
    meter = Meter("building", read_side.clock, report, sum(totals), sum(done))
    fingerprint = fold_fingerprint(projection, read_side.codec)
    open_shards: list[int] = []
    for shard in range(read_side.shards):
        until, side = _until(read_side, generation, shard)
        builder = side.projector(projection, generation, shard, fingerprint)
        try:
            for done[shard] in _steps(builder, until):
                meter.tell(sum(done))
            was_over = until.last_seq is not None or is_over(shard)
            for done[shard] in _steps(builder, until):  # what came before that was answered
                meter.tell(sum(done))
            if not was_over and until.last_seq is None:
                open_shards.append(shard)
        finally:
            builder.close()
    if open_shards:
        return LookedBack(generation, tuple(open_shards))
    is_whole = partial(replace, followed_at=read_side.clock())
    return LookedBack(update(read_side.store, generation, is_whole))


def _until(read_side: ReadSide, generation: Generation, shard: int) -> tuple[Until, ReadSide]:
    """The shard's events up to the instant, and a read side that has no others."""
    assert generation.as_of is not None, f"{generation.name} has a label, so it has an instant"
    fill = None if read_side.fill is None else read_side.fill(shard)
    until = Until(read_side.source(shard), fill, read_side.codec, generation.as_of)
    of_shard = None if fill is None else lambda shard: until.fill
    return until, with_other(read_side, source=lambda shard: until, fill=of_shard)


def _steps(builder: ShardProjector[Any], until: Until) -> Iterator[int]:
    """Fold the shard to its end; the seq that it has come to, from time to time."""
    stalls = 0
    while stalls <= STALLS_MAX:
        polled = builder.step(STALL_WAIT_SECONDS if stalls else 0.0)
        seq = builder.checkpoint.seq
        yield seq
        stalls = 0 if polled else stalls + 1
        if not polled:  # and so no save is under way
            goal = _goal(builder, until, seq)
            if goal <= seq:
                return
            _advance(builder, until, goal)
    raise Unavailable(f"{builder.name}: the events topic gives nothing more. Go on later.")


def _goal(builder: ShardProjector[Any], until: Until, seq: int) -> int:
    """Up to where there are events behind `seq`, in the topic or only in the event store."""
    if until.last_seq is not None:
        return until.last_seq
    return seq + 1 if builder.lag > 0 else seq + len(until.fill(seq, COUNT_MAX))


def _advance(builder: ShardProjector[Any], until: Until, goal: int) -> None:
    """Fold some of it. Raises: what halts the shard, but for a hole behind the last event."""
    try:
        builder.advance(goal)
    except Hole:
        if until.last_seq is None or builder.checkpoint.seq < until.last_seq:
            raise


def _totals(read_side: ReadSide, generation: Generation) -> list[int]:
    """About how many events each shard has up to the instant."""
    store = read_side.store
    served = serving(store.registry(generation.projection))
    ends = [store.rows(served, shard, ()).checkpoint.seq for shard in range(read_side.shards)]
    if read_side.fill is None:
        return ends
    return [
        _before(read_side.fill(shard), read_side.codec, generation.as_of or 0, end)
        for shard, end in enumerate(ends)
    ]


def _before(fill: Fill, codec: Codec, as_of: int, end: int) -> int:
    """How many of the first `end` events come before an instant, if none is out of order."""

    def at(seq: int) -> int:
        found = fill(seq - 1, 1)
        return (codec.at_of(found[0][1]) or 0) if found else as_of + 1

    return bisect_right(range(1, end + 1), as_of, key=at)


def _taken(found: Generation, *, is_other_code: bool) -> str:
    when = datetime.fromtimestamp((found.as_of or 0) / 1_000, UTC)
    by = ", built by other code" if is_other_code else ""
    return (
        f"{found.name} is there already, as of {when.isoformat()}{by}. Choose "
        "another label, or say --replace."
    )
