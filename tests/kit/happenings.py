"""Events for tests of folds and queries: say what matters, the rest is filled in.

happened(LicenseIssued, at=5, counted=False)     about a1, d1, t1, s1 and license 1
history(happened(…), happened(…))                with seq and version 1, 2, …
"""

from typing import Any, TypeVar

import msgspec

from schemas import events
from schemas.envelope import Event

E = TypeVar("E", bound=Event)

DAY = 86_400_000
HOUR = 3_600_000
NOW = 1_795_500_000_000  # 2026-11-24T06:00:00Z
TERM = 30 * DAY


def id_of(n: int) -> str:
    """A license's or command's id that a reader recognizes: 000…7."""
    return f"{n:032x}"


USUAL: dict[str, Any] = {
    "at": NOW,
    "issued_at": NOW,
    "catalog_version": 3,
    "command_id": id_of(900),
    "account_id": "a1",
    "actor": "member",
    "plan_id": "standard",
    "previous_plan_id": "basic",
    "country": "DE",
    "previous_country": "FR",
    "reason": "asked",
    "device_id": "d1",
    "model": "tablet",
    "drm": "widevine",
    "security_level": 1,
    "slots_used": 1,
    "slots_limit": 2,
    "lease_until": None,
    "held": 1,
    "released": 0,
    "clock_skew_ms": 7,
    "license_id": id_of(1),
    "title_id": "t1",
    "studio_id": "s1",
    "counted": True,
    "expires_at": NOW + TERM,
    "previous_expires_at": NOW + TERM,
    "was_expired": False,
    "limit": 3,
    "used": 1,
    "window_s": 365 * 86_400,
    "device_limit": None,
    "play_window_s": None,
    "profile_id": "main",
    "renewal": 1,
    "proof": "claimed",
    "status": "completed",
    "bytes": 1_000,
    "counted_at": NOW,
    "session_id": "p1",
    "started_at": NOW,
    "stopped_at": None,
    "position_s": 60,
    "late": False,
    "first_played_at": NOW,
    "count": 1,
    "note": "sorry",
    "command_type": "AcquireLicense",
    "code": "TITLE_PERIOD_LIMIT",
    "rule": "R14",
}


def happened(event_type: type[E], **fields: Any) -> E:
    """One event of that type."""
    usual = {name: USUAL[name] for name in event_type.__struct_fields__ if name in USUAL}
    return event_type(**usual | fields)


def history(*happenings: Event) -> tuple[Event, ...]:
    """These events as one account's, numbered in order."""
    return tuple(
        msgspec.structs.replace(event, seq=n, version=n)
        for n, event in enumerate(happenings, start=1)
    )


def issued(n: int = 1, **fields: Any) -> events.LicenseIssued:
    """License n was issued."""
    return happened(events.LicenseIssued, license_id=id_of(n), **fields)


def renewed(n: int = 1, **fields: Any) -> events.LicenseRenewed:
    """License n was renewed."""
    return happened(events.LicenseRenewed, license_id=id_of(n), **fields)


def expired(n: int = 1, **fields: Any) -> events.LicenseExpired:
    """License n expired."""
    return happened(events.LicenseExpired, license_id=id_of(n), **fields)


def released(n: int = 1, **fields: Any) -> events.LicenseReleased:
    """License n was given back."""
    return happened(events.LicenseReleased, license_id=id_of(n), **fields)


def revoked(n: int = 1, **fields: Any) -> events.LicenseRevoked:
    """License n was taken away."""
    return happened(events.LicenseRevoked, license_id=id_of(n), **fields)


def refused(code: str = "TITLE_PERIOD_LIMIT", **fields: Any) -> events.CommandRefused:
    """A command was refused."""
    return happened(events.CommandRefused, code=code, **fields)
