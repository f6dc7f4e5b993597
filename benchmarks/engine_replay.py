"""`downloads` rebuilt from Kafka into Valkey over TCP, as `benchmarks.replay` does it."""

from benchmarks.engine_projection import fill
from benchmarks.engine_stage import laid_out
from benchmarks.measure import tree_seconds
from benchmarks.options import Options
from benchmarks.projection import SHARDS
from benchmarks.replay import HOUSEHOLDS, measure
from stack.engines import Stack


def run(stack: Stack, options: Options) -> bool:
    """The same, with broker and view store in processes of their own."""
    households = options.scaled(HOUSEHOLDS)
    engines = laid_out(stack, "replay", shards=SHARDS)
    with engines.opened_log() as log:
        events = fill(log, options, households)
    print(f"\nreplay: {events:,} events of {households:,} households, {SHARDS} shards")
    brokers = [server for server in stack.processes if server.name.startswith("kafka")]
    return measure(
        engines.settings, options, lambda: sum(tree_seconds(one.pid) for one in brokers)
    )
