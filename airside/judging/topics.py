"""What a Kafka cluster says of our topics, judged: one check after the other."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from airside.adapters.kafka_settings import MESSAGE_BYTES_MAX
from airside.judging.finding import Finding, Verdict, counted
from schemas.record import CATALOG_TOPIC, COMMANDS_TOPIC

if TYPE_CHECKING:
    from airside.adapters.kafka_facts import ClusterFacts
    from airside.adapters.kafka_topics import TopicFacts

ENGINE = "log"
COPIES_LEAST = 3  # so that one broker may be away and one more be lost
DAY_MS = 86_400_000
COMMANDS_KEPT_MS = 7 * DAY_MS  # outlasts a long weekend without handlers


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic, and what is wanted of it."""

    name: str
    facts: "TopicFacts"
    cluster: "ClusterFacts"
    partitions: int | None  # that the layout needs; None: no layout is known
    where: str  # brokers, for commands

    def setting(self, key: str, otherwise: str) -> str:
        """A setting; `otherwise` if the cluster does not tell."""
        return self.facts.settings.get(key, otherwise)

    def finding(self, what: str, found: str, verdict: Verdict, advice: str) -> Finding:
        """A finding about one property."""
        return Finding(ENGINE, f"topic {self.name}, {what}", found, verdict, advice)

    def change(self, key: str, value: object) -> str:
        """The command that changes a setting."""
        return (
            f"kafka-configs.sh --bootstrap-server {self.where} --alter --entity-type topics "
            f"--entity-name {self.facts.name} --add-config {key}={value}"
        )


def judge(topic: Topic) -> Iterator[Finding]:
    """How a topic is; then everything about it that is not well."""
    facts = topic.facts
    found = (
        f"{counted(facts.partitions, 'partition')}, {facts.in_sync} of {facts.replication} "
        f"in sync, {topic.setting('cleanup.policy', '?')}"
    )
    yield Finding(ENGINE, f"topic {topic.name}", found)
    for check in CHECKS:
        finding = check(topic)
        if finding is not None:
            yield finding


def missing(name: str) -> Finding:
    """There is no such topic."""
    return Finding(ENGINE, f"topic {name}", "missing", "mend", "Make it: airside init")


def _partitions(topic: Topic) -> Finding | None:
    found, wanted = topic.facts.partitions, topic.partitions
    if wanted in (None, found):
        return None
    advice = (
        "Accounts would be looked for where they are not. Name the log and the event store "
        "that belong together: once there are records, the number of partitions must stay."
    )
    return topic.finding("partitions", f"{found}, {wanted} in the layout", "mend", advice)


def _in_sync(topic: Topic) -> Finding | None:
    found, copies = topic.facts.in_sync, topic.facts.replication
    if found >= copies:
        return None
    advice = (
        "Some partitions have fewer copies now than they should: start the broker that is "
        "away, or read in its log why it does not follow."
    )
    return topic.finding("copies in sync", f"{found} of {copies}", "mend", advice)


def _copies(topic: Topic) -> Finding | None:
    found, asked = topic.facts.replication, topic.cluster.replication
    if found < asked:
        advice = (
            "Add copies with kafka-reassign-partitions.sh, or ask for fewer in AIRSIDE_LOG "
            f"(replication={found})."
        )
        return topic.finding("copies", f"{found}, {asked} asked for", "mend", advice)
    if found < COPIES_LEAST:
        advice = (
            f"Records are lost for good with {counted(found, 'broker')}. Three are better: "
            f"?replication={COPIES_LEAST} in AIRSIDE_LOG before the topics are made, else "
            "kafka-reassign-partitions.sh."
        )
        return topic.finding("copies", str(found), "look", advice)
    return None


def _in_sync_least(topic: Topic) -> Finding | None:
    key = "min.insync.replicas"
    found, copies = int(topic.setting(key, "1")), topic.facts.replication
    if found < topic.cluster.min_insync or found == 1 < copies:
        wanted = max(topic.cluster.min_insync, 2)
        verdict: Verdict = "mend" if found < topic.cluster.min_insync else "look"
        advice = (
            f"A record may be acknowledged when {counted(found, 'broker')} has it, and be lost "
            f"with it: {topic.change(key, wanted)}"
        )
        return topic.finding(key, str(found), verdict, advice)
    if found < copies or copies == 1:
        return None
    advice = f"Nothing can be written while one broker is away: {topic.change(key, copies - 1)}"
    if copies < COPIES_LEAST:
        advice = "Nothing can be written while one broker is away. Take three copies."
    return topic.finding(key, f"{found} of {copies}", "look", advice)


def _timestamps(topic: Topic) -> Finding | None:
    why = "The senders' clocks would decide what has expired"
    return _must_be(topic, "message.timestamp.type", "LogAppendTime", why)


def _policy(topic: Topic) -> Finding | None:
    wanted = "compact" if topic.name == CATALOG_TOPIC else "delete"
    return _must_be(topic, "cleanup.policy", wanted, "Records go that are still needed")


def _elections(topic: Topic) -> Finding | None:
    why = "After a failure a broker may lead that lacks acknowledged records"
    return _must_be(topic, "unclean.leader.election.enable", "false", why)


def _must_be(topic: Topic, key: str, value: str, why: str) -> Finding | None:
    found = topic.setting(key, value)
    if found == value:
        return None
    return topic.finding(key, found, "mend", f"{why}: {topic.change(key, value)}")


def _size(topic: Topic) -> Finding | None:
    key = "max.message.bytes"
    found = int(topic.setting(key, str(MESSAGE_BYTES_MAX)))
    if found >= MESSAGE_BYTES_MAX:
        return None
    change = topic.change(key, MESSAGE_BYTES_MAX)
    advice = f"Large records are refused, and their shard then stands still: {change}"
    return topic.finding(key, f"{found:,}", "mend", advice)


def _time_kept(topic: Topic) -> Finding | None:
    key = "retention.ms"
    found = int(topic.setting(key, "-1"))
    if found < 0 or topic.name == CATALOG_TOPIC:  # compacted: time deletes nothing there
        return None
    if topic.name == COMMANDS_TOPIC:
        if found >= COMMANDS_KEPT_MS:
            return None
        why = "A command that is deleted before a handler saw it halts its shard"
        change = topic.change(key, COMMANDS_KEPT_MS)
    else:
        why = (
            "A read model whose projectors are away longer, or that is built anew, finds a gap "
            "and has to read the event store instead"
        )
        change = topic.change(key, -1)
    return topic.finding(key, f"{found / DAY_MS:,.1f} days", "look", f"{why}: {change}")


def _bytes_kept(topic: Topic) -> Finding | None:
    key = "retention.bytes"
    found = int(topic.setting(key, "-1"))
    if found < 0 or topic.name == CATALOG_TOPIC:
        return None
    advice = f"How long records stay hangs on how many come: {topic.change(key, -1)}"
    return topic.finding(key, f"{found:,}", "look", advice)


CHECKS: tuple[Callable[[Topic], Finding | None], ...] = (
    _partitions,
    _in_sync,
    _copies,
    _in_sync_least,
    _timestamps,
    _policy,
    _elections,
    _size,
    _time_kept,
    _bytes_kept,
)
