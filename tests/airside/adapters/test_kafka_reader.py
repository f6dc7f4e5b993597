"""What the cluster says of one partition is told to whoever reads that one."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from confluent_kafka import KafkaError, Message, TopicPartition

from airside.adapters import kafka_reader
from airside.adapters.kafka_reader import KafkaReader
from airside.adapters.kafka_settings import parse_cluster
from airside.adapters.kafka_trouble import Trouble
from schemas.errors import NotFound


class Told:
    """A consumer that says what a test puts into its queue."""

    def __init__(self, _settings: object) -> None:
        self.queue: list[Message] = []
        self.assigned: list[tuple[int, int]] = []

    def poll(self, _seconds: float) -> Message | None:
        return self.queue.pop(0) if self.queue else None

    def consume(self, _count: int, _seconds: float) -> list[Message]:
        queue, self.queue = self.queue, []
        return queue

    def incremental_assign(self, spots: Sequence[TopicPartition]) -> None:
        self.assigned += [(one.partition, one.offset) for one in spots]

    def incremental_unassign(self, _spots: object) -> None:
        """Nothing more is said of these."""

    def close(self) -> None:
        """Nothing is open."""


class Bounds:
    """A desk that knows where partitions begin and end."""

    def bounds(self, _topic: str, _partition: int, _seconds: float = 0) -> tuple[int, int]:
        return 7, 9


def said(partition: int, code: int) -> Message:
    return Message(topic="t", partition=partition, offset=-1, error=KafkaError(code))


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch) -> Iterator[KafkaReader]:
    monkeypatch.setattr(kafka_reader, "Consumer", Told)
    desk: Any = Bounds()
    found = KafkaReader(parse_cluster("kafka://h"), Trouble("h"), desk, "t")
    yield found
    found.close()


def queue_of(reader: KafkaReader) -> list[Message]:
    consumer: Any = reader._consumer
    queue: list[Message] = consumer.queue
    return queue


def test_an_error_of_one_partition_is_told_to_its_source_and_to_no_other(
    reader: KafkaReader,
) -> None:
    sources = [reader.source(partition) for partition in range(2)]
    assert [source.poll(1, 0) for source in sources] == [[], []]
    queue_of(reader).append(said(1, KafkaError.UNKNOWN_TOPIC_OR_PART))
    assert sources[0].poll(1, 0.001) == []
    with pytest.raises(NotFound, match="partition 1"):
        sources[1].poll(1, 0.001)
    assert sources[1].poll(1, 0.001) == []


def test_an_offset_that_is_gone_is_looked_up_also_behind_another_s_error(
    reader: KafkaReader,
) -> None:
    sources = [reader.source(partition) for partition in range(2)]
    assert [source.poll(1, 0) for source in sources] == [[], []]
    queue_of(reader).append(said(0, KafkaError.UNKNOWN_TOPIC_OR_PART))
    queue_of(reader).append(said(1, KafkaError._AUTO_OFFSET_RESET))
    with pytest.raises(NotFound, match="partition 0"):
        sources[0].poll(1, 0.001)
    assert sources[1].poll(1, 0.001) == []
    consumer: Any = reader._consumer
    assert consumer.assigned == [(0, 0), (1, 0), (1, 7)]
