"""Records arrive piece by piece, as many as are wanted, and no longer than they are there."""

from collections.abc import Sequence

import pytest

from airside.adapters.memory_log import MemoryLog
from projectors.arriving import Arriving
from projectors.pace import COUNT_MAX
from schemas.record import Record

PATIENCE_SECONDS = 0.01


class Source:
    """Gives these many records at each poll, and remembers how it was asked."""

    def __init__(self, *counts: int) -> None:
        self.counts = list(counts)
        self.asked: list[tuple[int, float]] = []
        self._next = 0

    def poll(self, count_max: int, wait_seconds: float) -> list[Record]:
        self.asked.append((count_max, wait_seconds))
        count = min(count_max, self.counts.pop(0) if self.counts else 0)
        self._next += count
        return [(n, 0, b"", b"") for n in range(self._next - count, self._next)]

    def seek(self, offset: int) -> None:
        self._next = offset

    def begin(self) -> int:
        return 0

    def end(self) -> int:
        return self._next + sum(self.counts)

    def close(self) -> None: ...


def sizes(
    source: Source,
    count_max: int,
    *,
    patience_seconds: float | None = None,
    is_one: bool = False,
) -> list[int]:
    """Of the pieces, of three records at most."""
    pieces = Arriving(source, 3).pieces(
        count_max, 0.5, patience_seconds=patience_seconds, is_one=is_one
    )
    return [len(piece) for piece in pieces]


def test_what_has_arrived_comes_in_pieces_until_one_is_short() -> None:
    source = Source(3, 3, 1, 3)
    assert sizes(source, 100) == [3, 3, 1]
    assert source.asked == [(3, 0.5), (3, 0.0), (3, 0.0)]


def test_no_more_come_than_are_wanted() -> None:
    source = Source(3, 3, 3)
    assert sizes(source, 7) == [3, 3, 1]
    assert [count for count, _ in source.asked] == [3, 3, 1]


def test_where_more_is_known_to_come_it_is_waited_for() -> None:
    source = Source(1, 2, 3, 0, 3)
    assert sizes(source, 100, patience_seconds=PATIENCE_SECONDS) == [1, 2, 3]
    assert [wait for _, wait in source.asked] == [0.5, *[PATIENCE_SECONDS] * 3]


def test_short_pieces_leave_room_for_more() -> None:
    assert sizes(Source(1, 1, 3, 3), 6, patience_seconds=PATIENCE_SECONDS) == [1, 1, 3, 1]


@pytest.mark.parametrize(("count_max", "size"), [(5, 5), (2 * COUNT_MAX, COUNT_MAX)])
def test_one_piece_is_as_large_as_wanted_within_a_bound(count_max: int, size: int) -> None:
    assert sizes(Source(3 * COUNT_MAX), count_max, is_one=True) == [size]


def test_nothing_is_polled_where_nothing_is_wanted() -> None:
    source = Source(3)
    assert (sizes(source, 0), source.asked) == ([], [])


def test_the_lag_is_what_was_not_polled() -> None:
    log = MemoryLog(lambda: 0)
    log.create_topic("events", 1)
    log.append("events", 0, [(b"a", b"")] * 5)
    arriving = Arriving(log.source("events", 0), 2)
    first: Sequence[Record] = next(
        iter(arriving.pieces(5, 0.0, patience_seconds=None, is_one=False))
    )
    assert (len(first), arriving.lag) == (2, 3)
