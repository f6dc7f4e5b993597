"""The telemetry of a deployment that is watched: metrics always, traces where wanted."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from airside.log import Log, Publisher, Source
from airside.running import Role
from airside.telemetry.metrics import Metrics
from airside.telemetry.producing import WatchedLog
from airside.telemetry.read_side import (
    Watched,
    WatchedEvents,
    WatchedViewStore,
    WorkerViewStore,
)
from airside.telemetry.roles import watched_role
from airside.telemetry.standing import OfGeneration
from airside.telemetry.write_side import (
    Desk,
    WatchedCommands,
    WatchedEventStore,
    WatchedPublisher,
)
from commands.event_store import EventStore
from commands.log import CommandSource, EventPublisher
from projectors.log import EventSource
from projectors.read_side import ReadSide
from projectors.view_store import Generation, ViewStore

if TYPE_CHECKING:
    from airside.telemetry.tracing import Tracing


class Watching:
    """See `airside.telemetry.port.Telemetry`. `clock` tells ms: the deployment's.

    The casts say what a checker cannot see: a method that a watched part does not have itself
    is that of the part behind it.
    """

    def __init__(self, clock: Callable[[], int], tracing: "Tracing | None" = None) -> None:
        self.metrics = Metrics(clock)
        self.tracing = tracing
        self._clock = clock
        self._desks: dict[int, Desk] = {}  # by shard
        self._commands: dict[int, Source] = {}  # by shard; of the handler's thread
        self._events: dict[tuple[str, int], Source] = {}  # of the projector's

    def event_store(self, store: EventStore) -> EventStore:
        """The event store of a handler's role."""
        return cast(EventStore, WatchedEventStore(store, self.metrics.handler, self._desk))

    def commands(self, shard: int, source: Source) -> CommandSource:
        """The commands of a shard that a handler takes up."""
        traces = None if self.tracing is None else self.tracing.commands(shard)
        desk = self._desks[shard] = Desk(self.metrics.handler, self._clock, traces)
        self._commands[shard] = source
        self.metrics.standing.handled[shard] = desk.place

        def left() -> None:
            del self._desks[shard], self._commands[shard]
            del self.metrics.standing.handled[shard]

        return cast(CommandSource, WatchedCommands(source, desk, self.metrics.log, left))

    def publisher(
        self, shard: int, opened: Callable[[], Publisher]
    ) -> Callable[[], EventPublisher]:
        """How a shard's handler opens its publisher of events."""
        return lambda: WatchedPublisher(opened(), self._desk(shard), self.metrics.log)

    def read_side(self, side: ReadSide) -> ReadSide:
        """What projectors and builders run on."""
        metrics, standing = self.metrics, self.metrics.standing
        calls = WatchedViewStore(side.store, metrics.projector, standing)

        def watch(
            generation: Generation, shard: int, source: EventSource
        ) -> tuple[EventSource, ViewStore]:
            one = OfGeneration(generation, shard)
            traces = None
            if self.tracing is not None:
                traces = self.tracing.events(generation, shard, self._clock)
            watched = Watched(one, metrics.projector, self._clock, traces)
            opened = cast(Source, source)
            standing.projected[one.key] = one
            self._events[one.key] = opened

            def left() -> None:
                standing.leave(one)
                if self._events.get(one.key) is opened:
                    del self._events[one.key]

            events = WatchedEvents(opened, watched, metrics.log, left)
            rows = WorkerViewStore(side.store, calls, watched)
            return cast(EventSource, events), cast(ViewStore, rows)

        return replace(side, store=cast(ViewStore, calls), watch=watch)

    def appending(self, log: Log) -> Log:
        """The log that a producer of commands appends to."""
        return cast(Log, WatchedLog(log, self.metrics.log, self.tracing))

    def role(
        self, name: str, opening: AbstractContextManager[Role]
    ) -> AbstractContextManager[Role]:
        """A role, from when it is opened until it is closed."""
        looks = {"handler": self._look_at_commands, "projector": self._look_at_events}
        return watched_role(name, opening, self.metrics, looks.get(name, _nothing))

    def _desk(self, shard: int) -> Desk:
        return self._desks[shard]

    def _look_at_commands(self) -> None:
        """In the thread of the handlers, as their sources want it. Raises: Unavailable."""
        for shard, source in self._commands.items():
            self.metrics.standing.handled[shard].look(source.end(), self._clock())

    def _look_at_events(self) -> None:
        """In the thread of the projectors; once for all that read the same shard."""
        ends: dict[int, int] = {}
        for key, source in self._events.items():
            one = self.metrics.standing.projected[key]
            if one.shard not in ends:
                ends[one.shard] = source.end()
            one.place.look(ends[one.shard], self._clock())


def _nothing() -> None:
    """Of no topic."""
