"""The command line of benchmarks: which ones, how many rounds; exits 1 where one misses."""

import argparse
import os
import platform
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks.options import ROUNDS, ROUNDS_QUICK, Options

Benchmark = Callable[[Options], bool]
"""Measures, prints, and says whether its targets were reached."""


def run(asked: argparse.Namespace, benchmarks: Mapping[str, Benchmark]) -> int:
    """Run what was asked for, one after the other; the exit code."""
    rounds = asked.rounds or (ROUNDS_QUICK if asked.quick else ROUNDS)
    print(
        f"Python {platform.python_version()}, {os.cpu_count()} cores; medians of {rounds} "
        "alternating rounds. Ratios are comparable, absolute figures are this machine's."
    )
    missed = []
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(
        prefix=".airside-bench-", dir=os.environ.get("TMPDIR", ".")
    ) as folder:
        for name in asked.names or benchmarks:
            own = Path(folder, name)
            own.mkdir()
            if not benchmarks[name](Options(own, rounds, asked.quick)):
                missed.append(name)
    print(f"\n{time.monotonic() - begun:.0f} s in all.")
    if missed:
        print(f"Targets missed: {', '.join(missed)}.")
    return 1 if missed else 0


def parsed(prog: str, doc: str | None, names: Mapping[str, object]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog=prog, description=doc)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(names))
    parser.add_argument("--rounds", type=int, help=f"default {ROUNDS}")
    parser.add_argument("--quick", action="store_true", help="less work, fewer rounds")
    asked = parser.parse_args()
    if unknown := [name for name in asked.names if name not in names]:
        parser.error(f"no benchmark {unknown[0]}; there are {', '.join(names)}")
    return asked
