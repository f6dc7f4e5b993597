"""The write side, broken on purpose: what stands in the place of a function of it."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from airside.adapters.memory_event_store import MemoryEventStore
from airside.adapters.memory_view_store import MemoryViewStore
from airside.world.late_index import LateIndexStore
from commands.batch import BatchHandler
from commands.cache import StreamCache
from commands.desk import Desk
from commands.event_store import Commit, EventStore, Resumed, Snapshot, StoredEvent
from commands.handler import ShardHandler, Step
from commands.outbox import Outbox, Parcel
from commands.receive import Received
from commands.snapshots import StreamReader
from commands.stream import Stream
from commands.tenure import Tenure
from projectors.rows import RowCache
from schemas.errors import OutcomeUnknown

_send, _resume = ShardHandler.send, ShardHandler.resume
_snapshot = StreamReader.snapshot
_take_one = BatchHandler._take
_resume_late = LateIndexStore.resume
_save_views, _fold = MemoryViewStore.save, RowCache.fold


def publish_before_commit(self: ShardHandler[Any, Any]) -> Step:
    tenure = self._current()
    if tenure.pending is not None:
        tenure.outbox.put(tenure.pending.commit.number, tenure.pending.commit.events)
        tenure.outbox.pump()
    return _send(self)


def commit_without_fence(self: MemoryEventStore, commit: Commit) -> None:
    with self._lock:
        self._commits[commit.shard].append(commit)
        self._history[commit.shard].extend(commit.events)
        self._index(commit)


def no_ring(self: Stream[Any], command_id: str) -> bool:
    return False


def put_in_front(self: Outbox, number: int, events: Sequence[StoredEvent]) -> None:
    messages = [(event.account_id.encode(), event.data) for event in events]
    self._unsent.appendleft(Parcel(number, messages[::-1]))


def send_only_what_is_new(self: Outbox) -> None:
    """After an error what was sent is thought to be there."""
    self.close()
    self._acknowledged = 0
    self._sent.clear()
    self.reopened += 1


def send_again_the_last_first(self: Outbox) -> None:
    self.close()
    self._acknowledged = 0
    self._unsent.extendleft(self._sent)
    self._sent.clear()
    self.reopened += 1


def resume_publishes_nothing(self: LateIndexStore, shard: int) -> Resumed:
    return replace(_resume_late(self, shard), unpublished=())


def resume_indexes_nothing(self: MemoryEventStore, shard: int) -> Resumed:
    last = self._last(shard)
    settled = max(last.settled, self._settled[shard])
    unsettled = self._commits[shard][settled:]
    self._unindexed[shard].clear()  # type: ignore[attr-defined]
    return Resumed(
        replace(last, settled=settled), tuple((c.number, c.events) for c in unsettled)
    )


def settled_when_indexed(self: Tenure[Any], indexed: int) -> int:
    return indexed


def evict_what_is_not_indexed(self: StreamCache[Any], *, indexed: int) -> None:
    self._last_commit.clear()
    surplus = len(self._streams) - self._streams_max
    for account_id in list(self._streams)[: max(0, surplus)]:
        del self._streams[account_id]


def moved_keeps_everything(self: ShardHandler[Any, Any], moved: Exception) -> Step:
    """Another one's commit is taken for a hiccup: resumed, but with the old cache."""
    cache = None if self._tenure is None else self._tenure.cache
    _resume(self)
    if cache is not None and self._tenure is not None:
        self._tenure.cache = cache
    return Step(fenced=True)


def unknown_is_applied(store: EventStore, commit: Commit) -> None:
    try:
        store.commit(commit)
    except OutcomeUnknown:
        return


def unknown_leaks(self: ShardHandler[Any, Any]) -> Step:
    tenure = self._current()
    batch = tenure.pending
    if batch is None:
        return Step()
    tenure.is_under_way = False
    try:
        self._store.commit(batch.commit)
    except OutcomeUnknown:
        tenure.pending = None  # what arrived is decided again, on what it would have changed
        tenure.cache.install(batch.streams, number=0)
        raise
    tenure.apply(batch, self._limits)
    return Step(polled=batch.consumed, counts=batch.counts)


def take_without_holding(self: BatchHandler[Any, Any], item: Any, bytes_max: int) -> bool:
    held = self._held.pop(item.account_id, None) if item.command is not None else None
    is_taken = _take_one(self, item, bytes_max)
    if held is not None:
        self._held.setdefault(item.account_id, held)
    return is_taken


def decide_on_all(items: Sequence[Received], held: Mapping[str, int]) -> list[str]:
    return list({item.account_id: None for item in items if item.command is not None})


def nothing_is_kept_parked(self: BatchHandler[Any, Any], parked: Any) -> None:
    self._parked_bytes += len(parked.value)


def discard_all(self: BatchHandler[Any, Any], offset: int) -> None:
    """What waits behind the one that is given up, or tried again, is given up with it."""
    for one in list(self._offsets):
        del self._offsets[one]
        self._waiting.pop(one, None)
        self._unparked.append(one)


def version_of_the_shard(self: Desk[Any, Any], account_id: str) -> Stream[Any]:
    """Every command of a batch is decided on the state before the batch."""
    found = self._before[account_id]
    assert isinstance(found, Stream)
    return found


def one_code_for_all(decider: Any, codec: Any) -> str:
    return "same"


def acknowledged_when_sent(self: Outbox) -> None:
    """What was handed over is thought to be on the topic."""
    while self._sent:
        self.published_through = self._sent.popleft().number


def snapshot_of_one_more(self: StreamReader[Any, Any], stream: Stream[Any]) -> Snapshot:
    ahead = stream.copy()
    ahead.version += 1
    return _snapshot(self, ahead)
