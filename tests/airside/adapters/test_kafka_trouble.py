"""What goes wrong is said in words: where, what was tried, and what to do next."""

from collections.abc import Iterator
from functools import partial

import pytest
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from airside.adapters import kafka_appending, kafka_desk
from airside.adapters.kafka_log import KafkaLog
from schemas.envelope import new_id
from schemas.errors import NotFound, PublishFailed, TooLarge, Unavailable
from stack.kafka import KafkaBroker
from stack.ports import free_ports
from tests.contracts.log import pairs
from tests.kit.kafka import alter_topic, until
from tests.kit.log_traffic import acknowledged_by, read_until

pytestmark = pytest.mark.engines

USERS = {"admin": "admin-secret", "guest": "guest-secret"}


@pytest.fixture(scope="module")
def closed(jars: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaBroker]:
    """A broker that asks who is there."""
    broker = KafkaBroker(tmp_path_factory.mktemp("closed"), users=USERS)
    broker.start()
    yield broker
    broker.stop()


def login(broker: KafkaBroker, user: str, password: str, prefix: str) -> KafkaLog:
    return KafkaLog(f"kafka://{user}:{password}@{broker.address}/{prefix}?sasl=PLAIN")


@pytest.fixture
def guest(closed: KafkaBroker) -> Iterator[KafkaLog]:
    """Somebody who may see the topic `t`, and nothing else."""
    prefix = new_id()
    owner = login(closed, "admin", USERS["admin"], prefix)
    owner.create_topic("t", 1)
    owner.append("t", 0, pairs(0, 1))
    owner.close()
    see = AclBinding(
        ResourceType.TOPIC,
        f"{prefix}.t",
        ResourcePatternType.LITERAL,
        "User:guest",
        "*",
        AclOperation.DESCRIBE,
        AclPermissionType.ALLOW,
    )
    admin = AdminClient(dict(closed.client()))
    admin.create_acls([see])[see].result(30)
    log = login(closed, "guest", USERS["guest"], prefix)
    until(lambda: sees(log))
    yield log
    log.close()


def sees(log: KafkaLog) -> bool:
    """Rights take a moment to be known."""
    try:
        return log.partitions("t") == 1
    except (NotFound, Unavailable):
        return False


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Questions wait for an answer some seconds only."""
    soon = partial(kafka_desk.patiently, timeout_seconds=4.0)
    monkeypatch.setattr(kafka_desk, "patiently", soon)


def test_a_wrong_password_is_said_and_never_shown(closed: KafkaBroker, impatient: None) -> None:
    log = login(closed, "admin", "not-the-secret", new_id())
    with pytest.raises(Unavailable, match=r"Check user, password and the option sasl") as told:
        until(lambda: log.create_topic("t", 1))
    log.close()
    assert (closed.address in str(told.value), "not-the-secret" in str(told.value)) == (
        True,
        False,
    )


def test_who_may_not_append_is_told_which_topic_and_what_to_do(guest: KafkaLog) -> None:
    with pytest.raises(Unavailable, match=r"append to t, partition 0: .*uthoriz.*kafka-acls"):
        guest.append("t", 0, pairs(0, 1))


def test_who_may_not_publish_is_told(guest: KafkaLog) -> None:
    publisher = guest.publisher("t", 0)
    publisher.send(pairs(0, 1))
    with pytest.raises(PublishFailed, match=r"publish to t: .*uthoriz.*kafka-acls"):
        acknowledged_by(publisher, 1)
    publisher.close()


def test_who_may_not_read_is_told(guest: KafkaLog) -> None:
    source = guest.source("t", 0)
    with pytest.raises(Unavailable, match=r"read t, partition 0: .*uthoriz.*kafka-acls"):
        read_until(source, 1)


def test_who_may_not_create_topics_is_told(guest: KafkaLog) -> None:
    with pytest.raises(Unavailable, match=r"topic another: .*uthoriz.*kafka-acls"):
        guest.create_topic("another", 1)


def test_who_may_not_join_a_group_is_told(guest: KafkaLog) -> None:
    member = guest.membership("handlers", "t")
    with pytest.raises(Unavailable, match=r"group .*handlers: .*uthoriz.*kafka-acls"):
        until(lambda: bool(member.shards(lambda _: None)))
    member.close()


def test_a_record_that_the_topic_refuses_is_too_large(kafka: KafkaBroker) -> None:
    prefix = new_id()
    log = KafkaLog(f"{kafka.url}/{prefix}")
    log.create_topic("t", 1)
    alter_topic(kafka, f"{prefix}.t", "max.message.bytes", "1000")
    large = b"".join(new_id().encode() for _ in range(100))
    with pytest.raises(TooLarge, match=r"append to t, partition 0: .*max.message.bytes"):
        log.append("t", 0, [(b"k", large)])
    assert log.append("t", 0, pairs(0, 1)) == 0
    log.close()


def test_where_nobody_listens_is_said(impatient: None) -> None:
    log = KafkaLog(f"kafka://127.0.0.1:{free_ports(1)[0]}/p")
    with pytest.raises(Unavailable, match=r"look for topic t: .*refused.*Are the brokers runn"):
        log.partitions("t")
    log.close()


def test_an_append_that_nobody_acknowledges_ends_in_time(
    kafka: KafkaBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = KafkaLog(f"{kafka.url}/{new_id()}")
    log.create_topic("t", 1)
    log.append("t", 0, pairs(0, 1))
    monkeypatch.setattr(kafka_appending, "APPEND_SECONDS", 1.0)
    kafka.kill()
    try:
        with pytest.raises(
            Unavailable, match=r"partition 0: not acknowledged in 1 seconds.*refu"
        ):
            log.append("t", 0, pairs(1, 2))
    finally:
        kafka.start()
    monkeypatch.undo()
    log.append("t", 0, pairs(2, 3))
    found = [r[2] for r in read_until(log.source("t", 0), 2)]
    log.close()
    assert found == [b"k0", b"k2"]
