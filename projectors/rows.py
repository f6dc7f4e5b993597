"""The rows that a worker keeps in memory, and the fold over them.

Rows are JSON in the store and objects here; they are read, folded and written many at a time.
"""

from collections.abc import Iterable, Mapping
from typing import Generic, TypeVar

import msgspec

from projectors.batch import Batch
from projectors.projection import Projection

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
        self._folds = projection.folds
        self._initial = projection.initial
        self._decode = msgspec.json.Decoder(projection.row_type).decode
        self._half = rows_max // 2
        self._rows: dict[str, V | None] = {}
        self._older: dict[str, V | None] = {}
        self._is_everything = False

    def __len__(self) -> int:
        return len(self._rows) + len(self._older)

    def missing(self, keys: Iterable[str]) -> list[str]:
        """Which of these rows must be read from the store."""
        rows, older = self._rows, self._older
        missing = []
        for key in keys:
            if key not in rows:
                if key in older:
                    rows[key] = older.pop(key)
                else:
                    missing.append(key)
        if self._is_everything:
            rows.update(dict.fromkeys(missing))
            return []
        return missing

    def install(self, read: Mapping[str, bytes | None]) -> None:
        """Take rows that were read. Raises: msgspec.DecodeError, with some of them taken."""
        rows, decode = self._rows, self._decode
        for key, row in read.items():
            rows[key] = None if row is None else decode(row)

    def fold(self, batch: Batch) -> dict[str, bytes | None]:
        """Fold a batch; every row it touched, as JSON, each encoded once.

        Any exception leaves rows half-changed: clear the cache.
        """
        rows, folds, initial = self._rows, self._folds, self._initial
        for event, keys in zip(batch.events, batch.keys, strict=True):
            fold = folds[event.event_type]
            for key in keys:
                row = rows[key]
                rows[key] = fold(initial(key) if row is None else row, event)
        return {
            key: None if (row := rows[key]) is None else encode(row) for key in batch.touched
        }

    def trim(self) -> None:
        """Keep the bound. Only while every change is saved."""
        if len(self._rows) > self._half:
            self._is_everything = self._is_everything and not self._older
            self._older = self._rows
            self._rows = {}

    def clear(self, *, is_everything: bool = False) -> None:
        """Forget everything. `is_everything`: there is no row in the store either."""
        self._rows = {}
        self._older = {}
        self._is_everything = is_everything
