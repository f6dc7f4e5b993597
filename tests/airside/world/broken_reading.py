"""The read side, broken on purpose: what stands in the place of a function of it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from airside.adapters.memory_view_store import MemoryViewStore
from projectors.arriving import Arriving
from projectors.rows import RowCache
from projectors.stored_shard import StoredShard
from projectors.view_store import Generation
from projectors.worker import ShardProjector

_save_views, _fold = MemoryViewStore.save, RowCache.fold


def checkpoint_apart(
    self: MemoryViewStore, generation: Generation, shard: int, **save: Any
) -> None:
    """The rows first; the checkpoint only if nobody died or moved meanwhile."""
    self._shards[generation.key, shard].rows.update(
        {key: row for key, row in save["rows"].items() if row is not None}
    )
    _save_views(self, generation, shard, **save)


def save_without_fence(
    self: MemoryViewStore, generation: Generation, shard: int, **save: Any
) -> None:
    save["expected"] = self._shards[generation.key, shard].checkpoint
    _save_views(self, generation, shard, **save)


def rows_of_any_checkpoint(
    self: StoredShard, keys: Sequence[str]
) -> Mapping[str, bytes | None]:
    self.settle()
    return self._store.rows(self._generation, self._shard, keys).rows


def forget_nothing(self: ShardProjector[Any]) -> None:
    """A refused or unknown save leaves rows and position in memory as they are."""
    if self._stored._checkpoint is not None:
        self._stored._checkpoint = self._stored.peek()


def seek_once(self: Arriving, offset: int) -> None:
    self.gap = None
    if not self.__dict__.setdefault("has_sought", False):
        self.source.seek(offset)
    self.__dict__["has_sought"] = True
    self.next_offset = offset


def every_row_is_free(parked: Iterable[Any], seq: int) -> dict[str, int]:
    return {}


def fold_of(*, repeats: bool, holes: bool) -> Callable[..., None]:
    """The fold in memory that takes repeats for news, or goes on behind a hole."""

    def fold(self: Any, reader: Any, records: Sequence[Any], batch: Any) -> None:
        taken: list[Any] = []
        seq = batch.seq
        for offset, at, key, value in records:
            found = reader.seq_of(value)
            is_next = found == seq + 1
            if is_next or (found <= seq and repeats) or (found > seq + 1 and holes):
                taken.append((offset, at, key, value))
                seq = max(seq, found)
        for record in taken:
            batch.seq = reader.seq_of(record[3]) - 1
            _fold(self, reader, [record], batch)
        batch.seq, batch.offset = seq, records[-1][0] + 1

    return fold


def never_look(self: ShardProjector[Any]) -> None:
    return
