"""Readers of a topic: one consumer serves many partitions, each through a source of its own.

A consumer has one position per partition, costs threads, connections and memory, and a
projector has a source for every shard of every projection. So the sources of one topic share
consumers, as many as there are sources of the same partition.

Whoever polls takes what has arrived for all: what is another's goes into that one's buffer. A
partition whose buffer is full is paused until it is half empty, so that a source that nobody
polls costs a bounded memory and holds nobody up.

`poll(t)` and then `consume(n, 0)`: with a time, `consume` waits for n records or all of it.
Records become tuples when they are handed out, not before: tuples that wait in their thousands
keep the garbage collector busy (measured 2.6 instead of 1.5 µs a record, of eight sources).
"""

import threading
import time
from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import itemgetter
from typing import cast

from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

from airside.adapters.kafka_desk import KafkaDesk
from airside.adapters.kafka_settings import KafkaCluster
from airside.adapters.kafka_traces import traces_of
from airside.adapters.kafka_trouble import Trouble
from schemas.errors import AirsideError
from schemas.record import Record

CONSUME_RECORDS_MAX = 10_000  # taken from the client's queue at once
BUFFER_RECORDS_MAX = 20_000  # of one partition; then it is paused
BUFFER_BYTES_MAX = 8 * 1024 * 1024
LOOK_SECONDS = 0.1  # between two looks for an end that has not come as far as we are
ALIVE_SECONDS = 1.0  # to answer, once no broker could be reached
NOTE_SECONDS = 1.0  # a noted offset is sent at most so often, and when the source is closed
RANGE = {KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE}

_stamp = itemgetter(1)


class KafkaReader:
    """One consumer of some partitions of a topic. Threads that share it wait for each other."""

    def __init__(
        self, cluster: KafkaCluster, trouble: Trouble, desk: KafkaDesk, topic: str
    ) -> None:
        self.desk, self.topic, self.lock = desk, topic, threading.RLock()
        self.sources: dict[int, KafkaSource] = {}
        self._name, self._trouble = cluster.named(topic), trouble
        self._is_down = False
        with trouble.translated(f"open a consumer of {topic}"):
            self._consumer = Consumer(
                {**cluster.reader(), **trouble.callbacks(), "error_cb": self._hear}
            )

    def source(self, partition: int) -> "KafkaSource":
        """A source of a partition that has none here yet."""
        with self.lock:
            self.sources[partition] = KafkaSource(self, partition)
            return self.sources[partition]

    def fill(self, source: "KafkaSource", wait_seconds: float) -> None:
        """Wait until the source has something in its buffer, or the time is over.

        Raises: Unavailable, or what the cluster says of its partition; never of another's.
        """
        deadline = time.monotonic() + wait_seconds
        with self.lock, self._trouble.translated(f"read {self.topic}"):
            self._follow(source)
            self._take(0)
            while not source.ahead:
                source.tell()
                left = deadline - time.monotonic()
                if left <= 0:
                    self._check_alive()
                    return
                self._follow(source)
                self._take(min(left, LOOK_SECONDS))

    def stop(self, source: "KafkaSource") -> None:
        """Fetch nothing more for a source; nothing of before is handed out any more."""
        with self.lock:
            if source.is_assigned:
                source.is_assigned = source.is_paused = False
                with self._trouble.translated(f"leave {self.topic}"):
                    self._consumer.incremental_unassign([self._spot(source)])

    def resume(self, source: "KafkaSource") -> None:
        """Fetch again for a source that has made room."""
        with self.lock, self._trouble.translated(f"resume {self.topic}"):
            source.is_paused = False
            self._consumer.resume([self._spot(source)])

    def remove(self, source: "KafkaSource") -> None:
        """Forget a source; the last one closes the consumer."""
        with self.lock:
            if self.sources.get(source.partition) is source:
                self.stop(source)
                del self.sources[source.partition]
                if not self.sources:
                    self.close()

    def close(self) -> None:
        """Close the connections."""
        with self.lock:
            self._consumer.close()
            self.sources.clear()

    def _spot(self, source: "KafkaSource", offset: int = -1) -> TopicPartition:
        return TopicPartition(self._name, source.partition, offset)

    def _follow(self, source: "KafkaSource") -> None:
        """Assign a source's partition where it is not, unless its offset is yet to come."""
        if source.is_assigned:
            return
        if source.is_beyond_end:
            low, high = self.desk.bounds(self.topic, source.partition)
            source.next = max(source.next, low)
            if source.next > high:
                return
        source.is_beyond_end = False
        self._consumer.incremental_assign([self._spot(source, source.next)])
        source.is_assigned = True

    def _take(self, wait_seconds: float) -> None:
        """What has arrived, each record to its source."""
        first = self._consumer.poll(wait_seconds)
        if first is None:
            return
        messages = [first, *self._consumer.consume(CONSUME_RECORDS_MAX, 0)]
        self._is_down = False
        told = []
        if any(map(Message.error, messages)):
            told = [m for m in messages if m.error() is not None]
            messages = [m for m in messages if m.error() is None]
        for partition, run in groupby(messages, Message.partition):
            source = self._of(partition)
            if source is not None and source.put(list(run)):
                source.is_paused = True
                self._consumer.pause([self._spot(source)])
        for message in told:
            self._listen(message)

    def _listen(self, message: Message) -> None:
        """What the consumer says between the records."""
        error = message.error()
        source = self._of(message.partition())
        if error is None or source is None or not source.is_assigned:
            return
        if error.code() == KafkaError._PARTITION_EOF:
            source.end_seen = max(source.end_seen, message.offset() or 0)
        elif error.code() in RANGE:
            self.stop(source)
            source.is_beyond_end = True  # or before the begin: it is looked up
        else:
            doing = f"read {self.topic}, partition {source.partition}"
            source.failure = self._trouble.explain(error, doing)

    def _of(self, partition: int | None) -> "KafkaSource | None":
        """The source of a partition that a message says; a general one says none."""
        return None if partition is None else self.sources.get(partition)

    def _hear(self, error: KafkaError) -> None:
        self._trouble.hear(error)
        if error.code() == KafkaError._ALL_BROKERS_DOWN:
            self._is_down = True

    def _check_alive(self) -> None:
        """Raises: Unavailable where no broker can be reached: nothing would ever come."""
        if self._is_down:
            any_source = next(iter(self.sources.values()))
            self.desk.bounds(self.topic, any_source.partition, ALIVE_SECONDS)
            self._is_down = False


