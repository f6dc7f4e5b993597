"""The row cache is bounded and forgets what was not needed for longest."""

import pytest

from projectors.rows import RowCache
from tests.kit.tallies import TALLIES, Tally


@pytest.fixture
def cache() -> RowCache[Tally]:
    return RowCache(TALLIES, rows_max=8)


def read(cache: RowCache[Tally], *keys: str) -> None:
    """One batch that needs these rows."""
    cache.install(dict.fromkeys(cache.missing(keys)))
    cache.trim()


def test_a_row_that_is_there_is_not_read_again(cache: RowCache[Tally]) -> None:
    read(cache, "a", "b")
    assert cache.missing(["a", "b", "c"]) == ["c"]


def test_a_row_that_does_not_exist_is_not_asked_for_again(cache: RowCache[Tally]) -> None:
    cache.install({"a": None})
    assert cache.missing(["a"]) == []


def test_rows_of_the_older_half_are_still_there(cache: RowCache[Tally]) -> None:
    read(cache, "a", "b", "c", "d", "e")
    assert cache.missing(["a", "e"]) == []


def test_rows_that_were_needed_lately_outlive_the_others(cache: RowCache[Tally]) -> None:
    read(cache, "a", "b", "c", "d", "e")
    read(cache, "a", "f", "g", "h", "i")
    assert cache.missing(["a", "b"]) == ["b"]


def test_the_bound_holds_but_for_the_last_two_batches(cache: RowCache[Tally]) -> None:
    read(cache, *"abcdefghijkl")
    read(cache, *"mno")
    assert len(cache) == 12 + 3
    read(cache, *"pqr")
    assert len(cache) == 6


def test_nothing_is_asked_for_where_the_shard_was_empty(cache: RowCache[Tally]) -> None:
    cache.clear(is_everything=True)
    assert cache.missing(["a", "b"]) == []


def test_what_an_empty_shard_had_and_forgot_is_asked_for(cache: RowCache[Tally]) -> None:
    cache.clear(is_everything=True)
    read(cache, "a", "b", "c", "d", "e")
    read(cache, "f", "g", "h", "i", "j")
    assert cache.missing(["a", "k"]) == ["a", "k"]
