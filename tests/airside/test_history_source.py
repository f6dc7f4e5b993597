"""The event store's history, read as if it lay on the topic."""

import pytest

from airside.history_source import PAGE, HistorySource
from schemas.codec import CODEC
from tests.kit.counter import add
from tests.kit.estate import EVENTS, Estate


@pytest.fixture
def source() -> HistorySource:
    return HistorySource(Estate().store, 0)


def test_every_event_lies_right_before_the_offset_that_is_its_seq(
    source: HistorySource,
) -> None:
    records = source.poll(PAGE, 0.0)
    seqs = [CODEC.seq_of(value or b"") for _, _, _, value in records]
    assert [offset + 1 for offset, _, _, _ in records] == seqs == [1, 2, 3, 4, 5]
    assert [key for _, _, key, _ in records] == [b"a", b"b", b"a", b"a", b"b"]


def test_its_end_is_known_before_anything_is_read(source: HistorySource) -> None:
    assert source.end() == EVENTS


def test_it_goes_on_where_it_is_told_to(source: HistorySource) -> None:
    source.seek(3)
    assert [offset for offset, _, _, _ in source.poll(1, 0.0)] == [3]
    assert [offset for offset, _, _, _ in source.poll(9, 0.0)] == [4]


def test_an_end_that_moved_is_seen_by_reading_on() -> None:
    estate = Estate()
    source = HistorySource(estate.store, 0)
    assert source.end() == EVENTS
    estate.shard.send(add(70))
    estate.shard.drain()
    source.seek(EVENTS)
    assert len(source.poll(9, 0.0)) == 1
    assert source.end() == EVENTS + 1


def test_beyond_its_end_there_is_nothing_and_the_end_is_where_it_is(
    source: HistorySource,
) -> None:
    source.seek(EVENTS + 10)
    assert source.poll(9, 0.0) == []
    assert source.end() == EVENTS
