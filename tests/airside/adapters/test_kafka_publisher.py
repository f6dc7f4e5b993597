"""A publisher keeps its order whatever happens to broker, records and itself."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from airside.adapters import kafka_publisher
from airside.adapters.kafka_log import KafkaLog
from commands.event_store import StoredEvent
from commands.log import EventPublisher
from commands.outbox import Outbox
from schemas.envelope import new_id
from schemas.errors import PublishFailed, Unavailable
from schemas.record import RECORD_BYTES_MAX, Record
from stack.kafka import HOST, KafkaBroker, places
from tests.contracts.log import pairs
from tests.kit.engines import running
from tests.kit.kafka import alter_topic, until
from tests.kit.kafka_refusing import RefusingProxy
from tests.kit.log_traffic import acknowledged_by, read_until

pytestmark = pytest.mark.engines


@pytest.fixture
def prefix() -> str:
    """Of topics that nobody else has."""
    return new_id()


@pytest.fixture
def log(kafka_url: str, prefix: str) -> Iterator[KafkaLog]:
    log = KafkaLog(f"{kafka_url}/{prefix}")
    log.create_topic("events", 2)
    yield log
    log.close()


def commit(number: int, size: int = 50) -> list[StoredEvent]:
    """The events of one commit, each with its seq as data."""
    first = (number - 1) * size + 1
    return [StoredEvent(seq, "a", seq, b"%d" % seq) for seq in range(first, first + size)]


def seqs(records: Sequence[Record]) -> list[int]:
    return [int(value or b"") for _, _, _, value in records]


def first_publications(records: Sequence[Record]) -> list[int]:
    return list(dict.fromkeys(seqs(records)))


def pumped(outbox: Outbox, number: int) -> bool:
    """Whether this commit is published; looks once."""
    try:
        outbox.pump()
    except Unavailable:
        return False  # the outbox keeps everything
    return outbox.published_through >= number


def test_a_killed_broker_costs_no_record_and_no_order(
    log: KafkaLog, kafka: KafkaBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    outbox = Outbox(lambda: log.publisher("events", 0), published_through=0)
    put(outbox, 1, 20)
    assert until(lambda: pumped(outbox, 3))
    monkeypatch.setattr(kafka_publisher, "STALL_SECONDS", 1.0)  # so that it also starts over
    kafka.kill()
    try:
        put(outbox, 21, 40)
        is_reopened = until(lambda: pumped(outbox, 40) or outbox.reopened > 0)
    finally:
        kafka.start()
        monkeypatch.undo()  # a machine that is busy needs longer for the first answer
    put(outbox, 41, 60)
    is_published = until(lambda: pumped(outbox, 60))
    outbox.close()
    records = read_until(log.source("events", 0), log.source("events", 0).end())
    assert (is_reopened, is_published, outbox.reopened > 0) == (True, True, True)
    assert first_publications(records) == list(range(1, 3_001))


def put(outbox: Outbox, first: int, last: int) -> None:
    for number in range(first, last + 1):
        outbox.put(number, commit(number))


def test_a_broker_that_comes_back_soon_is_no_failure(log: KafkaLog, kafka: KafkaBroker) -> None:
    publisher = log.publisher("events", 0)
    publisher.send(pairs(0, 1_000))
    acknowledged_by(publisher, 1)
    kafka.kill()
    publisher.send(pairs(1_000, 2_000))
    kafka.start()
    assert acknowledged_by(publisher, 2_000, looks_max=6_000) == 2_000
    publisher.close()
    keys = [r[2] for r in read_until(log.source("events", 0), 2_000)]
    assert keys == [key for key, _ in pairs(0, 2_000)]


def test_a_successor_publishes_in_order_behind_one_closed_in_the_middle(
    log: KafkaLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = [(b"a", b"%d" % n) for n in range(20_000)]
    monkeypatch.setattr(kafka_publisher, "QUEUE_RECORDS_MAX", 10_000)  # the rest waits
    first = log.publisher("events", 0)
    first.send(numbers)
    first.close()
    second = log.publisher("events", 0)
    second.send(numbers)
    assert acknowledged_by(second, 20_000) == 20_000
    second.close()
    source = log.source("events", 0)
    records = read_until(source, source.end())
    assert (len(records) < 40_000, first_publications(records)) == (True, list(range(20_000)))


def test_what_is_acknowledged_is_on_the_topic_and_is_a_prefix(log: KafkaLog) -> None:
    publisher = log.publisher("events", 1)
    counts = [acknowledged_after(publisher, n) for n in range(100)]
    end = log.source("events", 1).end()
    publisher.close()
    found = seqs(read_until(log.source("events", 1), counts[-1]))
    assert (counts, end >= counts[-1]) == (sorted(counts), True)
    assert found[: counts[-1]] == list(range(counts[-1]))


def acknowledged_after(publisher: EventPublisher, n: int) -> int:
    """How many are acknowledged right after a hundred more were sent."""
    publisher.send([(b"a", b"%d" % (100 * n + i)) for i in range(100)])
    return publisher.acknowledged()


def test_a_record_that_the_broker_refuses_stops_what_lies_behind_it(
    log: KafkaLog, kafka: KafkaBroker, prefix: str
) -> None:
    alter_topic(kafka, f"{prefix}.events", "max.message.bytes", "100000")
    publisher = log.publisher("events", 0)
    publisher.send(pairs(0, 2))
    acknowledged_by(publisher, 2)
    publisher.send([(b"large", random_bytes(300_000))])
    until(lambda: False, 0.5)  # it is refused, and nobody has asked yet
    publisher.send(pairs(2, 100))
    until(lambda: False, 0.5)
    with pytest.raises(PublishFailed, match="Acknowledged before: 2 records"):
        acknowledged_by(publisher, 101)
    with pytest.raises(PublishFailed, match="Acknowledged before: 2 records"):
        publisher.acknowledged()
    publisher.close()
    assert log.source("events", 0).end() == 2


def test_a_first_request_that_is_refused_for_a_moment_lets_nothing_pass_and_is_not_lost(
    tmp_path: Path,
) -> None:
    place = places(tmp_path, 1)[0]
    with RefusingProxy((HOST, place.client)) as proxy:
        listeners = f"CLIENT://{HOST}:{proxy.port},INTERNAL://{HOST}:{place.internal}"
        settings = {"advertised.listeners": listeners}
        with running(KafkaBroker(tmp_path, place=place, properties=settings)) as broker:
            log = KafkaLog(broker.url)
            log.create_topic("events", 1)
            proxy.refuse_next("events")
            publisher = log.publisher("events", 0)
            publisher.send([(b"%d" % n, random_bytes(300_000)) for n in range(20)])
            acknowledged = acknowledged_by(publisher, 20)
            publisher.close()
            keys = [r[2] for r in read_until(log.source("events", 0), 20)]
            log.close()
    assert (proxy.refused, proxy.ahead, acknowledged) == (1, 0, 20)
    assert keys == [b"%d" % n for n in range(20)]


def random_bytes(count: int) -> bytes:
    """They cannot be compressed."""
    return b"".join(new_id().encode() for _ in range(count // 32 + 1))[:count]


def test_more_than_the_producer_holds_is_sent_in_the_end(
    log: KafkaLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kafka_publisher, "QUEUE_RECORDS_MAX", 100)
    publisher = log.publisher("events", 0)
    publisher.send(pairs(0, 5_000))
    assert acknowledged_by(publisher, 5_000) == 5_000
    publisher.close()
    keys = [r[2] for r in read_until(log.source("events", 0), 5_000)]
    assert keys == [key for key, _ in pairs(0, 5_000)]


def test_nothing_is_sent_any_more_soon_after_close_has_returned(
    log: KafkaLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kafka_publisher, "QUEUE_RECORDS_MAX", 25_000)  # the rest waits
    publisher = log.publisher("events", 0)
    publisher.send([(b"k", bytes(1_000))] * 50_000)
    publisher.close()
    source = log.source("events", 0)
    until(lambda: False, 0.5)  # the broker takes what was on the wire
    soon = source.end()
    until(lambda: False, 1.0)
    assert (source.end(), soon < 50_000) == (soon, True)


def test_a_publisher_cannot_be_opened_where_no_broker_is(
    log: KafkaLog, kafka: KafkaBroker
) -> None:
    log.publisher("events", 0).close()
    kafka.kill()
    try:
        with pytest.raises(
            Unavailable, match=r"open a producer for events: .*Are the brokers ru"
        ):
            log.publisher("events", 0)
    finally:
        kafka.start()


def test_the_bound_of_a_record_leaves_room_for_the_cluster_s_own_bytes(log: KafkaLog) -> None:
    publisher = log.publisher("events", 0)
    publisher.send([(b"k" * 100, random_bytes(RECORD_BYTES_MAX - 100))])
    assert acknowledged_by(publisher, 1) == 1
    publisher.close()
