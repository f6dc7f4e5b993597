"""Read models served from memory, for tests of queries: what given events make of them.

served = Served(shards=4)
served.happened(history(…))              every projection folds them, each in its shard
served.reader                            a reader whose clock is `served.now`, and never waits
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from airside.adapters.memory_view_store import MemoryViewStore
from projectors.all import PROJECTIONS
from projectors.projection import Projection
from projectors.view_store import Checkpoint, Generation, Registry, Rows
from queries.reader import store_reader
from schemas.envelope import Event
from schemas.record import shard_of
from tests.kit.fold import rows_of


class InterruptedStore(MemoryViewStore):
    """Something happens right after the next looks at a registry, or at rows."""

    def __init__(self) -> None:
        super().__init__()
        self.after_registry: list[Callable[[], object]] = []
        self.after_rows: list[Callable[[], object]] = []

    def registry(self, projection: str) -> Registry:
        found = super().registry(projection)
        _next(self.after_registry)
        return found

    def rows(self, generation: Generation, shard: int, keys: Sequence[str]) -> Rows:
        found = super().rows(generation, shard, keys)
        _next(self.after_rows)
        return found


def _next(interruptions: list[Callable[[], object]]) -> None:
    if interruptions:
        interruptions.pop(0)()


class Served:
    """One generation of every projection."""

    def __init__(self, shards: int = 4) -> None:
        self.shards = shards
        self.store = InterruptedStore()
        self.slept: list[float] = []
        self.while_sleeping: Callable[[], object] = lambda: None
        self.reader = store_reader(
            self.store, shards, monotonic=lambda: sum(self.slept), sleep=self._sleep
        )
        self._events: dict[int, list[Event]] = {shard: [] for shard in range(shards)}
        for projection in PROJECTIONS:
            self.serve(projection.name, 1)

    def serve(self, projection: str, number: int | None) -> None:
        """This generation is served from now on."""
        registry = MemoryViewStore.registry(self.store, projection)
        numbers = {g.number for g in registry.generations} | ({number} - {None})
        built = tuple(generation_of(projection, n) for n in sorted(filter(None, numbers)))
        changed = Registry(serving=number, generations=built)
        self.store.change_registry(projection, registry.revision, changed)

    def happened(self, events: Iterable[Event]) -> None:
        """These events are folded too; seq is counted in each shard."""
        for event in events:
            history = self._events[shard_of(event.account_id, self.shards)]
            history.append(msgspec.structs.replace(event, seq=len(history) + 1))
        for projection in PROJECTIONS:
            for shard, history in self._events.items():
                rows = rows_of(projection, history)
                self.save(projection, 1, shard, rows, Checkpoint(len(history), 0, at(history)))

    def save(
        self,
        projection: Projection[Any],
        number: int,
        shard: int,
        rows: Mapping[str, Any],
        checkpoint: Checkpoint,
    ) -> None:
        """This is what the shard of that generation holds."""
        generation = generation_of(projection.name, number)
        keys = list(self.store.keys(generation, shard))
        kept = MemoryViewStore.rows(self.store, generation, shard, keys)
        written = dict.fromkeys(kept.rows) | {
            key: msgspec.json.encode(row) for key, row in rows.items()
        }
        self.store.save(
            generation, shard, expected=kept.checkpoint, checkpoint=checkpoint, rows=written
        )

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.while_sleeping()


def generation_of(projection: str, number: int) -> Generation:
    """A generation by its name."""
    return Generation(projection, number, "fingerprint", 0)


def at(history: list[Event]) -> int:
    """Of the last event."""
    return history[-1].at if history else 0
