"""The Kafka log keeps the contract, on a real broker; and what else happens to topics there."""

from collections.abc import Iterator

import pytest

from airside.adapters import kafka_reader
from airside.adapters.kafka_log import KafkaLog
from airside.adapters.kafka_reader import KafkaSource
from commands.catalog_follower import CatalogFollower
from schemas.envelope import new_id
from schemas.errors import Unavailable
from stack.kafka import KafkaBroker
from tests.contracts.log import LogContract, offsets, pairs
from tests.contracts.log_traces import LogTracesContract
from tests.kit.kafka import (
    delete_records,
    make_topic,
    send_in_transaction,
    until,
)
from tests.kit.log_traffic import read_until

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


class TestKafkaLog(LogContract, LogTracesContract):
    """Every test of the contract."""


# offsets without a record


def test_a_transaction_s_mark_is_no_record_and_the_end_lies_before_it(
    log: KafkaLog, kafka: KafkaBroker, prefix: str
) -> None:
    log.create_topic("t", 1)
    source = log.source("t", 0)
    send_in_transaction(kafka, f"{prefix}.t", pairs(0, 2), commit=True)
    is_marked = until(lambda: source.end() == 3)
    found = read_until(source, 2)
    assert (is_marked, offsets(found), source.poll(9, 1.0), source.end()) == (
        True,
        [0, 1],
        [],
        2,
    )


def test_records_of_an_aborted_transaction_are_never_read(
    log: KafkaLog, kafka: KafkaBroker, prefix: str
) -> None:
    log.create_topic("t", 1)
    send_in_transaction(kafka, f"{prefix}.t", pairs(0, 2), commit=False)
    log.append("t", 0, pairs(7, 8))
    assert [(r[0], r[2]) for r in read_until(log.source("t", 0), 1)] == [(3, b"k7")]


def test_a_catalog_that_ends_with_a_transaction_s_mark_is_read_to_its_end(
    log: KafkaLog, kafka: KafkaBroker, prefix: str
) -> None:
    log.create_topic("catalog", 1, is_compacted=True)
    one = [(b"studio/s1", b'{"name": "One"}')]
    send_in_transaction(kafka, f"{prefix}.catalog", one, commit=True)
    source = log.source("catalog", 0)
    is_marked = until(lambda: source.end() == 2)  # it may come behind the commit's answer
    catalog = CatalogFollower(source).catch_up()
    names = {key: studio.name for key, studio in catalog.studios.items()}
    assert (is_marked, names) == (True, {"s1": "One"})


def test_a_catalog_without_any_record_but_a_mark_is_read_to_its_end(
    log: KafkaLog, kafka: KafkaBroker, prefix: str
) -> None:
    log.create_topic("catalog", 1, is_compacted=True)
    one = [(b"studio/s1", b'{"name": "One"}')]
    send_in_transaction(kafka, f"{prefix}.catalog", one, commit=False)
    assert CatalogFollower(log.source("catalog", 0)).catch_up().version == 0


def test_a_compacted_catalog_is_read_whole(
    log: KafkaLog, kafka: KafkaBroker, prefix: str
) -> None:
    eager = {
        "cleanup.policy": "compact",
        "segment.bytes": "1048576",
        "segment.ms": "100",
        "min.cleanable.dirty.ratio": "0.001",
        "message.timestamp.type": "LogAppendTime",
        "max.message.bytes": "1114112",
    }
    make_topic(kafka, f"{prefix}.catalog", 1, eager)
    log.create_topic("catalog", 1, is_compacted=True)
    for n in range(4):
        entry = b'{"name": "Name %d"}' % n
        log.append("catalog", 0, [(b"studio/s%d" % s, entry) for s in range(3)])
        until(lambda: False, 0.2)  # so that a segment ends
    source = log.source("catalog", 0)
    is_compacted = until(lambda: first_offset_of(source) > 0)
    catalog = CatalogFollower(source).catch_up()
    names = {studio.name for studio in catalog.studios.values()}
    assert (is_compacted, catalog.version, names) == (True, 12, {"Name 3"})


def first_offset_of(source: KafkaSource) -> int:
    source.seek(0)
    return source.poll(1, 5.0)[0][0]


