"""A shard in Cassandra whose old commits are archived, and what must be read all along."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from cassandra.cluster import ResponseFuture
from cassandra.query import BoundStatement

from airside.adapters.avro_archive import AvroArchive
from airside.adapters.cassandra_event_store import CassandraEventStore
from airside.adapters.cassandra_session import CassandraSession
from airside.archiving import Archiver, Done
from airside.world.engines import Crash
from commands.decider import Decider
from commands.event_store import StoredEvent
from commands.limits import Limits
from commands.snapshots import StreamReader
from commands.stream import Ring, Stream
from schemas.codec import CODEC
from tests.kit import laws
from tests.kit.cassandra import COUNT_MAX, CassandraShard, drain
from tests.kit.counter import COUNTER, NOW, add

HOUR = 3_600_000
NEWER = replace(COUNTER, fold_modules=(laws,))  # folds alike, but no old snapshot fits
ACCOUNTS = "abc"
LIMITS = Limits(batch_records_max=2, streams_max=1)  # commits of two, every account is cold
WRITES = ("INSERT", "UPDATE", "DELETE", "BEGIN")


class Archival:
    """The shard, its archive, and the archiver. `live` makes history, an hour a command."""

    def __init__(self, session: CassandraSession, directory: Path) -> None:
        self.session, self.directory = session, directory
        self.shard = CassandraShard(session, AvroArchive(directory))
        self.commands = 0

    def live(self, count: int) -> None:
        """A handler takes so many commands, in commits of two; account a, b, c, a, b, c …"""
        for _ in range(count):
            self.send_next()
        with closing(self.shard.open_store()) as store:
            worker = self.shard.worker(store, LIMITS)
            drain(worker)
            store.parked_accounts(0)  # waits until everything is indexed
            worker.close()  # notes it as settled

    def send_next(self) -> None:
        """One more command on the topic, an hour later."""
        self.commands += 1
        n = self.commands
        at = self.shard.now_at = NOW + n * HOUR
        self.shard.send(add(n, account=ACCOUNTS[n % 3], issued_at=at))

    def archive(
        self,
        *,
        before: int | None = None,
        session: CassandraSession | None = None,
        decider: Decider[Any, Any] = COUNTER,
    ) -> Done:
        """Archive what is older than command `before`, or everything that is settled."""
        before = self.commands + 1 if before is None else before
        archive = AvroArchive(self.directory)
        with closing(CassandraEventStore(session or self.session, archive)) as store:
            archiver = Archiver(
                store=store,
                archivable=store.archiving(),
                archive=archive,
                history="h1",
                reader=StreamReader(decider, CODEC),
                at_of=CODEC.at_of,
            )
            return archiver.run(0, before_at=NOW + before * HOUR, report=lambda events: None)

    def read(self) -> list[StoredEvent]:
        """The ordered history, by a store that has read nothing before."""
        with closing(self.shard.open_store()) as store:
            return list(store.read(0, after_seq=0, count_max=COUNT_MAX))

    def streams(self, decider: Decider[Any, Any] = COUNTER) -> dict[str, Stream[Any]]:
        """Every account, loaded cold; without where its snapshot was."""
        with closing(self.shard.open_store()) as store:
            return streams_of(store, decider)

    def check_reads(self, events: list[StoredEvent]) -> None:
        """Everything that can be read is as it was: these events and nothing else."""
        assert self.read() == events
        assert self.streams(COUNTER) == self.streams(NEWER)
        with closing(self.shard.open_store()) as store:
            assert list(store.read(0, after_seq=3, count_max=4)) == events[3:7]
            for account_id in ACCOUNTS:
                expected = [event for event in events if event.account_id == account_id]
                assert list(store.history(account_id)) == expected
                assert streams_of(store, NEWER)[account_id].version == len(expected)
            assert store.resume(0).position.seq == len(events)

    def rows(self) -> dict[str, list[int]]:
        """The versions of each account that are still in the index."""
        found: dict[str, list[int]] = {account_id: [] for account_id in ACCOUNTS}
        for account_id, version in self._select("account_id, version FROM {}.events"):
            found[account_id].append(version)
        return found

    def payloads(self) -> list[int]:
        """The commits that still have theirs."""
        rows = self._select("number, payload FROM {}.commits")
        return [number for number, payload in rows if payload is not None]

    def _select(self, what: str) -> list[Any]:
        statement = f"SELECT {what.format(self.session.keyspace)}"
        return list(self.session.connected().execute(statement, execution_profile="plain"))


def streams_of(
    store: CassandraEventStore, decider: Decider[Any, Any]
) -> dict[str, Stream[Any]]:
    """Every account as that store loads it."""
    found = StreamReader(decider, CODEC).load(store, list(ACCOUNTS))
    streams = {a: stream for a, stream in found.items() if isinstance(stream, Stream)}
    assert streams.keys() == found.keys(), found
    for stream in streams.values():
        stream.snapshot_version = 0
        stream.recent = Ring(*stream.recent.packed())  # however it is split
    return streams


class MortalSession(CassandraSession):
    """Its process dies just before its n-th write."""

    def __init__(self, url: str, writes_max: int) -> None:
        super().__init__(url)
        self.writes, self._writes_max = 0, writes_max

    def send(self, statement: object, profile: str) -> ResponseFuture:
        prepared = getattr(statement, "prepared_statement", None)
        if prepared is not None and prepared.query_string.startswith(WRITES):
            if self.writes == self._writes_max:
                raise Crash
            self.writes += 1
        return super().send(statement, profile)


class Interrupted(CassandraSession):
    """Somebody does something just before a statement is made, the first time."""

    def __init__(self, url: str, name: str, interruption: Callable[[], object]) -> None:
        super().__init__(url)
        self._name, self._interruption = name, interruption
        self.has_come = False

    def bound(self, name: str, values: Any) -> BoundStatement:
        if name == self._name and not self.has_come:
            self.has_come = True
            self._interruption()
        return super().bound(name, values)
