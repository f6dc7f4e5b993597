"""`python -m benchmarks.engines [NAME…]`: the pipeline on real Kafka, Cassandra and Valkey.

Servers, load and pipeline share this machine's cores. Cassandra writes its commit log to disk
every ten seconds, as it comes: with three replicas that is what people run. What the figures
mean: docs/decisions/0011.
"""

import sys
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from airside.running import collect_rarely
from benchmarks import (
    engine_handling,
    engine_latency,
    engine_projection,
    engine_replay,
    engine_resume,
)
from benchmarks.command import parsed, run
from stack.engines import Stack

PARTS = {
    "handling": engine_handling.run,
    "resume": engine_resume.run,
    "projection": engine_projection.run,
    "replay": engine_replay.run,
    "latency": engine_latency.run,
}


def main() -> int:
    """Start the engines once, run all parts on them; the exit code."""
    collect_rarely()  # as a role's process does
    asked = parsed("python -m benchmarks.engines", __doc__, PARTS)
    with (
        TemporaryDirectory(prefix=".airside-stack-", dir=".") as folder,
        Stack(Path(folder), for_speed=True) as stack,
    ):
        return run(asked, {name: partial(part, stack) for name, part in PARTS.items()})


if __name__ == "__main__":
    sys.exit(main())
