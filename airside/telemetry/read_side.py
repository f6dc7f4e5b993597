"""The projector's ports, watched: the same, and how long it took and where it led."""

from collections.abc import Callable, Mapping, Sequence
from time import perf_counter
from typing import TYPE_CHECKING, Any

from airside.log import Source
from airside.telemetry.metrics import LogMetrics, ProjectorMetrics
from airside.telemetry.standing import OfGeneration, Standing
from projectors.stored_shard import Pending, PipelinedStore
from projectors.view_store import (
    Checkpoint,
    Generation,
    ParkedEvent,
    Registry,
    Rows,
    ViewStore,
)
from schemas.errors import AirsideError
from schemas.record import EVENTS_TOPIC, Record

if TYPE_CHECKING:
    from airside.telemetry.event_traces import EventTraces


class WatchedViewStore:
    """A view store whose calls are timed and counted; what is not here passes through."""

    def __init__(self, store: ViewStore, metrics: ProjectorMetrics, standing: Standing) -> None:
        self._store, self._metrics, self._standing = store, metrics, standing

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def registry(self, projection: str) -> Registry:
        """As `ViewStore.registry`."""
        with self._metrics.store.call("registry"):
            found = self._store.registry(projection)
        self._standing.learn(projection, found)
        return found

    def change_registry(self, projection: str, expected: int, registry: Registry) -> None:
        """As `ViewStore.change_registry`."""
        with self._metrics.store.call("change_registry"):
            self._store.change_registry(projection, expected, registry)
        self._standing.learn(projection, registry)

    def rows(self, generation: Generation, shard: int, keys: Sequence[str]) -> Rows:
        """As `ViewStore.rows`."""
        if keys:
            self._metrics.read.labels(generation.projection).inc(len(keys))
        with self._metrics.store.call("rows"):
            return self._store.rows(generation, shard, keys)


class Watched:
    """What is known of one shard of a generation: between its worker's source and store."""

    def __init__(
        self,
        one: OfGeneration,
        metrics: ProjectorMetrics,
        clock: Callable[[], int],
        traces: "EventTraces | None" = None,
    ) -> None:
        self.one, self.traces = one, traces
        self._metrics, self._clock = metrics, clock
        projection = one.generation.projection
        self._folded = metrics.folded.labels(projection)
        self._saved = metrics.saved.labels(projection)
        self._age = metrics.age.labels(projection)

    def read(self, checkpoint: Checkpoint) -> None:
        """The store says that the shard is here; nothing else of it is known."""
        self._stands(checkpoint)

    def saved(self, before: Checkpoint, after: Checkpoint, rows: int, seconds: float) -> None:
        """The worker brought it from one to the other."""
        self._metrics.store.took("save", seconds)
        self._folded.inc(after.seq - before.seq)
        self._saved.inc(rows)
        if after.seq > before.seq:
            self._age.observe(max(0, self._clock() - after.at) / 1_000)
        self._stands(after)
        if self.traces is not None:
            self.traces.saved(after.offset)

    def failed(self, error: AirsideError) -> None:
        """A save was refused, or nobody knows yet."""
        self._metrics.store.failed("save", error)
        if self.traces is not None:
            self.traces.dropped()

    def parked(self, count: int) -> None:
        """So many more events are parked."""
        if count:
            self.one.place.parked += count
            self._metrics.parked.labels(self.one.generation.projection).inc(count)

    def _stands(self, checkpoint: Checkpoint) -> None:
        place = self.one.place
        place.seq, place.next_offset = checkpoint.seq, checkpoint.offset
        place.at = max(place.at, checkpoint.at)


class WorkerViewStore:
    """The view store as one worker sees it: it moves one shard of one generation.

    `calls` is the same store, watched already.
    """

    def __init__(self, store: ViewStore, calls: WatchedViewStore, watched: Watched) -> None:
        self._store, self._calls, self._watched = store, calls, watched

    def __getattr__(self, name: str) -> Any:
        return getattr(self._calls, name)

    def rows(self, generation: Generation, shard: int, keys: Sequence[str]) -> Rows:
        """As `ViewStore.rows`."""
        found = self._calls.rows(generation, shard, keys)
        self._watched.read(found.checkpoint)
        return found

    def parked(self, generation: Generation, shard: int) -> list[ParkedEvent]:
        """As `ViewStore.parked`."""
        found = self._store.parked(generation, shard)
        self._watched.one.place.parked = len(found)
        return found

    def save(
        self,
        generation: Generation,
        shard: int,
        *,
        expected: Checkpoint,
        checkpoint: Checkpoint,
        rows: Mapping[str, bytes | None],
        parked: Sequence[ParkedEvent] = (),
    ) -> None:
        """As `ViewStore.save`."""
        self.begin_save(
            generation,
            shard,
            expected=expected,
            checkpoint=checkpoint,
            rows=rows,
            parked=parked,
        ).wait()

    def begin_save(
        self,
        generation: Generation,
        shard: int,
        *,
        expected: Checkpoint,
        checkpoint: Checkpoint,
        rows: Mapping[str, bytes | None],
        parked: Sequence[ParkedEvent] = (),
    ) -> Pending:
        """As `PipelinedStore.begin_save`; where the store is none, it is done by then."""
        began, store = perf_counter(), self._store
        save = store.begin_save if isinstance(store, PipelinedStore) else store.save
        try:
            pending: Pending | None = save(
                generation,
                shard,
                expected=expected,
                checkpoint=checkpoint,
                rows=rows,
                parked=parked,
            )
        except AirsideError as error:
            self._watched.failed(error)
            raise
        what = (expected, checkpoint, len(rows), len(parked))
        return WatchedSave(pending, self._watched, what, began)


class WatchedSave:
    """A save under way."""

    def __init__(
        self,
        pending: Pending | None,
        watched: Watched,
        what: tuple[Checkpoint, Checkpoint, int, int],
        began: float,
    ) -> None:
        self._pending, self._watched, self._what = pending, watched, what
        self._began = began

    def wait(self) -> None:
        """As `Pending.wait`."""
        before, after, rows, parked = self._what
        try:
            if self._pending is not None:
                self._pending.wait()
        except AirsideError as error:
            self._watched.failed(error)
            raise
        self._watched.saved(before, after, rows, perf_counter() - self._began)
        self._watched.parked(parked)


class WatchedEvents:
    """The events of a shard, as one worker reads them, from when it is opened until closed."""

    def __init__(
        self, source: Source, watched: Watched, log: LogMetrics, left: Callable[[], None]
    ) -> None:
        self._source, self._watched, self._log, self._left = source, watched, log, left
        self._poll = source.poll
        if watched.traces is not None:
            source.traces = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)

    def seek(self, offset: int) -> None:
        """As `EventSource.seek`."""
        if self._watched.traces is not None:
            self._watched.traces.dropped()
        self._source.seek(offset)

    def poll(self, count_max: int, wait_seconds: float) -> list[Record]:
        """As `EventSource.poll`."""
        try:
            found = self._poll(count_max, wait_seconds)
        except AirsideError as error:
            self._log.errors.labels(EVENTS_TOPIC, "poll", type(error).__name__).inc()
            raise
        traces = self._watched.traces
        if traces is not None and found and self._source.traces:
            traces.polled(found, self._source.traces)
        return found

    def close(self) -> None:
        """As `EventSource.close`."""
        self._left()
        self._source.close()
