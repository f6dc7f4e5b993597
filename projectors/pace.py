"""How many records a worker takes at once: as many as make a save of about so many bytes.

A save writes each row that its batch touched once, so the more a batch holds, the less is
written per event. But the server does nothing else while it saves, and rows differ in size:
16,000 events may make half a megabyte of counts and would make eight of timeline.

A build may save more at once than a worker whose rows are served. Measured with 1.3 M events of
4,000 households: BUILDING takes a quarter less of the builder's processor time than LIVE, and
a third of the server's, which by that is busy for about 10 ms at a time instead of 4.
"""

from collections.abc import Mapping

from msgspec import Struct

COUNT_FIRST = 2_000  # until it is known how large the rows are
COUNT_MIN, COUNT_MAX = 100, 16_000
SAVE_BYTES = 1024 * 1024
PIECE = 4_000  # records polled at once, so that a large batch never lies in memory as records


class Bounds(Struct, frozen=True):
    """Of one save."""

    count_max: int  # records
    bytes_max: int  # of rows, about
    piece: int = PIECE


LIVE = Bounds(COUNT_MAX, SAVE_BYTES)
BUILDING = Bounds(3 * COUNT_MAX, 4 * SAVE_BYTES)


class Pace:
    """Begins at COUNT_FIRST, and at most doubles from one save to the next."""

    def __init__(self, bounds: Bounds = LIVE) -> None:
        self._bounds = bounds
        self.count = min(COUNT_FIRST, bounds.count_max)

    def saved(self, taken: int, rows: Mapping[str, bytes | None]) -> None:
        """What a batch of so many records came to. One that was not full makes none larger."""
        size = sum(len(row) for row in rows.values() if row)
        fitting = taken * self._bounds.bytes_max // max(size, 1)
        if taken < self.count <= fitting:
            return
        self.count = min(max(fitting, COUNT_MIN), 2 * self.count, self._bounds.count_max)
