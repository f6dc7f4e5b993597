"""Measure variants fairly: alternating rounds, medians, ratios."""

import gc
import os
import re
import resource
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import redis

PROCESSES = Path("/proc")
STATUS = PROCESSES / "self" / "status"

Variant = Callable[[], int]
"""One round: does the work and returns how many units (events, commands) it did."""


@dataclass(frozen=True, slots=True)
class Rate:
    """The rounds of one variant, in units per second."""

    name: str
    rounds: tuple[float, ...]

    @property
    def median(self) -> float:
        """Units per second."""
        return median(self.rounds)

    def line(self) -> str:
        """`downloads into Valkey      212,345/s   (4.71 µs each; 201,000 to 220,100)`."""
        low, high = min(self.rounds), max(self.rounds)
        each = 1e6 / self.median
        return (
            f"  {self.name:<52}{self.median:>11,.0f}/s"
            f"   ({each:.2f} µs each; {low:,.0f} to {high:,.0f})"
        )


def alternate(rounds: int, variants: Mapping[str, Variant]) -> dict[str, Rate]:
    """Run every variant once per round, in turn, so that a noisy minute hits all of them."""
    found: dict[str, list[float]] = {name: [] for name in variants}
    for _ in range(rounds):
        for name, variant in variants.items():
            gc.collect()
            started = time.perf_counter()
            units = variant()
            found[name].append(units / (time.perf_counter() - started))
    return {name: Rate(name, tuple(rates)) for name, rates in found.items()}


def verdict(what: str, ratio: float, target: float) -> bool:
    """Print a ratio beside its target; True where it is reached."""
    reached = ratio >= target
    print(
        f"  {'ok  ' if reached else 'MISS'} {what}: {ratio:.2f} × (target: at least {target} ×)"
    )
    return reached


def peak_mib() -> float:
    """Peak resident memory of this process, MiB.

    Linux passes `ru_maxrss` on through fork and exec, so a child would begin with its parent's
    peak; `VmHWM` is the process's own.
    """
    if STATUS.exists():
        found = re.search(r"^VmHWM:\s+(\d+) kB$", STATUS.read_text(), re.MULTILINE)
        if found:
            return int(found[1]) / 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)


def tree_seconds(root: int) -> float:
    """Processor time so far of a living process and its living descendants; 0 without /proc."""
    parents: dict[int, int] = {}
    used: dict[int, float] = {}
    for file in PROCESSES.glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended
            pid, rest = int(file.parent.name), file.read_text().rpartition(")")[2].split()
            parents[pid] = int(rest[1])
            used[pid] = (int(rest[11]) + int(rest[12])) / os.sysconf("SC_CLK_TCK")
    tree = {root}
    while more := {pid for pid, parent in parents.items() if parent in tree} - tree:
        tree |= more
    return sum(used.get(pid, 0.0) for pid in tree)


def server_seconds(client: redis.Redis) -> float:
    """Processor time of the server so far."""
    used: Any = client.info("cpu")
    return float(used["used_cpu_sys"]) + float(used["used_cpu_user"])
