"""What projections run on: a codec, a view store, the events topic, a clock."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from projectors.holes import Fill
from projectors.log import EventSource
from projectors.pace import BUILDING, LIVE, Bounds
from projectors.projection import Projection
from projectors.rows import ROWS_MAX
from projectors.view_store import Generation, ViewStore
from projectors.worker import ShardProjector
from schemas.codec import Codec

V = TypeVar("V")

Watch = Callable[[Generation, int, EventSource], tuple[EventSource, ViewStore]]
"""A source that was opened for this shard of this generation, and the store, to be worked with
in place of those that are watched."""


@dataclass(frozen=True, slots=True)
class ReadSide:
    """Given by wiring, once. `source` and `fill` are asked for one shard each."""

    codec: Codec
    store: ViewStore
    shards: int
    source: Callable[[int], EventSource]
    clock: Callable[[], int]  # ms
    sleep: Callable[[float], None]  # seconds
    fill: Callable[[int], Fill] | None = None  # the event store's history of a shard
    rows_max: int = ROWS_MAX  # that each worker keeps in memory
    building: Bounds = BUILDING  # of what a builder saves at once
    history: str = ""  # the id of the event store; empty: not said
    watch: Watch | None = None  # what each worker reads and writes through

    def projector(
        self,
        projection: Projection[V],
        generation: Generation,
        shard: int,
        fingerprint: str,
        bounds: Bounds = LIVE,
    ) -> ShardProjector[V]:
        """A worker for one shard; close it when done."""
        source, store = self.source(shard), self.store
        if self.watch is not None:
            source, store = self.watch(generation, shard, source)
        return ShardProjector(
            projection,
            generation,
            shard,
            codec=self.codec,
            store=store,
            source=source,
            clock=self.clock,
            fingerprint=fingerprint,
            fill=None if self.fill is None else self.fill(shard),
            rows_max=self.rows_max,
            bounds=bounds,
        )
