"""`python -m benchmarks.service [NAME …] [--rounds N] [--quick]`: questions over HTTP.

Rows are in the embedded Valkey; the servers and the load are processes of their own.
What the figures mean: docs/decisions/0014-http.md.
"""

import sys
from collections.abc import Callable
from contextlib import closing
from statistics import median

from airside.adapters.embedded_valkey import EmbeddedValkey
from benchmarks.command import parsed, run
from benchmarks.measure import verdict
from benchmarks.options import Options
from benchmarks.service_live import streaming, waking
from benchmarks.service_load import CONNECTIONS, Load, load
from benchmarks.service_stage import Server, Stage, serving_plainly, serving_rows

OF_STATIC, OF_PLAIN = 0.5, 3.0
SECONDS = 6.0
BY_KEY = "/v1/projections/downloads/rows/{account}?account_id={account}"


def by_key(options: Options) -> bool:
    """The stored row by its key, against a static body and against one GET per request."""
    with (
        EmbeddedValkey(options.folder) as views,
        closing(Stage(options.folder, views.url)) as stage,
        serving_rows(stage) as service,
        serving_plainly(stage) as plain,
    ):
        size = len(stage.body())
        print(f"\nby key: rows of {size} bytes, {CONNECTIONS} connections")
        runs: dict[str, Callable[[], tuple[Load, float]]] = {
            "one awaited GET a request": lambda: _run(plain, "/get/{account}", stage, options),
            "the same bytes every time": lambda: _run(plain, "/static", stage, options),
            "airside serve, the stored row": lambda: _run(service, BY_KEY, stage, options),
        }
        found = {name: [one() for _ in range(1)] for name, one in runs.items()}
        for _ in range(options.rounds - 1):
            for name, one in runs.items():
                found[name].append(one())
    get, static, row = (_report(name, rounds) for name, rounds in found.items())
    reached = verdict("by key to a static body", row / static, OF_STATIC)
    return verdict("by key to one GET a request", row / get, OF_PLAIN) and reached


def live(options: Options) -> bool:
    """Waiting for a version, and a thousand event streams."""
    with (
        EmbeddedValkey(options.folder) as views,
        closing(Stage(options.folder, views.url)) as stage,
        serving_rows(stage) as service,
    ):
        reached = waking(stage, service, options)
        return streaming(stage, service, options) and reached


def _run(server: Server, path: str, stage: Stage, options: Options) -> tuple[Load, float]:
    """One run, and processor time of the server for each answer, in µs."""
    seconds = SECONDS / (3 if options.quick else 1)
    before = server.cpu_seconds()
    found = load(f"{server.url}{path}", stage.token, seconds, options.folder)
    assert not found.failed, f"{found.failed} requests failed at {path}"
    return found, (server.cpu_seconds() - before) / found.count * 1e6


def _report(name: str, rounds: list[tuple[Load, float]]) -> float:
    rate = median(one.rate for one, _ in rounds)
    p50, p99 = median(o.p50_ms for o, _ in rounds), median(o.p99_ms for o, _ in rounds)
    cpu = median(cpu for _, cpu in rounds)
    print(
        f"  {name:<40}{rate:>9,.0f}/s   p50 {p50:.1f} ms   p99 {p99:.1f} ms   CPU {cpu:.0f} µs"
    )
    return rate


if __name__ == "__main__":
    benchmarks = {"by-key": by_key, "live": live}
    sys.exit(run(parsed("benchmarks.service", __doc__, benchmarks), benchmarks))
