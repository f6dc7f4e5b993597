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
from typing import Literal, Protocol

from msgspec import Struct

Source = Literal["topic", "store"]
"""Where a build takes the events from."""


class Checkpoint(Struct, frozen=True, gc=False):
    """How far a shard of a generation has come."""

    seq: int = 0  # of the last event folded
    offset: int = 0  # of the events topic, from which to go on
    at: int = 0  # of the last event folded, ms
    digest: int | None = 0  # of all rows (digest.py); None: kept by a version that had none


class Verified(Struct, frozen=True):
    """What the last comparison of a whole generation found."""

    at: int  # ms
    rows: int  # compared
    different: int
    accepted: bool = False  # a person, or a change of code, takes the differences as right


class Builder(Struct, frozen=True):
    """Who builds a generation, and how far that is: one at a time."""

    name: str  # host and process, for people
    claim: str  # random: two claims are never the same
    beat: int = 0  # counts up while the builder is alive
    phase: str = ""
    done: int = 0
    total: int = 0
    eta_seconds: float | None = None


class Generation(Struct, frozen=True):
    """One build of a projection: `downloads`, number 3."""

    projection: str
    number: int
    fingerprint: str  # of the fold and the schemas that built it
    created_at: int  # ms
    promoted_at: int | None = None  # when it was served last; None: never
    followed_at: int | None = None  # since when it is whole, and kept up to date, unserved
    source: Source = "topic"  # what it was built from
    verified: Verified | None = None  # the last comparison
    builder: Builder | None = None  # who is building it
    label: str = ""  # of one to look back with (scratch.py): nobody follows or serves it
    as_of: int | None = None  # ms; it holds the events up to there, and no more

    @property
    def name(self) -> str:
        """`downloads.3`, or `downloads@scratch` where it has a label: what people call it."""
        return f"{self.projection}@{self.label}" if self.label else self.key

    @property
    def key(self) -> str:
        """`downloads.3`, as a view store's keys spell it: a label may come again."""
        return f"{self.projection}.{self.number}"


class Registry(Struct, frozen=True):
    """The generations of one projection; see `projectors/generations.py` for their roles."""

    revision: int = 0
    serving: int | None = None  # number of the generation that queries read
    generations: tuple[Generation, ...] = ()
    history: str = ""  # the id of the event store whose events were folded; empty: not said
    shards: int = 0  # how many the rows are cut into; 0: not said
    dropped: tuple[Generation, ...] = ()  # by the last change; perhaps not all of their rows
    last_number: int = 0  # of any generation that ever was
    served: tuple[str, ...] = ()  # fingerprints of what was ever served

    def generation(self, number: int | None) -> Generation | None:
        """The generation with that number."""
        return next((g for g in self.generations if g.number == number), None)

    def called(self, name: str) -> Generation | None:
        """The generation with that number, as text, with that label, or with that name."""
        return next(
            (
                g
                for g in self.generations
                if name in {str(g.number), g.key, g.name, g.label or g.key}
            ),
            None,
        )


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
