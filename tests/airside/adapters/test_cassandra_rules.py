"""The rules of the write protocol that a store with a late index could break (PROTOCOL W)."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing

import pytest
from cassandra.query import BoundStatement

from airside.adapters.cassandra_event_store import CassandraEventStore
from airside.adapters.cassandra_payload import Content
from airside.adapters.cassandra_session import CassandraSession
from commands.event_store import Commit, Loaded
from schemas.errors import Fenced, Hole
from stack.cassandra import CassandraNode
from tests.contracts.event_store import Author, parked, snapshot, written
from tests.kit.cassandra import empty, laid_out

pytestmark = pytest.mark.engines

Open = Callable[..., CassandraEventStore]


class Interrupted(CassandraSession):
    """Somebody does something just before the events of accounts are read, once."""

    interruption: Callable[[], object] | None = None

    def bound(self, name: str, values: object) -> BoundStatement:
        if name == "later_events" and self.interruption is not None:
            interruption, self.interruption = self.interruption, None
            interruption()
        return super().bound(name, values)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def url(cassandra: CassandraNode) -> str:
    return f"cassandra://{cassandra.address}/rules"


@pytest.fixture(scope="module")
def session(url: str) -> Iterator[CassandraSession]:
    with laid_out(url) as session:
        yield session


@pytest.fixture
def open_store(session: CassandraSession) -> Iterator[Open]:
    empty(session)
    with ExitStack() as opened:
        yield lambda **named: opened.enter_context(
            closing(CassandraEventStore(session, **named))
        )


@pytest.fixture
def store(open_store: Open) -> CassandraEventStore:
    return open_store()


def execute(session: CassandraSession, statement: str) -> None:
    session.connected().execute(f"{statement}".replace("rules.", f"{session.keyspace}."))


def write_index_again(store: CassandraEventStore, commit: Commit) -> None:
    """As a request does that was under way for long, of a worker long gone."""
    content = Content(commit.events, commit.parked, commit.unparked)
    store._index.start(store._index.plan(commit.shard, commit.number, content))
    store._index.wait_for_shard(commit.shard)


def versions(loaded: Loaded) -> list[int]:
    return [event.version for event in loaded.events]


# W6, W7: what lies behind settled is written into the index again, before anything is loaded


def test_a_commit_whose_index_was_never_written_is_indexed_by_the_successor(
    store: CassandraEventStore, open_store: Open, session: CassandraSession
) -> None:
    written(store, Author().commit("a", "b", parked=(parked(3),)))
    assert store.load(["a"], "f1")["a"].events
    execute(session, "TRUNCATE rules.events")
    execute(session, "TRUNCATE rules.parked")
    successor = open_store()
    assert successor.load(["a"], "f1")["a"].events == ()
    successor.resume(0)
    assert versions(successor.load(["a"], "f1")["a"]) == [1]
    assert [p.offset for p in successor.parked(0)] == [3]


def test_a_note_beyond_the_end_of_the_history_is_a_hole(
    store: CassandraEventStore, open_store: Open
) -> None:
    author = Author()
    written(store, author.commit("a"), author.commit("a"))
    store.settle(0, 5)
    with pytest.raises(Hole, match="5 commits were settled, but the history ends at 2"):
        open_store().resume(0)


def test_a_note_that_arrives_late_changes_nothing(
    store: CassandraEventStore, open_store: Open
) -> None:
    author = Author()
    written(store, author.commit("a"), author.commit("a"), author.commit("a"))
    store.settle(0, 3)
    open_store().settle(0, 1)
    assert open_store().resume(0).position.settled == 3


def test_a_commit_that_is_missing_is_a_hole_and_never_no_events(
    store: CassandraEventStore, open_store: Open, session: CassandraSession
) -> None:
    author = Author()
    written(store, author.commit("a"), author.commit("a"))
    execute(session, "DELETE FROM rules.commits WHERE shard=0 AND segment=0 AND number=1")
    with pytest.raises(Hole, match="commit 1"):
        open_store().resume(0)


def test_a_history_that_has_become_shorter_is_a_hole(
    store: CassandraEventStore, session: CassandraSession
) -> None:
    written(store, Author().commit("a"))
    execute(session, "DELETE FROM rules.commits WHERE shard=0 AND segment=0 AND number=1")
    with pytest.raises(Hole, match="commit 1 was there"):
        store.resume(0)


# W8: archiving meanwhile


def archive(store: CassandraEventStore, session: CassandraSession, version: int) -> None:
    """Of account a: save a snapshot, and then delete the rows that it stands for."""
    store.save_snapshots([snapshot("a", version)])
    execute(session, f"DELETE FROM rules.events WHERE account_id='a' AND version <= {version}")


def test_an_account_that_is_archived_while_it_is_loaded_is_read_again(
    store: CassandraEventStore, session: CassandraSession, url: str
) -> None:
    written(store, Author().commit(*["a"] * 6))
    assert versions(store.load(["a"], "f1")["a"]) == [1, 2, 3, 4, 5, 6]
    with closing(Interrupted(url)) as interrupted:
        interrupted.interruption = lambda: archive(store, session, 4)
        loaded = CassandraEventStore(interrupted).load(["a"], "f1")["a"]
    assert (loaded.snapshot_version, versions(loaded)) == (4, [5, 6])


def test_a_late_insert_that_brings_an_archived_row_back_is_ignored(
    store: CassandraEventStore, session: CassandraSession
) -> None:
    commit = Author().commit(*["a"] * 6)
    written(store, commit)
    archive(store, session, 4)
    write_index_again(store, commit)
    loaded = store.load(["a"], "f1")["a"]
    assert (loaded.snapshot_version, versions(loaded)) == (4, [5, 6])


def test_an_account_with_a_row_missing_is_loaded_as_it_is_and_its_fold_says_so(
    store: CassandraEventStore, session: CassandraSession
) -> None:
    written(store, Author().commit("a", "a", "a", "b"))
    assert store.load(["a"], "f1")["a"].events
    execute(session, "DELETE FROM rules.events WHERE account_id='a' AND version=2")
    loaded = store.load(["a", "b"], "f1")
    assert (versions(loaded["a"]), versions(loaded["b"])) == ([1, 3], [1])


# W9: a number once taken is taken for ever


def archive_payload(session: CassandraSession, number: int) -> None:
    execute(
        session,
        "UPDATE rules.commits SET payload = null "
        f"WHERE shard=0 AND segment=0 AND number={number} IF EXISTS",
    )


def test_a_number_whose_payload_is_archived_stays_taken(
    store: CassandraEventStore, open_store: Open, session: CassandraSession
) -> None:
    stale = open_store()
    stale.resume(0)
    written(store, Author().commit("a"))
    archive_payload(session, 1)
    with pytest.raises(Fenced, match="the shard is at commit 1"):
        stale.commit(Author().commit("b"))
    assert list(store.history("b")) == []


def test_a_payload_that_is_gone_and_in_no_archive_is_a_hole(
    store: CassandraEventStore, open_store: Open, session: CassandraSession
) -> None:
    author = Author()
    written(store, author.commit("a", "b"), author.commit("c"))
    archive_payload(session, 1)
    with pytest.raises(Hole, match="no archive file is noted"):
        open_store().read(0, after_seq=0, count_max=10)


def test_an_archived_commit_says_that_all_before_it_is_settled(
    store: CassandraEventStore, open_store: Open, session: CassandraSession
) -> None:
    author = Author()
    written(store, *[author.commit("a") for _ in range(3)])
    archive_payload(session, 2)  # by somebody who knew what is settled; the note was lost
    resumed = open_store().resume(0)
    assert resumed.position.settled == 2
    assert [number for number, _ in resumed.unpublished] == [3]


# Parked records: the timestamp is the commit's number


def test_a_late_repeat_does_not_bring_a_handled_record_back(
    store: CassandraEventStore, open_store: Open
) -> None:
    author = Author()
    parking = author.commit(parked=(parked(7), parked(8)))
    written(store, parking, author.commit("a", unparked=(7,)))
    assert [p.offset for p in store.parked(0)] == [8]
    write_index_again(open_store(), parking)
    assert [p.offset for p in store.parked(0)] == [8]


def test_a_late_repeat_does_not_bring_the_older_reason_back(
    store: CassandraEventStore, open_store: Open
) -> None:
    author = Author()
    again = parked(7, reason="INVALID: later known")
    first = author.commit(parked=(parked(7),))
    written(store, first, author.commit(parked=(again,)))
    write_index_again(open_store(), first)
    assert list(store.parked(0)) == [again]


def test_a_record_that_is_unparked_and_parked_by_one_commit_stays_parked(
    store: CassandraEventStore,
) -> None:
    author = Author()
    again = parked(7, reason="BEHIND: offset 5")
    written(
        store, author.commit(parked=(parked(7),)), author.commit(parked=(again,), unparked=(7,))
    )
    assert list(store.parked(0)) == [again]


def test_parked_records_far_apart_are_found_by_offset(store: CassandraEventStore) -> None:
    author = Author()
    offsets = [20_000_000, 3, 4_096, 9_000]
    written(store, *[author.commit(parked=(parked(offset),)) for offset in offsets])
    assert [p.offset for p in store.parked(0)] == sorted(offsets)
