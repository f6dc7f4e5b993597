"""The view store as plain dicts. Read me first: every other one must behave like this."""

import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from projectors.view_store import Checkpoint, Generation, ParkedEvent, Registry, Rows
from schemas.errors import Fenced, Moved


@dataclass(slots=True)
class _Shard:
    checkpoint: Checkpoint = Checkpoint()  # noqa: RUF009 (frozen)
    rows: dict[str, bytes] = field(default_factory=dict)
    parked: list[ParkedEvent] = field(default_factory=list)


class MemoryViewStore:
    """Rows and checkpoints of one process, gone with it. One lock makes every call atomic."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._registries: dict[str, Registry] = {}
        self._shards: defaultdict[tuple[str, int], _Shard] = defaultdict(_Shard)

    def registry(self, projection: str) -> Registry:
        """The projection's registry; revision 0 and empty where nothing was built yet."""
        with self._lock:
            return self._registries.get(projection, Registry())

    def change_registry(self, projection: str, expected: int, registry: Registry) -> None:
        """Replace the registry if its revision is `expected`; it becomes `expected + 1`."""
        with self._lock:
            found = self._registries.get(projection, Registry()).revision
            if found != expected:
                raise Moved(registry_moved(projection, expected, found))
            changed = msgspec.structs.replace(registry, revision=expected + 1)
            self._registries[projection] = changed

    def rows(self, generation: Generation, shard: int, keys: Sequence[str]) -> Rows:
        """Rows and the checkpoint they belong to."""
        with self._lock:
            found = self._shards[generation.key, shard]
            rows = {key: found.rows.get(key) for key in keys}
            return Rows(found.checkpoint, rows, len(found.rows))

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
        """All of it if the checkpoint is `expected`, else nothing. Raises: Fenced."""
        with self._lock:
            kept = self._shards[generation.key, shard]
            found = kept.checkpoint
            if (found.seq, found.offset) != (expected.seq, expected.offset):
                raise Fenced(save_refused(generation, shard, expected, found.seq, found.offset))
            for key, row in rows.items():
                if row is None:
                    kept.rows.pop(key, None)
                else:
                    kept.rows[key] = row
            kept.parked.extend(parked)
            kept.checkpoint = checkpoint

    def keys(self, generation: Generation, shard: int) -> Iterator[str]:
        """Every key that has a row now."""
        with self._lock:
            return iter(list(self._shards[generation.key, shard].rows))

    def parked(self, generation: Generation, shard: int) -> list[ParkedEvent]:
        """Parked events by seq, then key."""
        with self._lock:
            found = self._shards[generation.key, shard].parked
            return sorted(found, key=lambda p: (p.seq, p.key))

    def drop(self, generation: Generation) -> None:
        """Delete every row, checkpoint and parked event of a generation."""
        with self._lock:
            for key, shard in list(self._shards):
                if key == generation.key:
                    del self._shards[key, shard]

    def close(self) -> None:
        """Nothing to let go of."""


def save_refused(
    generation: Generation, shard: int, expected: Checkpoint, seq: int, offset: int
) -> str:
    """What a refused save says."""
    return (
        f"{generation.name}, shard {shard}: expected the checkpoint at seq {expected.seq}, "
        f"offset {expected.offset}; found seq {seq}, offset {offset}. Another worker or an "
        "older copy of the store moved it: drop all rows in memory, load and seek again."
    )


def registry_moved(projection: str, expected: int, found: int) -> str:
    """What a refused change of a registry says."""
    return (
        f"{projection}: expected revision {expected} of its registry, found {found}. "
        "Somebody else changed it: read it again, then decide anew."
    )
