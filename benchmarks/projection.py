"""`downloads` into the embedded Valkey, against a loop that decodes, and the everyday loop."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from itertools import count
from pathlib import Path
from typing import Any

import redis

from airside.adapters.embedded_valkey import EmbeddedValkey
from airside.adapters.redis_view_store import RedisViewStore
from airside.log import Log
from benchmarks.everyday import EverydayLoop
from benchmarks.load import Population
from benchmarks.measure import Variant, alternate, verdict
from benchmarks.no_store import NoStore
from benchmarks.options import Options
from benchmarks.reading import Worker, fold_all, workers_of
from benchmarks.stage import Clock, handle_all, handler, opened, produce
from projectors.all import PROJECTIONS
from projectors.downloads import PROJECTION as DOWNLOADS
from schemas.codec import CODEC
from schemas.record import EVENTS_TOPIC, Record

COMMANDS, HOUSEHOLDS, SHARDS = 120_000, 2_000, 2
BATCH = 1_000  # records that the other loops poll at once: what suits them best
PAIRS = 3  # rounds against the floor for each round of the others
WAIT_SECONDS = 1.0  # for a broker; an embedded log never lets one wait
OF_FLOOR, OF_EVERYDAY = 0.4, 4.0


def run(options: Options) -> bool:
    """Events per second, of all that are on the topic, whether or not they concern it."""
    file, households = options.folder / "topics.sqlite", options.scaled(HOUSEHOLDS)
    events = make_events(file, Population(households), options.scaled(COMMANDS))
    print(f"\nprojection: {events:,} events of {households:,} households, {SHARDS} shards")
    print("  Each line is one process that polls the events topic from its start to its end.")
    print("  The floor decodes the fields that `downloads` reads of its events, and no more.")
    print("  The everyday loop decodes each event with fastavro and sends HINCRBY and HSET")
    print("  through a redis-py pipeline: at least once, nothing rebuilt, nothing verified.")
    with ExitStack() as held:
        log = held.enter_context(opened(file))
        server = held.enter_context(EmbeddedValkey(options.folder))
        store = held.enter_context(closing(RedisViewStore(server.url)))
        client = held.enter_context(closing(redis.Redis.from_url(server.url)))
        reached = against_floor(log, store, PAIRS * options.rounds)
        reached &= against_everyday(log, store, client, options.rounds)
        all_at_once(log, store, options.rounds)
    return reached


def against_floor(log: Log, store: RedisViewStore, rounds: int) -> bool:
    """Two quick loops, so more rounds than usual."""
    built = [workers_of([DOWNLOADS], store, log, SHARDS) for _ in range(rounds)]
    ours, floor = alternate(
        rounds,
        {
            "downloads into Valkey, exactly once": projecting(built),
            "poll and decode (the floor)": polling(log, decode_each),
        },
    ).values()
    print(ours.line())
    print(floor.line())
    return verdict("downloads, of the floor", ours.median / floor.median, OF_FLOOR)


def against_everyday(log: Log, store: RedisViewStore, client: redis.Redis, rounds: int) -> bool:
    """The everyday loop, with commands for every event, and only for those that matter."""
    names = {event_type.__name__ for event_type in DOWNLOADS.folds}
    built = [workers_of([DOWNLOADS], store, log, SHARDS) for _ in range(rounds)]
    ours, everything, relevant = alternate(
        rounds,
        {
            "downloads into Valkey, exactly once": projecting(built),
            "everyday loop, two commands per event": everyday(log, client, None),
            "everyday loop, two per event that concerns it": everyday(log, client, names),
        },
    ).values()
    print(everything.line())
    print(relevant.line())
    ratio = ours.median / everything.median
    return verdict("downloads, of the everyday loop", ratio, OF_EVERYDAY)


def all_at_once(log: Log, store: RedisViewStore, rounds: int) -> None:
    """All read models in one process, as `airside up` runs them."""
    built = [workers_of(PROJECTIONS, store, log, SHARDS) for _ in range(rounds)]
    name = f"all {len(PROJECTIONS)} read models at once"
    print(alternate(rounds, {name: projecting(built)})[name].line())


def make_events(file: Path, people: Population, commands: int) -> int:
    """Topics with what the real handler made of the load; how many events."""
    clock, events = Clock(), 0
    with opened(file, clock) as log:
        produce(log, clock, people, shards=SHARDS, count=commands)
        for shard in range(SHARDS):
            with handler(log, NoStore(), shard=shard, shards=SHARDS) as one:
                handle_all(one)
                events += one.counts.events
    return events


def projecting(rounds: list[list[Worker]]) -> Variant:
    """A round: new generations are built from the first event on."""
    return lambda: fold_all(rounds.pop())


def polling(log: Log, use: Callable[[Sequence[Record]], object]) -> Variant:
    """A round: every batch of every shard is put to some use."""

    def poll() -> int:
        polled = 0
        for shard in range(SHARDS):
            with closing(log.source(EVENTS_TOPIC, shard)) as source:
                end, next_offset = source.end(), 0
                while next_offset < end:
                    if records := source.poll(BATCH, WAIT_SECONDS):
                        use(records)
                        polled += len(records)
                        next_offset = records[-1][0] + 1
        return polled

    return poll


def everyday(log: Log, client: redis.Redis, names: set[str] | None) -> Variant:
    """A round: the everyday loop, into keys of its own."""
    numbers = count(len(names or ()) * 1_000)

    def project() -> int:
        return polling(log, EverydayLoop(client, f"everyday{next(numbers)}", names).project)()

    return project


_decode: Callable[[bytes], Any] = CODEC.event_decoder(tuple(DOWNLOADS.folds), DOWNLOADS.reads)


def decode_each(records: Sequence[Record]) -> None:
    """The floor."""
    decode = _decode
    for _, _, _, value in records:
        decode(value or b"")