class KafkaSource:
    """One partition of a topic, for one thread at a time."""

    def __init__(self, reader: KafkaReader, partition: int) -> None:
        self.partition = partition
        self.next = 0  # where the next record received is, at least
        self.end_seen = -1  # everything before was received, or is no record
        self.ahead: list[Message] = []  # received and not yet handed out
        self.is_assigned = self.is_paused = self.is_beyond_end = False
        self.failure: AirsideError | None = None  # of its partition, not told yet
        self.traces: dict[int, str] | None = None
        self.reader = reader
        self._bytes = 0  # of the values in the buffer, about
        self._resume_at = 0  # records in the buffer, where it is paused
        self._noted: int | None = None  # not sent yet
        self._note_due = time.monotonic()

    def seek(self, offset: int) -> None:
        """The next poll begins at this offset, or at the first record after it."""
        with self.reader.lock:
            self.reader.stop(self)
            self.next, self.end_seen, self.ahead, self._bytes = offset, -1, [], 0
            self.is_beyond_end = False
            self.failure = None

    def tell(self) -> None:
        """Raises: what the cluster said of the partition since the last call, once."""
        failure, self.failure = self.failure, None
        if failure is not None:
            raise failure

    def poll(self, count_max: int, wait_seconds: float) -> list[Record]:
        """What has arrived, at most `count_max` records; waits only while there is none.

        Raises: Unavailable.
        """
        self._send_note()
        if len(self.ahead) < count_max:
            self.reader.fill(self, 0.0 if self.ahead else wait_seconds)
        with self.reader.lock:
            before = len(self.ahead)
            found = self.ahead[:count_max]
            del self.ahead[:count_max]
            self._bytes = self._bytes * len(self.ahead) // (before or 1)
            if self.is_paused and len(self.ahead) <= self._resume_at:
                self.reader.resume(self)
        if self.traces is not None:
            self.traces = traces_of(found)
        return list(_records(found))

    def put(self, messages: Sequence[Message]) -> bool:
        """Into the buffer; True where it is over its bound now and is not paused yet."""
        if (messages[0].offset() or 0) < self.next:
            messages = [m for m in messages if (m.offset() or 0) >= self.next]
        if messages:
            self.ahead += messages
            self.next = (messages[-1].offset() or 0) + 1
            self._bytes += sum(map(len, messages))
        is_full = len(self.ahead) > BUFFER_RECORDS_MAX or self._bytes > BUFFER_BYTES_MAX
        self._resume_at = len(self.ahead) // 2
        return is_full and self.is_assigned and not self.is_paused

    def begin(self) -> int:
        """The offset of the oldest record kept, or of the next one where none is."""
        return self.reader.desk.bounds(self.reader.topic, self.partition)[0]

    def end(self) -> int:
        """Behind the last record.

        A source that has read everything knows which one that was. Another one says the
        cluster's end, which may lie behind the marker of a transaction or an aborted record.
        """
        end = self.reader.desk.bounds(self.reader.topic, self.partition)[1]
        return self.next if self.end_seen >= end else end

    def note(self, offset: int) -> None:
        """Keep a hint of where we are; sent at most every NOTE_SECONDS."""
        self._noted = offset
        self._send_note()

    def close(self) -> None:
        """Send what was noted last, and leave the partition."""
        if self._noted is not None:
            self._note_due = time.monotonic()
            self._send_note()
        self.reader.desk.await_notes()
        self.reader.remove(self)

    def _send_note(self) -> None:
        now = time.monotonic()
        if self._noted is not None and now >= self._note_due:
            self._note_due = now + NOTE_SECONDS
            self.reader.desk.note(self.reader.topic, self.partition, self._noted)
            self._noted = None


def _records(messages: Sequence[Message]) -> Iterable[Record]:
    """(offset, append time, key, value) of each, without a step in Python."""
    stamps = map(_stamp, map(Message.timestamp, messages))
    offsets = cast("Iterable[int]", map(Message.offset, messages))  # none but in a report
    keys = map(Message.key, messages)
    return zip(offsets, stamps, keys, map(Message.value, messages), strict=True)
