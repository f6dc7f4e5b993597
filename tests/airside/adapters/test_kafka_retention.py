"""A Kafka topic of which retention deleted every record: the event store has the events."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from airside.adapters.kafka_log import KafkaLog
from projectors.worker import LOOK_MS, ShardProjector
from schemas.envelope import new_id
from schemas.record import EVENTS_TOPIC
from stack.kafka import KafkaBroker
from tests.kit.kafka import delete_records, send_in_transaction, until
from tests.kit.read_side import Bench
from tests.kit.tallies import TALLIES, plain_fold, plan_changed

pytestmark = pytest.mark.engines


@pytest.fixture
def prefix() -> str:
    """Of topics that nobody else has."""
    return new_id()


@pytest.fixture
def log(kafka_url: str, prefix: str) -> Iterator[KafkaLog]:
    with closing(KafkaLog(f"{kafka_url}/{prefix}")) as log:
        log.create_topic(EVENTS_TOPIC, 1)
        yield log


@pytest.fixture
def bench(log: KafkaLog) -> Bench:
    """30 events on the topic, and a live generation without any."""
    bench = Bench(TALLIES)
    bench.read_side = replace(
        bench.read_side,
        source=partial(log.source, EVENTS_TOPIC),
        fill=lambda shard: bench.fill,
    )
    stored = bench.publish(*(plan_changed(f"a{n % 7}") for n in range(30)))
    log.append(EVENTS_TOPIC, 0, [(b"a", bench.read_side.codec.encode(one)) for one in stored])
    return bench


def follow(bench: Bench, seq: int) -> bool:
    """A worker folds what it can have; whether that is as far as `seq`."""
    side = bench.read_side
    with closing(side.projector(TALLIES, bench.live, 0, bench.fingerprint)) as worker:
        return until(lambda: not patient_step(bench, worker) and bench.checkpoint().seq >= seq)


def patient_step(bench: Bench, worker: ShardProjector[Any]) -> int:
    """One after some time."""
    bench.now_at += LOOK_MS
    return worker.step(0.2)


def test_a_replay_takes_all_from_the_event_store(
    bench: Bench, kafka: KafkaBroker, prefix: str
) -> None:
    assert follow(bench, 30)
    delete_records(kafka, f"{prefix}.{EVENTS_TOPIC}", before=30)
    done = bench.replay()
    assert (done.promoted, done.events, done.verification.different) == (True, 30, 0)


def test_a_late_live_worker_goes_on_and_sees_what_comes_then(
    bench: Bench, log: KafkaLog, kafka: KafkaBroker, prefix: str
) -> None:
    bench.worker().run_until(10)
    delete_records(kafka, f"{prefix}.{EVENTS_TOPIC}", before=30)
    assert follow(bench, 30)
    assert (bench.rows(), bench.checkpoint().offset) == (
        plain_fold(TALLIES, bench.history[0]),
        30,
    )
    (new,) = bench.store_events(plan_changed("a1"))
    log.append(EVENTS_TOPIC, 0, [(b"a1", bench.read_side.codec.encode(new))])
    assert follow(bench, 31)
    assert bench.rows() == plain_fold(TALLIES, bench.history[0])


def test_the_mark_of_a_transaction_that_is_left_is_no_record(
    bench: Bench, kafka: KafkaBroker, prefix: str
) -> None:
    topic = f"{prefix}.{EVENTS_TOPIC}"
    send_in_transaction(kafka, topic, [(b"a", b"junk")], commit=False)
    delete_records(kafka, topic, before=31)
    assert follow(bench, 30)
    done = bench.replay()
    assert (done.promoted, done.events, done.verification.different) == (True, 30, 0)
