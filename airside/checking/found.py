"""What a check found, and what all checks are given."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from msgspec import Struct, field

from airside.log import Log
from commands.event_store import EventStore
from projectors.projection import Projection
from projectors.view_store import ViewStore
from schemas.codec import Codec

FAULTS_MAX = 10_000  # named, of one check of one shard; all are counted

Check = Literal["store", "index", "topic", "commands", "rows"]
CHECKS: tuple[Check, ...] = ("store", "index", "topic", "commands", "rows")

Report = Callable[[int, int], None]
"""So many of so many events and records are looked at."""


class Fault(Struct, frozen=True):
    """One difference, and where it is."""

    check: Check
    shard: int
    place: str  # `seq 17`, `offset 4`, `account a1, version 3`, `downloads.1, row a1`
    what: str
    found: str | None = None  # a row: as it is served, and as it should be; None: no such row
    wanted: str | None = None


class Found(Struct):
    """What one check of one shard compared and found."""

    check: Check
    shard: int
    generation: str = ""  # of rows: `downloads.3`
    compared: int = 0  # events, accounts, records or rows
    fault_count: int = 0
    faults: list[Fault] = field(default_factory=list)  # the first of them
    said: list[str] = field(default_factory=list)  # what is no fault, but good to know
    early: int = 0  # topic: records that came before what they follow; a reader has a hole
    waiting: int = 0  # topic: events that are not there yet, for their handler to publish
    repeats: int = 0  # topic: records that were there before

    def fault(
        self, place: str, what: str, found: str | None = None, wanted: str | None = None
    ) -> None:
        """One more fault."""
        self.fault_count += 1
        if len(self.faults) < FAULTS_MAX:
            self.faults.append(Fault(self.check, self.shard, place, what, found, wanted))


@dataclass(frozen=True, slots=True)
class Sides:
    """Everything that is compared."""

    store: EventStore
    topics: Log
    views: ViewStore
    shards: int
    codec: Codec
    projections: Sequence[Projection[Any]]


class Meter:
    """Adds up what was looked at, and tells."""

    def __init__(self, total: int, report: Report) -> None:
        self._total, self._report = total, report
        self._done = 0

    def add(self, count: int) -> None:
        """So many more."""
        self._done += count
        self._total = max(self._total, self._done)
        self._report(self._done, self._total)


def numbers(first: int, last: int) -> str:
    """`seq 17`, or `seq 17 to 20`."""
    return f"seq {first}" if first == last else f"seq {first} to {last}"
