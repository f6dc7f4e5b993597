"""Commits of a thousand events in SQLite, against commits of one."""

from collections.abc import Iterator
from contextlib import closing
from itertools import count

from airside.adapters.sqlite_event_store import SqliteEventStore
from benchmarks.measure import Variant, alternate, verdict
from benchmarks.options import Options
from commands.event_store import Commit, StoredEvent
from schemas.envelope import new_id

SINGLES, THOUSANDS = 1_000, 50  # commits in a round
EVENT_BYTES = 115  # the average of the load
ACCOUNTS = 5_000
TARGET = 10


def run(options: Options) -> bool:
    """Events per second, durable when the commit returns."""
    print(f"\ncommit: events of {EVENT_BYTES} bytes into SQLite, synchronous=FULL")
    with (
        closing(SqliteEventStore(options.folder / "thousand.sqlite")) as thousand,
        closing(SqliteEventStore(options.folder / "one.sqlite")) as one,
    ):
        many, single = alternate(
            options.rounds,
            {
                "commits of 1,000 events": variant(thousand, options.scaled(THOUSANDS), 1_000),
                "commits of 1 event": variant(one, options.scaled(SINGLES), 1),
            },
        ).values()
    print(many.line())
    print(single.line())
    return verdict("events in commits of 1,000, of 1", many.median / single.median, TARGET)


def variant(store: SqliteEventStore, commits: int, size: int) -> Variant:
    """A round: so many commits behind those of the rounds before."""
    history = commits_of(size)

    def commit() -> int:
        for _ in range(commits):
            store.commit(next(history))
        return commits * size

    return commit


def commits_of(size: int) -> Iterator[Commit]:
    """One commit after the other, without end; accounts take turns."""
    data = bytes(range(EVENT_BYTES))
    seq = 0
    for number in count(1):
        events = tuple(
            StoredEvent(n, f"account-{n % ACCOUNTS:05}", (n - 1) // ACCOUNTS + 1, data)
            for n in range(seq + 1, seq + size + 1)
        )
        yield Commit(
            shard=0,
            number=number,
            commit_id=new_id(),
            first_seq=seq + 1,
            next_offset=seq + size,
            settled=number - 1,
            events=events,
        )
        seq += size
