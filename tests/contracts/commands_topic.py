"""What every `CommandsTopic` must do."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest

from airside.gateway.topic import CommandsTopic
from airside.log import Log
from schemas.errors import NotFound, TooLarge
from schemas.record import COMMANDS_TOPIC, RECORD_BYTES_MAX
from tests.kit.log_traffic import read_until

T = TypeVar("T")

PARTITIONS = 4
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

OpenTopic = Callable[[], CommandsTopic]


def on_topic(opened: OpenTopic, work: Callable[[CommandsTopic], Awaitable[T]]) -> T:
    """What the work returns, done in a loop of its own."""

    async def run() -> T:
        topic = opened()
        try:
            return await work(topic)
        finally:
            await topic.close()

    return asyncio.run(run())


def record(number: int) -> tuple[bytes, bytes]:
    return b"a1", b"%d" % number


class CommandsTopicContract:
    """Subclasses give the fixtures `opened` and `log`, whose commands topic is not made yet."""

    @pytest.fixture
    def made(self, log: Log) -> Log:
        log.create_topic(COMMANDS_TOPIC, PARTITIONS)
        return log

    def test_it_knows_how_many_partitions_there_are(self, opened: OpenTopic, made: Log) -> None:
        assert on_topic(opened, lambda topic: topic.partitions()) == PARTITIONS

    def test_what_was_appended_is_there_in_its_order(
        self, opened: OpenTopic, made: Log
    ) -> None:
        records = [record(number) for number in range(50)]
        on_topic(opened, lambda topic: topic.append(2, records))
        found = read_until(made.source(COMMANDS_TOPIC, 2), 50)
        assert [(key, value) for _, _, key, value in found] == records

    def test_appends_at_the_same_moment_all_arrive(self, opened: OpenTopic, made: Log) -> None:
        async def work(topic: CommandsTopic) -> None:
            await asyncio.gather(*(topic.append(1, [record(n)]) for n in range(200)))

        on_topic(opened, work)
        found = read_until(made.source(COMMANDS_TOPIC, 1), 200)
        assert sorted(int(value or b"") for *_, value in found) == list(range(200))

    def test_the_loop_goes_on_while_an_append_is_awaited(
        self, opened: OpenTopic, made: Log
    ) -> None:
        async def work(topic: CommandsTopic) -> int:
            return await turns_until(asyncio.create_task(topic.append(0, [record(1)])))

        assert on_topic(opened, work) > 1

    def test_a_record_carries_its_trace(self, opened: OpenTopic, made: Log) -> None:
        on_topic(opened, lambda topic: topic.append(3, [record(1), record(2)], {1: TRACE}))
        source = made.source(COMMANDS_TOPIC, 3)
        source.traces = {}
        read_until(source, 2)
        assert source.traces == {1: TRACE}

    def test_a_record_that_is_too_large_is_refused_with_all_others(
        self, opened: OpenTopic, made: Log
    ) -> None:
        records = [record(1), (b"a1", b"x" * RECORD_BYTES_MAX)]

        async def work(topic: CommandsTopic) -> None:
            with pytest.raises(TooLarge, match="the bound is"):
                await topic.append(0, records)
            await topic.append(0, [record(2)])

        on_topic(opened, work)
        found = read_until(made.source(COMMANDS_TOPIC, 0), 1)
        assert [value for *_, value in found] == [b"2"]

    def test_a_topic_that_was_not_made_is_not_found(self, opened: OpenTopic, log: Log) -> None:
        async def work(topic: CommandsTopic) -> None:
            with pytest.raises(NotFound, match="commands"):
                await topic.append(0, [record(1)])

        on_topic(opened, work)
        with pytest.raises(NotFound):
            log.partitions(COMMANDS_TOPIC)

    def test_a_topic_that_is_made_later_is_found_then(
        self, opened: OpenTopic, log: Log
    ) -> None:
        async def work(topic: CommandsTopic) -> int:
            with pytest.raises(NotFound):
                await topic.partitions()
            await asyncio.to_thread(log.create_topic, COMMANDS_TOPIC, PARTITIONS)
            return await patiently(topic)

        assert on_topic(opened, work) == PARTITIONS


async def turns_until(append: "asyncio.Task[None]") -> int:
    """How often the loop came around before it was done."""
    turns = 0
    while not append.done():
        turns += 1
        await asyncio.sleep(0)
    return turns


async def patiently(topic: CommandsTopic) -> int:
    """Its partitions, as soon as it finds them."""
    while True:
        try:
            return await topic.partitions()
        except NotFound:
            await asyncio.sleep(0.05)
