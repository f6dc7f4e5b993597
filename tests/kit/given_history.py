"""An ordered history as an event store reads it, of given events."""

from collections.abc import Sequence
from typing import Any

from commands.event_store import Position, Resumed, StoredEvent
from schemas.codec import CODEC
from schemas.envelope import Event


class GivenHistory:
    """The part of an `EventStore` that replays read."""

    def __init__(self, histories: Sequence[Sequence[Event]]) -> None:
        self._histories = histories

    def read(self, shard: int, *, after_seq: int, count_max: int) -> Sequence[StoredEvent]:
        found = self._histories[shard][after_seq : after_seq + count_max]
        return [
            StoredEvent(one.seq, one.account_id, one.version, CODEC.encode(one))
            for one in found
        ]

    def resume(self, shard: int) -> Resumed:
        return Resumed(Position(seq=len(self._histories[shard])), ())

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"a replay asked the event store for {name}")
