"""The store alone: numbers without gaps, one decision for each command."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace

from airside.adapters.sqlite_event_store import SqliteEventStore
from airside.checking.history import Decided
from commands.event_store import Commit, StoredEvent
from schemas.codec import CODEC
from schemas.events import CommandRefused
from tests.kit.counter import id_of
from tests.kit.estate import Estate


class OnDisk(Estate):
    """The same history in a SQLite file, which can be opened behind the store's back."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self.file = SqliteEventStore(path)
        self.file.lay_out(1, 1)
        for commit in self.shard.store._commits[0]:
            self.file.commit(commit)
            self.file.settle(0, commit.number)
        self.store = self.file

    def execute(self, statement: str) -> None:
        with closing(sqlite3.connect(self._path)) as connection, connection:
            connection.execute(statement)


@pytest.fixture
def on_disk(tmp_path: Path) -> Iterator[OnDisk]:
    estate = OnDisk(tmp_path / "events.sqlite")
    yield estate
    estate.file.close()


def test_missing_events_are_named_and_what_follows_is_checked(on_disk: OnDisk) -> None:
    on_disk.execute("DELETE FROM events WHERE id IN (2, 3)")
    faults = on_disk.faults("store")
    assert faults[0] == (
        "store, seq 2 to 3: missing in the history. Restore the event store from a copy."
    )
    assert faults[1:] == [
        "store, seq 4: account a: version 3 behind 1.",
        "store, seq 5: account b: version 2 behind 0.",
    ]


def test_a_missing_end_is_named(on_disk: OnDisk) -> None:
    on_disk.execute("DELETE FROM events WHERE id = 5")
    (fault,) = on_disk.faults("store")
    assert fault.startswith("store, seq 5: missing")


def test_bytes_that_are_no_event_are_named(on_disk: OnDisk) -> None:
    on_disk.execute("UPDATE events SET data = x'00ff' WHERE id = 2")
    (fault,) = on_disk.faults("store")
    assert fault.startswith("store, seq 2: no C3 01 marker: 2 bytes")


def tampered(estate: Estate, seq: int, **changes: object) -> None:
    """Another event stands at a seq of the history."""
    history = estate.shard.store._history[0]
    history[seq - 1] = replace(history[seq - 1], **changes)


def test_bytes_that_say_other_numbers_are_named() -> None:
    estate = Estate()
    tampered(estate, 2, data=estate.shard.store._history[0][0].data)
    assert "store, seq 2: its bytes say seq 1, version 1, account a." in estate.faults("store")


def decided_again(estate: Estate, code: str, *, later_ms: int) -> list[str]:
    """Command 1 has another event at the end, a refusal."""
    history = estate.shard.store._history[0]
    first, last = CODEC.decode_event(history[0].data), history[-1]
    event = CommandRefused(
        command_type="GrantAllowance",
        code=code,
        rule="",
        seq=last.seq,
        version=last.version,
        at=first.at + later_ms,
        command_id=id_of(1),
        account_id="b",
    )
    history[0] = replace(history[0], account_id="b", version=0)
    history[-1] = StoredEvent(last.seq, "b", last.version, CODEC.encode(event))
    return [fault for fault in estate.faults("store") if "decided before" in fault]


def test_a_command_that_was_decided_twice_is_named() -> None:
    told = f"store, seq 5: account b: command {id_of(1)} was decided before."
    assert decided_again(Estate(), "NO", later_ms=1) == [told]


def decided_next(estate: Estate, *, later_ms: int) -> list[str]:
    """The last event comes again as the next one, as of a later instant."""
    store = estate.shard.store
    last = CODEC.decode_event(store._history[0][-1].data)
    again = replace(last, seq=6, version=3, at=last.at + later_ms)
    event = StoredEvent(6, "b", 3, CODEC.encode(again))
    number = store.number(0) + 1
    store.commit(Commit(0, number, "again", 6, next_offset=6, settled=0, events=(event,)))
    return estate.faults("store")


def test_two_decisions_in_a_row_are_told_apart_by_their_instants() -> None:
    told = f"store, seq 6: account b: command {id_of(4)} was decided before."
    assert decided_next(Estate(), later_ms=1) == [told]
    assert decided_next(Estate(), later_ms=0) == []


def test_a_late_repeat_that_was_refused_as_stale_is_no_second_decision() -> None:
    assert decided_again(Estate(), "COMMAND_STALE", later_ms=1) == []


def test_decided_keeps_accounts_apart() -> None:
    with closing(Decided()) as decided:
        assert decided.add("a", id_of(1))
        assert decided.add("b", id_of(1))
        assert not decided.add("a", id_of(1))
        assert decided.has("b", id_of(1))
        assert not decided.has("b", id_of(2))
