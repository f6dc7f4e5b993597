"""The strict alternative in Cassandra: one conditional batch per account, against our commits.

`python -m benchmarks.cassandra_strict cassandra://host:port/KEYSPACE`

Strict: each account has a head (a static column), and its events are written by a batch that
is applied only where the head is the expected one. No commit, no index behind it; but a
conditional write per account instead of one per batch, and no ordered history to read.
"""

import argparse
import time
from collections.abc import Iterator
from contextlib import closing
from threading import Semaphore

from cassandra.query import BatchStatement, BatchType, PreparedStatement

from airside.adapters.cassandra_event_store import CassandraEventStore
from airside.adapters.cassandra_session import CassandraSession
from benchmarks.commit import commits_of
from benchmarks.measure import Variant, alternate, verdict
from commands.event_store import Commit, StoredEvent

SHARDS = 8
EVENTS, COMMITS = 1_000, 6  # in a commit; in a round
IN_FLIGHT_MAX = 256  # conditional batches, each of another account
WINDOW = 8  # commits of ours that are not indexed yet
PAUSE_SECONDS = 0.0005
TARGET = 6
TABLE = """
CREATE TABLE IF NOT EXISTS $keyspace.strict (
    account_id text,
    version    int,
    head       int STATIC,
    seq        bigint,
    data       blob,
    PRIMARY KEY ((account_id), version)
)"""
FIRST_HEAD = "INSERT INTO $keyspace.strict (account_id, head) VALUES (?, ?) IF NOT EXISTS"
NEXT_HEAD = "UPDATE $keyspace.strict SET head = ? WHERE account_id = ? IF head = ?"
ROW = "INSERT INTO $keyspace.strict (account_id, version, seq, data) VALUES (?, ?, ?, ?)"


class StrictStore:
    """Appends to many accounts at once, each conditionally and by itself."""

    def __init__(self, session: CassandraSession) -> None:
        self._session = session
        connected = session.connected()
        connected.execute(session.cql(TABLE))
        connected.execute(f"TRUNCATE {session.keyspace}.strict")
        self._first, self._next, self._row = (
            self._prepared(text) for text in (FIRST_HEAD, NEXT_HEAD, ROW)
        )
        self.refused: list[object] = []

    def commit(self, commit: Commit) -> None:
        """Every account's events behind those that it has; returns when all are answered."""
        room = Semaphore(IN_FLIGHT_MAX)
        accounts: dict[str, list[StoredEvent]] = {}
        for event in commit.events:
            accounts.setdefault(event.account_id, []).append(event)

        def answered(rows: list[tuple[object, ...]]) -> None:
            if not rows[0][0]:
                self.refused.append(rows)
            room.release()

        def failed(error: Exception) -> None:
            self.refused.append(error)
            room.release()

        for events in accounts.values():
            room.acquire()
            self._session.send(self._batch(events), "commit").add_callbacks(answered, failed)
        for _ in range(IN_FLIGHT_MAX):
            room.acquire()
        if self.refused:
            raise SystemExit(f"strict: {len(self.refused)} refused, as in {self.refused[0]}")

    def _batch(self, events: list[StoredEvent]) -> BatchStatement:
        account_id, before, head = (
            events[0].account_id,
            events[0].version - 1,
            events[-1].version,
        )
        batch = BatchStatement(BatchType.UNLOGGED)  # of one partition: atomic all the same
        if before:
            batch.add(self._next, (head, account_id, before))
        else:
            batch.add(self._first, (account_id, head))
        for event in events:
            batch.add(self._row, (account_id, event.version, event.seq, event.data))
        return batch

    def _prepared(self, text: str) -> PreparedStatement:
        return self._session.connected().prepare(self._session.cql(text))


def ours(store: CassandraEventStore, history: Iterator[Commit], commits: int) -> Variant:
    """A round of our commits, indexed when it ends."""

    def commit() -> int:
        for _ in range(commits):
            last = next(history)
            store.commit(last)
            wait_until_indexed(store, last.shard, last.number - WINDOW)
        wait_until_indexed(store, last.shard, last.number)
        return commits * EVENTS

    return commit


def strict(store: StrictStore, history: Iterator[Commit], commits: int) -> Variant:
    """A round of the same commits, account by account."""

    def commit() -> int:
        for _ in range(commits):
            store.commit(next(history))
        return commits * EVENTS

    return commit


def wait_until_indexed(store: CassandraEventStore, shard: int, number: int) -> None:
    """Return once commits up to this one are in the index."""
    while store.indexed(shard) < number:
        time.sleep(PAUSE_SECONDS)


def compare(session: CassandraSession, rounds: int, commits: int = COMMITS) -> bool:
    """Print events per second of both; the keyspace has to be a new one."""
    with closing(CassandraEventStore(session)) as store:
        store.lay_out(None, SHARDS)
        one, other = alternate(
            rounds,
            {
                "one conditional write per commit, then the index": ours(
                    store, commits_of(EVENTS), commits
                ),
                "strict: one conditional batch per account": strict(
                    StrictStore(session), commits_of(EVENTS), commits
                ),
            },
        ).values()
    print(f"\nstrict: commits of {EVENTS:,} events of as many accounts, in Cassandra")
    print(one.line())
    print(other.line())
    return verdict("ours, of strict", one.median / other.median, TARGET)


def main() -> None:
    """Compare on the cluster that is named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url", help="cassandra://host:port/KEYSPACE; a new keyspace")
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    with closing(CassandraSession(asked.url)) as session:
        raise SystemExit(0 if compare(session, asked.rounds) else 1)


if __name__ == "__main__":
    main()
