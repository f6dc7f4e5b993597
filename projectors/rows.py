"""The rows that a worker keeps in memory, and the fold over them.

Rows are JSON in the store and objects here; they are read, folded and written many at a time.
"""

from collections.abc import Mapping, Sequence
from typing import Generic, TypeVar

import msgspec

from projectors.batch import Batch, Gap, Reader
from projectors.projection import Projection
from schemas.record import Record
from schemas.registry import BODY_AT

V = TypeVar("V")

ROWS_MAX = 20_000  # in memory, per shard and projection

encode = msgspec.json.Encoder().encode


class RowCache(Generic[V]):
    """At most `rows_max` rows and those of two batches; None stands for "no such row".

    Rows that were not needed for a while go first: when half of the bound is reached, what is
    there becomes the older half, and the older half of before is forgotten. It costs nothing
    per event, where a least-recently-used order would cost a move for each.

    A shard that was empty when it was loaded is all here until something is forgotten: then
    nothing has to be asked for, and a rebuild of a small shard reads nothing at all.
    """

    def __init__(self, projection: Projection[V], rows_max: int = ROWS_MAX) -> None:
        self._initial = projection.initial
        self._decode = msgspec.json.Decoder(projection.row_type).decode
        self._half = rows_max // 2
        self._rows: dict[str, V | None] = {}
        self._older: dict[str, V | None] = {}
        self._is_everything = False

    def __len__(self) -> int:
        return len(self._rows) + len(self._older)

    def fold(self, reader: Reader[V], records: Sequence[Record], batch: Batch) -> None:
        """Fold what comes next into the rows that are here; what else it does has to wait.

        The hot loop of the read side: an event is decoded, folded and forgotten in one go,
        while the processor has it at hand. Any exception leaves rows half-changed: clear the
        cache, and read the records one by one instead.
        """
        rows, initial, keys_of = self._rows, self._initial, reader.keys
        by_schema, header = reader.by_schema, slice(BODY_AT)
        changed, waiting = batch.changed, batch.waiting
        expected = batch.seq + 1
        for offset, _, _, value in records:
            decode, fold = by_schema[value[header]]  # type: ignore[index]  # None raises: good
            event = decode(value)  # type: ignore[arg-type]
            seq = event if fold is None else event.seq
            if seq != expected:
                if seq < expected:
                    continue
                batch.gap = Gap(seq, offset, value)
                break
            expected += 1
            if fold is None:
                continue
            for key in keys_of(event):
                row = rows.get(key)
                if row is None:
                    if key not in rows and not self._takes_up(key):
                        waiting.append((key, fold, event))
                        continue
                    row = rows[key]
                rows[key] = fold(initial(key) if row is None else row, event)
                changed[key] = None
        batch.seq = expected - 1
        batch.offset = records[-1][0] + 1 if batch.gap is None else batch.gap.offset

    def finish(self, batch: Batch, read: Mapping[str, bytes | None]) -> dict[str, bytes | None]:
        """Fold what waited, with the rows that were read; each row that changed, as JSON.

        Any exception leaves rows half-changed: clear the cache.
        """
        rows, decode, initial = self._rows, self._decode, self._initial
        for key, found in read.items():
            rows[key] = None if found is None else decode(found)
        for key, fold, event in batch.waiting:
            row = rows[key]
            rows[key] = fold(initial(key) if row is None else row, event)
            batch.changed[key] = None
        return {
            key: None if (row := rows[key]) is None else encode(row) for key in batch.changed
        }

    def trim(self) -> bool:
        """Keep the bound; whether the older half was forgotten. Only while all is saved."""
        if len(self._rows) <= self._half:
            return False
        self._is_everything = self._is_everything and not self._older
        self._older = self._rows
        self._rows = {}
        return True

    def clear(self, *, is_everything: bool = False) -> None:
        """Forget everything. `is_everything`: there is no row in the store either."""
        self._rows = {}
        self._older = {}
        self._is_everything = is_everything

    def _takes_up(self, key: str) -> bool:
        """Whether the row is known after all; then it is among those needed lately."""
        if key in self._older:
            self._rows[key] = self._older.pop(key)
        elif self._is_everything:
            self._rows[key] = None
        else:
            return False
        return True
