"""What tests of the Kafka log do to a cluster behind its back."""

from collections.abc import Callable, Mapping, Sequence
from time import monotonic, sleep

from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
)

from airside.membership import Membership
from stack.kafka import KafkaBroker

SECONDS_MAX = 60.0


def make_topic(
    broker: KafkaBroker, name: str, partitions: int, settings: Mapping[str, str]
) -> None:
    """A topic as somebody else would make it."""
    admin = AdminClient(dict(broker.client()))
    new = NewTopic(name, partitions, 1, config=dict(settings))
    admin.create_topics([new])[name].result(SECONDS_MAX)


def alter_topic(broker: KafkaBroker, name: str, setting: str, value: str) -> None:
    """Change one of its settings."""
    admin = AdminClient(dict(broker.client()))
    entry = ConfigEntry(setting, value, incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ConfigResource.Type.TOPIC, name, incremental_configs=[entry])
    admin.incremental_alter_configs([resource])[resource].result(SECONDS_MAX)


def delete_records(broker: KafkaBroker, name: str, before: int) -> None:
    """What retention does: partition 0 begins at this offset from now on."""
    admin = AdminClient(dict(broker.client()))
    spot = TopicPartition(name, 0, before)
    admin.delete_records([spot])[spot].result(SECONDS_MAX)


def send_in_transaction(
    broker: KafkaBroker, name: str, pairs: Sequence[tuple[bytes, bytes]], *, commit: bool
) -> None:
    """What an exactly-once producer does: records and, behind them, a mark."""
    producer = Producer({**broker.client(), "transactional.id": f"{name}-{commit}"})
    producer.init_transactions(SECONDS_MAX)
    producer.begin_transaction()
    for key, value in pairs:
        producer.produce(name, value, key, 0)
    producer.flush(SECONDS_MAX)
    if commit:
        producer.commit_transaction(SECONDS_MAX)
    else:
        producer.abort_transaction(SECONDS_MAX)
    producer.close()


def until(is_so: Callable[[], bool], seconds_max: float = SECONDS_MAX) -> bool:
    """Look until it is so; False where it never is."""
    deadline = monotonic() + seconds_max
    while not (found := is_so()) and monotonic() < deadline:
        sleep(0.02)
    return found


def share_out(members: Sequence[Membership], shards: int) -> list[frozenset[int]]:
    """Ask the members in turn until together they have every shard exactly once."""
    found: list[frozenset[int]] = []

    def is_shared_out() -> bool:
        found[:] = [member.shards(lambda _: None) for member in members]
        return all(found) and sorted(s for one in found for s in one) == list(range(shards))

    until(is_shared_out)
    return found
