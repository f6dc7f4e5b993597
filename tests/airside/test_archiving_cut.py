"""Archiving cut off anywhere, and archives that are not there: what can be read is right."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from unittest.mock import Mock

import pytest

from airside import archiving
from airside.adapters import cassandra_archiving
from airside.adapters.cassandra_event_store import CassandraEventStore
from airside.adapters.cassandra_session import CassandraSession
from airside.checking.reading import stretches
from airside.world.engines import Crash
from commands.snapshots import StreamReader
from schemas.codec import CODEC
from schemas.errors import Hole, NotFound
from stack.cassandra import CassandraNode
from tests.kit.archived import NEWER, Archival, MortalSession, streams_of
from tests.kit.cassandra import empty, laid_out
from tests.kit.counter import COUNTER

pytestmark = pytest.mark.engines

COMMANDS = 12  # six commits of two, four events an account
WRITES = 22  # of a run that archives ten of them into two files


@pytest.fixture(scope="module")
def url(cassandra: CassandraNode) -> str:
    return f"cassandra://{cassandra.address}/archiving_cut"


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


@pytest.fixture
def small_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archiving, "FILE_EVENTS", 5)
    monkeypatch.setattr(cassandra_archiving, "CLEARED_AT_ONCE", 2)
    monkeypatch.setattr(cassandra_archiving, "ACCOUNTS_AT_ONCE", 1)


def files_of(archival: Archival) -> list[str]:
    return sorted(path.name for path in archival.directory.rglob("*.avro"))


# Cut off anywhere


@pytest.mark.parametrize("writes", range(WRITES))
def test_wherever_a_run_is_cut_off_reads_are_right_and_the_next_run_finishes(
    archival: Archival, small_files: None, url: str, writes: int
) -> None:
    events = archival.read()
    with closing(MortalSession(url, writes)) as mortal, pytest.raises(Crash):
        archival.archive(before=11, session=mortal)
    archival.check_reads(events)
    archival.archive(before=11)
    archival.check_reads(events)
    assert archival.payloads() == [6]
    assert archival.rows() == {"a": [4], "b": [4], "c": [4]}
    assert archival.archive(before=11).again == 0


def test_a_run_makes_as_many_writes_as_are_cut_off(
    archival: Archival, small_files: None, url: str
) -> None:
    with closing(MortalSession(url, 1_000)) as session:
        assert archival.archive(before=11, session=session).files == 2
    assert session.writes == WRITES


@pytest.mark.parametrize("call", ["os.fsync", "Path.replace"])
def test_a_run_that_is_cut_off_while_it_writes_a_file_has_changed_nothing(
    archival: Archival, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    events = archival.read()

    def die(*_: object) -> None:
        raise Crash

    with monkeypatch.context() as patched:
        patched.setattr(f"airside.adapters.avro_archive.{call}", die)
        with pytest.raises(Crash):
            archival.archive()
    assert files_of(archival) == []
    archival.check_reads(events)
    assert archival.archive().events == COMMANDS


def test_with_other_fold_code_the_next_run_saves_snapshots_by_it(archival: Archival) -> None:
    archival.archive(before=8)
    done = archival.archive(before=8, decider=NEWER)
    assert (done.files, done.again) == (0, 1)
    with closing(CassandraEventStore(archival.session)) as without_an_archive:
        assert streams_of(without_an_archive, NEWER)["a"].version == 4
    assert archival.archive(before=8, decider=NEWER).again == 0


# An archive that is not there


def test_without_an_archive_only_what_needs_it_says_so(archival: Archival) -> None:
    archival.archive()
    with closing(CassandraEventStore(archival.session)) as store:
        assert store.resume(0).position.seq == COMMANDS
        assert streams_of(store, COUNTER)["a"].version == 4
        told = "shard 0: commits 1 to 6 are archived.*AIRSIDE_ARCHIVE"
        with pytest.raises(NotFound, match=told):
            store.read(0, after_seq=0, count_max=1)
        with pytest.raises(NotFound, match=told):
            list(store.history("a"))
        with pytest.raises(NotFound, match=told):
            StreamReader(NEWER, CODEC).load(store, ["a"])


def test_a_file_that_is_missing_is_named(archival: Archival) -> None:
    archival.archive()
    next(archival.directory.rglob("*.avro")).unlink()
    with pytest.raises(Hole, match=r"shard 0, commits 1 to 6 .*000006\.avro.* cannot be read"):
        archival.streams(NEWER)


def test_a_file_that_is_missing_is_passed_in_one_step_by_a_check(
    archival: Archival, monkeypatch: pytest.MonkeyPatch
) -> None:
    archival.archive(before=10)  # commit 5 has events 9 and 10
    next(archival.directory.rglob("*.avro")).unlink()
    with closing(archival.shard.open_store()) as store:
        asked = Mock(wraps=store.read)
        monkeypatch.setattr(store, "read", asked)
        lost, *found = stretches(store, 0, after_seq=0, through=COMMANDS)
    assert lost == range(1, 9)
    assert [event.seq for part in found if not isinstance(part, range) for event in part] == [
        9, 10, 11, 12,
    ]  # fmt: skip
    assert asked.call_count == 7  # 12, 6, 3 and 1 of it, then 1, 2 and 1 behind it


def test_a_file_that_is_damaged_is_named(archival: Archival) -> None:
    archival.archive()
    path = next(archival.directory.rglob("*.avro"))
    path.write_bytes(path.read_bytes()[:-1] + b"\x00")
    with pytest.raises(Hole, match=r"shard 0, commits 1 to 6 .*000006\.avro is not as it was"):
        archival.read()
