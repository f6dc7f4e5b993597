"""The gateway's topic on Kafka keeps the contract, and what it says when brokers are away."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

import pytest
from confluent_kafka import Producer

from airside.adapters import kafka_commands_topic
from airside.adapters.kafka_commands_topic import KafkaCommandsTopic
from airside.adapters.kafka_log import KafkaLog
from airside.adapters.kafka_producer import open_producer
from airside.gateway.topic import CommandsTopic
from schemas.envelope import new_id
from schemas.errors import Unavailable
from schemas.record import COMMANDS_TOPIC
from stack.kafka import KafkaBroker
from tests.contracts.commands_topic import CommandsTopicContract, OpenTopic, on_topic, record
from tests.kit.log_traffic import read_until

pytestmark = pytest.mark.engines


@pytest.fixture
def url(kafka_url: str) -> str:
    """Of topics that nobody else has."""
    return f"{kafka_url}/{new_id()}"


@pytest.fixture
def opened(url: str) -> OpenTopic:
    return lambda: KafkaCommandsTopic(url)


@pytest.fixture
def log(url: str) -> Iterator[KafkaLog]:
    with closing(KafkaLog(url)) as log:
        yield log


class TestKafkaCommandsTopic(CommandsTopicContract):
    """Every test of the contract."""


async def until_it_takes(topic: CommandsTopic, number: int) -> int:
    """Append again and again until it is acknowledged; how often it was refused."""
    refusals = 0
    while True:
        try:
            await topic.append(0, [record(number)])
            return refusals
        except Unavailable:
            refusals += 1
            await asyncio.sleep(0.1)


def test_a_broker_that_dies_is_told_in_time_and_the_next_append_finds_it_again(
    kafka: KafkaBroker, log: KafkaLog, opened: OpenTopic, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.create_topic(COMMANDS_TOPIC, 1)

    async def work(topic: CommandsTopic) -> None:
        await topic.append(0, [record(1)])
        monkeypatch.setattr(kafka_commands_topic, "APPEND_SECONDS", 2.0)
        await asyncio.to_thread(kafka.kill)
        try:
            with pytest.raises(Unavailable, match="Are the brokers running"):
                await topic.append(0, [record(2)])  # its link was open
            with pytest.raises(Unavailable, match="Are the brokers running"):
                await topic.append(0, [record(3)])  # no link can be opened
        finally:
            await asyncio.to_thread(kafka.start)
        monkeypatch.undo()
        await until_it_takes(topic, 4)

    on_topic(opened, work)
    found = read_until(log.source(COMMANDS_TOPIC, 0), 2)
    assert {value for *_, value in found} == {b"1", b"4"}


def test_while_no_broker_answers_appends_fail_together_and_at_once(
    kafka: KafkaBroker, log: KafkaLog, opened: OpenTopic, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.create_topic(COMMANDS_TOPIC, 1)
    monkeypatch.setattr(kafka_commands_topic, "PAUSE_SECONDS", 3_600.0)
    tries: list[str] = []

    def counted(settings: Mapping[str, Any], name: str) -> Producer:
        tries.append(name)
        return open_producer(settings, name)

    monkeypatch.setattr(kafka_commands_topic, "open_producer", counted)

    async def work(topic: CommandsTopic) -> list[object]:
        appends = [topic.append(0, [record(n)]) for n in range(20)]
        first = await asyncio.gather(*appends, return_exceptions=True)
        return [
            *first,
            *await asyncio.gather(topic.append(0, [record(20)]), return_exceptions=True),
        ]

    kafka.kill()
    try:
        failures = on_topic(opened, work)
    finally:
        kafka.start()
    assert {type(failure) for failure in failures} == {Unavailable}
    assert len(tries) == 1


def test_what_is_under_way_when_it_is_closed_fails_and_does_not_hang(
    kafka: KafkaBroker, log: KafkaLog, opened: OpenTopic
) -> None:
    log.create_topic(COMMANDS_TOPIC, 1)

    async def work(topic: CommandsTopic) -> BaseException | None:
        await topic.append(0, [record(1)])
        kafka.pause()
        try:
            append = asyncio.create_task(topic.append(0, [record(2)]))
            await asyncio.sleep(0)
            await topic.close()
            await asyncio.wait([append])
        finally:
            kafka.go_on()
        return append.exception()

    assert isinstance(on_topic(opened, work), Unavailable)
