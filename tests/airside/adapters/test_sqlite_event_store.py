"""The SQLite event store keeps the contract, lasts, and says what a failing file means."""

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from airside.adapters.sqlite_event_store import SqliteEventStore
from schemas.errors import Contradiction, Hole, Invalid, OutcomeUnknown, Overtaken, Unavailable
from tests.contracts.event_store import Author, EventStoreContract, OpenStore, parked, snapshot
from tests.contracts.event_store_ahead import EventStoreAheadContract
from tests.contracts.event_store_reading import EventStoreReadingContract


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "airside.sqlite"


@pytest.fixture
def open_store(path: Path) -> Iterator[OpenStore]:
    with ExitStack() as opened:
        yield lambda: opened.enter_context(closing(SqliteEventStore(path)))


@pytest.fixture
def store(open_store: OpenStore) -> SqliteEventStore:
    opened = open_store()
    assert isinstance(opened, SqliteEventStore)
    return opened


class TestSqliteEventStore(
    EventStoreContract, EventStoreReadingContract, EventStoreAheadContract
):
    pass


class Faulty:
    """A connection that fails at one statement, before or after doing it."""

    def __init__(self, connection: sqlite3.Connection, statement: str, *, late: bool) -> None:
        self._connection, self._statement, self._late = connection, statement, late

    def __getattr__(self, name: str) -> object:
        return getattr(self._connection, name)

    def execute(self, statement: str, *arguments: object) -> sqlite3.Cursor:
        if statement == self._statement and not self._late:
            raise sqlite3.OperationalError("disk I/O error")
        cursor = self._connection.execute(statement, *arguments)  # type: ignore[arg-type]
        if statement == self._statement:
            raise sqlite3.OperationalError("disk I/O error")
        return cursor


def break_at(store: SqliteEventStore, statement: str, *, late: bool = False) -> None:
    faulty = Faulty(store._connection, statement, late=late)
    store._connection = faulty  # type: ignore[assignment]


def test_everything_lasts_beyond_the_process(path: Path) -> None:
    author = Author()
    commits = [author.commit("a", "b", parked=(parked(3),)), author.commit("a", settled=1)]
    with closing(SqliteEventStore(path)) as store:
        store.commit(commits[0])
        store.commit(commits[1])
        store.save_snapshots([snapshot("a", 1)])
    with closing(SqliteEventStore(path)) as store:
        resumed = store.resume(0)
        assert resumed.position == commits[1].position
        assert resumed.unpublished == ((2, commits[1].events),)
        assert store.load(["a"], "f1")["a"].snapshot_version == 1
        assert list(store.parked(0)) == [parked(3)]
        assert store.landed(commits[0])


def test_a_commit_that_failed_at_its_end_has_an_unknown_outcome(
    store: SqliteEventStore, open_store: OpenStore
) -> None:
    commit = Author().commit("a")
    break_at(store, "COMMIT", late=True)
    with pytest.raises(OutcomeUnknown, match="commit 1"):
        store.commit(commit)
    assert open_store().landed(commit)


def test_a_commit_that_was_rolled_back_at_its_end_may_be_sent_again(
    store: SqliteEventStore, open_store: OpenStore
) -> None:
    commit = Author().commit("a")
    break_at(store, "COMMIT")
    with pytest.raises(OutcomeUnknown):
        store.commit(commit)
    assert not store.landed(commit)
    open_store().commit(commit)


def test_a_commit_that_could_not_begin_was_surely_not_applied(
    store: SqliteEventStore, open_store: OpenStore
) -> None:
    break_at(store, "BEGIN IMMEDIATE")
    with pytest.raises(Unavailable, match="Nothing was changed"):
        store.commit(Author().commit("a"))
    assert open_store().resume(0).position.number == 0


def test_a_commit_that_fails_half_way_leaves_nothing(store: SqliteEventStore) -> None:
    author = Author()
    store.commit(author.commit("a"))
    author.versions["a"] = 0  # a bug elsewhere: version 1 once more
    with pytest.raises(Overtaken, match="already"):
        store.commit(author.commit("b", "a", parked=(parked(1),)))
    assert store.resume(0).position.number == 1
    assert list(store.history("b")) == []
    assert list(store.parked(0)) == []


def test_a_missing_commit_is_a_hole_and_never_no_events(
    store: SqliteEventStore, path: Path
) -> None:
    author = Author()
    store.commit(author.commit("a"))
    store.commit(author.commit("a"))
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM commits WHERE number = 1")
    with pytest.raises(Hole, match="commits 1 to 2"):
        store.resume(0)


def test_a_missing_event_is_a_hole(store: SqliteEventStore, path: Path) -> None:
    store.commit(Author().commit("a", "b", "c"))
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM events WHERE account_id = 'b'")
    with pytest.raises(Hole, match="behind seq 0"):
        store.read(0, after_seq=0, count_max=10)


def test_the_number_of_shards_stays_as_it_was_first(
    store: SqliteEventStore, open_store: OpenStore
) -> None:
    assert store.lay_out(3, default=8) == 3
    assert store.lay_out(None, default=8) == 3
    with pytest.raises(Contradiction, match="has 3 shards, 4 were asked for"):
        store.lay_out(4, default=8)


def test_without_a_wish_the_number_of_shards_is_the_default(store: SqliteEventStore) -> None:
    assert store.lay_out(None, default=8) == 8
    assert store.lay_out(8, default=3) == 8


def test_a_file_that_is_something_else_is_said_so(path: Path) -> None:
    path.write_bytes(b"something else entirely, and long enough to look" * 100)
    with pytest.raises(Invalid, match="data directory"):
        SqliteEventStore(path)


def test_a_directory_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="directory"):
        SqliteEventStore(tmp_path / "missing" / "airside.sqlite")


def test_two_snapshots_of_an_account_are_kept(store: SqliteEventStore, path: Path) -> None:
    store.save_snapshots([snapshot("a", n) for n in (1, 2, 3, 4)])
    with closing(sqlite3.connect(path)) as connection:
        kept = connection.execute("SELECT version FROM snapshots").fetchall()
    assert kept == [(3,), (4,)]


def test_commits_wait_for_the_disk_also_after_what_need_not(store: SqliteEventStore) -> None:
    """The courtesies are written without waiting; a commit behind them must not be."""
    author = Author()
    store.commit(author.commit("a"))
    store.settle(0, 1)
    store.save_snapshots([snapshot("a", 1)])
    assert store._connection.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
