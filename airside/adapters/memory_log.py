"""The log as plain lists. Read me first: this is what every other log must behave like."""

import threading
from collections.abc import Callable, Sequence
from functools import partial

from airside.adapters.appending_publisher import AppendingPublisher
from airside.log import (
    KeyValue,
    Traces,
    check_partition,
    check_partition_count,
    check_sizes,
)
from airside.membership import Everything
from schemas.record import Record


class MemoryLog:
    """Topics in memory, for one process; `clock` says the append time in ms."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._topics: dict[str, list[list[Record]]] = {}
        self._begins: dict[tuple[str, int], int] = {}
        self._noted: dict[tuple[str, int], int] = {}
        self.traces: dict[tuple[str, int, int], str] = {}  # of the records that carry one
        self.changed = threading.Condition()  # guards all of it; notified by every append

    def create_topic(self, name: str, partitions: int, *, is_compacted: bool = False) -> bool:
        """Make sure of a topic; nothing is ever compacted. Raises: Contradiction."""
        with self.changed:
            found = len(self._topics.get(name, ()))
            check_partition_count(name, found or partitions, partitions)
            self._topics.setdefault(name, [[] for _ in range(partitions)])
            return not found

    def partitions(self, topic: str) -> int:
        """How many partitions a topic has. Raises: NotFound."""
        with self.changed:
            check_partition(topic, 0, len(self._topics.get(topic, ())))
            return len(self._topics[topic])

    def append(
        self,
        topic: str,
        partition: int,
        records: Sequence[KeyValue],
        traces: Traces | None = None,
    ) -> int:
        """Append records together; the offset of the first. Raises: TooLarge, NotFound."""
        check_sizes(topic, records)
        with self.changed:
            log = self.records(topic, partition)
            first = self.begin(topic, partition) + len(log)
            at = max(self._clock(), log[-1][1] if log else 0)
            log.extend((first + i, at, k, v) for i, (k, v) in enumerate(records))
            for i, trace in (traces or {}).items():
                self.traces[topic, partition, first + i] = trace
            self.changed.notify_all()
            return first

    def source(self, topic: str, partition: int) -> "MemorySource":
        """A reader of one partition, from offset 0. Raises: NotFound."""
        return MemorySource(self, topic, partition, self.records(topic, partition))

    def publisher(self, topic: str, partition: int) -> "AppendingPublisher":
        """A writer to one partition. Raises: NotFound."""
        self.records(topic, partition)
        return AppendingPublisher(partial(self.append, topic, partition))

    def delete(self, topic: str, partition: int, before: int) -> None:
        """What a cluster's retention does: records before this offset are gone."""
        with self.changed:
            log, begin = self.records(topic, partition), self.begin(topic, partition)
            del log[: max(0, before - begin)]
            self._begins[topic, partition] = max(begin, before)

    def begin(self, topic: str, partition: int) -> int:
        """The offset of the first record in the list, or of the next one."""
        return self._begins.get((topic, partition), 0)

    def noted(self, topic: str, partition: int) -> int:
        """The offset that a source last noted; 0 where none did."""
        return self._noted.get((topic, partition), 0)

    def note(self, topic: str, partition: int, offset: int) -> None:
        """Keep where the partition's consumer says it is."""
        self._noted[topic, partition] = offset

    def membership(self, group: str, topic: str) -> Everything:
        """Every partition is the caller's. Raises: NotFound."""
        return Everything(self.partitions(topic))

    def close(self) -> None:
        """Nothing to let go of."""

    def records(self, topic: str, partition: int) -> list[Record]:
        """The live list of a partition's records. Raises: NotFound."""
        check_partition(topic, partition, len(self._topics.get(topic, ())))
        return self._topics[topic][partition]


class MemorySource:
    """A reader: an offset into a list."""

    traces: dict[int, str] | None = None

    def __init__(self, log: MemoryLog, topic: str, partition: int, records: list[Record]):
        self._log, self._topic, self._partition = log, topic, partition
        self._records = records
        self._next = 0

    def seek(self, offset: int) -> None:
        """The next poll begins here."""
        self._next = offset

    def poll(self, count_max: int, wait_seconds: float) -> list[Record]:
        """What has arrived; waits only while there is nothing."""
        with self._log.changed:
            self._log.changed.wait_for(lambda: self.end() > self._next, wait_seconds)
            self._next = max(self._next, self.begin())
            first = self._next - self.begin()
            found = self._records[first : first + count_max]
        self._next += len(found)
        if self.traces is not None:
            spots = {offset: (self._topic, self._partition, offset) for offset, *_ in found}
            traces = self._log.traces
            self.traces = {o: traces[spot] for o, spot in spots.items() if spot in traces}
        return found

    def begin(self) -> int:
        """The offset of the oldest record kept, or of the next one where none is."""
        return self._log.begin(self._topic, self._partition)

    def end(self) -> int:
        """The offset of the next record appended."""
        with self._log.changed:
            return self.begin() + len(self._records)

    def note(self, offset: int) -> None:
        """Tell lag tools where we are."""
        self._log.note(self._topic, self._partition, offset)

    def close(self) -> None:
        """Nothing to let go of."""
