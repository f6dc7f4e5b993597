"""What a deployment tells its telemetry, and the telemetry that nobody listens to.

Metrics and traces are taken at the ports: each method gets a part of the pipeline and gives one
that does the same and is watched. So rules, folds, handler and worker know nothing of them, and
a deployment that nobody watches runs the very parts that it would run without this package.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

from airside.log import Log, Publisher, Source
from airside.running import Role
from commands.event_store import EventStore
from commands.log import CommandSource, EventPublisher
from projectors.read_side import ReadSide


class Telemetry(Protocol):
    """Watches the parts of one deployment."""

    def event_store(self, store: EventStore) -> EventStore:
        """The event store of a handler's role."""

    def commands(self, shard: int, source: Source) -> CommandSource:
        """The commands of a shard that a handler takes up. Closed, the shard is left."""

    def publisher(
        self, shard: int, opened: Callable[[], Publisher]
    ) -> Callable[[], EventPublisher]:
        """How a shard's handler opens its publisher of events."""

    def read_side(self, side: ReadSide) -> ReadSide:
        """What projectors and builders run on."""

    def appending(self, log: Log) -> Log:
        """The log that a producer of commands appends to."""

    def role(
        self, name: str, opening: AbstractContextManager[Role]
    ) -> AbstractContextManager[Role]:
        """A role, from when it is opened until it is closed."""


class Unwatched:
    """Everything stays as it is."""

    def event_store(self, store: EventStore) -> EventStore:
        """The same."""
        return store

    def commands(self, shard: int, source: Source) -> CommandSource:
        """The same."""
        return source

    def publisher(
        self, shard: int, opened: Callable[[], Publisher]
    ) -> Callable[[], EventPublisher]:
        """The same."""
        return opened

    def read_side(self, side: ReadSide) -> ReadSide:
        """The same."""
        return side

    def appending(self, log: Log) -> Log:
        """The same."""
        return log

    def role(
        self, name: str, opening: AbstractContextManager[Role]
    ) -> AbstractContextManager[Role]:
        """The same."""
        return opening


UNWATCHED: Telemetry = Unwatched()
