"""The SQLite log keeps the contract, across processes too."""

import multiprocessing
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest

from airside.adapters.sqlite_file import connect, writing
from airside.adapters.sqlite_log import SqliteLog
from schemas.errors import Invalid, Unavailable
from tests.contracts.embedded_log import EmbeddedLogContract
from tests.contracts.log import pairs
from tests.contracts.log_traces import RECORDS, TRACE, LogTracesContract
from tests.kit.clock import HandClock
from tests.kit.log_traffic import (
    append_from_another_process,
    order_of,
    read_traced,
    read_until,
)
from tests.kit.together import together


class TestSqliteLog(EmbeddedLogContract, LogTracesContract):
    @pytest.fixture
    def log(self, clock: HandClock, tmp_path: Path) -> Iterator[SqliteLog]:
        log = SqliteLog(tmp_path / "log.sqlite", clock)
        yield log
        log.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    log = SqliteLog(tmp_path / "log.sqlite", lambda: 1)
    log.create_topic("t", 1)
    log.close()
    return tmp_path / "log.sqlite"


def test_a_file_from_before_there_were_traces_is_read_and_written(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TABLE log_traces")
    log = SqliteLog(path, lambda: 1)
    log.append("t", 0, RECORDS, {2: TRACE})
    source = log.source("t", 0)
    source.traces = {}
    assert read_traced(source, 3) == (RECORDS, {2: TRACE})
    log.close()


def test_processes_at_the_same_time_lose_nothing_and_leave_no_gap(path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    writers = [
        spawn.Process(target=append_from_another_process, args=(path, w, 20, 3)) for w in "ab"
    ]
    list(map(spawn.Process.start, writers))
    log = SqliteLog(path, lambda: 1)
    source = log.source("t", 0)
    records = read_until(source, 120)
    list(map(spawn.Process.join, writers))
    source.close()
    log.close()
    assert [writer.exitcode for writer in writers] == [0, 0]
    assert {b[0] - a[0] for a, b in pairwise(records)} == {1}
    assert [order_of(w, records) for w in "ab"] == [list(range(60))] * 2


def test_everything_is_there_when_it_is_opened_again(path: Path) -> None:
    log = SqliteLog(path, lambda: 1)
    log.append("t", 0, pairs(0, 5))
    log.close()
    again = SqliteLog(path, lambda: 1)
    source = again.source("t", 0)
    found = source.poll(9, 0)
    source.close()
    again.close()
    assert [r[0] for r in found] == [0, 1, 2, 3, 4]


def test_a_new_file_may_be_opened_by_many_at_once(tmp_path: Path) -> None:
    logs = together([lambda: SqliteLog(tmp_path / "new.sqlite", lambda: 1)] * 8)
    together([partial(log.create_topic, "t", 4) for log in logs])
    counts = {log.partitions("t") for log in logs}
    list(map(SqliteLog.close, logs))
    assert counts == {4}


def test_a_note_is_given_up_while_the_file_is_locked(path: Path) -> None:
    log = SqliteLog(path, lambda: 1)
    source = log.source("t", 0)
    other = connect(path)
    with writing(other, path):
        source.note(5)
    found = source.poll(9, 0), log.noted("t", 0)
    source.close()
    assert (found, log.noted("t", 0)) == (([], 0), 5)
    log.close()
    other.close()


def test_a_file_of_another_kind_is_said_to_be_one(tmp_path: Path) -> None:
    (tmp_path / "log.sqlite").write_text("no database at all, and quite long enough" * 100)
    with pytest.raises(Invalid, match=r"log.sqlite: file is not a database. Choose another"):
        SqliteLog(tmp_path / "log.sqlite", lambda: 1)


def test_a_missing_directory_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="Is its directory there, and writable"):
        SqliteLog(tmp_path / "nowhere" / "log.sqlite", lambda: 1)


def test_a_refused_transaction_leaves_the_file_unlocked(path: Path) -> None:
    connection = connect(path)
    with pytest.raises(sqlite3.IntegrityError), writing(connection, path):
        connection.execute("INSERT INTO log_blocks VALUES (1, NULL, NULL, NULL)")
    assert not connection.in_transaction
    connection.close()
