"""The handler on SQLite with synchronous=FULL, against the same handler without a store."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

from airside.adapters.sqlite_event_store import SqliteEventStore
from benchmarks.load import Population
from benchmarks.measure import Variant, alternate, verdict
from benchmarks.no_store import NoStore
from benchmarks.options import Options
from benchmarks.stage import Clock, handle_all, handler, opened, produce
from commands.event_store import EventStore

COMMANDS, PEOPLE = 25_000, Population(households=2_000)
TARGET = 0.5

OpenStore = Callable[[Path], AbstractContextManager[EventStore]]


def run(options: Options) -> bool:
    """Commands per second, with both stores."""
    count = options.scaled(COMMANDS)
    print(f"\nhandler: {count:,} commands of {PEOPLE.households:,} households, one shard, cold")
    print("  Both poll a SQLite log in batches of up to 1,000, decode, validate and decide")
    print("  with the real rules, fold and encode the events, and publish them to the events")
    print("  topic in SQLite (one durable transaction a batch). The floor's store keeps the")
    print("  position and no event: its loads find nothing, its commits compare the number.")
    topics = options.folder / "topics.sqlite"
    clock = Clock()
    with opened(topics, clock) as log:
        produce(log, clock, PEOPLE, shards=1, count=count)
    stored, floor = alternate(
        options.rounds,
        {
            "SQLite, synchronous=FULL": variant(copies(topics, "stored", options), sqlite),
            "without a store (the floor)": variant(copies(topics, "kept", options), nothing),
        },
    ).values()
    print(stored.line())
    print(floor.line())
    return verdict("on SQLite, of the floor", stored.median / floor.median, TARGET)


def variant(files: Iterator[Path], open_store: OpenStore) -> Variant:
    """A round: a new handler takes everything that is on the commands topic."""

    def handle() -> int:
        file = next(files)
        with (
            opened(file) as log,
            open_store(file) as store,
            handler(log, store, shard=0, shards=1) as one,
        ):
            return handle_all(one)

    return handle


def copies(file: Path, name: str, options: Options) -> Iterator[Path]:
    """A copy for each round, on disk before the first one is timed."""
    made = [file.with_name(f"{name}-{number}.sqlite") for number in range(options.rounds)]
    for copy in made:
        shutil.copyfile(file, copy)
        with copy.open("rb+") as written:
            os.fsync(written)
    return iter(made)


@contextmanager
def sqlite(file: Path) -> Iterator[EventStore]:
    """The events beside the topics, as `airside up` keeps them."""
    with closing(SqliteEventStore(file)) as store:
        yield store


@contextmanager
def nothing(file: Path) -> Iterator[EventStore]:
    """No event anywhere."""
    yield NoStore()
