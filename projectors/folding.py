"""From records to what has to be saved: the fast way, and the careful way where that fails."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Generic, TypeVar

from msgspec import Struct

from projectors.batch import Batch, Gap, Reader
from projectors.digest import RowDigests
from projectors.parking import CarefulReader, Failure, attempt, held_rows, set_aside
from projectors.projection import Projection
from projectors.rows import RowCache
from projectors.view_store import Checkpoint, ParkedEvent
from schemas.codec import Codec
from schemas.record import Record

V = TypeVar("V")

Read = Callable[[Sequence[str]], Mapping[str, bytes | None]]
"""Rows as the store has them under the checkpoint that the worker believes in."""


class Folded(Struct, frozen=True):
    """One batch, folded: what has to be saved together."""

    checkpoint: Checkpoint
    rows: Mapping[str, bytes | None]
    parked: Sequence[ParkedEvent]
    gap: Gap | None
    taken: int  # records


class ShardFold(Generic[V]):
    """One shard's rows in memory, the rows that are held, and the fold of one projection."""

    def __init__(self, projection: Projection[V], codec: Codec, rows_max: int) -> None:
        self._reader = Reader(projection, codec)
        self._careful = CarefulReader(projection, self._reader)
        self._cache = RowCache(projection, rows_max)
        self._digests = RowDigests()
        self._held: dict[str, int] = {}
        self._is_spoiled = False

    @property
    def takes_one(self) -> bool:
        """Whether the next batch has to be one piece, since its records are looked at again."""
        return self._is_spoiled or bool(self._held)

    @property
    def rows_in_memory(self) -> int:
        """How many rows are kept."""
        return len(self._cache)

    def begin(self, parked: Iterable[ParkedEvent], seq: int, *, is_empty: bool) -> None:
        """Start from a checkpoint with an empty memory and the rows held up to it.

        `is_empty`: the shard has no row.
        """
        self._held = held_rows(parked, seq)
        self._cache.clear(is_everything=is_empty and not self._held)
        self._digests.clear()

    def fold(
        self, pieces: Iterable[Sequence[Record]], own: Checkpoint, read: Read
    ) -> Folded | None:
        """Fold what comes next after `own`. Call `saved` or `begin` before the next one.

        A piece is forgotten when it is folded. Where that fails and it was not the only one,
        the answer is None: begin again, with one piece. Raises: what `pieces`, `read` raise.
        """
        batch, at, taken = Batch(own.seq, own.offset), own.at, 0
        records: Sequence[Record] = ()
        for records in pieces:
            before, taken = batch.seq, taken + len(records)
            if isinstance(attempt(self._cache.fold, self._reader, records, batch), Failure):
                return self._fold_again(records, taken, own, read)
            if batch.seq > before:
                at = self._reader.at_of(records, batch.seq) or at
            if batch.gap is not None:
                break
        parked: list[ParkedEvent] = []
        if self._held and batch.waiting:  # a held row is never in memory
            parked = set_aside(batch, records, self._held, self._reader)
        rows = read(missing) if (missing := batch.missing()) else {}
        changed = attempt(self._cache.finish, batch, rows)
        if isinstance(changed, Failure):
            return self._fold_again(records, taken, own, read)
        if taken:  # where nothing has arrived yet, what spoiled the last batch is still to come
            self._is_spoiled = False
        return self._folded(batch, at, own, rows, changed, parked, taken)

    def saved(self, folded: Folded) -> None:
        """The batch is in the store: what it parked holds its rows, and memory is bounded."""
        for key, seq in held_rows(folded.parked, folded.checkpoint.seq).items():
            self._held.setdefault(key, seq)
        if self._cache.trim():
            self._digests.age()

    def is_readable(self, value: bytes) -> bool:
        """Whether these bytes are an event that this code knows."""
        return not isinstance(attempt(self._reader.decode, value), Failure)

    def _fold_again(
        self, records: Sequence[Record], taken: int, own: Checkpoint, read: Read
    ) -> Folded | None:
        """The same batch, one event at a time, where all of its records are still there."""
        self._is_spoiled = len(records) < taken
        return None if self._is_spoiled else self._fold_carefully(records, own, read)

    def _fold_carefully(self, records: Sequence[Record], own: Checkpoint, read: Read) -> Folded:
        self._cache.clear()  # a fold that raised may have changed half a row
        self._digests.clear()
        batch, items = self._careful.gather(records, own.seq, own.offset)
        rows = read(list(batch.changed)) if batch.changed else {}
        changed, parked = self._careful.fold(items, rows, self._held)
        at = self._reader.at_of(records, batch.seq) if batch.seq > own.seq else None
        at = own.at if at is None else at
        return self._folded(batch, at, own, rows, changed, parked, len(records))

    def _folded(
        self,
        batch: Batch,
        at: int,
        own: Checkpoint,
        read: Mapping[str, bytes | None],
        changed: Mapping[str, bytes | None],
        parked: Sequence[ParkedEvent],
        taken: int,
    ) -> Folded:
        digest = self._digests.replaced(own.digest, read, changed)
        checkpoint = Checkpoint(batch.seq, batch.offset, at, digest)
        return Folded(checkpoint, changed, parked, batch.gap, taken)
