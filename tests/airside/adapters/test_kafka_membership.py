"""Membership by Kafka's groups, with both of their protocols."""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from time import monotonic

import pytest

from airside.adapters import kafka_settings
from airside.adapters.kafka_log import KafkaLog
from airside.membership import Membership
from schemas.envelope import new_id
from schemas.errors import Unavailable
from stack.kafka import KafkaBroker
from tests.contracts.membership import ALL, SHARDS, Join, MembershipContract
from tests.kit.engines import running
from tests.kit.kafka import share_out, until

pytestmark = pytest.mark.engines


BRISK = {  # members hear of a change with their next heartbeat: 5 s by default
    "group.consumer.heartbeat.interval.ms": "200",
    "group.consumer.min.heartbeat.interval.ms": "100",
}


@pytest.fixture(scope="module")
def broker(jars: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaBroker]:
    broker = KafkaBroker(tmp_path_factory.mktemp("brisk"), properties=BRISK)
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture
def protocol() -> str:
    return "consumer"


@pytest.fixture
def resources() -> Iterator[ExitStack]:
    with ExitStack() as held:
        yield held


@pytest.fixture
def log(broker: KafkaBroker, protocol: str, resources: ExitStack) -> KafkaLog:
    log = resources.enter_context(
        closing(KafkaLog(f"{broker.url}/{new_id()}?group_protocol={protocol}"))
    )
    log.create_topic("commands", SHARDS)
    return log


def joined(log: KafkaLog, resources: ExitStack, group: str) -> Membership:
    return resources.enter_context(closing(log.membership(group, "commands")))


@pytest.fixture
def join(log: KafkaLog, resources: ExitStack) -> Join:
    return partial(joined, log, resources, "handlers")


@pytest.fixture
def join_another(log: KafkaLog, resources: ExitStack) -> Join:
    return partial(joined, log, resources, "projectors")


class TestConsumerProtocol(MembershipContract):
    """KIP-848, where the broker shares out."""


class TestClassicProtocol(MembershipContract):
    """For brokers before 4.0, where a member shares out."""

    @pytest.fixture
    def protocol(self, monkeypatch: pytest.MonkeyPatch) -> str:
        brisk = {**kafka_settings.CLASSIC_MEMBER, "heartbeat.interval.ms": 200}
        monkeypatch.setattr(kafka_settings, "CLASSIC_MEMBER", brisk)
        return "classic"


def test_a_member_reads_no_record(log: KafkaLog, join: Join) -> None:
    for shard in range(SHARDS):
        log.append("commands", shard, [(b"k", b"v")] * 100)
    member = join()
    share_out([member], SHARDS)
    source = log.source("commands", 0)
    source.poll(1, 5.0)
    assert share_out([member], SHARDS) == [ALL]
    assert [log.noted("commands", shard) for shard in range(SHARDS)] == [0] * SHARDS


def test_a_member_survives_a_broker_s_restart(
    log: KafkaLog, join: Join, broker: KafkaBroker
) -> None:
    one, other = join(), join()
    share_out([one, other], SHARDS)
    broker.kill()
    broker.start()
    shared = share_out([one, other], SHARDS)
    assert sorted(map(len, shared)) == [3, 3]


def test_leaving_while_no_broker_is_there_takes_a_bounded_time(
    log: KafkaLog, join: Join, broker: KafkaBroker
) -> None:
    member = join()
    share_out([member], SHARDS)
    broker.kill()
    began = monotonic()
    try:
        member.close()
        took = monotonic() - began
    finally:
        broker.start()
    assert took < 60


def test_a_member_that_a_full_group_refused_for_good_gets_in_once_there_is_room(
    tmp_path: Path, jars: None
) -> None:
    full = {**BRISK, "group.consumer.max.size": "1"}
    with running(KafkaBroker(tmp_path, properties=full)) as broker:
        log = KafkaLog(broker.url)
        log.create_topic("commands", SHARDS)
        first = log.membership("handlers", "commands")
        assert until(lambda: first.shards(no_hurry) == ALL)
        second = log.membership("handlers", "commands")
        with pytest.raises(Unavailable, match="maximum size"):
            until(lambda: bool(second.shards(no_hurry)))
        first.close()
        got_in = until(lambda: shards_or_none(second) == ALL)
        second.close()
        log.close()
    assert got_in


def no_hurry(_shards: frozenset[int]) -> None:
    """Nothing is in flight."""


def shards_or_none(member: Membership) -> frozenset[int]:
    """What is assigned; nothing while the group refuses it."""
    try:
        return member.shards(no_hurry)
    except Unavailable:
        return frozenset()
