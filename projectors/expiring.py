"""Which licenses expire when: one row per ten minutes and shard, gone once it is empty.

The timekeeper asks it for what is due, people for what expires within the next hour. Ten
minutes and not an hour, since a row is written whole with each batch that touches it.
"""

import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import Raw, Struct, field

from projectors.projection import Projection
from schemas import events

BUCKET_MS = 600_000


class Expiry(Struct, gc=False):
    """When a license that is not over will expire."""

    account: str
    at: int


class Expiring(Struct, gc=False, omit_defaults=True):
    """The row of one bucket."""

    bucket: str = ""
    version: int = 0  # events folded since the row last came to be
    licenses: dict[str, Raw] = field(default_factory=dict)  # of Expiry, each encoded once


def filed(row: Expiring, event: Any) -> Expiring | None:
    """It expires at `expires_at`, and no more when it was going to."""
    return _file(row, event, event.expires_at)


def struck(row: Expiring, event: Any) -> Expiring | None:
    """It is over."""
    return _file(row, event, None)


def refiled(row: Expiring, event: Any) -> Expiring | None:
    """The timekeeper came too early or too late, and was told when it really expires."""
    return _file(row, event, event.next_due_at)


def _file(row: Expiring, event: Any, expires_at: int | None) -> Expiring | None:
    row.version += 1
    row.licenses.pop(event.license_id, None)
    if expires_at is not None and bucket_of(expires_at) == row.bucket:
        row.licenses[event.license_id] = Raw(_encode(Expiry(event.account_id, expires_at)))
    return row if row.licenses else None


def keys(event: Any) -> tuple[str, ...]:
    """The buckets that the license leaves and enters."""
    event_type = event.event_type
    if event_type is events.CommandNoted:
        return _buckets(event.due_at, event.next_due_at) if event.license_id else ()
    if event_type in _MOVING:
        return _buckets(event.previous_expires_at, event.expires_at)
    return (bucket_of(event.expires_at),)


def merged(rows: Iterable[Expiring]) -> Expiring:
    """The licenses of all shards."""
    total = Expiring()
    for row in rows:
        total.bucket = row.bucket or total.bucket
        total.version += row.version
        total.licenses.update(row.licenses)
    return total


def expiries_of(row: Expiring) -> dict[str, Expiry]:
    """When each license of a row expires."""
    return {i: msgspec.json.decode(one, type=Expiry) for i, one in row.licenses.items()}


def bucket_of(instant: int) -> str:
    """The key of the ten minutes that an instant lies in: `2026-11-24T07:30`."""
    return _name(instant // BUCKET_MS)


def buckets(first_at: int, last_at: int) -> list[str]:
    """The keys from one instant to another, both included; they sort as time does."""
    return [_name(n) for n in range(first_at // BUCKET_MS, last_at // BUCKET_MS + 1)]


def _buckets(left_at: int | None, entered_at: int | None) -> tuple[str, ...]:
    instants = [instant for instant in (left_at, entered_at) if instant is not None]
    return tuple(dict.fromkeys(map(bucket_of, instants)))


@lru_cache(maxsize=16_384)
def _name(number: int) -> str:
    moment = datetime.fromtimestamp(number * BUCKET_MS // 1_000, UTC)
    return moment.isoformat(timespec="minutes")[:16]


_encode = msgspec.json.Encoder().encode
_MOVING = (events.LicenseRenewed, events.PlayWindowOpened)

PROJECTION: Projection[Expiring] = Projection(
    name="expiring",
    row_type=Expiring,
    initial=lambda key: Expiring(bucket=key),
    keys=keys,
    folds={
        events.LicenseIssued: filed,
        events.LicenseRenewed: filed,
        events.PlayWindowOpened: filed,
        events.LicenseReleased: struck,
        events.LicenseRevoked: struck,
        events.LicenseExpired: struck,
        events.CommandNoted: refiled,
    },
    reads=(
        *("account_id", "license_id", "expires_at", "previous_expires_at"),
        *("due_at", "next_due_at"),
    ),
    merge=merged,
    modules=(sys.modules[__name__],),
)
