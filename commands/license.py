"""One license: what is remembered of it, and how its events change that.

ACTIVE → EXPIRED → (renewed) ACTIVE; RELEASED and REVOKED are terminal. Expiry is derived: a
license is active while `expires_at` lies ahead, whether or not a `LicenseExpired` was recorded.
"""

from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from schemas import events


class License(Struct, frozen=True, array_like=True, gc=False):
    """One issuance of one title to one device, with all its renewals."""

    license_id: str
    device_id: str
    title_id: str
    studio_id: str
    issued_at: int
    expires_at: int  # what the device was told, or the end of the play window
    play_window_s: int | None = None  # R22, as resolved when it was issued or renewed last
    first_played_at: int | None = None  # since it was issued or renewed last
    renewals: int = 0
    renewed_at: int | None = None
    lapsed_at: int | None = None  # the expiry that the last renewal replaced
    counted_at: int | None = None  # when its download counted; None: not yet, or refunded
    is_completed: bool = False  # the device has the media: it said so, or played it
    is_recorded_expired: bool = False  # a LicenseExpired came
    ended_as: Literal["released", "revoked"] | None = None
    ended_at: int | None = None

    def is_active(self, at: int) -> bool:
        """Whether it could be played at that instant (one that is not terminal)."""
        return self.expires_at > at and not self.is_recorded_expired

    def expiry_for(self, started_at: int) -> int:
        """The expiry that was in force when a playback began: a renewal changes no past."""
        if self.renewed_at is None or self.lapsed_at is None or started_at >= self.renewed_at:
            return self.expires_at
        return self.lapsed_at


def issued(event: events.LicenseIssued) -> License:
    """A license begins."""
    return License(
        event.license_id,
        event.device_id,
        event.title_id,
        event.studio_id,
        event.at,
        event.expires_at,
        event.play_window_s,
        counted_at=event.at if event.counted else None,
    )


def renewed(license: License, event: events.LicenseRenewed) -> License:
    """A new expiry; the play window begins afresh with the next first play."""
    return replace(
        license,
        expires_at=event.expires_at,
        play_window_s=event.play_window_s,
        first_played_at=None,
        renewals=event.renewal,
        renewed_at=event.at,
        lapsed_at=event.previous_expires_at,
        is_recorded_expired=False,
    )


def play_window_opened(license: License, event: events.PlayWindowOpened) -> License:
    """The first play brings the expiry nearer."""
    return replace(license, first_played_at=event.first_played_at, expires_at=event.expires_at)


def expired(license: License, event: events.LicenseExpired) -> License:
    """Its expiry is on record. It may still be renewed."""
    return replace(license, is_recorded_expired=True)


def download_reported(license: License, event: events.DownloadReported) -> License:
    """The device has the media, once it said so."""
    return replace(license, is_completed=license.is_completed or event.status == "completed")


def released(license: License, event: events.LicenseReleased) -> License:
    """Terminal: the member gave it back."""
    return replace(license, ended_as="released", ended_at=event.at)


def revoked(license: License, event: events.LicenseRevoked) -> License:
    """Terminal: it was taken away."""
    return replace(license, ended_as="revoked", ended_at=event.at)
