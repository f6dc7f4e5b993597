"""Topics of a cluster: made as we need them, or refused where they would lose records."""

import time
from collections.abc import Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AdminClient,
    ConfigResource,
    NewTopic,
)
from msgspec import Struct

from airside.adapters.kafka_desk import KafkaDesk
from airside.adapters.kafka_settings import MESSAGE_BYTES_MAX, KafkaCluster
from airside.adapters.kafka_trouble import Trouble
from airside.log import check_partition, check_partition_count
from schemas.errors import AirsideError, Contradiction, Unavailable

ADMIN_SECONDS = 30.0  # to create a topic; other questions take a few milliseconds

VISIBLE_SECONDS = 10.0
VISIBLE_PAUSE_SECONDS = 0.02

EVERY_TOPIC = {
    "message.timestamp.type": "LogAppendTime",  # time is the broker's, whoever sent the record
    "max.message.bytes": str(MESSAGE_BYTES_MAX),
}
KEPT = {
    "cleanup.policy": "delete",
    # A command may only go once it is handled, an event is for ever. An operator may shorten
    # the first: the handler halts where commands were deleted that it has not seen.
    "retention.ms": "-1",
    "retention.bytes": "-1",
}
COMPACTED = {
    "cleanup.policy": "compact",
    "segment.ms": str(24 * 3_600_000),  # a segment is compacted once it is closed
    "segment.bytes": str(64 * 1024 * 1024),
    "min.cleanable.dirty.ratio": "0.2",  # the catalog is read whole at every start
    "delete.retention.ms": str(7 * 24 * 3_600_000),  # for readers that were off
}


class TopicFacts(Struct, frozen=True):
    """What a cluster says of one topic."""

    name: str  # on the cluster, with the prefix
    partitions: int
    replication: int  # of the partition that has the fewest
    in_sync: int  # of the partition that has the fewest now
    settings: Mapping[str, str]


class KafkaTopics:
    """Creates topics, and says what they are like. Threads may share it."""

    def __init__(self, cluster: KafkaCluster, trouble: Trouble, desk: KafkaDesk) -> None:
        self._cluster, self._trouble, self._desk = cluster, trouble, desk
        settings: dict[str, Any] = {**cluster.client(), **trouble.callbacks()}
        with trouble.translated("open an admin client"):
            self._admin = AdminClient(settings)

    def create(self, name: str, partitions: int, *, is_compacted: bool) -> bool:
        """Make sure of a topic; True where it was made now.

        Raises: Contradiction, Unavailable.
        """
        check_partition_count(name, partitions, partitions)
        if not self._desk.replicas(name):
            is_ours = self._make(name, partitions, is_compacted=is_compacted)
            self._await(name)
            if is_ours:
                return True
        self._check(name, self.facts(name), partitions, is_compacted=is_compacted)
        return False

    def facts(self, name: str) -> TopicFacts:
        """What the cluster says of a topic. Raises: NotFound, Unavailable."""
        replicas = self._desk.replicas(name)
        check_partition(name, 0, len(replicas))
        topic = self._cluster.named(name)
        asked = ConfigResource(ConfigResource.Type.TOPIC, topic)
        answers = self._admin.describe_configs([asked], request_timeout=ADMIN_SECONDS)
        found = self._result(answers[asked], f"read the settings of topic {name}")
        return TopicFacts(
            name=topic,
            partitions=len(replicas),
            replication=min(wanted for wanted, _ in replicas),
            in_sync=min(present for _, present in replicas),
            settings={key: entry.value for key, entry in found.items()},
        )

    def _make(self, name: str, partitions: int, *, is_compacted: bool) -> bool:
        """False where somebody else was faster."""
        topic = self._cluster.named(name)
        policy = COMPACTED if is_compacted else KEPT
        config = {**EVERY_TOPIC, **policy, "min.insync.replicas": str(self._cluster.min_insync)}
        new = NewTopic(topic, partitions, self._cluster.replication, config=config)
        answers = self._admin.create_topics(
            [new], request_timeout=ADMIN_SECONDS, operation_timeout=ADMIN_SECONDS
        )
        try:
            self._result(answers[topic], f"create topic {name}")
        except AirsideError as error:
            cause = error.__cause__
            if isinstance(cause, KafkaException) and (
                cause.args[0].code() == KafkaError.TOPIC_ALREADY_EXISTS
            ):
                return False
            raise
        return True

    def _await(self, name: str) -> None:
        """The controller has it; the brokers hear of it a moment later."""
        deadline = time.monotonic() + VISIBLE_SECONDS
        while not self._desk.replicas(name):
            if time.monotonic() > deadline:
                raise Unavailable(
                    f"{self._cluster}: topic {name} was created, and no broker knows it after "
                    f"{VISIBLE_SECONDS:g} seconds. Try again; are the brokers well?"
                )
            time.sleep(VISIBLE_PAUSE_SECONDS)

    def _check(
        self, name: str, facts: TopicFacts, partitions: int, *, is_compacted: bool
    ) -> None:
        check_partition_count(name, facts.partitions, partitions)
        settings, wrong = facts.settings, []
        policy = set(settings["cleanup.policy"].replace(" ", "").split(","))
        if settings["message.timestamp.type"] != "LogAppendTime":
            wrong.append(("message.timestamp.type", "LogAppendTime"))
        if int(settings["max.message.bytes"]) < MESSAGE_BYTES_MAX:
            wrong.append(("max.message.bytes", str(MESSAGE_BYTES_MAX)))
        if policy != {"compact" if is_compacted else "delete"}:
            wrong.append(("cleanup.policy", "compact" if is_compacted else "delete"))
        if int(settings["min.insync.replicas"]) < self._cluster.min_insync:
            wrong.append(("min.insync.replicas", str(self._cluster.min_insync)))
        if wrong:
            said = ", ".join(f"{key}={settings[key]} (needed: {value})" for key, value in wrong)
            change = ",".join(f"{key}={value}" for key, value in wrong)
            raise Contradiction(
                f"topic {name} on {self._cluster} has {said}. Mend it: kafka-configs --alter "
                f"--entity-type topics --entity-name {facts.name} --add-config {change}"
            )
        if facts.replication < self._cluster.replication:
            raise Contradiction(
                f"topic {name} on {self._cluster} has {facts.replication} replicas, "
                f"{self._cluster.replication} were asked for. Add replicas with "
                "kafka-reassign-partitions, or ask for fewer in the address."
            )

    def _result(self, answer: "Future[Any]", doing: str) -> Any:
        """Raises: our error for what the cluster answers."""
        with self._trouble.translated(doing):
            try:
                return answer.result(ADMIN_SECONDS + 1)
            except FutureTimeout as error:
                raise Unavailable(
                    f"{self._cluster}, {doing}: no answer in {ADMIN_SECONDS:g} seconds."
                ) from error
