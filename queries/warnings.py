"""What a member should be told before it is too late (R29), where a row knows it.

The thresholds are the rule's defaults; what a policy says otherwise was in the reply to the
command, and is in its outcome.
"""

from typing import Literal

from msgspec import Struct

DAY_MS = 86_400_000
EXPIRES_WITHIN_MS = 7 * DAY_MS
DOWNLOADS_LEFT = 1


class MemberWarning(Struct, frozen=True, omit_defaults=True):
    """One warning; which one says which number it has."""

    kind: Literal["EXPIRES_SOON", "DOWNLOADS_LEFT"]
    title_id: str
    license_id: str | None = None
    days_left: int | None = None  # whole days, rounded down
    downloads_left: int | None = None


def of_expiry(
    title_id: str, license_id: str, expires_at: int, *, at: int
) -> tuple[MemberWarning, ...]:
    """That an active license ends soon."""
    left_ms = expires_at - at
    if not 0 < left_ms <= EXPIRES_WITHIN_MS:
        return ()
    return (MemberWarning("EXPIRES_SOON", title_id, license_id, days_left=left_ms // DAY_MS),)


def of_downloads(title_id: str, left: int | None) -> tuple[MemberWarning, ...]:
    """That few downloads of a title are left."""
    if left is None or left > DOWNLOADS_LEFT:
        return ()
    return (MemberWarning("DOWNLOADS_LEFT", title_id, downloads_left=left),)
