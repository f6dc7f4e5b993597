"""A memory event store whose index follows its commits late, as on a cluster."""

from collections import defaultdict, deque

from airside.adapters.memory_event_store import MemoryEventStore
from commands.event_store import Commit, Resumed


class LateIndexStore(MemoryEventStore):
    """While `is_late`, the index follows only when `index_next()` says so.

    A worker that resumes a shard awaits its own inserts, as the port demands.
    """

    def __init__(self) -> None:
        super().__init__()
        self.is_late = False
        self._unindexed: defaultdict[int, deque[Commit]] = defaultdict(deque)

    def resume(self, shard: int) -> Resumed:
        """The history's end, with all of it indexed."""
        was_late, self.is_late = self.is_late, False
        resumed = super().resume(shard)
        self.is_late = was_late
        self.lose_inserts(shard)
        return resumed

    def lose_inserts(self, shard: int = 0) -> None:
        """The process that was indexing is gone; what was on its way never arrives."""
        self._unindexed[shard].clear()

    def indexed(self, shard: int) -> int:
        """The last commit before the first one that is on its way."""
        on_the_way = self._unindexed[shard]
        return on_the_way[0].number - 1 if on_the_way else super().indexed(shard)

    def number(self, shard: int) -> int:
        """Of the last commit."""
        return super().indexed(shard)

    def index_next(self, shard: int = 0) -> None:
        """The next late insert of a shard arrives, if there is one."""
        if self._unindexed[shard]:
            super()._index(self._unindexed[shard].popleft())

    def index_all(self) -> None:
        """All of them arrive."""
        for shard, on_the_way in list(self._unindexed.items()):
            while on_the_way:
                self.index_next(shard)

    def _index(self, commit: Commit) -> None:
        if self.is_late:
            self._unindexed[commit.shard].append(commit)
        else:
            super()._index(commit)
