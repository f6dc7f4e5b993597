"""What has arrived, as one batch: which events come next, and what each does to its rows.

`seq` decides: at or below the last folded one is a repeat, the next is the next, beyond it is
a hole, where the batch ends.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from msgspec import Struct, field

from projectors.projection import Projection
from schemas.codec import Codec
from schemas.record import Record

V = TypeVar("V")

Fold = Callable[[Any, Any], Any]

Waiting = tuple[str, Fold, Any]
"""(key, fold, event): what an event will do to a row that is not in memory yet."""


class Gap(Struct, frozen=True):
    """Events are missing before the record at `offset`, which has `seq`."""

    seq: int | None  # None: perhaps nothing is missing; the event store knows
    offset: int
    value: bytes | None  # None: the topic ends here, and an event of seq - 1 must exist

    def missing(self, seq: int, count_max: int) -> int:
        """How many events to ask for that come after `seq`; 0: it is filled."""
        return count_max if self.seq is None else min(count_max, self.seq - 1 - seq)


class Batch(Struct):
    """How far the records go, and what they do to rows."""

    seq: int  # of the last event, folded or not
    offset: int  # to go on from
    gap: Gap | None = None
    waiting: list[Waiting] = field(default_factory=list)
    changed: dict[str, None] = field(default_factory=dict)
    """The rows in memory that it folded, as a set that keeps its order."""

    def missing(self) -> list[str]:
        """The rows that have to be read, each once."""
        return list(dict.fromkeys(key for key, _, _ in self.waiting))


class Reader(Generic[V]):
    """Reads records for one projection: decodes only its events, and of these its fields."""

    def __init__(self, projection: Projection[V], codec: Codec) -> None:
        events, fields = tuple(projection.folds), projection.reads
        self.keys: Callable[[Any], tuple[str, ...]] = projection.keys
        self.decode: Callable[[bytes], Any] = codec.event_decoder(events, fields)
        self.seq_of: Callable[[bytes], int | None] = codec.seq_of
        self.by_schema: Mapping[bytes, tuple[Callable[[bytes], Any], Fold | None]] = {
            prefix: (decode, projection.folds.get(event_type))
            for prefix, (decode, event_type) in codec.event_decoders(events, fields).items()
        }
        self._at_of = codec.at_of

    def at_of(self, records: Sequence[Record], seq: int) -> int | None:
        """The `at` of the event with that seq, wherever it is among the records."""
        for _, _, _, value in reversed(records):
            if value is not None and self.seq_of(value) == seq:
                return self._at_of(value)
        return None
