"""`python -m benchmarks [NAME…] [--rounds N] [--quick]`: ratios within one run.

Exits 1 where a target is missed. What the figures mean: docs/decisions/0008. On real engines:
`python -m benchmarks.engines`.
"""

import sys

from benchmarks import commit, handler, memory, projection
from benchmarks.command import Benchmark, parsed, run

BENCHMARKS: dict[str, Benchmark] = {
    "handler": handler.run,
    "projection": projection.run,
    "commit": commit.run,
    "memory": memory.run,
}

sys.exit(run(parsed("python -m benchmarks", __doc__, BENCHMARKS), BENCHMARKS))