# offsets that are gone or yet to come


def test_what_was_deleted_is_not_skipped_in_silence_but_told_by_the_offsets(
    log: KafkaLog, kafka: KafkaBroker, prefix: str
) -> None:
    log.create_topic("t", 1)
    log.append("t", 0, pairs(0, 9))
    delete_records(kafka, f"{prefix}.t", before=4)
    source = log.source("t", 0)
    source.seek(2)
    assert (source.begin(), offsets(read_until(source, 5))) == (4, [4, 5, 6, 7, 8])


def test_nothing_of_before_a_seek_is_handed_out(log: KafkaLog) -> None:
    log.create_topic("t", 1)
    for _ in range(20):
        log.append("t", 0, pairs(0, 1_000))
    source = log.source("t", 0)
    seeks = [(7 * n) % 20 * 900 for n in range(15)]
    assert [offset_after(source, offset) for offset in seeks] == seeks


def offset_after(source: KafkaSource, offset: int) -> int:
    """Where the source goes on behind a seek, in the middle of its work."""
    source.poll(10, 5.0)
    source.seek(offset)
    return source.poll(1, 5.0)[0][0]


# many sources


def test_sources_share_consumers_as_far_as_their_partitions_differ(log: KafkaLog) -> None:
    log.create_topic("t", 4)
    sources = [log.source("t", n % 4) for n in range(12)]
    readers = {id(source.reader) for source in sources}
    sources[0].close()
    assert (len(readers), log.source("t", 0).reader) == (3, sources[0].reader)


def test_a_reader_is_closed_with_its_last_source(log: KafkaLog) -> None:
    log.create_topic("t", 2)
    one, other = log.source("t", 0), log.source("t", 1)
    one.close()
    other.close()
    assert log.source("t", 0).reader is not one.reader


def test_a_source_that_nobody_polls_holds_little_and_holds_nobody_up(
    log: KafkaLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kafka_reader, "BUFFER_RECORDS_MAX", 500)
    monkeypatch.setattr(kafka_reader, "CONSUME_RECORDS_MAX", 100)
    log.create_topic("t", 2)
    for n in range(10):
        log.append("t", 0, pairs(1_000 * n, 1_000 * (n + 1)))
        log.append("t", 1, pairs(1_000 * n, 1_000 * (n + 1)))
    idle, busy = log.source("t", 0), log.source("t", 1)
    idle.poll(1, 5.0)
    found = offsets(read_until(busy, 10_000))
    assert (found, len(idle.ahead) <= 600) == (list(range(10_000)), True)
    assert offsets(read_until(idle, 9_999)) == list(range(1, 10_000))


def test_large_records_that_nobody_polls_are_bounded_by_their_bytes(
    log: KafkaLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kafka_reader, "BUFFER_BYTES_MAX", 1_000_000)
    monkeypatch.setattr(kafka_reader, "CONSUME_RECORDS_MAX", 2)
    log.create_topic("t", 2)
    log.append("t", 0, [(b"k", bytes(300_000))] * 40)
    log.append("t", 1, pairs(0, 2_000))
    idle, busy = log.source("t", 0), log.source("t", 1)
    idle.poll(1, 5.0)
    read_until(busy, 2_000)
    assert len(idle.ahead) <= 6
    assert offsets(read_until(idle, 39)) == list(range(1, 40))


# trouble


def test_a_source_says_that_no_broker_is_there_and_goes_on_when_it_is_back(
    log: KafkaLog, kafka: KafkaBroker
) -> None:
    log.create_topic("t", 1)
    log.append("t", 0, pairs(0, 3))
    source = log.source("t", 0)
    source.poll(1, 5.0)
    kafka.kill()
    try:
        is_told = until(lambda: says_unavailable(source))
    finally:
        kafka.start()
    read = until(lambda: says_unavailable(source) or source.end() == 3)
    log.append("t", 0, pairs(3, 5))
    source.seek(1)
    assert (is_told, read, offsets(read_until(source, 4))) == (True, True, [1, 2, 3, 4])


def says_unavailable(source: KafkaSource) -> bool:
    try:
        source.poll(9, 0.1)
    except Unavailable as error:
        return "Are the brokers running, and reachable from here?" in str(error)
    return False
