"""The floor: a loop over both drivers that sends the statements and messages of a handler.

It uses them as their manuals show: BatchStatement, callbacks, a producer that is flushed. It
decides, encodes, remembers and checks nothing, and keeps as many requests in flight as we do.
"""

from collections.abc import Callable, Sequence
from contextlib import closing
from itertools import count
from threading import Semaphore
from typing import Any

from cassandra.query import BatchStatement, BatchType
from confluent_kafka import Producer
from msgspec.structs import replace

from airside.adapters.cassandra_commits import Commits
from airside.adapters.cassandra_index import IN_FLIGHT_MAX
from airside.adapters.cassandra_requests import groups
from airside.adapters.cassandra_session import CassandraSession
from airside.adapters.kafka_settings import parse_cluster
from benchmarks.measure import Variant
from commands.event_store import Commit
from commands.license_decider import DECIDER
from commands.snapshots import fingerprint_of
from schemas.codec import CODEC
from schemas.envelope import new_id
from schemas.record import EVENTS_TOPIC

IDS_MAX = 40  # accounts in one SELECT

Load = Callable[[Commit], None]


class BareDrivers:
    """Writes to shards that nobody handles; rows of accounts carry the bytes that they have."""

    shards = count(1_000)

    def __init__(self, session: CassandraSession, url: str) -> None:
        self._session = session
        self._cluster = parse_cluster(url)
        self._commits = Commits(session)
        self._fingerprint = fingerprint_of(DECIDER, CODEC)

    def variant(self, commits: Sequence[Commit], units: int) -> Variant:
        """A round: the same commits once more."""
        return self._sending(commits, units, lambda commit: None)

    def loading(self, commits: Sequence[Commit], units: int) -> Variant:
        """The same, and the accounts of each commit are asked for before."""
        return self._sending(commits, units, self._load)

    def _sending(self, commits: Sequence[Commit], units: int, load: Load) -> Variant:
        def send() -> int:
            shard = next(self.shards)
            room = Semaphore(IN_FLIGHT_MAX)
            with closing(Producer(self._cluster.producer() | {"log_level": 2})) as producer:
                for number, commit in enumerate(commits, 1):
                    load(commit)
                    fresh = replace(commit, shard=shard, number=number, commit_id=new_id())
                    assert self._commits.holder(self._commits.send(fresh)) is None
                    self._index(commit, room)
                    self._publish(commit, producer)
                for _ in range(IN_FLIGHT_MAX):
                    room.acquire()
                producer.flush()
            return units

        return send

    def _index(self, commit: Commit, room: Semaphore) -> None:
        insert = self._session.prepared("add_event")
        for group in groups(commit.events, None):
            batch = BatchStatement(BatchType.UNLOGGED)
            for e in group:
                batch.add(insert, (e.account_id, e.version, e.seq, e.data))
            room.acquire()
            future = self._session.send(batch, "plain")
            future.add_callbacks(lambda _: room.release(), failed)

    def _publish(self, commit: Commit, producer: Producer) -> None:
        topic = self._cluster.named(EVENTS_TOPIC)
        for e in commit.events:
            producer.produce(topic, e.data, e.account_id.encode(), partition=0)
        producer.poll(0)

    def _load(self, commit: Commit) -> None:
        """Newest snapshots, then the events behind them."""
        accounts = list(dict.fromkeys(event.account_id for event in commit.events))
        versions = dict.fromkeys(accounts, 0)
        asked = [self._ask("snapshots", some, self._fingerprint) for some in chunks(accounts)]
        for answer in asked:
            versions |= {row[0]: row[1] for row in answer.result()}
        accounts.sort(key=versions.__getitem__)
        asked = [
            self._ask("later_events", some, versions[some[0]]) for some in chunks(accounts)
        ]
        for answer in asked:
            list(answer.result())

    def _ask(self, name: str, *values: object) -> Any:
        return self._session.send(self._session.bound(name, values), "plain")


def chunks(accounts: list[str]) -> list[list[str]]:
    """As many as are asked for at once."""
    return [accounts[first : first + IDS_MAX] for first in range(0, len(accounts), IDS_MAX)]


def failed(error: Exception) -> None:
    """A floor that fails is no floor."""
    raise SystemExit(f"bare drivers: {error}")
