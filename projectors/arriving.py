"""What arrives for one shard: records of the topic, piece by piece, and holes in it."""

from collections.abc import Iterator, Sequence

from projectors.batch import Gap
from projectors.log import EventSource
from projectors.pace import COUNT_MAX
from schemas.record import Record


class Arriving:
    """A partition's reader, where it is, and the gap that it has met."""

    def __init__(self, source: EventSource, piece: int) -> None:
        self.source = source
        self._piece = piece  # records polled at once
        self.gap: Gap | None = None
        self.next_offset = 0  # of the next poll

    @property
    def lag(self) -> int:
        """How many records it has not polled yet."""
        return self.source.end() - self.next_offset

    def forget(self) -> None:
        """Nothing is known of where it is."""
        self.gap, self.next_offset = None, 0

    def seek(self, offset: int) -> None:
        """Go on there, with no gap known."""
        self.gap = None
        self.source.seek(offset)
        self.next_offset = offset

    def poll(self, count_max: int, wait_seconds: float) -> Sequence[Record]:
        """What has arrived. Raises: Unavailable."""
        records = self.source.poll(count_max, wait_seconds)
        if records:
            self.next_offset = records[-1][0] + 1
        return records

    def pieces(
        self,
        count_max: int,
        wait_seconds: float,
        *,
        patience_seconds: float | None,
        is_one: bool,
    ) -> Iterator[Sequence[Record]]:
        """What there is, at most so many records. `is_one`: in one piece, of COUNT_MAX at most.

        `patience_seconds`: how long a next piece is waited for, where more is known to come.
        Raises: Unavailable.
        """
        size = COUNT_MAX if is_one else self._piece
        while count_max > 0:
            asked = min(count_max, size)
            records = self.poll(asked, wait_seconds)
            if records:
                yield records
            is_short = len(records) < asked if patience_seconds is None else not records
            count_max = 0 if is_short or is_one else count_max - len(records)
            wait_seconds = patience_seconds or 0.0

    def look_for_deleted(self) -> None:
        """Retention left no record of what comes next: nothing on the topic tells the hole."""
        begin = self.source.begin()
        if self.gap is None and self.next_offset < begin and begin >= self.source.end():
            self.gap = Gap(None, begin, None)

    def look_for_end(self, seq: int) -> None:
        """A builder got nothing on its way to `seq`: does the topic end before it?"""
        if self.gap is None:
            end = self.source.end()
            if self.next_offset >= end:
                self.gap = Gap(seq + 1, end, None)
            else:
                self.look_for_deleted()
