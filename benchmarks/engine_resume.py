"""A handler dies with its window full of unsettled commits: how long until the next works?"""

import time
from collections.abc import Sequence
from contextlib import ExitStack, closing
from itertools import islice
from statistics import median

from airside.adapters.cassandra_event_store import CassandraEventStore
from airside.adapters.kafka_log import KafkaLog
from benchmarks.engine_handling import PAUSE_SECONDS, pipeline
from benchmarks.engine_load import BATCH, licensing
from benchmarks.engine_stage import Engines, laid_out
from benchmarks.options import Options
from benchmarks.stage import append, handler
from commands.limits import LIMITS
from stack.engines import Stack

SHARDS = 1


class Silent:
    """A publisher whose records never arrive: its owner is about to die."""

    def send(self, records: Sequence[tuple[bytes, bytes]]) -> None:
        """On no wire."""

    def acknowledged(self) -> int:
        """None."""
        return 0

    def close(self) -> None:
        """Nothing to stop."""


def run(stack: Stack, options: Options) -> bool:
    """Seconds from opening a new handler to its first own commit; no target, a report."""
    window = LIMITS.window_commits_max
    print(f"\nresume: {window} commits of {BATCH:,} commands unsettled, one shard")
    with pipeline(stack, "resume", shards=SHARDS):
        pass  # all accounts are there now
    engines = laid_out(stack, "resume", shards=SHARDS)
    with engines.opened_log() as log:
        seconds = [resumed(engines, log) for _ in range(options.rounds)]
    low, high = min(seconds), max(seconds)
    print(
        f"  from a new connection to the first command handled: {median(seconds):.2f} s "
        f"({low:.2f} to {high:.2f})"
    )
    return True


def resumed(engines: Engines, log: KafkaLog) -> float:
    """One death and what follows."""
    append(log, SHARDS, islice(licensing(1), LIMITS.window_commits_max * BATCH))
    with ExitStack() as held:
        session = held.enter_context(engines.session())
        store = held.enter_context(closing(CassandraEventStore(session)))
        dying = held.enter_context(handler(log, store, shard=0, shards=SHARDS))
        dying._open_publisher = Silent
        while not dying.step().blocked:
            pass
        dying._tenure = None  # nothing is settled, nothing said: as after kill -9
    append(log, SHARDS, islice(licensing(1), 1))
    began = time.perf_counter()
    with ExitStack() as held:
        session = held.enter_context(engines.session())
        store = held.enter_context(closing(CassandraEventStore(session)))
        fresh = held.enter_context(handler(log, store, shard=0, shards=SHARDS))
        while not fresh.step().polled:
            time.sleep(PAUSE_SECONDS)
        return time.perf_counter() - began
