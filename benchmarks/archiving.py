"""What archiving costs, and what reading through an archive costs, in the license domain.

`python -m benchmarks.archiving cassandra://host:port/KEYSPACE DIRECTORY`

The keyspace must be new: its shard 0 gets 100,000 events of 5,000 accounts, and is archived.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from airside.adapters.avro_archive import AvroArchive
from airside.adapters.cassandra_event_store import CassandraEventStore
from airside.adapters.cassandra_session import CassandraSession
from airside.archiving import Archiver
from commands.event_store import Commit, StoredEvent
from commands.license_decider import DECIDER
from commands.snapshots import NO_SNAPSHOT, StreamReader
from schemas import events
from schemas.codec import CODEC
from schemas.envelope import Event, new_id

ACCOUNTS, VERSIONS, EVENTS = 5_000, 20, 1_000  # in all; of each; in a commit
AT = 1_700_000_000_000
COLD = 1_000  # accounts that are loaded at once
PAGE = 10_000
WINDOW = 8  # commits that are not indexed yet


def main() -> None:
    """Fill, archive, read; a line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("directory", type=Path)
    chosen = parser.parse_args()
    archive = AvroArchive(chosen.directory)
    with (
        closing(CassandraSession(chosen.url)) as session,
        closing(CassandraEventStore(session, archive)) as store,
    ):
        store.lay_out(None, 1)
        measure(store, archive)


def measure(store: CassandraEventStore, archive: AvroArchive) -> None:
    """See the module."""
    total = ACCOUNTS * VERSIONS
    reader = StreamReader(DECIDER, CODEC)
    some = [account(n) for n in range(0, ACCOUNTS, ACCOUNTS // COLD)]
    told("events committed and indexed", total, lambda: fill(store))
    told("accounts loaded from rows", COLD, lambda: store.load(some, NO_SNAPSHOT))
    told("… and folded", COLD, lambda: folded(reader, store, some))
    told("history read", total, lambda: read(store))
    archiver = Archiver(
        store=store,
        archivable=store.archiving(),
        archive=archive,
        history=store.history_id(),
        reader=reader,
        at_of=CODEC.at_of,
    )
    settled = store.resume(0).position.number
    store.settle(0, settled)
    run = lambda: archiver.run(0, before_at=AT + total + 1, report=lambda done: None)  # noqa: E731
    told("events archived", total, run)
    told("accounts folded from snapshots", COLD, lambda: folded(reader, store, some))
    archive.close()
    told("accounts loaded through files", COLD, lambda: store.load(some, NO_SNAPSHOT))
    told("… files in memory", COLD, lambda: store.load(some, NO_SNAPSHOT))
    archive.close()
    told("one account loaded through files", 1, lambda: store.load(some[:1], NO_SNAPSHOT))
    archive.close()
    told("history read through files", total, lambda: read(store))
    size = sum(path.stat().st_size for path in archive.directory.rglob("*.avro"))
    print(f"{size / total:.0f} bytes of file an event")


def told(what: str, count: int, run: Callable[[], Any]) -> None:
    """Run it once and print its rate."""
    started = time.perf_counter()
    run()
    seconds = time.perf_counter() - started
    print(f"{what:<40}{count / seconds:>12,.0f}/s{1_000 * seconds:>12,.0f} ms")


def account(n: int) -> str:
    """The n-th account's id."""
    return f"account-{n:05}"


def fill(store: CassandraEventStore) -> None:
    """All commits, and wait until they are indexed."""
    for commit in commits():
        store.commit(commit)
        while commit.number - store.indexed(0) > WINDOW:
            time.sleep(0.001)
    store.parked_accounts(0)


def folded(reader: StreamReader[Any, Any], store: CassandraEventStore, some: list[str]) -> None:
    """Load and fold them."""
    reader.load(store, some)


def read(store: CassandraEventStore) -> None:
    """The whole history, in order."""
    seq = 0
    while found := store.read(0, after_seq=seq, count_max=PAGE):
        seq = found[-1].seq


def commits() -> Iterator[Commit]:
    """Every account's first event, then every account's second …"""
    seq = 0
    for number in range(1, ACCOUNTS * VERSIONS // EVENTS + 1):
        stored = tuple(stored_event(n) for n in range(seq + 1, seq + EVENTS + 1))
        yield Commit(
            shard=0,
            number=number,
            commit_id=new_id(),
            first_seq=seq + 1,
            next_offset=seq + EVENTS,
            settled=0,
            events=stored,
        )
        seq += EVENTS


def stored_event(seq: int) -> StoredEvent:
    """As bytes."""
    version, name = (seq - 1) // ACCOUNTS + 1, account(seq % ACCOUNTS)
    opened: Event = events.AccountOpened(plan_id="standard", country="DE")
    granted = events.AllowanceGranted(
        title_id=f"t{seq % 500}", device_id=None, count=1, expires_at=AT, note="for you"
    )
    event = replace(
        opened if version == 1 else granted,
        seq=seq,
        version=version,
        at=AT + seq,
        issued_at=AT + seq,
        command_id=new_id(),
        account_id=name,
    )
    return StoredEvent(seq, name, version, CODEC.encode(event))


if __name__ == "__main__":
    main()
