"""What a Kafka cluster says about itself, for people who look after it."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AdminClient,
    ConfigResource,
    OffsetSpec,
)
from msgspec import Struct

from airside.adapters.kafka_settings import parse_cluster
from airside.adapters.kafka_trouble import Trouble

ANSWER_SECONDS = 4.0  # of each question

# A broker does not say its version, but the settings it knows date it.
ONLY_BEFORE_4 = "zookeeper.connect"


class ClusterFacts(Struct, frozen=True):
    """One cluster, when it was asked."""

    brokers: int  # that are there now
    replication: int  # as the address asks for
    min_insync: int
    is_version_4: bool | None  # or newer; None: it does not tell
    members: Mapping[str, int | None]  # workers in each group; None: it does not tell
    newest_ms: int | None  # append time of the newest record, ahead of our clock; None: none


def cluster_facts(url: str, *, groups: Sequence[str], topics: Sequence[str]) -> ClusterFacts:
    """Ask a cluster about itself, these groups and the newest record of these topics.

    Raises: Invalid, Unavailable.
    """
    cluster = parse_cluster(url)
    trouble = Trouble(str(cluster))
    settings: dict[str, Any] = {**cluster.client(), "error_cb": trouble.hear, "log_level": 0}
    with trouble.translated("open an admin client"):
        admin = AdminClient(settings)
    try:
        there = admin.list_topics(timeout=ANSWER_SECONDS)
    except KafkaException as error:
        admin.poll(0)  # lets us hear why
        raise trouble.explain(error.args[0], "ask which brokers there are") from error
    spots = [
        TopicPartition(topic, partition)
        for topic in map(cluster.named, topics)
        if topic in there.topics
        for partition in there.topics[topic].partitions
    ]
    return ClusterFacts(
        brokers=len(there.brokers),
        replication=cluster.replication,
        min_insync=cluster.min_insync,
        is_version_4=_is_version_4(admin, min(there.brokers)),
        members={group: _members(admin, cluster.named(group)) for group in groups},
        newest_ms=_newest_ms(admin, spots),
    )


def _members(admin: AdminClient, group: str) -> int | None:
    answers = admin.describe_consumer_groups([group], request_timeout=ANSWER_SECONDS)
    try:
        return len(answers[group].result().members)
    except KafkaException:  # no right to ask, or the group's coordinator is away
        return None


def _is_version_4(admin: AdminClient, broker: int) -> bool | None:
    asked = ConfigResource(ConfigResource.Type.BROKER, str(broker))
    answers: Any = admin.describe_configs([asked], request_timeout=ANSWER_SECONDS)
    try:
        return ONLY_BEFORE_4 not in answers[asked].result()
    except KafkaException:  # not every user may ask
        return None


def _newest_ms(admin: AdminClient, spots: Sequence[TopicPartition]) -> int | None:
    """There is no question for a broker's clock, but it has dated the records."""
    if not spots:
        return None
    newest_of: Any = OffsetSpec.max_timestamp
    asked = {spot: newest_of() for spot in spots}
    answers = admin.list_offsets(asked, request_timeout=ANSWER_SECONDS)
    newest = -1
    for answer in answers.values():
        try:
            newest = max(newest, answer.result().timestamp)
        except KafkaException:  # a partition without a leader is found by its topic
            continue
    return None if newest < 0 else round(newest - time.time() * 1_000)
