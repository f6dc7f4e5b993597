"""The memory of a handler and of a projector while a million events pass.

    python -m benchmarks.memory produce FILE
    python -m benchmarks.memory handle FILE
    python -m benchmarks.memory project FILE URL

Each has a process of its own and tells its peak after every quarter. There are more accounts
than their caches hold, and the accounts come back again and again.
"""

import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from airside.adapters.embedded_valkey import EmbeddedValkey
from airside.adapters.redis_view_store import RedisViewStore
from airside.adapters.sqlite_event_store import SqliteEventStore
from benchmarks.measure import peak_mib
from benchmarks.options import Options
from benchmarks.reading import workers_of
from benchmarks.stage import Clock, handler, opened, produce
from commands.cache import STREAMS_MAX
from projectors.all import PROJECTIONS
from projectors.rows import ROWS_MAX

EVENTS, QUARTERS = 1_000_000, 4
HOUSEHOLDS = 40_000
GROWTH_MAX = 0.05  # of the peak, in the last quarter


def run(options: Options) -> bool:
    """Peak memory after each quarter; True where the last one added next to nothing."""
    events = options.scaled(EVENTS)
    households = options.scaled(HOUSEHOLDS)
    file = options.folder / "airside.sqlite"
    print(f"\nmemory: {events:,} events of {households:,} households through one shard")
    print(f"  The handler keeps up to {STREAMS_MAX:,} accounts; the projector keeps up to")
    print(f"  {ROWS_MAX:,} rows of each of {len(PROJECTIONS)} read models.")
    child("produce", file, events * 11 // 10, households)
    reached = is_flat("handler", child("handle", file, events))
    with EmbeddedValkey(options.folder) as server:
        return is_flat("projector", child("project", file, events, server.url)) and reached


def child(*arguments: object) -> list[float]:
    """What a process of its own said: its peak after each quarter, MiB."""
    command = [sys.executable, "-m", "benchmarks.memory", *map(str, arguments)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    return [float(line) for line in done.stdout.split()]


def is_flat(name: str, peaks: list[float]) -> bool:
    """Print the peaks; True where the last quarter added less than GROWTH_MAX."""
    *_, before, after = peaks
    growth = after / before - 1
    reached = growth < GROWTH_MAX
    shown = ", ".join(f"{peak:,.0f}" for peak in peaks)
    print(f"  {name:<10} {shown} MiB")
    print(
        f"  {'ok  ' if reached else 'MISS'} {name}: the last quarter adds {growth:.1%} "
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
            for worker in workers:
                worker.step()
            return workers[0].checkpoint.seq

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
        case "produce", count, households:
            clock = Clock()
            with opened(file, clock) as log:
                produce(log, clock, shards=1, households=int(households), count=int(count))
        case "handle", events:
            handle(file, int(events))
        case "project", events, url:
            project(file, int(events), url)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:])
