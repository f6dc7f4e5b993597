"""The whole check, shard by shard, while the workers go on.

    store      seq and version without gaps, every command decided once
    index      every account's events, as the handlers load them, are those of the history
    topic      every event is published, with the same bytes, in order, and nothing else
    commands   every command that was taken has left a trace
    rows       every read model equals a fold of the history

Where a shard stands is read first, and compared up to there. Nothing is changed by it, but that
the event store may finish indexing what a handler has left behind.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager

from msgspec import Struct

from airside.checking.commands import Taken, check_commands
from airside.checking.found import CHECKS, Check, Found, Meter, Report, Sides
from airside.checking.history import History
from airside.checking.index import check_index
from airside.checking.rows import check_rows
from airside.checking.topic import Bounds, TopicCheck
from airside.wiring import Deployment
from commands.event_store import Resumed
from projectors.all import PROJECTIONS
from projectors.generations import followed
from schemas.codec import CODEC
from schemas.errors import Hole
from schemas.record import COMMANDS_TOPIC, EVENTS_TOPIC

NEED_THE_HISTORY: frozenset[Check] = frozenset(("store", "index", "commands"))


class Asked(Struct, frozen=True):
    """Which checks, of what."""

    shards: tuple[int, ...]
    checks: frozenset[Check] = frozenset(CHECKS)
    sample: int | None = None  # accounts of each shard whose index is read; None: all


@contextmanager
def sides(deployment: Deployment) -> Iterator[Sides]:
    """Everything that a deployment's check reads, closed behind it."""
    deployment.check_layout()
    deployment.check_views()
    with (
        deployment.event_store() as store,
        deployment.log() as topics,
        deployment.view_store() as views,
    ):
        yield Sides(store, topics, views, deployment.shards, CODEC, PROJECTIONS)


def check(sides: Sides, asked: Asked, report: Report = lambda done, total: None) -> list[Found]:
    """What every check found, in every shard; `report` hears how far it is.

    Raises: Unavailable; Moved where read models keep falling back.
    """
    meter = Meter(_events_and_records(sides, asked), report)
    return [
        found for shard in asked.shards for found in _check_shard(sides, asked, shard, meter)
    ]


def bounds(sides: Sides, shard: int) -> tuple[Bounds, Taken]:
    """Up to where a shard can be compared. Raises: Hole where the store cannot say it."""
    before = sides.store.resume(shard)
    with (
        closing(sides.topics.source(EVENTS_TOPIC, shard)) as events,
        closing(sides.topics.source(COMMANDS_TOPIC, shard)) as commands,
    ):
        end, begin, commands_end = events.end(), commands.begin(), commands.end()
        after = sides.store.resume(shard).position
        commands_end = max(commands_end, commands.end())
    taken = Taken(begin, commands_end, after.next_offset)
    return Bounds(_settled_seq(before), end, after.seq), taken


def _check_shard(sides: Sides, asked: Asked, shard: int, meter: Meter) -> Iterator[Found]:
    try:
        bound, taken = bounds(sides, shard)
    except Hole as why:
        found = Found("store", shard, said=["nothing else of this shard is compared"])
        found.fault(f"shard {shard}", str(why))
        yield found
        return
    if asked.checks & NEED_THE_HISTORY:
        yield from _of_history(sides, asked, shard, bound, taken, meter)
    if "topic" in asked.checks:
        yield TopicCheck(sides, shard, bound).run(meter)
    if "rows" in asked.checks:
        yield from check_rows(sides, shard, meter)


def _of_history(
    sides: Sides, asked: Asked, shard: int, bound: Bounds, taken: Taken, meter: Meter
) -> Iterator[Found]:
    history = History(sides, shard, bound.through)
    with closing(history.decided):
        history.read(meter)
        if "store" in asked.checks:
            yield history.found
        if "index" in asked.checks:
            yield check_index(sides, history, shard, bound.through, asked.sample, meter)
        if "commands" in asked.checks:
            yield check_commands(sides, history, shard, taken, meter)


def _settled_seq(resumed: Resumed) -> int:
    """The last seq that is surely on the topic: the one before what may be unpublished."""
    unpublished = (event.seq for _, events in resumed.unpublished for event in events)
    return next(unpublished, resumed.position.seq + 1) - 1


def _events_and_records(sides: Sides, asked: Asked) -> int:
    """About how much there is to look at, over all checks."""
    registries = [sides.views.registry(projection.name) for projection in sides.projections]
    generations = sum(len(followed(registry)) for registry in registries)
    times = sum(
        (
            bool(asked.checks & NEED_THE_HISTORY),
            "index" in asked.checks and asked.sample is None,
            "topic" in asked.checks,
            "rows" in asked.checks and generations,
        )
    )
    total = 0
    for shard in asked.shards:
        with closing(sides.topics.source(EVENTS_TOPIC, shard)) as source:
            total += source.end() * times
        if "commands" in asked.checks:
            with closing(sides.topics.source(COMMANDS_TOPIC, shard)) as source:
                total += source.end()
    return total
