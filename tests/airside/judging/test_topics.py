"""What a Kafka cluster says of our topics, judged on made-up facts."""

from collections.abc import Mapping

import pytest
from msgspec.structs import replace

from airside.adapters.kafka_facts import ClusterFacts
from airside.adapters.kafka_settings import MESSAGE_BYTES_MAX
from airside.adapters.kafka_topics import TopicFacts
from airside.judging.finding import Finding, Verdict
from airside.judging.topics import Topic, judge, missing
from tests.kit.judged import about, troubles

DAY_MS = 86_400_000
CLUSTER = ClusterFacts(
    brokers=3, replication=3, min_insync=2, is_version_4=True, members={}, newest_ms=None
)
SETTINGS = {
    "message.timestamp.type": "LogAppendTime",
    "cleanup.policy": "delete",
    "retention.ms": "-1",
    "retention.bytes": "-1",
    "max.message.bytes": str(MESSAGE_BYTES_MAX),
    "min.insync.replicas": "2",
    "unclean.leader.election.enable": "false",
}
WELL = TopicFacts(name="eu.events", partitions=8, replication=3, in_sync=3, settings=SETTINGS)
LAX = replace(CLUSTER, replication=1, min_insync=1)


def judged(
    facts: TopicFacts = WELL,
    settings: Mapping[str, str] = {},
    *,
    name: str = "events",
    cluster: ClusterFacts = CLUSTER,
    partitions: int | None = 8,
) -> list[Finding]:
    facts = replace(facts, settings={**facts.settings, **settings})
    return list(judge(Topic(name, facts, cluster, partitions, "b:9092")))


def test_a_good_topic_is_one_finding() -> None:
    assert [(one.what, one.verdict) for one in judged()] == [("topic events", "ok")]


def test_a_missing_topic_is_made_by_init() -> None:
    assert missing("events").verdict == "mend"
    assert "airside init" in missing("events").advice


def test_another_number_of_partitions_than_the_layout_is_mended() -> None:
    found = about(judged(partitions=4), "topic events, partitions")
    assert (found.verdict, found.found) == ("mend", "8, 4 in the layout")


def test_where_no_layout_is_known_no_partition_count_is_wrong() -> None:
    assert troubles(judged(partitions=None)) == {}


def test_copies_that_lag_behind_are_mended() -> None:
    found = judged(replace(WELL, in_sync=2))
    assert troubles(found) == {"topic events, copies in sync": "mend"}


def test_fewer_copies_than_asked_for_are_mended_and_fewer_than_three_looked_at() -> None:
    one = replace(WELL, replication=1, in_sync=1)
    settings = {"min.insync.replicas": "1"}
    assert troubles(judged(one, settings, cluster=LAX)) == {"topic events, copies": "look"}
    asked = replace(LAX, replication=2)
    assert troubles(judged(one, settings, cluster=asked)) == {"topic events, copies": "mend"}


@pytest.mark.parametrize(
    ("insync", "cluster", "verdict"),
    [("1", CLUSTER, "mend"), ("1", LAX, "look"), ("3", CLUSTER, "look")],
    ids=["fewer than asked for", "one has it", "all must be there"],
)
def test_how_many_must_have_a_record_is_neither_too_few_nor_all(
    insync: str, cluster: ClusterFacts, verdict: Verdict
) -> None:
    found = judged(settings={"min.insync.replicas": insync}, cluster=cluster)
    assert troubles(found) == {"topic events, min.insync.replicas": verdict}
    assert "--add-config min.insync.replicas=2" in found[-1].advice


@pytest.mark.parametrize(
    ("key", "value", "wanted"),
    [
        ("message.timestamp.type", "CreateTime", "LogAppendTime"),
        ("cleanup.policy", "compact", "delete"),
        ("unclean.leader.election.enable", "true", "false"),
        ("max.message.bytes", "1000", str(MESSAGE_BYTES_MAX)),
    ],
)
def test_a_setting_that_loses_something_is_mended_by_the_command_that_is_shown(
    key: str, value: str, wanted: str
) -> None:
    found = about(judged(settings={key: value}), f"topic events, {key}")
    assert found.verdict == "mend"
    assert found.advice.endswith(
        "kafka-configs.sh --bootstrap-server b:9092 --alter --entity-type topics "
        f"--entity-name eu.events --add-config {key}={wanted}"
    )


def test_the_catalog_is_compacted_and_kept_whatever_its_retention() -> None:
    found = judged(
        settings={"cleanup.policy": "compact", "retention.ms": "1000"}, name="catalog"
    )
    assert troubles(found) == {}
    bad = judged(name="catalog")
    assert troubles(bad) == {"topic catalog, cleanup.policy": "mend"}


@pytest.mark.parametrize(
    ("name", "days", "count"),
    [("commands", 7, 0), ("commands", 6, 1), ("commands", 0, 1), ("events", 365, 1)],
)
def test_commands_are_kept_a_week_and_events_for_ever(name: str, days: int, count: int) -> None:
    found = troubles(judged(settings={"retention.ms": str(days * DAY_MS)}, name=name))
    assert list(found.values()) == ["look"] * count


def test_a_bound_in_bytes_is_looked_at() -> None:
    found = judged(settings={"retention.bytes": "1000000"}, name="commands")
    assert troubles(found) == {"topic commands, retention.bytes": "look"}
