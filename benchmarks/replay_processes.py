"""`airside replay --processes N`, by the verb: two processes against one.

Beside the ratio stands what it could be at best on this machine: the processor time of workers
and engines for an event, which they share the cores for.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from airside.settings import Settings
from benchmarks.measure import Rate, tree_seconds, verdict
from projectors.downloads import PROJECTION as DOWNLOADS

OF_ONE_PROCESS = 1.7
OF_BOUND = 0.9  # where the cores allow no more, that much of what they allow
PROCESSES = 2

Seconds = Callable[[], float]
"""Processor time so far."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A progress that was told, and what had been used by then."""

    at: float
    ours: float  # seconds of processor time, of its processes
    theirs: float  # … of the engines
    done: int  # events


@dataclass(frozen=True, slots=True)
class Run:
    """What one replay by the verb came to."""

    building: float  # events a second, from the first batch that is told to the last
    whole: float  # the same, with the start of its processes and the comparison
    ours: float  # µs of processor time for an event of the building, of its processes
    theirs: float  # … of the engines


def processes(settings: Settings, engines: Seconds, rounds: int) -> bool:
    """Each round both, with processes of their own."""
    print(f"  `airside replay downloads --processes N`, of {os.cpu_count()} cores, building;")
    print("  in brackets with the start of its processes and the comparison:")
    runs: dict[int, list[Run]] = {1: [], PROCESSES: []}
    for _ in range(rounds):
        for count, found in runs.items():
            found.append(replayed(settings, engines, count))
    typical = {count: typically(found) for count, found in runs.items()}
    for count, found in runs.items():
        one = typical[count]
        print(Rate(f"--processes {count}", tuple(run.building for run in found)).line())
        print(
            f"    ({one.whole:,.0f}/s; for an event {one.ours:.2f} µs of its processes and "
            f"{one.theirs:.2f} of the engines: {one.building * one.ours / 1e6:.2f} and "
            f"{one.building * one.theirs / 1e6:.2f} cores busy)"
        )
    one, more = typical[1], typical[PROCESSES]
    bound = at_best(one, os.cpu_count() or 1)
    print(f"  {os.cpu_count()} cores, shared with the engines, allow at best {bound:.2f} ×")
    target = min(OF_ONE_PROCESS, round(OF_BOUND * bound, 2))
    return verdict(f"{PROCESSES} processes, of one", more.building / one.building, target)


def typically(runs: list[Run]) -> Run:
    """The median of each figure."""
    return Run(
        *(
            median(figures)
            for figures in zip(
                *((r.building, r.whole, r.ours, r.theirs) for r in runs), strict=True
            )
        )
    )


def at_best(one: Run, cores: int) -> float:
    """How many times as fast as one process so many could be with nobody else at work.

    One keeps a core busy while the engines work beside it; more share the cores with the
    engines. By what one of them takes for an event: what it takes more in company is not
    explained by the engines, and counts against the ratio.
    """
    return min(PROCESSES, cores * one.ours / (one.ours + one.theirs))


def replayed(settings: Settings, engines: Seconds, count: int) -> Run:
    """One replay by the command line."""
    command = [sys.executable, "-m", "airside", "replay", DOWNLOADS.name]
    command += ["--processes", str(count), "--json"]
    with subprocess.Popen(
        command,
        env=environment(settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        assert process.stdout is not None
        said, seen = [], []
        for line in process.stderr:
            said.append(line)
            if (done := built(line)) is not None:
                used = tree_seconds(process.pid), engines()
                seen.append(Seen(time.perf_counter(), *used, done))
        answer = process.stdout.read()
    if process.returncode:
        raise RuntimeError(f"{command} ended with {process.returncode}: {said}")
    told = json.loads(answer)
    first, last = seen[0], seen[-1]
    events = last.done - first.done
    return Run(
        events / (last.at - first.at),
        told["folded"] / told["seconds"],
        1e6 * (last.ours - first.ours) / events,
        1e6 * (last.theirs - first.theirs) / events,
    )


def built(line: str) -> int | None:
    """How many events were built, where a line says so."""
    progress = json.loads(line)["progress"] if line.startswith("{") else {}
    return progress["done"] if progress.get("phase") == "building" else None


def environment(settings: Settings) -> dict[str, str]:
    """For a process that works on the same engines."""
    chosen = {
        "AIRSIDE_DATA": str(settings.data),
        "AIRSIDE_EVENTS": settings.events,
        "AIRSIDE_LOG": settings.log,
        "AIRSIDE_VIEWS": settings.views,
    }
    ours = {name: value for name, value in os.environ.items() if "AIRSIDE" not in name}
    return ours | {name: value for name, value in chosen.items() if value}
