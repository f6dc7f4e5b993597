"""The memory of a handler and of a projector while a million events pass.

python -m benchmarks.memory produce FILE COMMANDS
python -m benchmarks.memory handle FILE EVENTS
python -m benchmarks.memory project FILE EVENTS URL
python -m benchmarks.memory rebuild FILE EVENTS URL
"""

import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from airside.adapters.embedded_valkey import EmbeddedValkey
from airside.adapters.redis_view_store import RedisViewStore
from airside.adapters.sqlite_event_store import SqliteEventStore
from airside.handling import STREAMS_MAX
from airside.projecting import ROWS_MAX
from benchmarks.load import Population
from benchmarks.measure import peak_mib
from benchmarks.options import Options
from benchmarks.projection import SHARDS
from benchmarks.reading import workers_of
from benchmarks.stage import Clock, handler, opened, produce
from projectors.all import PROJECTIONS
from projectors.downloads import PROJECTION as DOWNLOADS
from projectors.pace import BUILDING

EVENTS, QUARTERS = 1_000_000, 4
COMMANDS = 900_000
PEOPLE = Population(households=72_000, opening_days=120, staying_days=2)
GROWTH_MAX = 0.05  # of the peak, in the last quarter
PAUSE_SECONDS = 0.01


def run(options: Options) -> bool:
    """Peak memory after each quarter; True where the last one added next to nothing."""
    events = options.scaled(EVENTS)
    file = options.folder / "airside.sqlite"
    print(
        f"\nmemory: {events:,} events of accounts that open and close all the time, one shard"
    )
    print(f"  The handler keeps up to {STREAMS_MAX:,} accounts, of {PEOPLE.households:,}; the")
    print(f"  projector keeps up to {ROWS_MAX:,} rows of all {len(PROJECTIONS)} read models.")
    print("  Both run at once. The peak of each after each quarter of the events:")
    done(child("produce", file, options.scaled(COMMANDS)))
    with EmbeddedValkey(options.folder) as server:
        handling = child("handle", file, events)
        projecting = child("project", file, events, server.url)
        peaks = {"handler": done(handling), "projector": done(projecting)}
    for name, found in peaks.items():
        print(f"  {name:<10}", ", ".join(f"{peak:,.0f}" for peak in found), "MiB")
    if options.quick:
        print("       --quick is too short: the caches are not full yet")
        return True
    flat = [is_flat(name, found) for name, found in peaks.items()]
    return all(flat)


def child(*arguments: object) -> subprocess.Popen[str]:
    """This module in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.memory", *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def done(process: subprocess.Popen[str]) -> list[float]:
    """What a process said in the end: its peak after each quarter, MiB."""
    said, _ = process.communicate()
    if process.returncode:
        raise RuntimeError(f"{process.args!r} ended with {process.returncode}")
    return [float(line) for line in said.split()]


def is_flat(name: str, peaks: list[float], *, last: str = "quarter") -> bool:
    """Whether the last part added less than GROWTH_MAX."""
    *_, before, after = peaks
    growth = after / before - 1
    reached = growth < GROWTH_MAX
    print(
        f"  {'ok  ' if reached else 'MISS'} {name}, growth in the last {last}: {growth:.1%} "
        f"(target: less than {GROWTH_MAX:.0%})"
    )
    return reached


def handle(file: Path, events: int) -> None:
    """Handle until there are that many events."""
    with (
        opened(file) as log,
        closing(SqliteEventStore(file)) as store,
        handler(log, store, shard=0, shards=1) as one,
    ):

        def step() -> int:
            one.step()
            return one.counts.events

        tell_peaks(step, events)


def project(file: Path, events: int, url: str) -> None:
    """Fold that many events into every read model."""
    with opened(file) as log, closing(RedisViewStore(url)) as store:
        workers = workers_of(PROJECTIONS, store, log, shards=1)

        def step() -> int:
            if not sum(worker.step() for worker in workers):
                time.sleep(PAUSE_SECONDS)  # the handler is not that far
            return min(worker.checkpoint.seq for worker in workers)

        tell_peaks(step, events)


def rebuild(file: Path, events: int, url: str) -> None:
    """Build `downloads` anew from that many events, as a replay does."""
    with opened(file) as log, closing(RedisViewStore(url)) as store:
        workers = workers_of([DOWNLOADS], store, log, SHARDS, BUILDING)
        goals = [(worker, worker.end()) for worker in workers]

        def step() -> int:
            for worker, goal in goals:
                worker.advance(goal)
            return sum(worker.checkpoint.seq for worker in workers)

        tell_peaks(step, events)


def tell_peaks(step: Callable[[], int], events: int) -> None:
    """Take steps until that many events are done; print the peak at each quarter."""
    done = 0
    for quarter in range(1, QUARTERS + 1):
        while done < events * quarter // QUARTERS:
            done = step()
        print(f"{peak_mib():.1f}", flush=True)


def main(role: str, file: Path, *rest: str) -> None:
    """One process."""
    match role, *rest:
        case "produce", count:
            clock = Clock()
            with opened(file, clock) as log:
                produce(log, clock, PEOPLE, shards=1, count=int(count))
        case "handle", events:
            handle(file, int(events))
        case "project", events, url:
            project(file, int(events), url)
        case "rebuild", events, url:
            rebuild(file, int(events), url)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:])
