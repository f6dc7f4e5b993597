"""Archiving while handlers work: what goes, what stays, and every read is right."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from airside.adapters.avro_archive import AvroArchive
from airside.adapters.cassandra_event_store import CassandraEventStore
from airside.adapters.cassandra_session import CassandraSession
from commands.limits import Limits
from schemas.envelope import Event
from schemas.errors import Fenced, Unavailable, Unreadable
from stack.cassandra import CassandraNode
from tests.contracts.event_store import Author, written
from tests.kit.archived import ACCOUNTS, NEWER, Archival, Interrupted, streams_of
from tests.kit.cassandra import drain, empty, laid_out
from tests.kit.counter import COUNTER, Count

pytestmark = pytest.mark.engines

COMMANDS = 12  # six commits of two, four events an account


@pytest.fixture(scope="module")
def url(cassandra: CassandraNode) -> str:
    return f"cassandra://{cassandra.address}/archiving"


@pytest.fixture(scope="module")
def session(url: str) -> Iterator[CassandraSession]:
    with laid_out(url) as session:
        yield session


@pytest.fixture
def archival(session: CassandraSession, tmp_path: Path) -> Archival:
    """A shard with a history of twelve events, nothing of it archived."""
    empty(session)
    archival = Archival(session, tmp_path / "archive")
    archival.live(COMMANDS)
    return archival


def files_of(archival: Archival) -> list[str]:
    return sorted(path.name for path in archival.directory.rglob("*.avro"))


# What is archived, and what stays


def test_commits_whose_every_event_is_older_go_and_the_others_stay(archival: Archival) -> None:
    done = archival.archive(before=8)  # commit 4 has events 7 and 8
    assert (done.files, done.commits, done.events) == (1, 3, 6)
    assert archival.payloads() == [4, 5, 6]
    assert files_of(archival) == ["commits-000000000001-000000000003.avro"]


def test_rows_go_up_to_the_archived_version_but_never_the_newest_event(
    archival: Archival,
) -> None:
    archival.archive(before=8)
    assert archival.rows() == {"a": [3, 4], "b": [3, 4], "c": [3, 4]}
    archival.archive()
    assert archival.payloads() == []
    assert archival.rows() == {"a": [4], "b": [4], "c": [4]}


def test_everything_is_read_as_before_by_old_and_by_new_fold_code(archival: Archival) -> None:
    events = archival.read()
    archival.archive(before=8)
    archival.check_reads(events)
    archival.archive()
    archival.check_reads(events)


def test_what_is_not_settled_is_not_archived(archival: Archival) -> None:
    late = Author(seq=COMMANDS, number=6)
    late.versions.update(dict.fromkeys(ACCOUNTS, 4))
    data = archival.read()[-1].data
    with closing(archival.shard.open_store()) as store:
        store.resume(0)
        written(store, late.commit("a", data=data))
    assert archival.archive().events == COMMANDS
    assert archival.payloads() == [7]


def test_a_second_run_at_once_finds_nothing_left(archival: Archival) -> None:
    assert archival.archive().events == COMMANDS
    again = archival.archive()
    assert (again.files, again.events, again.again) == (0, 0, 0)
    assert len(files_of(archival)) == 1


def test_two_archivers_of_one_shard_are_told(archival: Archival) -> None:
    with (
        AvroArchive(archival.directory).exclusive("h1", 0),
        pytest.raises(Unavailable, match="another airside archive is at work"),
    ):
        archival.archive()
    assert archival.archive().events == COMMANDS


def test_an_account_that_cannot_be_folded_keeps_its_rows(archival: Archival) -> None:
    def evolve(count: Count, event: Event) -> Count:
        raise ValueError("a bug of today")

    done = archival.archive(decider=replace(COUNTER, evolve=evolve))
    assert (done.kept, done.accounts) == (3, 0)
    assert archival.payloads() == []
    assert archival.rows() == {account_id: [1, 2, 3, 4] for account_id in ACCOUNTS}


def test_an_account_without_a_snapshot_keeps_its_rows(
    archival: Archival, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("airside.adapters.cassandra_accounts.SNAPSHOT_BYTES_MAX", 1)
        archival.archive()  # all are too large to be saved
    assert archival.rows() == {account_id: [1, 2, 3, 4] for account_id in ACCOUNTS}
    with closing(CassandraEventStore(archival.session)) as without_an_archive:
        assert streams_of(without_an_archive, COUNTER)["a"].version == 4


def test_bytes_that_are_no_event_stop_the_shard(archival: Archival) -> None:
    with closing(archival.shard.open_store()) as store:
        author = Author(seq=COMMANDS, number=6)
        written(store, author.commit("d"))
        store.settle(0, 7)
    with pytest.raises(Unreadable, match="shard 0, seq 13"):
        archival.archive()
    assert archival.payloads() == [1, 2, 3, 4, 5, 6, 7]


# Handlers at work


def test_a_handler_that_has_the_accounts_in_memory_goes_on(archival: Archival) -> None:
    with closing(archival.shard.open_store()) as store:
        worker = archival.shard.worker(store, Limits())
        archival.send_next()
        drain(worker)
        archival.archive()
        archival.send_next()
        drain(worker)
    archival.shard.check(commands=COMMANDS + 2)


def test_a_handler_that_loads_cold_goes_on(archival: Archival) -> None:
    archival.archive()
    archival.live(7)
    archival.shard.check(commands=COMMANDS + 7)
    archival.archive()
    archival.shard.check(commands=COMMANDS + 7)


@pytest.mark.parametrize("decider", [COUNTER, NEWER], ids=["old code", "new code"])
def test_an_account_whose_rows_vanish_while_it_is_loaded_is_loaded_right(
    archival: Archival, url: str, decider: object
) -> None:
    expected = archival.streams()
    with closing(Interrupted(url, "later_events", archival.archive)) as interrupted:
        store = CassandraEventStore(interrupted, AvroArchive(archival.directory))
        loaded = streams_of(store, NEWER if decider is NEWER else COUNTER)
    assert interrupted.has_come
    assert loaded == expected


def test_a_history_whose_rows_vanish_between_two_pages_is_whole(
    archival: Archival, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("airside.adapters.cassandra_accounts.HISTORY_ROWS", 2)
    with closing(archival.shard.open_store()) as store:
        history = store.history("a")
        first = next(history)
        archival.archive()
        assert [first.version, *(event.version for event in history)] == [1, 2, 3, 4]


def test_a_worker_that_fell_asleep_is_fenced_by_an_archived_commit(archival: Archival) -> None:
    stale = Author(seq=8, number=4)
    with closing(archival.shard.open_store()) as store:
        sleeper = archival.shard.worker(store, Limits())
        sleeper.step()
        archival.archive()
        with pytest.raises(Fenced):
            store.commit(stale.commit("a"))
        archival.live(2)
        drain(sleeper)
    archival.shard.check(commands=COMMANDS + 2)


def test_rows_that_a_late_insert_brings_back_do_no_harm(archival: Archival) -> None:
    events = archival.read()
    archival.archive()
    with closing(archival.shard.open_store()) as store:
        written_again = [event for event in events if event.version == 2]
        statements = (
            store._session.bound("add_event", (e.account_id, e.version, e.seq, e.data))
            for e in written_again
        )
        assert list(store._session.each(statements)) == []
    assert archival.rows() == {account_id: [2, 4] for account_id in ACCOUNTS}
    archival.check_reads(events)


def test_handling_and_archiving_at_once_leave_one_history(archival: Archival) -> None:
    with ThreadPoolExecutor(1) as pool:
        handling = pool.submit(archival.live, COMMANDS * 10)
        runs = archived_until(archival, handling.done)
        handling.result()
    assert runs > 2
    archival.shard.check(commands=COMMANDS * 11)
    archival.archive()
    assert archival.streams(NEWER) == archival.streams()
    archival.shard.check(commands=COMMANDS * 11)


def archived_until(archival: Archival, is_over: Callable[[], bool]) -> int:
    """One run after the other; how many found something to archive."""
    runs = 0
    while not is_over():
        runs += archival.archive().events > 0
    return runs
