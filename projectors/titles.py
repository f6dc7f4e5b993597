"""Downloads per title, across accounts: one sub-row per shard, merged when read."""

import sys
from collections.abc import Callable, Iterable
from typing import Any

from msgspec import Struct, field

from projectors import keys
from projectors.keys import by_title
from projectors.projection import Projection
from schemas import events
from schemas.envelope import Event


class Tally(Struct, gc=False, omit_defaults=True):
    """What happened to the licenses of one title, or of one studio."""

    version: int = 0  # events folded
    at: int = 0  # of the last one
    issued: int = 0
    renewed: int = 0
    released: int = 0
    expired: int = 0
    revoked: int = 0
    active: int = 0  # issued or renewed, and since then not ended
    counted: int = 0
    refunded: int = 0
    plays: int = 0  # sessions
    late_plays: int = 0  # begun after the license's expiry
    refused: dict[str, int] = field(default_factory=dict)  # by code


def issued(row: Tally, event: Any) -> Tally:
    """One more is active."""
    row.issued += 1
    row.active += 1
    row.counted += event.counted
    return _stamp(row, event)


def renewed(row: Tally, event: Any) -> Tally:
    """Active again, if it had expired."""
    row.renewed += 1
    row.active += event.was_expired
    row.counted += event.counted
    return _stamp(row, event)


def released(row: Tally, event: Any) -> Tally:
    """Given back."""
    row.released += 1
    row.active -= not event.was_expired
    return _stamp(row, event)


def expired(row: Tally, event: Any) -> Tally:
    """Not active until it is renewed."""
    row.expired += 1
    row.active -= 1
    return _stamp(row, event)


def revoked(row: Tally, event: Any) -> Tally:
    """Taken away."""
    row.revoked += 1
    row.active -= not event.was_expired
    return _stamp(row, event)


def counted(row: Tally, event: Any) -> Tally:
    """Counted on completion (R16)."""
    row.counted += 1
    return _stamp(row, event)


def refunded(row: Tally, event: Any) -> Tally:
    """Counts no more (R16)."""
    row.refunded += 1
    return _stamp(row, event)


def played(row: Tally, event: Any) -> Tally:
    """A session, however often it is reported."""
    row.plays += event.counted
    row.late_plays += event.counted and event.late
    return _stamp(row, event)


def refused(row: Tally, event: Any) -> Tally:
    """A rule said no."""
    row.refused[event.code] = row.refused.get(event.code, 0) + 1
    return _stamp(row, event)


def merged(rows: Iterable[Tally]) -> Tally:
    """The sum over all shards."""
    total = Tally()
    for row in rows:
        for name in _SUMMED:
            setattr(total, name, getattr(total, name) + getattr(row, name))
        total.at = max(total.at, row.at)
        for code, count in row.refused.items():
            total.refused[code] = total.refused.get(code, 0) + count
    return total


def _stamp(row: Tally, event: Any) -> Tally:
    row.version += 1
    row.at = max(row.at, event.at)
    return row


_SUMMED = tuple(name for name in Tally.__struct_fields__ if name not in ("at", "refused"))

FOLDS: dict[type[Event], Callable[[Tally, Any], Tally]] = {
    events.LicenseIssued: issued,
    events.LicenseRenewed: renewed,
    events.LicenseReleased: released,
    events.LicenseExpired: expired,
    events.LicenseRevoked: revoked,
    events.DownloadCounted: counted,
    events.DownloadRefunded: refunded,
    events.PlaybackReported: played,
    events.CommandRefused: refused,
}

READS = ("at", "counted", "was_expired", "late", "code")

PROJECTION: Projection[Tally] = Projection(
    name="titles",
    row_type=Tally,
    initial=lambda _: Tally(),
    keys=by_title,
    folds=FOLDS,
    reads=("title_id", *READS),
    merge=merged,
    modules=(sys.modules[__name__], keys),
)
