"""Histories of many segments, and what is too large for one write."""

import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing

import pytest

from airside.adapters import cassandra_commits
from airside.adapters.cassandra_event_store import CassandraEventStore
from airside.adapters.cassandra_session import CassandraSession
from commands.event_store import Snapshot, StoredEvent
from schemas.errors import TooLarge
from stack.cassandra import CassandraNode
from tests.contracts.event_store import Author, snapshot, written
from tests.kit.cassandra import empty, laid_out
from tests.kit.witness import wait_until

pytestmark = pytest.mark.engines

MIB = 1024 * 1024
Open = Callable[[], CassandraEventStore]


@pytest.fixture(scope="module")
def session(cassandra: CassandraNode) -> Iterator[CassandraSession]:
    with laid_out(f"cassandra://{cassandra.address}/segments") as session:
        yield session


@pytest.fixture
def open_store(session: CassandraSession) -> Iterator[Open]:
    empty(session)
    with ExitStack() as opened:
        yield lambda: opened.enter_context(closing(CassandraEventStore(session)))


@pytest.fixture
def store(open_store: Open) -> CassandraEventStore:
    return open_store()


def history_of(store: CassandraEventStore, shard: int, commits: int) -> tuple[StoredEvent, ...]:
    """So many commits of 0, 1, 2, 0, 1, 2 … events."""
    author = Author(shard=shard)
    made = [author.commit(*"ab"[: n % 3]) for n in range(commits)]
    written(store, *made)
    return tuple(event for commit in made for event in commit.events)


@pytest.mark.parametrize("commits", [0, 1, 2, 3, 5, 8, 9, 17, 24, 31])
def test_the_end_is_found_in_any_number_of_segments(
    store: CassandraEventStore,
    open_store: Open,
    monkeypatch: pytest.MonkeyPatch,
    commits: int,
) -> None:
    monkeypatch.setattr(cassandra_commits, "SEGMENT_COMMITS", 2)
    early = open_store()
    early.resume(0)
    events = history_of(store, 0, commits)
    resumed = open_store().resume(0)
    assert (resumed.position.number, resumed.position.seq) == (commits, len(events))
    assert [number for number, _ in resumed.unpublished] == list(range(1, commits + 1))
    assert early.resume(0).position == resumed.position


def test_a_history_is_read_from_every_seq_in_every_portion(
    store: CassandraEventStore, open_store: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cassandra_commits, "SEGMENT_COMMITS", 3)
    events = history_of(store, 0, 14)
    reader = open_store()
    starts, counts = range(len(events) + 2), (1, 4, 100)
    portions = {
        (seq, count): tuple(reader.read(0, after_seq=seq, count_max=count))
        for seq in starts
        for count in counts
    }
    assert portions == {
        (seq, count): events[seq : seq + count] for seq in starts for count in counts
    }


def test_what_the_server_does_not_take_is_too_large_and_changes_nothing(
    store: CassandraEventStore, open_store: Open
) -> None:
    noise = random.Random(1).randbytes(6 * MIB)  # the node of the tests takes 4 at once
    with pytest.raises(TooLarge, match="Send less at once"):
        store.commit(Author().commit("a", data=noise))
    assert open_store().resume(0).position.number == 0
    store.commit(Author().commit("a", data=noise[: 3 * MIB]))


def test_a_commit_of_large_events_of_one_account_is_indexed(
    store: CassandraEventStore,
) -> None:
    written(store, Author().commit(*["a"] * 15, data=bytes(MIB - 100)))
    wait_until("it is indexed", lambda: store.indexed(0) == 1)  # a busy node may ask to wait
    assert [event.version for event in store.history("a")] == list(range(1, 16))


def test_a_snapshot_that_does_not_fit_a_write_is_left_out(
    store: CassandraEventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("airside.adapters.cassandra_accounts.SNAPSHOT_BYTES_MAX", 1_000)
    noise = random.Random(1).randbytes(2_000)
    store.save_snapshots([snapshot("a", 1), Snapshot("a", 2, "f1", noise), snapshot("b", 1)])
    loaded = store.load(["a", "b"], "f1")
    assert [loaded[a].snapshot_version for a in "ab"] == [1, 1]
