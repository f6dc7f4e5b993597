"""`python -m benchmarks [NAME…] [--rounds N] [--quick]`: ratios within one run.

Exits 1 where a target is missed. What the figures mean: docs/decisions/0008.
"""

import argparse
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks import commit, handler, memory, projection
from benchmarks.options import ROUNDS, ROUNDS_QUICK, Options

BENCHMARKS: dict[str, Callable[[Options], bool]] = {
    "handler": handler.run,
    "projection": projection.run,
    "commit": commit.run,
    "memory": memory.run,
}


def main() -> int:
    """Run what was asked for, one after the other."""
    asked = parsed()
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
        for name in asked.names or BENCHMARKS:
            own = Path(folder, name)
            own.mkdir()
            if not BENCHMARKS[name](Options(own, rounds, asked.quick)):
                missed.append(name)
    print(f"\n{time.monotonic() - begun:.0f} s in all.")
    if missed:
        print(f"Targets missed: {', '.join(missed)}.")
    return 1 if missed else 0


def parsed() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--rounds", type=int, help=f"default {ROUNDS}")
    parser.add_argument("--quick", action="store_true", help="less work, fewer rounds")
    asked = parser.parse_args()
    if unknown := [name for name in asked.names if name not in BENCHMARKS]:
        parser.error(f"no benchmark {unknown[0]}; there are {', '.join(BENCHMARKS)}")
    return asked


sys.exit(main())
