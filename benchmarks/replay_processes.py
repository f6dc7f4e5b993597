"""`airside replay --processes N`, by the verb: two processes against one."""

import json
import os
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from statistics import median

import redis

from airside.settings import Settings
from benchmarks.measure import Rate, server_seconds, verdict
from projectors.downloads import PROJECTION as DOWNLOADS

OF_ONE_PROCESS = 1.7
PROCESSES = 2


@dataclass(frozen=True, slots=True)
class Run:
    """What one replay by the verb came to."""

    building: float  # events a second, from the first batch that is told to the last
    whole: float  # the same, with the start of its processes and the comparison
    ours: float  # cores that it kept busy
    theirs: float  # cores that the view store's server was busy on


def processes(settings: Settings, client: redis.Redis, rounds: int) -> bool:
    """Each round both, with processes of their own."""
    print(f"  `airside replay downloads --processes N`, of {os.cpu_count()} cores, building;")
    print("  in brackets with the start of its processes and the comparison:")
    runs: dict[int, list[Run]] = {1: [], PROCESSES: []}
    for _ in range(rounds):
        for count, found in runs.items():
            found.append(replayed(settings, client, count))
    for count, found in runs.items():
        rate = Rate(f"--processes {count}", tuple(one.building for one in found))
        ours, theirs = (
            median(x) for x in zip(*((r.ours, r.theirs) for r in found), strict=True)
        )
        print(rate.line())
        print(
            f"    ({median(one.whole for one in found):,.0f}/s; busy meanwhile: {ours:.2f} "
            f"cores with them, {theirs:.2f} with Valkey)"
        )
    one, more = (median(r.building for r in runs[count]) for count in (1, PROCESSES))
    return verdict(f"{PROCESSES} processes, of one", more / one, OF_ONE_PROCESS)


def replayed(settings: Settings, client: redis.Redis, count: int) -> Run:
    """One replay by the command line."""
    command = [sys.executable, "-m", "airside", "replay", DOWNLOADS.name]
    command += ["--processes", str(count), "--json"]
    ours, theirs, began = children_seconds(), server_seconds(client), time.perf_counter()
    with subprocess.Popen(
        command,
        env=environment(settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        assert process.stdout is not None
        said = [(time.perf_counter(), line) for line in process.stderr]
        answer = process.stdout.read()
    if process.returncode:
        raise RuntimeError(f"{command} ended with {process.returncode}: {said}")
    seconds = time.perf_counter() - began
    told = json.loads(answer)
    return Run(
        building_rate(said),
        told["folded"] / told["seconds"],
        (children_seconds() - ours) / seconds,
        (server_seconds(client) - theirs) / seconds,
    )


def building_rate(said: list[tuple[float, str]]) -> float:
    """Events a second, from the progress that was told at these times."""
    told = [(at, json.loads(line)["progress"]) for at, line in said if line.startswith("{")]
    built = [(at, one["done"]) for at, one in told if one["phase"] == "building"]
    (first_at, first), (last_at, last) = built[0], built[-1]
    return float((last - first) / (last_at - first_at))


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


def children_seconds() -> float:
    """Processor time of the processes that have ended, so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
