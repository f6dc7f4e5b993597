"""Holes: events that the topic lacks, and what can be done about them (R4)."""

from collections.abc import Callable, Sequence

from projectors.batch import Gap
from projectors.parking import NO_ROW, NO_SEQ
from projectors.view_store import ParkedEvent
from schemas.errors import Contradiction, Hole
from schemas.record import Record

Fill = Callable[[int, int], Sequence[tuple[bytes, bytes]]]
"""(after_seq, count_max) -> (key, value) of the next events, gapless, from the event store."""


def as_records(found: Sequence[tuple[bytes, bytes]], gap: Gap) -> list[Record]:
    """Events from the event store as if they lay on the topic, just before the gap.

    Where no record tells of the hole (its seq is None) the checkpoint's offset has to: it stays
    before the topic's begin until all is filled, so that a successor goes on with the filling.
    """
    offset = gap.offset - (2 if gap.seq is None else 1)
    return [(offset, 0, key, value) for key, value in found]


def hole(name: str, gap: Gap, seq: int, fill: Fill | None) -> Hole:
    """What is missing after `seq`, and what to do next."""
    found = "the topic ends" if gap.value is None else f"found seq {gap.seq}"
    step = (
        "Let the worker read the event store."
        if fill is None
        else "The event store does not have it either: restore it, then replay."
    )
    return Hole(f"{name}: expected seq {seq + 1}, {found} at offset {gap.offset}. {step}")


def no_event(gap: Gap, seq: int) -> ParkedEvent:
    """An unreadable record whose seq is beyond the end of the history: no event of ours."""
    reason = f"NO_EVENT: claims seq {gap.seq}, but the history ends at {seq}."
    return ParkedEvent(NO_SEQ, gap.offset, NO_ROW, reason, gap.value or b"")


def older_copy(name: str, projection: str, offset: int, end: int) -> Contradiction:
    """The checkpoint lies beyond the end of the topic, and what to do next."""
    return Contradiction(
        f"{name}: goes on at offset {offset}, but the events topic ends at {end}: it is an "
        f"older copy. Run: airside replay {projection}. Is the event store an older copy too? "
        "Then name an empty database in AIRSIDE_VIEWS."
    )
