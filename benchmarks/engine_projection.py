"""`downloads` from Kafka into Valkey over TCP, against the same two loops as `projection`."""

import time
from contextlib import ExitStack, closing

import redis

from airside.adapters.kafka_log import KafkaLog
from airside.adapters.redis_view_store import RedisViewStore
from benchmarks.engine_stage import laid_out
from benchmarks.load import Population
from benchmarks.measure import server_seconds
from benchmarks.options import Options
from benchmarks.projection import (
    PAIRS,
    SHARDS,
    against_everyday,
    against_floor,
    all_at_once,
    make_events,
)
from benchmarks.reading import fold_all, workers_of
from benchmarks.stage import opened
from projectors.downloads import PROJECTION as DOWNLOADS
from schemas.record import EVENTS_TOPIC
from stack.engines import Stack

COMMANDS, HOUSEHOLDS = 400_000, 6_000
APPENDED = 20_000  # records at once


def run(stack: Stack, options: Options) -> bool:
    """The same as `projection`, with a broker and a server in processes of their own."""
    households = options.scaled(HOUSEHOLDS)
    engines = laid_out(stack, "projection", shards=SHARDS)
    with ExitStack() as held:
        log = held.enter_context(engines.opened_log())
        events = fill(log, options, households)
        print(f"\nprojection: {events:,} events of {households:,} households, {SHARDS} shards")
        print("  Each line is one process that reads the events topic from start to end.")
        store = held.enter_context(closing(RedisViewStore(engines.views)))
        client = held.enter_context(closing(redis.Redis.from_url(engines.views)))
        reached = against_floor(log, store, PAIRS * options.rounds)
        reached &= against_everyday(log, store, client, options.rounds)
        all_at_once(log, store, options.rounds)
        tell_processor_time(log, store, client)
    return reached


def fill(log: KafkaLog, options: Options, households: int) -> int:
    """What the real handler makes of the load, copied from a file to the broker."""
    file = options.folder / "topics.sqlite"
    events = make_events(file, Population(households), options.scaled(COMMANDS))
    with opened(file) as made:
        for shard in range(SHARDS):
            with closing(made.source(EVENTS_TOPIC, shard)) as source:
                while records := source.poll(APPENDED, 0.0):
                    log.append(
                        EVENTS_TOPIC, shard, [(key, value) for *_, key, value in records]
                    )
    return events


def tell_processor_time(log: KafkaLog, store: RedisViewStore, client: redis.Redis) -> None:
    """Of the worker (with its driver's threads) and of the server, for each event."""
    workers = workers_of([DOWNLOADS], store, log, SHARDS)
    ours, theirs = time.process_time(), server_seconds(client)
    events = fold_all(workers)
    ours, theirs = time.process_time() - ours, server_seconds(client) - theirs
    print(
        f"  processor time for an event of downloads: {1e6 * ours / events:.2f} µs of the "
        f"worker, {1e6 * theirs / events:.2f} µs of Valkey"
    )
