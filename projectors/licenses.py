"""Every license of an account: on which device, in which state, until when.

The state is the recorded one. Whether an ACTIVE license has meanwhile run out is for the reader
to compute from `expires_at` (`queries/licenses.py`). What ended is kept for a while.
"""

import sys
from typing import Any, Literal

import msgspec
from msgspec import Raw, Struct, field

from projectors import keys
from projectors.keys import DAY_MS, by_account, forgotten
from projectors.projection import Projection
from schemas import events

State = Literal["ACTIVE", "EXPIRED", "RELEASED", "REVOKED"]

ENDED_KEPT_MS = 90 * DAY_MS  # released and revoked licenses
EXPIRED_KEPT_MS = 400 * DAY_MS  # they may be renewed; a license is at most a year old (R19)
ENDED_MAX = 200  # released and revoked ones, the latest
EXPIRED_MAX = 400  # the latest; an older one that is renewed is listed again
SWEEP_EVERY = 16  # endings and expiries between two sweeps


class License(Struct, gc=False, omit_defaults=True):
    """One license, as its events left it."""

    title: str
    studio: str
    device: str
    expires_at: int
    state: State = "ACTIVE"
    issued_at: int | None = None
    profile: str = ""
    drm: str = ""
    quality: str = ""
    play_window_s: int | None = None
    renewals: int = 0
    renewed_at: int | None = None
    first_played_at: int | None = None  # since the last renewal: what opened the play window
    played_at: int | None = None  # the latest report of a session
    plays: int = 0  # that count (R17)
    late_plays: int = 0  # of these, begun after the expiry (R27)
    download: str = ""  # the latest report: started, completed or failed
    bytes: int = 0
    refunded: bool = False
    ended_at: int | None = None  # when it was released, revoked or expired
    reason: str = ""
    proof: str = ""


class Licenses(Struct, gc=False, omit_defaults=True):
    """The row of one account."""

    version: int = 0
    endings: int = 0  # released and revoked so far, also those no longer listed
    expiries: int = 0  # so far
    licenses: dict[str, Raw] = field(default_factory=dict)  # of License; see `license_of`


def opened(row: Licenses, event: Any) -> Licenses:
    """An account without licenses has a row too, so that it differs from no account."""
    row.version = event.version
    return row


def issued(row: Licenses, event: Any) -> Licenses:
    """A new license."""
    row.version = event.version
    begun = License(
        title=event.title_id,
        studio=event.studio_id,
        device=event.device_id,
        expires_at=event.expires_at,
        issued_at=event.at,
        profile=event.profile_id,
        drm=event.drm,
        quality=event.quality,
        play_window_s=event.play_window_s,
    )
    return _kept(row, event, begun)


def renewed(row: Licenses, event: Any) -> Licenses:
    """A new expiry; active again if it had expired, and its play window starts afresh."""
    held = _named(row, event)
    held.state = "ACTIVE"
    held.expires_at = event.expires_at
    held.play_window_s = event.play_window_s
    held.renewals = event.renewal
    held.renewed_at = event.at
    held.first_played_at = held.ended_at = None
    return _kept(row, event, held)


def expired(row: Licenses, event: Any) -> Licenses:
    """It may still be renewed."""
    held = _named(row, event)
    held.state = "EXPIRED"
    held.ended_at = event.at
    row.expiries += 1
    return _swept(_kept(row, event, held), event.at)


def released(row: Licenses, event: Any) -> Licenses:
    """Given back."""
    held = _named(row, event)
    held.proof = event.proof
    return _end(row, held, event, "RELEASED")


def revoked(row: Licenses, event: Any) -> Licenses:
    """Taken away."""
    return _end(row, _named(row, event), event, "REVOKED")


def reported(row: Licenses, event: Any) -> Licenses:
    """How fetching the media went."""
    held = license_of(row, event.license_id)
    if held is not None:
        held.download = event.status
        held.bytes = event.bytes
    return _kept(row, event, held)


def refunded(row: Licenses, event: Any) -> Licenses:
    """Its count was given back."""
    held = license_of(row, event.license_id)
    if held is not None:
        held.refunded = True
    return _kept(row, event, held)


def played(row: Licenses, event: Any) -> Licenses:
    """A session; reports come late and in any order."""
    held = license_of(row, event.license_id)
    if held is not None:
        held.played_at = max(held.played_at or 0, event.started_at)
        held.plays += event.counted
        held.late_plays += event.counted and event.late
    return _kept(row, event, held)


def window_opened(row: Licenses, event: Any) -> Licenses:
    """The first play moved the expiry."""
    held = license_of(row, event.license_id)
    if held is not None:
        held.first_played_at = event.first_played_at
        held.expires_at = event.expires_at
    return _kept(row, event, held)


def license_of(row: Licenses, license_id: str) -> License | None:
    """One license; None where the row does not list it, or no more."""
    encoded = row.licenses.get(license_id)
    return None if encoded is None else _decode(encoded)


def _named(row: Licenses, event: Any) -> License:
    held = license_of(row, event.license_id)
    if held is not None:
        return held  # else it was swept, and yet something happens to it: what the event knows
    return License(event.title_id, event.studio_id, event.device_id, event.expires_at)


def _kept(row: Licenses, event: Any, held: License | None) -> Licenses:
    row.version = event.version
    if held is not None:
        row.licenses[event.license_id] = Raw(_encode(held))
    return row


def _end(row: Licenses, held: License, event: Any, state: State) -> Licenses:
    held.state = state
    held.ended_at = event.at
    held.reason = event.reason
    row.endings += 1
    return _swept(_kept(row, event, held), event.at)


def _swept(row: Licenses, at: int) -> Licenses:
    """Without what ended long ago, or too many others ago; looked at every SWEEP_EVERY."""
    if (row.endings + row.expiries) % SWEEP_EVERY == 0:
        known = {license_id: _decode(encoded) for license_id, encoded in row.licenses.items()}
        for states, kept_ms, kept_max in (
            (("RELEASED", "REVOKED"), ENDED_KEPT_MS, ENDED_MAX),
            (("EXPIRED",), EXPIRED_KEPT_MS, EXPIRED_MAX),
        ):
            over = {i: one.ended_at or 0 for i, one in known.items() if one.state in states}
            latest = sorted(over, key=over.__getitem__)[-kept_max:]
            for license_id in over.keys() - {i for i in latest if over[i] > at - kept_ms}:
                del row.licenses[license_id]
    return row


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(License).decode

PROJECTION: Projection[Licenses] = Projection(
    name="licenses",
    row_type=Licenses,
    initial=lambda _: Licenses(),
    keys=by_account,
    folds={
        events.AccountOpened: opened,
        events.LicenseIssued: issued,
        events.LicenseRenewed: renewed,
        events.LicenseReleased: released,
        events.LicenseExpired: expired,
        events.LicenseRevoked: revoked,
        events.DownloadReported: reported,
        events.DownloadRefunded: refunded,
        events.PlaybackReported: played,
        events.PlayWindowOpened: window_opened,
        events.AccountErased: forgotten,
    },
    reads=(
        *("version", "at", "account_id", "license_id", "device_id", "title_id", "studio_id"),
        *("expires_at", "profile_id", "drm", "quality", "play_window_s", "renewal"),
        *("reason", "proof", "status", "bytes", "started_at", "counted", "late"),
        "first_played_at",
    ),
    modules=(sys.modules[__name__], keys),
)
