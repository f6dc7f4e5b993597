"""A tenure: all that a handler believes of its shard, from resuming it until it is lost.

Nothing in here is an effect. When somebody else moves the shard, all of it is dropped as one.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from msgspec import Struct

from commands.batch import Batch
from commands.cache import StreamCache
from commands.event_store import Loaded, Position
from commands.limits import Limits
from commands.outbox import Outbox
from commands.receive import Received
from commands.stream import Stream

S = TypeVar("S")


class Ahead(Struct, frozen=True):
    """Accounts that were asked for while a commit was under way that touches none of them."""

    number: int  # of that commit
    answer: Callable[[], Mapping[str, Loaded]]


@dataclass(slots=True)
class Tenure(Generic[S]):
    """The pending batch is tentative: until it is applied nothing else here changes."""

    position: Position
    held: dict[str, int]  # account -> offset of its first parked command
    outbox: Outbox
    cache: StreamCache[S]
    noted: int  # settled, as the store knows it
    arrived: list[Received] = field(default_factory=list)  # and not committed
    pending: Batch[S] | None = None
    is_under_way: bool = False  # the pending commit is sent, and not heard of
    ahead: Ahead | None = None  # loaded for the batch behind the pending one
    unchanged: dict[str, Stream[S]] = field(default_factory=dict)  # by the pending batch
    dear: frozenset[str] = frozenset()  # accounts that took many events to load for it
    snapshots_due: dict[str, int] = field(default_factory=dict)  # account -> its last commit

    def apply(self, batch: Batch[S], limits: Limits) -> None:
        """The batch is in the history: what it changes stands."""
        commit = batch.commit
        self.pending = None
        self.position = commit.position
        self.noted = max(self.noted, commit.settled)
        self.held = batch.held
        self.outbox.put(commit.number, commit.events)
        self.cache.keep(self.unchanged.values())
        self.cache.install(batch.streams, number=commit.number)
        del self.arrived[: batch.consumed]
        for account_id, stream in batch.streams.items():
            is_long = stream.version - stream.snapshot_version >= limits.snapshot_every
            if is_long or account_id in self.dear:
                self.snapshots_due[account_id] = commit.number

    def due(self, indexed: int) -> list[Stream[S]]:
        """The streams whose snapshot is due, as far as the index has what is in them."""
        ready = [a for a, number in self.snapshots_due.items() if number <= indexed]
        return [s for s in map(self.cache.get, ready) if s is not None]

    def snapshots_saved(self, streams: Iterable[Stream[S]]) -> None:
        """The store has snapshots of these as they are."""
        for stream in streams:
            stream.snapshot_version = stream.version
            del self.snapshots_due[stream.account_id]

    def settled(self, indexed: int) -> int:
        """The longest prefix of commits that are indexed and on the topic."""
        return min(indexed, self.outbox.published_through)
