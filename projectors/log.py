"""The log port of the read side: one partition of the events topic."""

from typing import Protocol

from schemas.record import Record


class EventSource(Protocol):
    """One partition of the events topic. `commands.log.CommandSource` has the same shape."""

    def seek(self, offset: int) -> None:
        """The next poll begins at this offset, or at the first record after it."""

    def poll(self, count_max: int, wait_seconds: float) -> list[Record]:
        """What has arrived, at most `count_max` records; waits only while there is none.

        Raises: Unavailable.
        """

    def begin(self) -> int:
        """The offset of the oldest record kept, or of the next one where none is."""

    def end(self) -> int:
        """Behind the last record: the offset that the next one will have, or a little before.

        A cluster's log has offsets without a record, such as the marks of transactions. A
        source that has read everything leaves out those at the end.
        """

    def close(self) -> None:
        """Let go of the partition."""
