"""The log as wiring, the command line and tests need it: all topics, not one partition.

    create_topic(name, partitions)          idempotent; whether it was missing     Contradiction
    partitions(topic)                       how many it has                         NotFound
    append(topic, partition, records)       all of them, in order                   TooLarge
    source(topic, partition)                a reader of one partition
    publisher(topic, partition)             an ordered writer to one partition
    noted(topic, partition)                 where its consumer says it is
    membership(group, topic)                which partitions this worker is to work on

Which partition a key belongs to is `schemas.record.shard_of`, everywhere.

A record may carry a trace: the W3C `traceparent` of whoever caused it. Writers are given those
by the number of the record among those written, readers look only where they are told to.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from airside.membership import Membership
from commands.log import CommandSource, EventPublisher
from projectors.log import EventSource
from schemas.errors import Contradiction, NotFound, TooLarge
from schemas.record import RECORD_BYTES_MAX

KeyValue = tuple[bytes | None, bytes | None]

Traces = Mapping[int, str]
"""A traceparent for some records of one call, by their number in it; mostly of none."""

TRACEPARENT = "traceparent"  # the header's name, in Kafka as in HTTP


class Source(CommandSource, EventSource, Protocol):
    """A reader of one partition, fit for both sides."""

    traces: dict[int, str] | None
    """None: not looked at, at no cost. Set to {}: from then on the traceparent of each record
    of the last poll that carries one, by offset."""


class Publisher(EventPublisher, Protocol):
    """A writer to one partition whose records may carry traces."""

    def send(
        self, records: Sequence[tuple[bytes, bytes]], traces: Traces | None = None
    ) -> None:
        """As `EventPublisher.send`; what is sent again later may come without its trace."""


class Log(Protocol):
    """Topics of partitions of records. See the module for the methods at a glance."""

    def create_topic(self, name: str, partitions: int, *, is_compacted: bool = False) -> bool:
        """Make sure of a topic; True where it was missing and is made now.

        Of a compacted one at least the last record of each key stays, of another all do.
        Raises: Contradiction where it has another partition count, or settings that lose data.
        """

    def partitions(self, topic: str) -> int:
        """How many partitions a topic has. Raises: NotFound."""

    def append(
        self,
        topic: str,
        partition: int,
        records: Sequence[KeyValue],
        traces: Traces | None = None,
    ) -> int:
        """Append (key, value) records in this order, surely; the offset of the first.

        They get the log's time, never before that of the record ahead of them. An embedded log
        appends all or none; on a cluster others' records may lie between, and after
        Unavailable some may be there.

        Raises: TooLarge, NotFound, where nothing was appended; Unavailable.
        """

    def source(self, topic: str, partition: int) -> Source:
        """A reader that begins at offset 0, for one thread at a time. Raises: NotFound."""

    def publisher(self, topic: str, partition: int) -> Publisher:
        """A writer for one owner of the partition. Raises: NotFound."""

    def noted(self, topic: str, partition: int) -> int:
        """The offset that a source last noted; 0 where none did."""

    def membership(self, group: str, topic: str) -> Membership:
        """This worker's place among all of one name (`handlers`). Raises: NotFound."""

    def close(self) -> None:
        """Let go of files and connections."""


def check_partition_count(topic: str, found: int, wanted: int) -> None:
    """Raises: Contradiction where a topic has another number of partitions."""
    if found != wanted or wanted < 1:
        raise Contradiction(
            f"topic {topic} has {found} partitions, {wanted} were asked for. Accounts are "
            "partitioned once: keep the count (at least 1), or start another data directory."
        )


def check_partition(topic: str, partition: int, count: int) -> None:
    """Raises: NotFound where a topic has no such partition, or is no topic."""
    if not 0 <= partition < count:
        if not count:
            raise NotFound(f"topic {topic} has not been created: create it first.")
        raise NotFound(f"topic {topic} has partitions 0 to {count - 1}, not {partition}.")


def check_sizes(topic: str, records: Sequence[KeyValue]) -> None:
    """Raises: TooLarge for the first record over the bound."""
    columns = zip(*records, strict=True)  # the keys, and the values
    longest = [max(map(len, filter(None, column)), default=0) for column in columns]
    if sum(longest) <= RECORD_BYTES_MAX:
        return
    for key, value in records:
        size = len(key or b"") + len(value or b"")
        if size > RECORD_BYTES_MAX:
            raise TooLarge(
                f"a record of {size} bytes for topic {topic}: the bound is {RECORD_BYTES_MAX} "
                "bytes of key and value. Split it, or send a reference to the data instead."
            )
