"""A view store in memory that answers many reads at once, and does as a test says."""

import threading
from collections.abc import Callable, Sequence

from airside.adapters.memory_view_store import MemoryViewStore
from airside.serving.looks import Looked
from projectors.view_store import Generation
from queries.finding import RowsOf


class MemoryLooks:
    """Counts rounds; holds them up while `is_open` is not set; fails as it is told."""

    def __init__(self, store: MemoryViewStore) -> None:
        self.store = store
        self.asked: list[Sequence[RowsOf]] = []  # each round's
        self.is_open = threading.Event()
        self.is_open.set()
        self.entered = threading.Semaphore(0)  # by every round
        self.failure: Callable[[], Exception] | None = None  # of every round
        self.lanes: dict[int, str] = {}  # by shard
        self.silent: int | None = None  # the shard that is held up; None: every one

    def look(self, asked: Sequence[RowsOf], projections: Sequence[str]) -> Looked:
        """One after the other, and registries after rows."""
        self.asked.append(asked)
        self.entered.release()
        if self.silent is None or self.silent in {one.shard for one in asked}:
            self.is_open.wait(timeout=30.0)
        if self.failure is not None:
            raise self.failure()
        return Looked(
            [self.store.rows(one.generation, one.shard, one.keys) for one in asked],
            {projection: self.store.registry(projection) for projection in projections},
        )

    def lane(self, generation: Generation, shard: int) -> str:
        """As the test said; else all are one server's."""
        return self.lanes.get(shard, "")
