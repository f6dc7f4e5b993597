"""A read side in memory, with a history that tests write and a clock that they move."""

from collections.abc import Sequence
from typing import Any

from msgspec import structs

from airside.adapters.memory_log import MemoryLog
from projectors.fingerprint import fold_fingerprint
from projectors.generations import ensure_serving, promote, serving, standby
from projectors.pace import COUNT_MAX, PIECE, SAVE_BYTES, Bounds
from projectors.projection import Projection
from projectors.read_side import ReadSide
from projectors.replay import Replayed, Wish, replay
from projectors.view_store import Checkpoint, Generation, ParkedEvent, Registry, ViewStore
from projectors.worker import ShardProjector
from schemas.codec import CODEC
from schemas.envelope import Event
from schemas.record import EVENTS_TOPIC
from tests.kit.faults import FaultyViewStore
from tests.kit.tallies import TALLIES, erasure, plan_changed

COMMAND_ID = "0" * 32
START_AT = 1_800_000_000_000


class Bench:
    """One shard of events, and everything around a worker that reads them."""

    def __init__(
        self,
        projection: Projection[Any],
        shards: int = 1,
        store: type[FaultyViewStore] = FaultyViewStore,
    ) -> None:
        self.projection = projection
        self.now_at = START_AT
        self.log = MemoryLog(lambda: self.now_at)
        self.log.create_topic(EVENTS_TOPIC, shards)
        self.store = store()
        self.history: list[list[Event]] = [[] for _ in range(shards)]
        self.read_side = ReadSide(
            codec=CODEC,
            store=self.store,
            shards=shards,
            source=lambda shard: self.log.source(EVENTS_TOPIC, shard),
            clock=lambda: self.now_at,
            sleep=lambda seconds: None,
        )
        self.fingerprint = fold_fingerprint(projection, CODEC)
        registry = ensure_serving(
            self.store,
            projection.name,
            fingerprint=self.fingerprint,
            history="",
            now_at=self.now_at,
        )
        self.live = serving(registry)

    def store_events(self, *events: Event, shard: int = 0) -> list[Event]:
        """Add events to the history, without publishing them."""
        seq = len(self.history[shard])
        stored = [
            structs.replace(event, seq=seq + n, at=START_AT + seq + n, command_id=COMMAND_ID)
            for n, event in enumerate(events, 1)
        ]
        self.history[shard].extend(stored)
        return stored

    def publish(self, *events: Event, shard: int = 0) -> list[Event]:
        """Add events to the history and to the topic."""
        stored = self.store_events(*events, shard=shard)
        self.append(*stored, shard=shard)
        return stored

    def append(self, *stored: Event, shard: int = 0) -> None:
        """Put events that have a seq on the topic; perhaps again, perhaps out of order."""
        records = [(event.account_id.encode(), CODEC.encode(event)) for event in stored]
        self.append_raw(*records, shard=shard)

    def append_raw(self, *records: tuple[bytes | None, bytes | None], shard: int = 0) -> None:
        """Put any bytes on the topic."""
        self.log.append(EVENTS_TOPIC, shard, records)

    def fill(self, after_seq: int, count_max: int) -> Sequence[tuple[bytes, bytes]]:
        """What the event store would answer, for shard 0."""
        found = self.history[0][after_seq : after_seq + count_max]
        return [(event.account_id.encode(), CODEC.encode(event)) for event in found]

    def worker(
        self,
        generation: Generation | None = None,
        *,
        shard: int = 0,
        batch_max: int = COUNT_MAX,
        piece: int = PIECE,
        **options: Any,
    ) -> ShardProjector[Any]:
        """A worker of the live generation, or of another."""
        bounds = Bounds(batch_max, SAVE_BYTES, piece)
        given: dict[str, Any] = {"fingerprint": self.fingerprint, "bounds": bounds, **options}
        return ShardProjector(
            self.projection,
            generation or self.live,
            shard,
            codec=CODEC,
            store=self.store,
            source=self.read_side.source(shard),
            clock=lambda: self.now_at,
            **given,
        )

    def replay(self, **options: Any) -> Replayed:
        """Rebuild the projection."""
        return replay(self.projection, self.read_side, **options)

    def wish(self, **wanted: Any) -> Wish:
        """What is wanted of a replay."""
        return Wish(**wanted)

    def served(self) -> Generation:
        """The generation that queries would read."""
        return serving(self.store.registry(self.projection.name))

    def rows(self, generation: Generation | None = None, shard: int = 0) -> dict[str, bytes]:
        """Every row of a shard."""
        generation = generation or self.live
        keys = list(self.store.keys(generation, shard))
        found = self.store.rows(generation, shard, keys).rows
        return {key: row for key, row in found.items() if row is not None}

    def checkpoint(self, generation: Generation | None = None, shard: int = 0) -> Checkpoint:
        """Where the store says that a shard stands."""
        return self.store.rows(generation or self.live, shard, ()).checkpoint

    def parked(self, generation: Generation | None = None) -> list[ParkedEvent]:
        """What is parked in shard 0."""
        return self.store.parked(generation or self.live, 0)


def rolled_back(store: ViewStore, projection: str, *, now_at: int) -> Registry:
    """Serve again what was served before."""
    registry = store.registry(projection)
    before = standby(registry)
    assert before is not None, "nothing stands by"
    return promote(store, before, serving=registry.serving, now_at=now_at)


def drain(worker: ShardProjector[Any], steps_max: int = 200) -> None:
    """Step until the worker has seen everything, through fences and losses."""
    for _ in range(steps_max):
        if not worker.step() and (worker.halted or not worker.lag):
            return
    raise AssertionError(f"{worker.name} is not done after {steps_max} steps")


def two_shards() -> Bench:
    """Two shards of tallies, 300 and 3 events, 40 and 1 rows, and a live generation of them."""
    bench = Bench(TALLIES, shards=2)
    bench.publish(*(plan_changed(f"a{n % 40}") for n in range(300)), shard=0)
    bench.publish(plan_changed("b"), plan_changed("c"), erasure("b"), shard=1)
    drain(bench.worker(shard=0))
    drain(bench.worker(shard=1))
    return bench
