"""The handler's ports, watched: they do the same, and note how long it took and where it led.

Each class has the methods of its port that are worth watching. All others pass through as they
are, which a type checker cannot see: hence the casts in `watching.py`, which makes these.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from time import perf_counter
from typing import TYPE_CHECKING, Any

from airside.log import Publisher, Source
from airside.telemetry.metrics import HandlerMetrics, LogMetrics
from airside.telemetry.standing import Place
from commands.event_store import Commit, EventStore, Loaded, Position, Resumed, Snapshot
from schemas.errors import AirsideError
from schemas.record import COMMANDS_TOPIC, EVENTS_TOPIC, Record

if TYPE_CHECKING:
    from airside.telemetry.command_traces import CommandTraces


class Desk:
    """What is known of one shard that a handler has: between its source, store, publisher."""

    def __init__(
        self,
        metrics: HandlerMetrics,
        clock: Callable[[], int],
        traces: "CommandTraces | None" = None,
    ) -> None:
        self.place, self.traces = Place(), traces
        self._number = 0  # of the last commit
        self._metrics, self._clock = metrics, clock
        self._polled: deque[tuple[int, int]] = deque()  # first offset and time of each poll
        self._began = 0.0  # the commit under way

    def resumed(self, resumed: Resumed) -> None:
        """The handler goes on from here."""
        self._polled.clear()
        self._stands(resumed.position)
        if self.traces is not None:
            self.traces.dropped()

    def polled(self, records: Sequence[Record], traces: Mapping[int, str] | None) -> None:
        """Some were taken from the topic."""
        self._polled.append((records[0][0], records[0][1]))
        self.place.at = records[-1][1]
        if self.traces is not None and traces:
            self.traces.polled(records, traces)

    def begun(self, commit: Commit) -> None:
        """A commit is under way."""
        self._began = perf_counter()
        if self.traces is not None:
            self.traces.begun(commit)

    def committed(self, commit: Commit) -> None:
        """It stands."""
        metrics = self._metrics
        if self._began:
            metrics.store.took("commit", perf_counter() - self._began)
        self._began = 0.0
        metrics.events.inc(len(commit.events))
        metrics.commit_events.observe(len(commit.events))
        first_at = None
        while self._polled and self._polled[0][0] < commit.next_offset:
            at = self._polled.popleft()[1]
            first_at = at if first_at is None else first_at
        if first_at is not None:
            metrics.age.observe(max(0, self._clock() - first_at) / 1_000)
        self._stands(commit.position)
        if self.traces is not None:
            self.traces.committed(commit)

    def failed(self, error: AirsideError) -> None:
        """The commit under way was refused, or nobody knows yet."""
        self._metrics.store.failed("commit", error)
        if self.traces is not None:
            self.traces.failed(error)

    def settled(self, number: int) -> None:
        """Commits up to this one are indexed and published."""
        self.place.unsettled = max(0, self._number - number)

    def _stands(self, position: Position) -> None:
        self.place.seq, self.place.next_offset = position.seq, position.next_offset
        self._number = position.number
        self.settled(position.settled)


class WatchedEventStore:
    """Of one role. `desks` are its shards'."""

    def __init__(
        self, store: EventStore, metrics: HandlerMetrics, desk: Callable[[int], Desk]
    ) -> None:
        self._store, self._metrics, self._desk = store, metrics, desk

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def resume(self, shard: int) -> Resumed:
        """As `EventStore.resume`."""
        with self._metrics.store.call("resume"):
            found = self._store.resume(shard)
        self._desk(shard).resumed(found)
        return found

    def load(self, account_ids: Sequence[str], fingerprint: str) -> Mapping[str, Loaded]:
        """As `EventStore.load`."""
        self._metrics.loaded.inc(len(account_ids))
        with self._metrics.store.call("load"):
            return self._store.load(account_ids, fingerprint)

    def load_ahead(
        self, account_ids: Sequence[str], fingerprint: str
    ) -> Callable[[], Mapping[str, Loaded]]:
        """As `EventStore.load_ahead`; who is waited for less is not timed."""
        answer = self._store.load_ahead(account_ids, fingerprint)

        def heard() -> Mapping[str, Loaded]:
            found = answer()
            self._metrics.loaded.inc(len(found))
            return found

        return heard

    def begin_commit(self, commit: Commit) -> None:
        """As `EventStore.begin_commit`."""
        self._desk(commit.shard).begun(commit)
        self._store.begin_commit(commit)

    def commit(self, commit: Commit) -> None:
        """As `EventStore.commit`."""
        desk = self._desk(commit.shard)
        try:
            self._store.commit(commit)
        except AirsideError as error:
            desk.failed(error)
            raise
        desk.committed(commit)

    def landed(self, commit: Commit) -> bool:
        """As `EventStore.landed`; yes is as good as an answer to `commit`."""
        with self._metrics.store.call("landed"):
            found = self._store.landed(commit)
        if found:
            self._desk(commit.shard).committed(commit)
        return found

    def settle(self, shard: int, number: int) -> None:
        """As `EventStore.settle`."""
        with self._metrics.store.call("settle"):
            self._store.settle(shard, number)
        self._desk(shard).settled(number)

    def save_snapshots(self, snapshots: Iterable[Snapshot]) -> None:
        """As `EventStore.save_snapshots`."""
        with self._metrics.store.call("save_snapshots"):
            self._store.save_snapshots(snapshots)


class WatchedCommands:
    """The commands of a shard, from when it is taken up until it is left."""

    def __init__(
        self, source: Source, desk: Desk, log: LogMetrics, left: Callable[[], None]
    ) -> None:
        self._source, self._desk, self._log, self._left = source, desk, log, left
        self._poll = source.poll
        if desk.traces is not None:
            source.traces = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)

    def poll(self, count_max: int, wait_seconds: float) -> list[Record]:
        """As `CommandSource.poll`."""
        try:
            found = self._poll(count_max, wait_seconds)
        except AirsideError as error:
            name = type(error).__name__
            self._log.errors.labels(COMMANDS_TOPIC, "poll", name).inc()
            raise
        if found:
            self._desk.polled(found, self._source.traces)
        return found

    def close(self) -> None:
        """As `CommandSource.close`."""
        self._left()
        self._source.close()


class WatchedPublisher:
    """A publisher of events: its failures are counted, its records carry traces."""

    def __init__(self, publisher: Publisher, desk: Desk, log: LogMetrics) -> None:
        self._publisher, self._desk, self._log = publisher, desk, log

    def send(self, records: Sequence[tuple[bytes, bytes]]) -> None:
        """As `EventPublisher.send`."""
        traces = self._desk.traces
        self._publisher.send(records, None if traces is None else traces.sending(records))

    def acknowledged(self) -> int:
        """As `EventPublisher.acknowledged`."""
        try:
            count = self._publisher.acknowledged()
        except AirsideError as error:
            name = type(error).__name__
            self._log.errors.labels(EVENTS_TOPIC, "publish", name).inc()
            raise
        if self._desk.traces is not None:
            self._desk.traces.acknowledged(count)
        return count

    def close(self) -> None:
        """As `EventPublisher.close`."""
        if self._desk.traces is not None:
            self._desk.traces.closed()
        self._publisher.close()
