"""What has arrived, as one batch: which events come next, and which rows they touch.

`seq` decides: at or below the last folded one is a repeat, the next is the next, beyond it is
a hole, where the batch ends.
"""

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any, Generic, TypeVar

from msgspec import Struct

from projectors.projection import Projection
from schemas.codec import Codec
from schemas.record import Record

V = TypeVar("V")


class Gap(Struct, frozen=True):
    """Events are missing before the record at `offset`, which has `seq`."""

    seq: int
    offset: int
    value: bytes | None  # None: the topic ends here, and an event of seq - 1 must exist


class Batch(Struct):
    """The events to fold, in order, and where the shard stands after them.

    `events[i]` touches the rows `keys[i]`; events that touch none are counted in `seq` only.
    """

    events: list[Any]
    keys: list[tuple[str, ...]]
    touched: set[str]  # every key, once
    seq: int  # of the last event of the batch, folded or not
    offset: int  # to go on from
    gap: Gap | None = None


class Reader(Generic[V]):
    """Reads records for one projection: decodes only its events, and of these its fields."""

    def __init__(self, projection: Projection[V], codec: Codec) -> None:
        self.keys: Callable[[Any], tuple[str, ...]] = projection.keys
        self.decode: Callable[[bytes], Any] = codec.event_decoder(
            tuple(projection.folds), projection.reads
        )
        self.seq_of: Callable[[bytes], int | None] = codec.seq_of
        self._at_of = codec.at_of

    def gather(self, records: Sequence[Record], after_seq: int) -> Batch:
        """The batch that these records make. Any exception: read them one by one instead.

        The hot loop of the read side: nothing is made per event but the event itself.
        """
        decode, keys_of = self.decode, self.keys
        events: list[Any] = []
        keys: list[tuple[str, ...]] = []
        expected = after_seq + 1
        gap = None
        for offset, _, _, value in records:
            event = decode(value)  # type: ignore[arg-type]  # None raises, as it should
            if type(event) is int:  # the seq of an event that is not folded
                seq = event
                if seq == expected:
                    expected += 1
                    continue
            else:
                seq = event.seq
                if seq == expected:
                    expected += 1
                    events.append(event)
                    keys.append(keys_of(event))
                    continue
            if seq > expected:
                gap = Gap(seq, offset, value)
                break
        return Batch(
            events=events,
            keys=keys,
            touched=set(chain.from_iterable(keys)),
            seq=expected - 1,
            offset=records[-1][0] + 1 if gap is None else gap.offset,
            gap=gap,
        )

    def at_of(self, records: Sequence[Record], seq: int) -> int | None:
        """The `at` of the event with that seq, wherever it is among the records."""
        for _, _, _, value in reversed(records):
            if value is not None and self.seq_of(value) == seq:
                return self._at_of(value)
        return None
