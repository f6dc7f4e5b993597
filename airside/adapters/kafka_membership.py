"""Membership by a consumer group: its member subscribes, is assigned partitions, reads nothing.

The assignment is all that is wanted. What is assigned is paused at once, so that no record is
ever fetched by the member; sources read, and the stores' conditional writes say who wins.

A consumer that was told a fatal error (the group is full, for one) is never a member again.
It is closed, and another one tries.
"""

from confluent_kafka import Consumer, KafkaError, TopicPartition

from airside.adapters.kafka_settings import KafkaCluster
from airside.adapters.kafka_trouble import REFUSED, UNKNOWN_USER, Trouble
from airside.membership import Leave
from schemas.errors import Unavailable

POLLS_MAX = 20  # of one question: each serves at most one change of the assignment


class KafkaMembership:
    """One worker's place in a group; the member's thread is the one that asks."""

    def __init__(self, cluster: KafkaCluster, trouble: Trouble, group: str, topic: str) -> None:
        self._cluster, self._trouble = cluster, trouble
        self._group, self._topic = cluster.named(group), topic
        self._shards: set[int] = set()
        self._leave: Leave = _nobody
        self._error: KafkaError | None = None
        self._settings = {
            **cluster.member(group),
            **trouble.callbacks(),
            "error_cb": self._hear,
        }
        self._consumer: Consumer | None = self._open()

    def shards(self, leave: Leave) -> frozenset[int]:
        """The partitions assigned now. Raises: Unavailable."""
        self._leave = leave
        try:
            if self._consumer is None:
                self._consumer = self._open()
            with self._trouble.translated(f"be a member of group {self._group}"):
                self._ask(self._consumer)
        finally:
            self._leave = _nobody
        if self._error is not None:
            error, self._error = self._error, None
            if _is_fatal(error):
                self.close()
            raise self._why(error)
        return frozenset(self._shards)

    def close(self) -> None:
        """Leave the group."""
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            consumer.close()
        self._shards.clear()

    def _open(self) -> Consumer:
        with self._trouble.translated(f"join group {self._group}"):
            consumer = Consumer(self._settings)
            consumer.subscribe(
                [self._cluster.named(self._topic)],
                on_assign=self._assigned,
                on_revoke=self._revoked,
                on_lost=self._lost,
            )
        return consumer

    def _ask(self, consumer: Consumer) -> None:
        """Serve what has changed, and hear what is wrong."""
        for _ in range(POLLS_MAX):
            message = consumer.poll(0)
            if message is None:
                break
            self._keep(message.error())

    def _assigned(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        # An offset of its own, so that nobody asks for one that was committed.
        spots = [TopicPartition(one.topic, one.partition, 0) for one in partitions]
        consumer.incremental_assign(spots)
        consumer.pause(spots)
        self._shards |= {one.partition for one in partitions}

    def _revoked(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        gone = frozenset(one.partition for one in partitions)
        try:
            self._leave(gone)
        finally:
            self._lost(consumer, partitions)

    def _lost(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._shards -= {one.partition for one in partitions}
        consumer.incremental_unassign(partitions)

    def _hear(self, error: KafkaError) -> None:
        self._trouble.hear(error)
        if _is_fatal(error) or error.code() in REFUSED | UNKNOWN_USER:
            self._keep(error)

    def _keep(self, error: KafkaError | None) -> None:
        """The last one is told, but none hides a fatal one."""
        if error is not None and (self._error is None or not _is_fatal(self._error)):
            self._error = error

    def _why(self, error: KafkaError) -> Unavailable:
        if error.code() in (KafkaError.UNSUPPORTED_VERSION, KafkaError._UNSUPPORTED_FEATURE):
            return Unavailable(
                f"{self._cluster}, group {self._group}: {error.str()}. For brokers before 4.0 "
                "add group_protocol=classic to the address."
            )
        why = self._trouble.explain(error, f"be a member of group {self._group}")
        return Unavailable(str(why))


def _is_fatal(error: KafkaError) -> bool:
    """In a message it is a code, in a report of the client a flag."""
    return error.fatal() or error.code() == KafkaError._FATAL


def _nobody(_shards: frozenset[int]) -> None:
    """There is nothing to leave: nobody asked, or the worker has stopped already."""
