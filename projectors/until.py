"""A shard's events up to an instant: everything before the first one that is later."""

from collections.abc import Sequence

from projectors.holes import Fill
from projectors.log import EventSource
from schemas.codec import Codec
from schemas.errors import Permanent
from schemas.record import Record


class Until:
    """An `EventSource` that ends there; also for events that the topic lacks.

    `last_seq` is the last event that belongs to it, as soon as a later one was seen.
    """

    def __init__(
        self, source: EventSource, fill: Fill | None, codec: Codec, as_of: int
    ) -> None:
        self._source, self._fill = source, fill
        self._codec, self._as_of = codec, as_of
        self._end: int | None = None  # the offset of a later event
        self.last_seq: int | None = None

    def seek(self, offset: int) -> None:
        """The next poll begins at this offset, or at the first record after it."""
        self._end = None
        self._source.seek(offset)

    def poll(self, count_max: int, wait_seconds: float) -> list[Record]:
        """What has arrived and is not later. Raises: Unavailable."""
        if self._end is not None:
            return []
        records = self._source.poll(count_max, wait_seconds)
        for n, (offset, _, _, value) in enumerate(records):
            if self._is_later(value or b""):
                self._end = offset
                return records[:n]
        return records

    def begin(self) -> int:
        """Where the log begins, and never behind the end."""
        return min(self._source.begin(), self.end())

    def end(self) -> int:
        """Before the first later event, once that is known; else where the log ends."""
        return self._source.end() if self._end is None else self._end

    def close(self) -> None:
        """Let go of the partition."""
        self._source.close()

    def fill(self, after_seq: int, count_max: int) -> Sequence[tuple[bytes, bytes]]:
        """Events from the event store that are not later: a `Fill`."""
        found = () if self._fill is None else self._fill(after_seq, count_max)
        for n, (_, value) in enumerate(found):
            if self._is_later(value):
                return found[:n]
        return found

    def _is_later(self, value: bytes) -> bool:
        at = self._codec.at_of(value)
        if at is None or at <= self._as_of or not self._is_event(value):
            return False
        seq = self._codec.seq_of(value) or 0
        self.last_seq = seq - 1 if self.last_seq is None else min(self.last_seq, seq - 1)
        return True

    def _is_event(self, value: bytes) -> bool:
        """Whether what it claims is to be believed; its worker parks it otherwise."""
        try:
            self._codec.decode_event(value)
        except Permanent:
            return False
        return True
