"""Topics are made so that they lose nothing, or refused where they would."""

from collections.abc import Iterator, Mapping

import pytest

from airside.adapters.kafka_log import KafkaLog
from schemas.envelope import new_id
from schemas.errors import Contradiction
from stack.kafka import KafkaBroker
from tests.kit.kafka import alter_topic, make_topic

pytestmark = pytest.mark.engines


@pytest.fixture
def prefix() -> str:
    """Of topics that nobody else has."""
    return new_id()


@pytest.fixture
def log(kafka_url: str, prefix: str) -> Iterator[KafkaLog]:
    log = KafkaLog(f"{kafka_url}/{prefix}")
    yield log
    log.close()


@pytest.mark.parametrize(
    ("is_compacted", "settings"),
    [
        (False, {"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1"}),
        (True, {"cleanup.policy": "compact"}),
    ],
)
def test_a_topic_keeps_what_it_has_to_and_dates_it(
    log: KafkaLog, prefix: str, is_compacted: bool, settings: Mapping[str, str]
) -> None:
    log.create_topic("t", 3, is_compacted=is_compacted)
    facts = log.topic_facts("t")
    wanted = {
        **settings,
        "message.timestamp.type": "LogAppendTime",
        "max.message.bytes": "1114112",
    }
    assert (facts.name, facts.partitions, facts.replication, facts.in_sync) == (
        f"{prefix}.t",
        3,
        1,
        1,
    )
    assert {name: facts.settings[name] for name in wanted} == wanted


@pytest.mark.parametrize(
    ("setting", "value", "needed"),
    [
        ("message.timestamp.type", "CreateTime", "LogAppendTime"),
        ("cleanup.policy", "compact", "delete"),
        ("cleanup.policy", "compact,delete", "delete"),
        ("max.message.bytes", "1000000", "1114112"),
    ],
)
def test_a_topic_that_would_lose_or_misdate_records_is_a_contradiction(
    log: KafkaLog, kafka: KafkaBroker, prefix: str, setting: str, value: str, needed: str
) -> None:
    fit = {"message.timestamp.type": "LogAppendTime", "max.message.bytes": "1114112"}
    make_topic(kafka, f"{prefix}.t", 2, {**fit, setting: value})
    said = rf"{setting}={value} \(needed: {needed}\). Mend it: kafka-configs --alter "
    command = f"--entity-type topics --entity-name {prefix}.t --add-config {setting}={needed}"
    with pytest.raises(Contradiction, match=said + command):
        log.create_topic("t", 2)


def test_a_catalog_that_forgets_by_age_is_a_contradiction(
    log: KafkaLog, kafka: KafkaBroker
) -> None:
    log.create_topic("catalog", 1)
    with pytest.raises(Contradiction, match=r"cleanup.policy=delete \(needed: compact\)"):
        log.create_topic("catalog", 1, is_compacted=True)


def test_a_commands_topic_that_forgets_what_is_handled_is_allowed(
    log: KafkaLog, kafka: KafkaBroker, prefix: str
) -> None:
    log.create_topic("commands", 2)
    alter_topic(kafka, f"{prefix}.commands", "retention.ms", "604800000")
    assert not log.create_topic("commands", 2)


def test_more_replicas_than_there_are_brokers_is_a_contradiction(kafka_url: str) -> None:
    log = KafkaLog(f"{kafka_url}/{new_id()}?replication=3")
    with pytest.raises(Contradiction, match=r"create topic t: .*replication"):
        log.create_topic("t", 1)
    log.close()


def test_fewer_replicas_than_asked_for_is_a_contradiction(
    log: KafkaLog, kafka_url: str, prefix: str
) -> None:
    log.create_topic("t", 1)
    alter = KafkaLog(f"{kafka_url}/{prefix}?replication=3&min_insync=1")
    with pytest.raises(Contradiction, match="has 1 replicas, 3 were asked for"):
        alter.create_topic("t", 1)
    alter.close()
