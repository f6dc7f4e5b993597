"""Small questions to the cluster: where a partition begins and ends, who is where."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from airside.adapters.kafka_settings import KafkaCluster
from airside.adapters.kafka_trouble import MISSING, Trouble
from airside.log import check_partition
from schemas.errors import Unavailable

T = TypeVar("T")

ANSWER_SECONDS = 10.0
HEARD_MAX = 20  # reports of the client, behind a question that failed
SLICE_SECONDS = 1.0
NO_ANSWER = (KafkaError._TIMED_OUT, KafkaError._TRANSPORT)
NOTE_SECONDS = 2.0  # to wait for the last note; it is a hint


class KafkaDesk:
    """A consumer that is assigned nothing. Threads may share it."""

    def __init__(self, cluster: KafkaCluster, trouble: Trouble) -> None:
        self._cluster, self._trouble = cluster, trouble
        self._counts: dict[str, int] = {}  # partitions; topics are few, and keep theirs
        self._notes_under_way = 0
        with trouble.translated("open a consumer"):
            self._consumer = Consumer(
                {**cluster.reader(), **trouble.callbacks(), "on_commit": self._committed}
            )

    def partitions(self, topic: str) -> int:
        """How many partitions a topic has. Raises: NotFound, Unavailable."""
        if topic not in self._counts:
            count = len(self.replicas(topic))
            check_partition(topic, 0, count)
            self._counts[topic] = count
        return self._counts[topic]

    def replicas(self, topic: str) -> list[tuple[int, int]]:
        """(brokers that should have it, brokers that do) of each partition; none of no topic.

        Raises: Unavailable.
        """
        name = self._cluster.named(topic)
        with self._asking(f"look for topic {topic}"):
            found = patiently(
                lambda seconds: self._consumer.list_topics(name, timeout=seconds)
            ).topics[name]
            if found.error is not None:
                if found.error.code() in MISSING:
                    return []
                raise KafkaException(found.error)
        return [(len(one.replicas), len(one.isrs)) for one in found.partitions.values()]

    def check(self, topic: str, partition: int) -> None:
        """Raises: NotFound where there is no such partition; Unavailable."""
        check_partition(topic, partition, self.partitions(topic))

    def bounds(
        self, topic: str, partition: int, timeout_seconds: float = ANSWER_SECONDS
    ) -> tuple[int, int]:
        """The oldest record's offset, and the next one's. Raises: Unavailable."""
        spot = TopicPartition(self._cluster.named(topic), partition)
        with self._asking(f"ask for the ends of {topic}, partition {partition}"):
            found = patiently(
                lambda seconds: self._consumer.get_watermark_offsets(spot, timeout=seconds),
                timeout_seconds,
            )
        if found is None:
            raise Unavailable(f"{self._cluster}: no answer in {timeout_seconds:g} seconds.")
        return found

    def note(self, topic: str, partition: int, offset: int) -> None:
        """Send a hint for lag tools, and do not wait; lost if the cluster does not take it."""
        spot = TopicPartition(self._cluster.named(topic), partition, offset)
        with suppress(KafkaException):
            self._consumer.commit(offsets=[spot], asynchronous=True)
            self._notes_under_way += 1
        self._consumer.poll(0)

    def await_notes(self) -> None:
        """Wait until the hints have arrived, NOTE_SECONDS at most."""
        deadline = time.monotonic() + NOTE_SECONDS
        while self._notes_under_way > 0 and (left := deadline - time.monotonic()) > 0:
            self._consumer.poll(min(left, 0.05))

    def noted(self, topic: str, partition: int) -> int:
        """The last hint; 0 where there is none. Raises: Unavailable."""
        spot = TopicPartition(self._cluster.named(topic), partition)
        with self._asking(f"ask for what was noted of {topic}"):
            found = patiently(
                lambda seconds: self._consumer.committed([spot], timeout=seconds)
            )[0]
            if found.error is not None:
                raise KafkaException(found.error)
        return max(0, found.offset)

    @contextmanager
    def _asking(self, doing: str) -> Iterator[None]:
        """Raises: our error where the cluster answers with one, or does not answer."""
        with self._trouble.translated(doing):
            try:
                yield
            except KafkaException:
                for _ in range(HEARD_MAX):  # what explains it has not been told yet
                    self._consumer.poll(0)
                raise

    def close(self) -> None:
        """Close the connections."""
        self._consumer.close()

    def _committed(self, error: KafkaError | None, _spots: list[TopicPartition]) -> None:
        self._notes_under_way -= 1


def patiently(ask: Callable[[float], T], timeout_seconds: float = ANSWER_SECONDS) -> T:
    """An answer to a question that is asked in slices, so that Ctrl-C is heard between them.

    Raises: KafkaException.
    """
    deadline = time.monotonic() + timeout_seconds
    while True:
        left = deadline - time.monotonic()
        try:
            return ask(min(SLICE_SECONDS, max(left, 0.1)))
        except KafkaException as error:
            if left <= SLICE_SECONDS or error.args[0].code() not in NO_ANSWER:
                raise
