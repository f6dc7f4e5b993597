"""Poison events: what cannot be read or folded is parked, and everything else goes on.

A row that an event could not be folded into is *held*: its later events are parked behind it,
in order, so that the row stays as it was before the first of them. Rows are healed by a replay
with better code; a parked event is never folded into the generation that parked it.

Where the row of an unreadable event cannot be known (a fan-in projection, or a record that is
no event at all) the event is listed under the key "" and holds nothing.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Generic, ParamSpec, TypeVar

import msgspec
from msgspec import Struct

from projectors.batch import Batch, Gap, Reader
from projectors.projection import Projection
from projectors.rows import encode
from projectors.view_store import ParkedEvent
from schemas.record import Record

P = ParamSpec("P")
T = TypeVar("T")
V = TypeVar("V")

NO_ROW = ""
NO_SEQ = 0  # of a record that is no event
REASON_CHARACTERS_MAX = 500


class Failure(Struct, frozen=True):
    """What somebody else's code raised, in words."""

    text: str


def attempt(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | Failure:
    """What the call returns, or how it failed: the one place that catches everything.

    Folds are given to the engine by others, so any exception of theirs is a poison event.
    """
    try:
        return work(*args, **kwargs)
    except Exception as error:  # noqa: BLE001
        return Failure(f"{type(error).__name__}: {error}")


class Item(Struct, frozen=True):
    """One event that is looked at by itself."""

    seq: int
    offset: int
    value: bytes
    keys: tuple[str, ...]
    event: Any = None
    failure: str | None = None  # why it has no event, or no keys of its own


class CarefulReader(Generic[V]):
    """Reads and folds one event at a time, on JSON rows, so that a failure spoils nothing.

    Several times slower than `RowCache`: only for batches in which that failed.
    """

    def __init__(self, projection: Projection[V], reader: Reader[V]) -> None:
        self._projection = projection
        self._reader = reader
        self._decode_row = msgspec.json.Decoder(projection.row_type).decode

    def gather(
        self, records: Sequence[Record], after_seq: int, offset_min: int
    ) -> tuple[Batch, list[Item]]:
        """Like `RowCache.fold`, never raising; the items stand for the batch's events.

        A record that is no event has no seq and shifts none; below `offset_min` it was parked
        before.
        """
        items: list[Item] = []
        expected, offset, gap = after_seq + 1, offset_min, None
        for offset, _, key, value in records:
            seq = None if value is None else self._reader.seq_of(value)
            if value is None or seq is None:
                if offset >= offset_min:
                    items.append(_no_event(offset, value))
            elif seq == expected:
                expected += 1
                items.append(self._item(seq, offset, key, value))
            elif seq > expected:
                gap = Gap(seq, offset, value)
                break
        touched = dict.fromkeys(key for item in items for key in item.keys if key != NO_ROW)
        next_offset = offset + 1 if gap is None else gap.offset
        return Batch(expected - 1, next_offset, gap, changed=touched), items

    def fold(
        self, items: Iterable[Item], rows: Mapping[str, bytes | None], held: Mapping[str, int]
    ) -> tuple[dict[str, bytes | None], list[ParkedEvent]]:
        """The rows that changed, and what has to be parked, in order."""
        changed: dict[str, bytes | None] = {}
        parked: list[ParkedEvent] = []
        holding = dict(held)
        for item in items:
            for key in item.keys:
                if key in holding:
                    parked.append(_behind(item.seq, item.offset, key, item.value, holding))
                    continue
                row = changed[key] if key in changed else rows.get(key)
                folded = self._fold_one(item, key, row)
                if isinstance(folded, Failure):
                    reason = folded.text[:REASON_CHARACTERS_MAX]
                    parked.append(ParkedEvent(item.seq, item.offset, key, reason, item.value))
                    if key != NO_ROW:
                        holding[key] = item.seq
                else:
                    changed[key] = folded
        return changed, parked

    def _fold_one(self, item: Item, key: str, row: bytes | None) -> bytes | Failure | None:
        if item.failure is not None:
            return Failure(item.failure)
        folded = attempt(self._folded, item.event, key, row)
        return Failure(f"FOLD_FAILED: {folded.text}") if isinstance(folded, Failure) else folded

    def _folded(self, event: Any, key: str, row: bytes | None) -> bytes | None:
        before = self._projection.initial(key) if row is None else self._decode_row(row)
        after = self._projection.folds[event.event_type](before, event)
        return None if after is None else encode(after)

    def _item(self, seq: int, offset: int, key: bytes | None, value: bytes) -> Item:
        event = attempt(self._reader.decode, value)
        if isinstance(event, Failure):
            failure = f"UNREADABLE: {event.text}"
            return Item(seq, offset, value, self._row_of(key), failure=failure)
        keys = () if isinstance(event, int) else attempt(self._reader.keys, event)
        if isinstance(keys, Failure):
            failure = f"NO_KEYS: {keys.text}"
            return Item(seq, offset, value, self._row_of(key), failure=failure)
        return Item(seq, offset, value, keys, event)

    def _row_of(self, key: bytes | None) -> tuple[str, ...]:
        """The row of an event that cannot be read: the record's key, if rows are accounts'."""
        if self._projection.merge is not None or not key:
            return (NO_ROW,)
        return (key.decode(errors="replace"),)


def set_aside(
    batch: Batch, records: Iterable[Record], held: Mapping[str, int], reader: Reader[V]
) -> list[ParkedEvent]:
    """Take what belongs to held rows out of what waits; it is to be parked behind them."""
    free = [one for one in batch.waiting if one[0] not in held]
    if len(free) == len(batch.waiting):
        return []
    record_of: dict[int | None, Record] = {}
    for record in records:
        record_of.setdefault(reader.seq_of(record[3] or b""), record)
    parked = []
    for key, _, event in batch.waiting:
        if key in held:
            offset, _, _, value = record_of[event.seq]
            parked.append(_behind(event.seq, offset, key, value or b"", held))
    batch.waiting = free
    return parked


def held_rows(parked: Iterable[ParkedEvent], seq_max: int) -> dict[str, int]:
    """The rows held at a checkpoint, each with the seq of its first parked event."""
    held: dict[str, int] = {}
    for event in parked:
        if event.key != NO_ROW and event.seq <= seq_max:
            held[event.key] = min(event.seq, held.get(event.key, event.seq))
    return held


def _behind(
    seq: int, offset: int, key: str, value: bytes, held: Mapping[str, int]
) -> ParkedEvent:
    return ParkedEvent(seq, offset, key, f"BEHIND: seq {held[key]}", value)


def _no_event(offset: int, value: bytes | None) -> Item:
    what = "no value" if value is None else f"{len(value)} bytes beginning {value[:8].hex(' ')}"
    failure = f"NO_EVENT: {what}: find the producer that wrote it."
    return Item(NO_SEQ, offset, value or b"", (NO_ROW,), failure=failure)
