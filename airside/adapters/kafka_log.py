"""The log on an Apache Kafka cluster. `kafka_settings` has the address and every setting."""

import threading
from collections.abc import Sequence

from airside.adapters.kafka_appending import KafkaAppending
from airside.adapters.kafka_desk import KafkaDesk
from airside.adapters.kafka_membership import KafkaMembership
from airside.adapters.kafka_publisher import KafkaPublisher
from airside.adapters.kafka_reader import KafkaReader, KafkaSource
from airside.adapters.kafka_settings import parse_cluster
from airside.adapters.kafka_topics import KafkaTopics, TopicFacts
from airside.adapters.kafka_trouble import Trouble
from airside.log import KeyValue, Traces, check_sizes


class KafkaLog:
    """Topics of a cluster. Threads may share one; sources of a topic wait for each other then.

    Nothing is asked of the cluster before the first method.
    """

    def __init__(self, url: str) -> None:
        """Raises: Invalid where the address or an option is not one."""
        self._cluster = parse_cluster(url)
        self._trouble = Trouble(str(self._cluster))
        self._desk = KafkaDesk(self._cluster, self._trouble)
        self._topics = KafkaTopics(self._cluster, self._trouble, self._desk)
        self._appending = KafkaAppending(self._cluster, self._trouble)
        self._readers: list[KafkaReader] = []
        self._lock = threading.Lock()  # guards the list

    def create_topic(self, name: str, partitions: int, *, is_compacted: bool = False) -> bool:
        """Make sure of a topic. Raises: Contradiction, Unavailable."""
        return self._topics.create(name, partitions, is_compacted=is_compacted)

    def topic_facts(self, name: str) -> TopicFacts:
        """What the cluster says of a topic. Raises: NotFound, Unavailable."""
        return self._topics.facts(name)

    def partitions(self, topic: str) -> int:
        """How many partitions a topic has. Raises: NotFound, Unavailable."""
        return self._desk.partitions(topic)

    def append(
        self,
        topic: str,
        partition: int,
        records: Sequence[KeyValue],
        traces: Traces | None = None,
    ) -> int:
        """Append records and wait until all are acknowledged; the offset of the first.

        Raises: TooLarge, NotFound, where nothing was appended; Unavailable.
        """
        self._desk.check(topic, partition)
        check_sizes(topic, records)
        if not records:
            return self._desk.bounds(topic, partition)[1]
        return self._appending.append(topic, partition, records, traces or {})

    def source(self, topic: str, partition: int) -> KafkaSource:
        """A reader, from offset 0. Raises: NotFound, Unavailable."""
        self._desk.check(topic, partition)
        with self._lock:
            self._readers = [reader for reader in self._readers if reader.sources]
            for reader in self._readers:
                if reader.topic == topic and partition not in reader.sources:
                    return reader.source(partition)
            reader = KafkaReader(self._cluster, self._trouble, self._desk, topic)
            self._readers.append(reader)
            return reader.source(partition)

    def publisher(self, topic: str, partition: int) -> KafkaPublisher:
        """A writer to one partition. Raises: NotFound, Unavailable."""
        self._desk.check(topic, partition)
        return KafkaPublisher(self._cluster, self._trouble, topic, partition)

    def noted(self, topic: str, partition: int) -> int:
        """The offset that a source last noted, about a second old; 0 where none did."""
        return self._desk.noted(topic, partition)

    def membership(self, group: str, topic: str) -> KafkaMembership:
        """A member of the cluster's group of that name. Raises: NotFound, Unavailable."""
        self._desk.partitions(topic)
        return KafkaMembership(self._cluster, self._trouble, group, topic)

    def close(self) -> None:
        """Close every connection; sources read no more."""
        with self._lock:
            for reader in self._readers:
                reader.close()
        self._appending.close()
        self._desk.close()
