"""`python -m benchmarks.replay [--rounds N] [--quick]`: how fast a read model is rebuilt.

`downloads`, from the embedded log into the embedded Valkey. From Kafka into Valkey over TCP:
`python -m benchmarks.engines replay`. What the figures mean: docs/decisions/0013.
"""

import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, closing

import redis

from airside.adapters.embedded_valkey import EmbeddedValkey
from airside.log import Log
from airside.projecting import rebuilding
from airside.running import collect_rarely
from airside.settings import Settings
from airside.wiring import open_deployment, open_existing
from benchmarks.command import parsed, run
from benchmarks.everyday import FastavroReader
from benchmarks.load import Population
from benchmarks.measure import Variant, alternate, server_seconds, verdict
from benchmarks.memory import COMMANDS as PASSING_COMMANDS
from benchmarks.memory import PEOPLE, child, done, is_flat
from benchmarks.options import Options
from benchmarks.projection import SHARDS, decode_each, make_events, polling
from benchmarks.replay_processes import processes
from projectors import replay as engine
from projectors.build import live_rows
from projectors.builds import start_build
from projectors.downloads import PROJECTION as DOWNLOADS
from projectors.fingerprint import fold_fingerprint
from projectors.generations import (
    abandon,
    building,
    ensure_serving,
    serving,
)
from projectors.pace import BUILDING
from projectors.read_side import ReadSide

COMMANDS, HOUSEHOLDS = 1_200_000, 4_000
OF_FLOOR, OF_FASTAVRO = 0.5, 1.5


def embedded(options: Options) -> bool:
    """Everything on this machine, the log in a file."""
    with EmbeddedValkey(options.folder) as server:
        data = options.folder.absolute() / "data"
        settings = Settings(data=data, views=server.url, shards=SHARDS)
        with open_deployment(settings):
            pass  # it lays itself out
        households = options.scaled(HOUSEHOLDS)
        people, commands = Population(households), options.scaled(COMMANDS)
        events = make_events(settings.database, people, commands)
        print(f"\nreplay: {events:,} events of {households:,} households, {SHARDS} shards")
        reached = measure(settings, options)
        reached &= is_bounded(server.url, options)
    return reached


def measure(
    settings: Settings, options: Options, brokers: Callable[[], float] = lambda: 0.0
) -> bool:
    """One process against loops that only read; then two processes against one.

    `brokers`: their processor time so far, in seconds; none where the log is a file.
    """
    with ExitStack() as held:
        deployment = held.enter_context(open_existing(settings))
        client = held.enter_context(closing(redis.Redis.from_url(deployment.views_url())))
        log = held.enter_context(deployment.log())
        read_side = held.enter_context(rebuilding(deployment, "topic", shares=SHARDS))
        serve(read_side)
        reached = one_process(read_side, log, client, options.rounds)
        abandon(read_side.store, DOWNLOADS.name)
        reached &= processes(
            settings, lambda: server_seconds(client) + brokers(), options.rounds
        )
    return reached


def one_process(read_side: ReadSide, log: Log, client: redis.Redis, rounds: int) -> bool:
    """Events per second, of all that are on the topic."""
    print(
        "  A rebuild folds and saves every shard of a new generation, exactly once; the whole"
    )
    print("  replay also compares every row with the served one's, and serves the new one.")
    ours, whole, floor, plain = alternate(
        rounds,
        {
            "rebuild, one process": lambda: rebuild(read_side),
            "whole replay, one process": lambda: replay(read_side),
            "poll and decode (the floor)": polling(log, decode_each),
            "poll and decode with fastavro, write nothing": polling(
                log, FastavroReader().read_each
            ),
        },
    ).values()
    for rate in (ours, whole, floor, plain):
        print(rate.line())
    tell_work(read_side, log, client)
    reached = verdict("rebuild, of the floor", ours.median / floor.median, OF_FLOOR)
    ratio = ours.median / plain.median
    return verdict("rebuild, of the fastavro loop", ratio, OF_FASTAVRO) and reached


