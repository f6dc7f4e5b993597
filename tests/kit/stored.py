"""A read side whose events are in an event store and on a log, of memory or of SQLite."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from airside.adapters.memory_event_store import MemoryEventStore
from airside.adapters.memory_log import MemoryLog
from airside.adapters.sqlite_event_store import SqliteEventStore
from airside.adapters.sqlite_log import SqliteLog
from airside.history_source import HistorySource
from airside.log import Log
from commands.event_store import Commit, EventStore, StoredEvent
from projectors.projection import Projection
from projectors.read_side import ReadSide
from projectors.view_store import Source
from schemas.codec import CODEC
from schemas.envelope import Event, new_id
from schemas.record import EVENTS_TOPIC
from tests.kit.faults import FaultyViewStore
from tests.kit.read_side import START_AT, Bench

SHARDS_MAX = 100


class StoredBench(Bench):
    """What is added to the history is committed; what is published is appended to the log."""

    def __init__(
        self,
        projection: Projection[Any],
        *,
        shards: int,
        store: type[FaultyViewStore],
        topics: Log,
        events: EventStore,
    ) -> None:
        super().__init__(projection, shards, store)
        self.topics, self.events = topics, events
        self.topics.create_topic(EVENTS_TOPIC, shards)
        self.read_side = replace(
            self.read_side, source=lambda shard: topics.source(EVENTS_TOPIC, shard)
        )

    def store_events(self, *events: Event, shard: int = 0) -> list[Event]:
        last = self.events.resume(shard).position
        stored = super().store_events(*events, shard=shard)
        data = [
            StoredEvent(e.seq, e.account_id, one_of(shard, e.seq), CODEC.encode(e))
            for e in stored
        ]
        self.events.commit(
            Commit(
                shard,
                last.number + 1,
                new_id(),
                last.seq + 1,
                last.next_offset,
                last.settled,
                tuple(data),
            )
        )
        return stored

    def append_raw(self, *records: tuple[bytes | None, bytes | None], shard: int = 0) -> None:
        self.topics.append(EVENTS_TOPIC, shard, records)

    def from_source(self, source: Source) -> ReadSide:
        """What a replay runs on, with events from either source."""
        if source == "topic":
            return self.read_side
        return replace(self.read_side, source=lambda shard: HistorySource(self.events, shard))


def one_of(shard: int, seq: int) -> int:
    """A version that no other event has: these histories have an account in several shards."""
    return seq * SHARDS_MAX + shard


@contextmanager
def in_memory(
    projection: Projection[Any], shards: int, store: type[FaultyViewStore]
) -> Iterator[StoredBench]:
    """Log and event store as plain lists."""
    topics, events = MemoryLog(lambda: START_AT), MemoryEventStore()
    yield StoredBench(projection, shards=shards, store=store, topics=topics, events=events)


@contextmanager
def in_sqlite(
    projection: Projection[Any], shards: int, store: type[FaultyViewStore]
) -> Iterator[StoredBench]:
    """Log and event store in one new file."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "airside.sqlite"
        with (
            closing(SqliteLog(file, lambda: START_AT)) as topics,
            closing(SqliteEventStore(file)) as events,
        ):
            yield StoredBench(
                projection, shards=shards, store=store, topics=topics, events=events
            )
