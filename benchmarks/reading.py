"""The read side as the benchmarks run it: new generations, and the workers that build them."""

from collections.abc import Iterable, Sequence
from typing import Any

from airside.adapters.redis_view_store import RedisViewStore
from airside.log import Log
from airside.projecting import ROWS_MAX
from airside.wiring import wall_clock
from projectors.all import PROJECTIONS
from projectors.fingerprint import fold_fingerprint
from projectors.pace import LIVE, Bounds
from projectors.projection import Projection
from projectors.view_store import Generation, Registry
from projectors.worker import ShardProjector
from schemas.codec import CODEC
from schemas.record import EVENTS_TOPIC

Worker = ShardProjector[Any]


def workers_of(
    projections: Iterable[Projection[Any]],
    store: RedisViewStore,
    log: Log,
    shards: int,
    bounds: Bounds = LIVE,
) -> list[Worker]:
    """A worker for every shard of a new generation of each."""
    workers = []
    for projection in projections:
        before = store.registry(projection.name)
        fingerprint = fold_fingerprint(projection, CODEC)
        fresh = Generation(projection.name, before.revision + 1, fingerprint, wall_clock())
        listed = (*before.generations, fresh)
        store.change_registry(projection.name, before.revision, Registry(generations=listed))
        workers += [
            ShardProjector(
                projection,
                fresh,
                shard,
                codec=CODEC,
                store=store,
                source=log.source(EVENTS_TOPIC, shard),
                clock=wall_clock,
                fingerprint=fingerprint,
                bounds=bounds,
                rows_max=ROWS_MAX // (shards * len(PROJECTIONS)),
            )
            for shard in range(shards)
        ]
    return workers


def fold_all(workers: Sequence[Worker]) -> int:
    """Step all of them in turn until nothing is left; how many events each generation has."""
    while sum(worker.step() for worker in workers) or any(worker.lag > 0 for worker in workers):
        pass
    generations = {worker.generation.name for worker in workers}
    folded = sum(worker.checkpoint.seq for worker in workers)
    return folded // len(generations)
