"""The log ports of the write side: the commands topic it reads, the events topic it writes.

Both are of one shard, which is one partition. An adapter keeps order within it.
"""

from collections.abc import Sequence
from typing import Protocol

from schemas.record import Record


class CommandSource(Protocol):
    """One partition of the commands topic."""

    def seek(self, offset: int) -> None:
        """The next poll begins at this offset, or at the first record after it."""

    def poll(self, count_max: int, wait_seconds: float) -> list[Record]:
        """What has arrived, at most `count_max` records; waits only while there is none.

        Raises: Unavailable.
        """

    def begin(self) -> int:
        """The offset of the oldest record kept: what lies before it is gone."""

    def end(self) -> int:
        """Behind the last record: the offset that the next one will have, or a little before.

        A cluster's log has offsets without a record, such as the marks of transactions. A
        source that has read everything leaves out those at the end.
        """

    def note(self, offset: int) -> None:
        """Tell lag tools where we are. A hint: nothing is ever resumed from it."""

    def close(self) -> None:
        """Let go of the partition."""


class EventPublisher(Protocol):
    """A writer to one partition of the events topic, used by one owner of the shard."""

    def send(self, records: Sequence[tuple[bytes, bytes]]) -> None:
        """Hand over (key, value) records; they reach the topic in the order handed over."""

    def acknowledged(self) -> int:
        """How many of all the records handed over so far are surely on the topic: a prefix.

        Raises: PublishFailed once a record was refused or timed out. What lies behind the
        prefix may or may not be there, and this publisher sends nothing more: close it.
        """

    def close(self) -> None:
        """Stop. When this returns, nothing that was handed over is sent any more."""
