"""The event store's history of a shard, read as if it lay on the events topic."""

from commands.event_store import EventStore
from schemas.record import Record

PAGE = 1_000  # events of one poll, at most


class HistorySource:
    """Seq n at offset n - 1. An `EventSource`: workers and builders read from it.

    Where a topic has repeats or marks, the same event has a higher offset there, never a lower
    one: a checkpoint of this source goes on in the topic, and is given some repeats at worst.
    """

    def __init__(self, store: EventStore, shard: int) -> None:
        self._store, self._shard = store, shard
        self._next = 0
        self._end: int | None = None

    def seek(self, offset: int) -> None:
        """The next poll begins here."""
        self._next = offset

    def poll(self, count_max: int, wait_seconds: float) -> list[Record]:
        """The next events; never waits. Raises: Hole, Unavailable."""
        count = min(count_max, PAGE)
        found = self._store.read(self._shard, after_seq=self._next, count_max=count)
        self._next += len(found)
        self._end = max(self._next, self.end()) if found else min(self._next, self.end())
        return [(e.seq - 1, 0, e.account_id.encode(), e.data) for e in found]

    def begin(self) -> int:
        """No event is ever deleted."""
        return 0

    def end(self) -> int:
        """Where the history ended when last seen: by a poll, or the first time this is asked.

        Raises: Hole, Unavailable.
        """
        if self._end is None:
            self._end = self._store.resume(self._shard).position.seq
        return self._end

    def close(self) -> None:
        """Nothing to let go of."""
