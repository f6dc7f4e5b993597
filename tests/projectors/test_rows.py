"""The row cache is bounded and forgets what was not needed for longest."""

from collections.abc import Iterable

import pytest
from msgspec.structs import replace

from projectors.batch import Batch, Reader
from projectors.rows import RowCache
from schemas.codec import CODEC
from schemas.record import Record
from tests.kit.read_side import COMMAND_ID
from tests.kit.tallies import TALLIES, Tally, erasure, plan_changed

READER = Reader(TALLIES, CODEC)


@pytest.fixture
def cache() -> RowCache[Tally]:
    return RowCache(TALLIES, rows_max=8)


def records_of(keys: Iterable[str]) -> list[Record]:
    """One event for each of these rows."""
    events = [
        replace(plan_changed(key), seq=n, command_id=COMMAND_ID)
        for n, key in enumerate(keys, 1)
    ]
    return [(event.seq, 0, b"", CODEC.encode(event)) for event in events]


def fold(cache: RowCache[Tally], keys: Iterable[str]) -> Batch:
    batch = Batch(seq=0, offset=0)
    cache.fold(READER, records_of(keys), batch)
    return batch


def save(cache: RowCache[Tally], keys: Iterable[str]) -> dict[str, bytes | None]:
    """One batch with an event for each of these rows; none of them is in the store."""
    batch = fold(cache, keys)
    changed = cache.finish(batch, dict.fromkeys(batch.missing()))
    cache.trim()
    return changed


def test_a_row_that_is_there_is_not_read_again(cache: RowCache[Tally]) -> None:
    save(cache, "ab")
    assert fold(cache, "abcc").missing() == ["c"]


def test_what_waits_for_its_row_is_folded_in_order(cache: RowCache[Tally]) -> None:
    save(cache, "a")
    batch = fold(cache, "bacb")
    assert cache.finish(batch, {"b": b'{"count":7,"seqs":[9]}', "c": None}) == {
        "a": b'{"count":2,"seqs":[1,2]}',
        "b": b'{"count":9,"seqs":[9,1,4]}',
        "c": b'{"count":1,"seqs":[3]}',
    }


def test_a_row_that_was_deleted_is_not_asked_for(cache: RowCache[Tally]) -> None:
    save(cache, "a")
    erased = CODEC.encode(replace(erasure("a"), seq=1, command_id=COMMAND_ID))
    batch = Batch(seq=0, offset=0)
    cache.fold(READER, [(1, 0, b"", erased)], batch)
    cache.finish(batch, {})
    assert save(cache, "a") == {"a": b'{"count":1,"seqs":[1]}'}


def test_rows_of_the_older_half_are_still_there(cache: RowCache[Tally]) -> None:
    save(cache, "abcde")
    assert save(cache, "ae") == {
        "a": b'{"count":2,"seqs":[1,1]}',
        "e": b'{"count":2,"seqs":[5,2]}',
    }


def test_rows_that_were_needed_lately_outlive_the_others(cache: RowCache[Tally]) -> None:
    save(cache, "abcde")
    save(cache, "afghi")
    assert fold(cache, "ab").missing() == ["b"]


def test_the_bound_holds_but_for_the_last_two_batches(cache: RowCache[Tally]) -> None:
    save(cache, "abcdefghijkl")
    save(cache, "mno")
    assert len(cache) == 12 + 3
    save(cache, "pqr")
    assert len(cache) == 6


def test_nothing_is_asked_for_where_the_shard_was_empty(cache: RowCache[Tally]) -> None:
    cache.clear(is_everything=True)
    assert fold(cache, "ab").missing() == []


def test_what_an_empty_shard_had_and_forgot_is_asked_for(cache: RowCache[Tally]) -> None:
    cache.clear(is_everything=True)
    save(cache, "abcde")
    save(cache, "fghij")
    assert fold(cache, "ak").missing() == ["a", "k"]
