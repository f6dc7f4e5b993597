"""A data directory with the load in it, as `airside up` would find it."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from airside.adapters.sqlite_log import SqliteLog
from airside.handling import STREAMS_MAX
from airside.log import Log
from benchmarks.catalog import records
from benchmarks.load import START_AT, Population, load
from commands.catalog import Catalog
from commands.catalog_follower import CatalogFollower
from commands.event_store import EventStore
from commands.handler import ShardHandler
from commands.license_decider import DECIDER
from commands.limits import Limits
from schemas.codec import CODEC
from schemas.envelope import Command
from schemas.record import CATALOG_TOPIC, COMMANDS_TOPIC, EVENTS_TOPIC, shard_of

BLOCK = 1_000  # commands appended together, of all shards

Handler = ShardHandler[Any, Catalog]


@dataclass(slots=True)
class Clock:
    """The log's clock: as late as the load is."""

    now_at: int = START_AT

    def __call__(self) -> int:
        return self.now_at


@contextmanager
def opened(file: Path, clock: Clock | None = None) -> Iterator[SqliteLog]:
    """The log in a file, closed behind it."""
    with closing(SqliteLog(file, clock or Clock())) as log:
        yield log


def produce(log: Log, clock: Clock, people: Population, *, shards: int, count: int) -> None:
    """Make topics, and put the catalog and that many commands of the load onto them."""
    for topic, partitions in (
        (COMMANDS_TOPIC, shards),
        (EVENTS_TOPIC, shards),
        (CATALOG_TOPIC, 1),
    ):
        log.create_topic(topic, partitions)
    log.append(CATALOG_TOPIC, 0, [(key.encode(), value) for key, value in records()])
    commands = islice(load(people), count)
    while block := list(islice(commands, BLOCK)):
        clock.now_at = block[-1][0]
        append(log, shards, (command for _, command in block))


def append(log: Log, shards: int, commands: Iterable[Command]) -> None:
    """Append commands, each in its account's partition."""
    by_shard: list[list[tuple[bytes, bytes]]] = [[] for _ in range(shards)]
    for command in commands:
        key = command.account_id
        by_shard[shard_of(key, shards)].append((key.encode(), CODEC.encode(command)))
    for shard, found in enumerate(by_shard):
        if found:
            log.append(COMMANDS_TOPIC, shard, found)


@contextmanager
def handler(
    log: Log,
    store: EventStore,
    *,
    shard: int,
    shards: int,
    streams_max: int = STREAMS_MAX,
) -> Iterator[Handler]:
    """The real handler of a shard, with the real decider and the catalog of the topic."""
    with ExitStack() as held:
        follower = CatalogFollower(held.enter_context(closing(log.source(CATALOG_TOPIC, 0))))
        made: Handler = ShardHandler(
            shard=shard,
            shards=shards,
            decider=DECIDER,
            codec=CODEC,
            store=store,
            source=held.enter_context(closing(log.source(COMMANDS_TOPIC, shard))),
            open_publisher=partial(log.publisher, EVENTS_TOPIC, shard),
            context=follower.catch_up,
            limits=Limits(streams_max=streams_max // shards),
        )
        held.callback(made.close)
        yield made


def handle_all(handler: Handler) -> int:
    """Step until nothing is left; how many commands were taken."""
    taken = 0
    while True:
        step = handler.step()
        taken += step.polled
        if not step.polled and not step.blocked:
            return taken
