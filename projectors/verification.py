"""Whether a rebuilt generation equals the live one: every row, byte for byte, at one position.

The live generation moves meanwhile. So its rows are read a chunk at a time, each together with
the checkpoint they belong to; the builder goes on to exactly that seq; and then its rows are
read. Events that come later change both alike.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Protocol

from msgspec import Struct

from projectors.parking import NO_SEQ
from projectors.view_store import Generation, ParkedEvent, Rows
from projectors.worker import ShardProjector
from schemas.errors import Overtaken

CHUNK_ROWS = 1_000
DIFFERENCES_MAX = 100  # kept of a shard to be shown; all are counted
PARKED_ROWS_MAX = 100  # named, of a shard
ROW_COUNT = "(number of rows)"
DIGEST = "(the digest kept beside the rows)"
NOT_ROWS = (ROW_COUNT, DIGEST)  # keys of differences that are of the shard


class RowReader(Protocol):
    """The part of a view store that is compared: see `ViewStore`."""

    def rows(self, generation: Generation, shard: int, keys: Sequence[str]) -> Rows:
        """Rows and checkpoint, read together in one atomic step."""

    def keys(self, generation: Generation, shard: int) -> Iterator[str]:
        """Every key that has a row now."""

    def parked(self, generation: Generation, shard: int) -> list[ParkedEvent]:
        """Parked events by seq."""


class Difference(Struct, frozen=True):
    """One row that is not the same; None: no such row."""

    shard: int
    key: str
    live: bytes | None
    rebuilt: bytes | None


class Verification(Struct, frozen=True):
    """What the comparison found."""

    rows: int = 0  # compared
    different: int = 0
    differences: tuple[Difference, ...] = ()  # the first of them
    parked: tuple[str, ...] = ()  # rows that are held in either generation, the first of them
    newly_parked: int = 0  # events that only the rebuilt one parked: its rows lack them

    def __add__(self, other: "Verification") -> "Verification":
        return Verification(
            self.rows + other.rows,
            self.different + other.different,
            self.differences + other.differences,
            self.parked + other.parked,
            self.newly_parked + other.newly_parked,
        )


def verify_shard(
    store: RowReader,
    live: Generation,
    builder: ShardProjector[Any],
    compared: Callable[[int], None],
    *,
    differences_max: int | None = None,
) -> Verification:
    """Compare one shard; `compared` hears of every chunk how many rows it had.

    At most `differences_max` differences are kept; None: DIFFERENCES_MAX.
    Rows that only the builder has are looked for where the numbers of rows do not agree.
    Raises: Overtaken if the live shard fell back, or others move the builder's.
    """
    kept_max = DIFFERENCES_MAX if differences_max is None else differences_max
    comparison = _Comparison(store, live, builder, kept_max)
    for keys in chunks(store.keys(live, builder.shard)):
        compared(comparison.compare(keys))
    if comparison.counts_differ() or comparison.one_sided:
        for keys in chunks(store.keys(builder.generation, builder.shard)):
            comparison.find_rebuilt_only(keys)
            compared(0)
        comparison.explain_counts()
    comparison.compare_digests()
    return comparison.result()


class _Comparison:
    def __init__(
        self,
        store: RowReader,
        live: Generation,
        builder: ShardProjector[Any],
        differences_max: int,
    ) -> None:
        self.rows = self.different = self.one_sided = 0
        self._differences_max = differences_max
        self._differences: list[Difference] = []
        self._store, self._live, self._builder = store, live, builder

    def compare(self, keys: list[str]) -> int:
        """Compare these rows; how many there are."""
        live, rebuilt = self._both(keys)
        before = self.rows
        for key in keys:
            a, b = live.rows[key], rebuilt.rows[key]
            if a is not None or b is not None:
                self.rows += 1
                self._compare_one(key, a, b)
        return self.rows - before

    def find_rebuilt_only(self, keys: list[str]) -> None:
        """Compare those of these rows that the live generation lacks."""
        live, rebuilt = self._both(keys)
        for key in keys:
            if live.rows[key] is None and rebuilt.rows[key] is not None:
                self.rows += 1
                self._compare_one(key, None, rebuilt.rows[key])

    def counts_differ(self) -> bool:
        """Whether one has more rows than the other."""
        live, rebuilt = self._both([])
        return live.row_count != rebuilt.row_count

    def explain_counts(self) -> None:
        """A difference in number that no row explains is a difference too."""
        live, rebuilt = self._both([])
        if live.row_count != rebuilt.row_count and not self.one_sided:
            a, b = str(live.row_count).encode(), str(rebuilt.row_count).encode()
            self._differ(ROW_COUNT, a, b)

    def compare_digests(self) -> None:
        """Where all rows are equal, what is kept beside them has to be."""
        live, rebuilt = (side.checkpoint.digest for side in self._both([]))
        if not self.different and None not in (live, rebuilt) and live != rebuilt:
            self._differ(DIGEST, f"{live:032x}".encode(), f"{rebuilt:032x}".encode())

    def result(self) -> Verification:
        """Everything that was found."""
        shard = self._builder.shard
        rebuilt = self._store.parked(self._builder.generation, shard)
        live = self._store.parked(self._live, shard)  # is never behind the rebuilt one
        parked = {event.key or f"offset {event.offset}" for event in (*live, *rebuilt)}
        known = {(event.seq, event.key) for event in live}
        return Verification(
            self.rows,
            self.different,
            tuple(self._differences),
            tuple(sorted(parked)[:PARKED_ROWS_MAX]),
            sum(e.seq != NO_SEQ and (e.seq, e.key) not in known for e in rebuilt),
        )

    def _both(self, keys: list[str]) -> tuple[Rows, Rows]:
        """Rows of both generations, at the same seq."""
        builder, shard = self._builder, self._builder.shard
        live = self._store.rows(self._live, shard, keys)
        seq = live.checkpoint.seq
        builder.run_until(seq)
        rebuilt = self._store.rows(builder.generation, shard, keys)
        if rebuilt.checkpoint.seq != seq:
            raise Overtaken(
                f"{builder.name}: at seq {rebuilt.checkpoint.seq}, where {seq} was compared. "
                "Somebody else moves it: stop the other builder, then replay again."
            )
        return live, rebuilt

    def _compare_one(self, key: str, live: bytes | None, rebuilt: bytes | None) -> None:
        if live != rebuilt:
            self.one_sided += live is None or rebuilt is None
            self._differ(key, live, rebuilt)

    def _differ(self, key: str, live: bytes | None, rebuilt: bytes | None) -> None:
        self.different += 1
        if len(self._differences) < self._differences_max:
            difference = Difference(self._builder.shard, key, live, rebuilt)
            self._differences.append(difference)


def chunks(keys: Iterable[str]) -> Iterator[list[str]]:
    """Keys as many at a time as are read together."""
    keys = iter(keys)
    while chunk := list(dict.fromkeys(islice(keys, CHUNK_ROWS))):
        yield chunk
