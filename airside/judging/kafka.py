"""What a Kafka cluster says of itself, judged."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from airside.judging.finding import Finding, clock, counted

if TYPE_CHECKING:
    from airside.adapters.kafka_facts import ClusterFacts

ENGINE = "log"
ROLES = {"handlers": "airside handle", "projectors": "airside project",
         "timekeepers": "airside timekeeper"}  # fmt: skip


def judge(facts: "ClusterFacts", *, where: str, tolerance_ms: int) -> Iterator[Finding]:
    """Every finding about the cluster as a whole."""
    yield _brokers(facts, where)
    yield _version(facts)
    yield _clock(facts, tolerance_ms)
    for group, count in facts.members.items():
        yield _group(group, count)


def _group(group: str, count: int | None) -> Finding:
    if count:
        return Finding(ENGINE, group, f"{count:,} at work")
    if count == 0:
        advice = f"Nobody does this work, so it waits. Start: {ROLES.get(group, group)}"
        return Finding(ENGINE, group, "0 at work", "look", advice)
    advice = (
        "The cluster does not tell who is in the group. Ask again; if it stays so, the topic "
        "__consumer_offsets has no leader, or this user may not describe groups."
    )
    return Finding(ENGINE, group, "not told", "look", advice)


def _brokers(facts: "ClusterFacts", where: str) -> Finding:
    found = f"{counted(facts.brokers, 'broker')} at {where}"
    if facts.brokers >= facts.replication:
        return Finding(ENGINE, "reached", found)
    advice = (
        f"replication={facts.replication} was asked for, and each copy needs a broker of its "
        "own: start the brokers that are away."
    )
    return Finding(ENGINE, "reached", found, "mend", advice)


def _version(facts: "ClusterFacts") -> Finding:
    match facts.is_version_4:
        case True:
            return Finding(ENGINE, "version", "Kafka 4 or newer, by its settings")
        case None:
            return Finding(ENGINE, "version", "it does not tell this user")
    advice = (
        "airside is tried on Kafka 4: bring the brokers up to date, or try with "
        "group_protocol=classic in AIRSIDE_LOG."
    )
    return Finding(ENGINE, "version", "older than Kafka 4, by its settings", "look", advice)


def _clock(facts: "ClusterFacts", tolerance_ms: int) -> Finding:
    newest = facts.newest_ms
    if newest is None:
        return Finding(ENGINE, "clock", "not asked: no record tells it yet")
    if newest > 0:
        return clock(ENGINE, newest, tolerance_ms)
    found = f"not ahead: the newest record is {-newest / 1_000:,.1f} s old"
    return Finding(ENGINE, "clock", found)
