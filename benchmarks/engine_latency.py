"""A command is sent: when is its row visible? Against the parts of that way, each alone."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from itertools import islice
from statistics import quantiles

from airside.adapters.cassandra_event_store import CassandraEventStore
from airside.adapters.redis_view_store import RedisViewStore
from airside.outcomes import rows_of, wait_for
from airside.producer import Producer
from airside.wiring import open_deployment
from benchmarks.commit import commits_of
from benchmarks.engine_load import licensing, opening
from benchmarks.engine_stage import Engines, laid_out
from benchmarks.options import Options
from projectors.view_store import Checkpoint, Generation
from queries.reader import store_reader
from schemas.envelope import Command
from schemas.record import shard_of
from stack.engines import Stack

SHARDS = 4
RATE, SECONDS = 200, 20  # commands a second; one every five milliseconds
LOOK_SECONDS = 0.001
ALONE = 300  # times that each part is measured
START_SECONDS_MAX = 60.0
ROLES = ("handle", "project")


def run(stack: Stack, options: Options) -> bool:
    """Percentiles in milliseconds; no target, a report beside the sum of its parts."""
    print(f"\nlatency: {RATE} commands a second, handler and projector a process each")
    alone = laid_out(stack, "alone", shards=SHARDS)
    parts = {
        "append to Kafka, and read it": over_kafka(alone),
        "commit one event": committing(alone),
        "save one row": saving(alone),
    }
    engines = laid_out(stack, "latency", shards=SHARDS)
    with roles_of(engines):
        seen = visible(engines, options.scaled(RATE * SECONDS))
    for name, found in parts.items():
        tell(f"{name}, alone", found)
    kafka, commit, save = (quantiles(found, n=100)[49] for found in parts.values())
    tell("sent until the row is visible, all nine read models kept", seen)
    total, median = 2 * kafka + commit + save, quantiles(seen, n=100)[49]
    print(f"  p50 is {median / total:.1f} × the sum of its parts ({1e3 * total:.2f} ms)")
    return True


def tell(name: str, seconds: list[float]) -> None:
    """One line."""
    cut = quantiles(seconds, n=100)
    print(f"  {name:<58} p50 {1e3 * cut[49]:7.2f} ms   p99 {1e3 * cut[98]:7.2f} ms")


def timed(act: Callable[[], object]) -> list[float]:
    """Again and again, one at a time."""
    found = []
    for _ in range(ALONE):
        began = time.perf_counter()
        act()
        found.append(time.perf_counter() - began)
    return found


def over_kafka(engines: Engines) -> list[float]:
    """From the call until a reader that waits has the record."""
    with engines.opened_log() as log:
        log.create_topic("alone", 1)
        with closing(log.source("alone", 0)) as source:

            def there() -> None:
                log.append("alone", 0, [(b"k", bytes(150))])
                while not source.poll(10, 1.0):
                    pass

            there()
            return timed(there)


def committing(engines: Engines) -> list[float]:
    """One conditional write."""
    history = commits_of(1)
    with engines.session() as session, closing(CassandraEventStore(session)) as store:
        store.commit(next(history))
        return timed(lambda: store.commit(next(history)))


def saving(engines: Engines) -> list[float]:
    """One script call."""
    generation = Generation("alone", 1, "f", 1)
    seq = 0
    with closing(RedisViewStore(engines.views)) as store:

        def save() -> None:
            nonlocal seq
            before, seq = Checkpoint(seq, seq, seq), seq + 1
            after = Checkpoint(seq, seq, seq)
            store.save(generation, 0, expected=before, checkpoint=after, rows={"a": bytes(500)})

        return timed(save)


@contextmanager
def roles_of(engines: Engines) -> Iterator[None]:
    """Handler and projector, as people start them."""
    chosen = {
        "AIRSIDE_EVENTS": engines.events,
        "AIRSIDE_LOG": engines.log,
        "AIRSIDE_VIEWS": engines.views,
    }
    with ExitStack() as held:
        for role in ROLES:
            process = held.enter_context(
                subprocess.Popen(
                    [sys.executable, "-m", "airside", role],
                    env=os.environ | chosen,
                    stderr=subprocess.DEVNULL,
                )
            )
            held.callback(process.terminate)
        yield


def visible(engines: Engines, count: int) -> list[float]:
    """Seconds from sending to seeing, of so many commands."""
    sent_at: dict[str, float] = {}
    pending: dict[str, str] = {}  # id -> account
    found: list[float] = []
    with (
        open_deployment(engines.settings) as deployment,
        deployment.producer() as producer,
        deployment.view_store() as views,
    ):
        reader = store_reader(views, SHARDS, monotonic=time.monotonic, sleep=time.sleep)
        accounts = opening()
        producer.send(accounts)
        wait_for(reader, accounts, shards=SHARDS, timeout_seconds=START_SECONDS_MAX)
        commands = list(islice(licensing(1), count))
        sender = threading.Thread(target=send, args=(producer, commands, sent_at, pending))
        sender.start()
        while sender.is_alive() or pending:
            for shard in range(SHARDS):
                mine = {
                    id: a for id, a in list(pending.items()) if shard_of(a, SHARDS) == shard
                }
                if mine:
                    rows = rows_of(reader, mine)
                    now = time.perf_counter()
                    found += [now - sent_at[id] for id in rows]
                    for id in rows:
                        del pending[id]
            time.sleep(LOOK_SECONDS)
        sender.join()
    return found


def send(
    producer: Producer,
    commands: list[Command],
    sent_at: dict[str, float],
    pending: dict[str, str],
) -> None:
    """One every 1/RATE seconds."""
    began = time.perf_counter()
    for number, command in enumerate(commands):
        time.sleep(max(0.0, began + number / RATE - time.perf_counter()))
        sent_at[command.command_id] = time.perf_counter()
        pending[command.command_id] = command.account_id
        producer.send([command])
