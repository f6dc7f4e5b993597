"""The event store as wiring needs it: the port of the write side, and how it is laid out."""

from typing import Protocol

from commands.event_store import EventStore


class Store(EventStore, Protocol):
    """An event store that knows its layout; for one thread at a time."""

    def lay_out(self, shards: int | None, default: int) -> int:
        """Make what is missing; how many shards there are: as stored, else as asked for.

        Raises: Contradiction where another number is stored than asked for, or where something
        is there that does not fit.
        """

    def shards(self) -> int:
        """How many shards the accounts are partitioned into. Raises: NotFound, Unavailable."""

    def history_id(self) -> str:
        """The random id that this history got when it was laid out."""

    def close(self) -> None:
        """Let go of connections."""
