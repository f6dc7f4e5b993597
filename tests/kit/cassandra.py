"""A keyspace for tests on a running node, emptied before each; and a shard that lives there."""

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

from airside.adapters.cassandra_event_store import CassandraEventStore
from airside.adapters.cassandra_session import CassandraSession
from airside.adapters.memory_log import MemoryLog
from airside.archive import Archive
from commands.event_store import EventStore
from commands.handler import ShardHandler
from commands.limits import Limits
from schemas.codec import CODEC
from schemas.envelope import Command, Event
from schemas.errors import Transient
from schemas.record import COMMANDS_TOPIC, EVENTS_TOPIC
from tests.kit.counter import COUNTER, NOW, Count, Rules
from tests.kit.laws import (
    check_each_command_was_decided_once,
    check_every_event_is_published_in_order,
    check_history_is_gapless,
)

TABLES = (
    "commits",
    "events",
    "settled",
    "parked",
    "parked_buckets",
    "snapshots",
    "archives",
    "archived_accounts",
)
SHARDS = 8
COUNT_MAX = 1_000_000
PATIENCE_SECONDS = 60.0
PAUSE_SECONDS = 0.01

Worker = ShardHandler[Count, Rules]


@contextmanager
def laid_out(url: str) -> Iterator[CassandraSession]:
    """A session on a keyspace with its tables."""
    with closing(CassandraSession(url)) as session:
        CassandraEventStore(session).lay_out(None, SHARDS)
        yield session


def empty(session: CassandraSession) -> None:
    """Take everything out of the tables, all at once: making them again is slower."""
    connected = session.connected()
    sent = [
        connected.execute_async(f"TRUNCATE {session.keyspace}.{table}", timeout=60)
        for table in TABLES
    ]
    for answer in sent:
        answer.result()


class CassandraShard:
    """Shard 0 of 1: topics in memory, history in Cassandra, in an empty keyspace."""

    def __init__(self, session: CassandraSession, archive: Archive | None = None) -> None:
        self.session, self.archive = session, archive
        self.now_at = NOW
        self.log = MemoryLog(lambda: self.now_at)
        self.log.create_topic(COMMANDS_TOPIC, 1)
        self.log.create_topic(EVENTS_TOPIC, 1)

    def open_store(self) -> CassandraEventStore:
        """Another worker's store."""
        return CassandraEventStore(self.session, self.archive)

    def send(self, *commands: Command) -> None:
        """Put commands onto the topic."""
        records = [(command.account_id.encode(), CODEC.encode(command)) for command in commands]
        self.log.append(COMMANDS_TOPIC, 0, records)

    def worker(self, store: EventStore, limits: Limits) -> Worker:
        """A handler that believes to own the shard."""
        return ShardHandler(
            shard=0,
            shards=1,
            decider=COUNTER,
            codec=CODEC,
            store=store,
            source=self.log.source(COMMANDS_TOPIC, 0),
            open_publisher=lambda: self.log.publisher(EVENTS_TOPIC, 0),
            context=Rules,
            limits=limits,
        )

    def events(self) -> list[Event]:
        """The history, read by nobody who took part."""
        with closing(self.open_store()) as store:
            stored = store.read(0, after_seq=0, count_max=COUNT_MAX)
        return [CODEC.decode_event(event.data) for event in stored]

    def check(self, *, commands: int) -> None:
        """One gapless history, all of it published, each of so many commands decided once."""
        events = self.events()
        check_history_is_gapless(events)
        check_each_command_was_decided_once(events)
        assert len({event.command_id for event in events}) == commands, "none is lost"
        published = [value or b"" for _, _, _, value in self.log.records(EVENTS_TOPIC, 0)]
        check_every_event_is_published_in_order(events, published)
        self._check_stored(set(published))

    def _check_stored(self, published: set[bytes]) -> None:
        with closing(self.open_store()) as store:
            stored = store.read(0, after_seq=0, count_max=COUNT_MAX)
            assert published == {event.data for event in stored}, "only what is stored"
            for account_id in {event.account_id for event in stored}:
                expected = [event for event in stored if event.account_id == account_id]
                assert list(store.history(account_id)) == expected, "index equal to the commits"


def drain(worker: Worker) -> None:
    """It steps until all is done, indexed and published, whatever passing trouble it meets."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not _has_finished(worker):
        assert time.monotonic() < deadline, "still not idle"


def _has_finished(worker: Worker) -> bool:
    """Whether one more step of a worker that has settled everything did nothing."""
    try:
        is_settled = worker.position is not None and worker.settled == worker.position.number
        step = worker.step()
    except Transient:
        time.sleep(PAUSE_SECONDS)
        return False
    if step.polled or step.fenced:
        return False
    if not is_settled:
        time.sleep(PAUSE_SECONDS)  # the index is under way
    return is_settled
