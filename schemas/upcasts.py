"""Retired events, and what they mean today.

A change of meaning is a new event name. The retired one keeps its schema files, moves its
class here, out of `AnyEvent`, and gets an upcaster: one old event becomes one of today's, with
the same envelope. The fold code never hears of it.
"""

from collections.abc import Callable, Mapping
from typing import Any

from schemas.envelope import Event, Uuid
from schemas.events import DownloadReported


class DownloadCompleted(Event, frozen=True, kw_only=True):
    """Retired: the media was fetched to its end. Failures went unsaid."""

    license_id: Uuid
    device_id: str
    title_id: str
    bytes: int


def download_completed(event: DownloadCompleted) -> DownloadReported:
    """A completed download is one of three statuses now."""
    return DownloadReported(
        **envelope_of(event),
        license_id=event.license_id,
        device_id=event.device_id,
        title_id=event.title_id,
        status="completed",
        bytes=event.bytes,
    )


UPCASTS: Mapping[type[Event], Callable[[Any], Event]] = {
    DownloadCompleted: download_completed,
}
TODAY: Mapping[type[Event], type[Event]] = {DownloadCompleted: DownloadReported}
"""Which of today's events a retired one ends up as."""


def envelope_of(event: Event) -> dict[str, Any]:
    """What every event carries, to be carried over unchanged."""
    return {name: getattr(event, name) for name in Event.__struct_fields__}


def upcast(event: Event) -> Event:
    """The event in today's words; an upcast may lead to another retired event."""
    while (step := UPCASTS.get(type(event))) is not None:
        event = step(event)
    return event