def serve(read_side: ReadSide) -> None:
    """The generation that a replay is compared with, as projectors keep it."""
    fingerprint = fold_fingerprint(DOWNLOADS, read_side.codec)
    registry = ensure_serving(
        read_side.store,
        DOWNLOADS.name,
        fingerprint=fingerprint,
        history=read_side.history,
        shards=read_side.shards,
        now_at=read_side.clock(),
    )
    generation = serving(registry)
    for shard in range(read_side.shards):
        worker = read_side.projector(DOWNLOADS, generation, shard, fingerprint)
        with closing(worker):
            while worker.step() or worker.lag > 0:
                pass


def rebuild(read_side: ReadSide) -> int:
    """Build a new generation from the first event on, and leave it at that."""
    abandon(read_side.store, DOWNLOADS.name)
    fingerprint = fold_fingerprint(DOWNLOADS, read_side.codec)
    now_at = read_side.clock()
    store = read_side.store
    live = serving(store.registry(DOWNLOADS.name))
    built = start_build(store, DOWNLOADS.name, fingerprint=fingerprint, now_at=now_at)
    events = 0
    for shard in range(read_side.shards):
        builder = read_side.projector(DOWNLOADS, built, shard, fingerprint, BUILDING)
        with closing(builder):
            goal, _ = live_rows(store, live, shard)
            builder.run_until(goal)
            events += goal
    return events


def replay(read_side: ReadSide) -> int:
    """All of it, as the verb does it in one process."""
    abandon(read_side.store, DOWNLOADS.name)
    done = engine.replay(DOWNLOADS, read_side)
    assert done.promoted, done.refused
    return done.events


def tell_work(read_side: ReadSide, log: Log, client: redis.Redis) -> None:
    """Seconds, rows, and processor time: that is the same on a machine with others at work."""
    theirs, began = server_seconds(client), time.perf_counter()
    ours = processor_time(lambda: rebuild(read_side))
    seconds, theirs = time.perf_counter() - began, server_seconds(client) - theirs
    generation = building(read_side.store.registry(DOWNLOADS.name))
    assert generation is not None
    shards = range(read_side.shards)
    built = [read_side.store.rows(generation, shard, ()) for shard in shards]
    events, rows = sum(b.checkpoint.seq for b in built), sum(b.row_count for b in built)
    floor = processor_time(polling(log, decode_each))
    print(f"  one rebuild: {events:,} events into {rows:,} rows in {seconds:.1f} s")
    print(
        f"  processor time for an event: {ours:.2f} µs of the builder, "
        f"{1e6 * theirs / events:.2f} of Valkey; {floor:.2f} of the floor "
        f"({floor / ours:.2f} ×)"
    )


def processor_time(variant: Variant) -> float:
    """Of this process, for an event, in µs."""
    began = time.process_time()
    events = variant()
    return 1e6 * (time.process_time() - began) / events


def is_bounded(url: str, options: Options) -> bool:
    """Whether the second half of a rebuild needs no more memory than the first.

    Of accounts that come and go: the rows of others would grow as these live on.
    """
    file = options.folder / "passing.sqlite"
    events = make_events(file, PEOPLE, options.scaled(PASSING_COMMANDS))
    peaks = done(child("rebuild", file, events, url))
    told = ", ".join(f"{peak:,.0f}" for peak in peaks)
    print(f"  peak of a builder of {events:,} events, after each quarter: {told} MiB")
    if options.quick:
        print("       --quick is too short: the rows in memory still grow")
        return True
    return is_flat("builder", peaks[1::2], last="half")


BENCHMARKS = {"replay": embedded}

if __name__ == "__main__":
    collect_rarely()  # as the verb's processes do
    sys.exit(run(parsed("python -m benchmarks.replay", __doc__, BENCHMARKS), BENCHMARKS))
