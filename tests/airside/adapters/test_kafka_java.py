"""Programs in Java, with stock clients, and this one agree: on partitions and on bytes."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from airside.adapters.kafka_log import KafkaLog
from airside.adapters.memory_event_store import MemoryEventStore
from commands.catalog import BUILT_IN_PLANS, Catalog
from commands.handler import ShardHandler
from commands.license_decider import DECIDER
from schemas.codec import CODEC
from schemas.envelope import new_id
from schemas.record import COMMANDS_TOPIC, EVENTS_TOPIC, shard_of
from stack.jars import CLIENT, fetch, find_java
from stack.kafka import KafkaBroker
from tests.kit.kafka import until

pytestmark = pytest.mark.engines

ROOT = Path(__file__).parents[3]
PROGRAM = ROOT / "tests" / "java" / "Interop.java"
SHARDS = 4


@pytest.fixture
def prefix() -> str:
    return new_id()


@pytest.fixture
def log(kafka_url: str, prefix: str) -> Iterator[KafkaLog]:
    log = KafkaLog(f"{kafka_url}/{prefix}")
    log.create_topic(COMMANDS_TOPIC, SHARDS)
    log.create_topic(EVENTS_TOPIC, SHARDS)
    yield log
    log.close()


@pytest.fixture
def handlers(log: KafkaLog) -> Iterator[list[ShardHandler[Any, Catalog]]]:
    catalog = Catalog.empty()
    store = MemoryEventStore()
    with ExitStack() as held:
        found = []
        for shard in range(SHARDS):
            handler = ShardHandler(
                shard=shard,
                shards=SHARDS,
                decider=DECIDER,
                codec=CODEC,
                store=store,
                source=held.enter_context(closing(log.source(COMMANDS_TOPIC, shard))),
                open_publisher=partial(log.publisher, EVENTS_TOPIC, shard),
                context=lambda: catalog,
            )
            found.append(held.enter_context(closing(handler)))
        yield found


def java(*words: str) -> list[str]:
    """How the program is run."""
    return [str(find_java()), "-cp", f"{fetch(CLIENT)}/*", str(PROGRAM), *words]


def step_all(
    handlers: list[ShardHandler[Any, Catalog]], program: "subprocess.Popen[str]"
) -> bool:
    """One step of every shard; whether the program has ended."""
    for handler in handlers:
        handler.step(0.01)
    return program.poll() is not None


def test_the_partition_of_a_key_is_the_java_client_s(jars: None) -> None:
    keys = [f"{'konto-é✈'[: n % 9]}{new_id()[: n % 33]}" for n in range(2, 1_002)]
    done = subprocess.run(
        java("partitions", "12"),
        input="\n".join(keys),
        capture_output=True,
        text=True,
        check=True,
        timeout=100,
        encoding="utf-8",
    )
    assert [int(line) for line in done.stdout.split()] == [shard_of(key, 12) for key in keys]


def test_a_command_of_a_java_program_is_handled_and_it_reads_the_event(
    kafka: KafkaBroker, prefix: str, handlers: list[ShardHandler[Any, Catalog]]
) -> None:
    topics = [f"{prefix}.{COMMANDS_TOPIC}", f"{prefix}.{EVENTS_TOPIC}"]
    account, plan = f"account-{prefix}", next(iter(BUILT_IN_PLANS))
    words = ["open", kafka.address, *topics, str(ROOT / "schemas" / "avro"), account, plan]
    with subprocess.Popen(
        java(*words), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as program:
        until(lambda: step_all(handlers, program), seconds_max=100)
        program.kill()  # it has ended, unless it found nothing
        said, errors = program.communicate()
    assert program.returncode == 0, errors
    event = json.loads(said)
    assert event == event | {
        "name": "AccountOpened",
        "seq": 1,
        "version": 1,
        "command_id": event["sent_command_id"],
        "account_id": account,
        "plan_id": plan,
        "country": "SE",
        "partition": shard_of(account, SHARDS),
    }
