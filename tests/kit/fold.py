"""Folds without an engine: what a projection makes of events, however it meets them.

rows_of(projection, events)        whole events, rows kept in memory
reread(projection, events)         every row through JSON after every event
decoded(projection, events)        events through bytes, with only the fields in `reads`
"""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import msgspec

from projectors.projection import Projection
from schemas.codec import CODEC
from schemas.envelope import Event

V = TypeVar("V")


def rows_of(projection: Projection[V], events: Iterable[Any]) -> dict[str, V]:
    """Every row that the events leave, by key."""
    return _folded(projection, events, lambda row: row)


def row_of(projection: Projection[V], key: str, *events: Event) -> V:
    """The one row that is asked for."""
    return rows_of(projection, events)[key]


def reread(projection: Projection[V], events: Iterable[Any]) -> dict[str, V]:
    """The same, each row written to JSON and read again after each event."""
    decoder = msgspec.json.Decoder(projection.row_type)
    return _folded(projection, events, lambda row: decoder.decode(msgspec.json.encode(row)))


def decoded(projection: Projection[V], events: Iterable[Event]) -> dict[str, V]:
    """The same, from bytes: reading a field that `reads` lacks raises AttributeError."""
    decode = CODEC.event_decoder(tuple(projection.folds), projection.reads)
    found = map(decode, map(CODEC.encode, events))
    return rows_of(projection, (event for event in found if not isinstance(event, int)))


def as_json(rows: dict[str, Any]) -> dict[str, Any]:
    """Rows as their JSON says."""
    return {key: msgspec.json.decode(msgspec.json.encode(row)) for key, row in rows.items()}


def _folded(
    projection: Projection[V], events: Iterable[Any], settled: Callable[[V], V]
) -> dict[str, V]:
    rows: dict[str, V] = {}
    for event in events:
        fold = projection.folds.get(event.event_type)
        if fold is None:
            continue
        for key in projection.keys(event):
            row = rows.pop(key, None)
            after = fold(projection.initial(key) if row is None else row, event)
            if after is not None:
                rows[key] = settled(after)
    return rows
