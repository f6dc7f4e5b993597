"""The view store port: rows and checkpoint of one shard of one generation move together.

    registry(projection)              which generations exist and which is served
    change_registry(…)                compare-and-set of that                      Moved
    rows(generation, shard, keys)     rows *and* the checkpoint they belong to     Unavailable
    save(generation, shard, …)        rows and checkpoint together, or nothing     Fenced
    keys(generation, shard)           every row's key, for verification
    parked(generation, shard)         events that could not be folded
    drop(generation)                  a generation and all its rows

If the store falls back to an older state, rows and checkpoint go back together, and a worker
that follows the checkpoint is still exactly once.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from msgspec import Struct


class Checkpoint(Struct, frozen=True, gc=False):
    """How far a shard of a generation has come."""

    seq: int = 0  # of the last event folded
    offset: int = 0  # of the events topic, from which to go on
    at: int = 0  # of the last event folded, ms


class Generation(Struct, frozen=True):
    """One build of a projection: `downloads`, number 3."""

    projection: str
    number: int
    fingerprint: str  # of the fold and the schemas that built it
    created_at: int  # ms
    promoted_at: int | None = None

    @property
    def name(self) -> str:
        """`downloads.3`, as keys and messages spell it."""
        return f"{self.projection}.{self.number}"


class Registry(Struct, frozen=True):
    """The generations of one projection. Workers keep all of them up to date."""

    revision: int = 0
    serving: int | None = None  # number of the generation that queries read
    generations: tuple[Generation, ...] = ()
    history: str = ""  # the id of the event store whose events were folded; empty: not said
    shards: int = 0  # how many the rows are cut into; 0: not said
    dropped: tuple[Generation, ...] = ()  # by the last change; perhaps not all of their rows

    def generation(self, number: int | None) -> Generation | None:
        """The generation with that number."""
        return next((g for g in self.generations if g.number == number), None)


class ParkedEvent(Struct, frozen=True):
    """An event that could not be folded into a row, or waits behind one that could not."""

    seq: int
    offset: int
    key: str  # the row's
    reason: str
    value: bytes


class Rows(Struct, frozen=True):
    """Rows as JSON bytes, read at one instant together with the checkpoint they belong to."""

    checkpoint: Checkpoint
    rows: Mapping[str, bytes | None]  # every asked key; None: no such row
    row_count: int  # of the whole shard


class ViewStore(Protocol):
    """The read side's storage. See the module for the methods at a glance."""

    def registry(self, projection: str) -> Registry:
        """The projection's registry; revision 0 and empty where nothing was built yet."""

    def change_registry(self, projection: str, expected: int, registry: Registry) -> None:
        """Replace the registry if its revision is still `expected`. Raises: Moved."""

    def rows(self, generation: Generation, shard: int, keys: Sequence[str]) -> Rows:
        """Rows and checkpoint, read together in one atomic step."""

    def save(
        self,
        generation: Generation,
        shard: int,
        *,
        expected: Checkpoint,
        checkpoint: Checkpoint,
        rows: Mapping[str, bytes | None],
        parked: Sequence[ParkedEvent] = (),
    ) -> None:
        """If the checkpoint is `expected`, write rows (None deletes), parked and checkpoint.

        Raises: Fenced, with nothing changed; OutcomeUnknown where no answer came.
        """

    def keys(self, generation: Generation, shard: int) -> Iterator[str]:
        """Every key that has a row now; one that comes or goes meanwhile may be missed."""

    def parked(self, generation: Generation, shard: int) -> list[ParkedEvent]:
        """Parked events by seq."""

    def drop(self, generation: Generation) -> None:
        """Delete every row, checkpoint and parked event of a generation."""
