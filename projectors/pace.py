"""How many records a worker takes at once: as many as make a save of about SAVE_BYTES.

A save writes each row that its batch touched once, so the more a batch holds, the less is
written per event: counts of downloads cost a fifth less in batches of 16,000 than of 4,000. But
the server does nothing else while it saves, and rows differ in size: those 16,000 events make
half a megabyte of counts and would make eight of timeline.
"""

from collections.abc import Mapping

SAVE_BYTES = 1024 * 1024
COUNT_FIRST = 2_000  # until it is known how large the rows are
COUNT_MIN, COUNT_MAX = 100, 16_000


class Pace:
    """Begins at COUNT_FIRST, and at most doubles from one save to the next."""

    def __init__(self, count_max: int = COUNT_MAX) -> None:
        self._count_max = count_max
        self.count = min(COUNT_FIRST, count_max)

    def saved(self, taken: int, rows: Mapping[str, bytes | None]) -> None:
        """What a batch of so many records came to. One that was not full makes none larger."""
        size = sum(len(row) for row in rows.values() if row)
        fitting = taken * SAVE_BYTES // max(size, 1)
        if taken < self.count <= fitting:
            return
        self.count = min(max(fitting, COUNT_MIN), 2 * self.count, self._count_max)
