"""Every command: what can be asked of an account. Imperative, one class each.

Defaults are for people at a command line; other clients are expected to say everything.
"""

from typing import Literal

from schemas.envelope import Command, Count, Instant, Name, Note, Uuid, Uuids

Drm = Literal["widevine", "fairplay", "playready"]
Proof = Literal["secure", "claimed"]
DownloadStatus = Literal["started", "completed", "failed"]


class OpenAccount(Command, frozen=True, kw_only=True):
    """Begins a membership."""

    plan_id: Name
    country: Name  # ISO 3166-1 alpha-2


class ChangePlan(Command, frozen=True, kw_only=True):
    """Moves the account to another plan; a smaller one may revoke (R25)."""

    plan_id: Name


class ChangeCountry(Command, frozen=True, kw_only=True):
    """Moves the account to another country; licenses already issued stay."""

    country: Name


class SuspendAccount(Command, frozen=True, kw_only=True):
    """Puts the account on hold: nothing new is issued until it is reinstated."""

    reason: Note = ""


class ReinstateAccount(Command, frozen=True, kw_only=True):
    """Takes the account off hold."""

    reason: Note = ""


class CloseAccount(Command, frozen=True, kw_only=True):
    """Ends the membership and revokes every license."""

    reason: Note = ""


class RegisterDevice(Command, frozen=True, kw_only=True):
    """Makes a device known, with what its DRM can prove."""

    device_id: Name
    model: Name = "unknown"
    drm: Drm = "widevine"
    security_level: Literal[1, 2, 3] = 3  # 1 is the strongest, as in Widevine's L1


class RemoveDevice(Command, frozen=True, kw_only=True):
    """Takes a device off the account, revokes its licenses and frees its slot."""

    device_id: Name


class AcquireLicense(Command, frozen=True, kw_only=True):
    """Asks for a license to download a title onto a device."""

    device_id: Name
    title_id: Name
    profile_id: Name = "main"
    drm: Drm | None = None  # None: the one that the device registered with
    quality: Name = "standard"  # since v2


class RenewLicense(Command, frozen=True, kw_only=True):
    """Asks for a new expiry of a license, before or after it expired."""

    license_id: Uuid


class RenewDevice(Command, frozen=True, kw_only=True):
    """Renews every license that a device holds and refreshes its lease."""

    device_id: Name


class ReleaseLicense(Command, frozen=True, kw_only=True):
    """Gives a license back: the member deleted the download."""

    license_id: Uuid
    reason: Note = "deleted"
    proof: Proof = "claimed"


class ReportDownload(Command, frozen=True, kw_only=True):
    """Says how fetching the media went."""

    license_id: Uuid
    status: DownloadStatus
    bytes: Count = 0


class ReportPlayback(Command, frozen=True, kw_only=True):
    """Says that a session played; may come late and in bulk, from a device that was away."""

    license_id: Uuid
    session_id: Name
    started_at: Instant  # by the device's clock
    stopped_at: Instant | None = None
    position_s: Count = 0


class SyncDevice(Command, frozen=True, kw_only=True):
    """Says what a device still holds; what it no longer holds is released."""

    device_id: Name
    held_license_ids: Uuids
    device_clock: Instant


class ExpireLicense(Command, frozen=True, kw_only=True):
    """Says that a license's expiry has come; sent by the timekeeper."""

    license_id: Uuid
    due_at: Instant


class RevokeLicense(Command, frozen=True, kw_only=True):
    """Takes licenses away: exactly one of license, title, device or all."""

    license_id: Uuid | None = None
    title_id: Name | None = None
    device_id: Name | None = None
    all: bool = False
    reason: Note = ""


class GrantAllowance(Command, frozen=True, kw_only=True):
    """Raises a limit for a while, for one title (R14) or one device (R13); by support staff."""

    count: Count
    expires_at: Instant
    title_id: Name | None = None
    device_id: Name | None = None
    note: Note = ""


class EraseAccount(Command, frozen=True, kw_only=True):
    """Forgets the person: every read-model row of the account is deleted."""


class RedriveParked(Command, frozen=True, kw_only=True):
    """Tries the account's parked commands again, in order; by an operator."""


class DiscardParked(Command, frozen=True, kw_only=True):
    """Gives up one parked command, so that those behind it can go on; by an operator."""

    offset: Count
    reason: Note = ""


AnyCommand = (
    OpenAccount
    | ChangePlan
    | ChangeCountry
    | SuspendAccount
    | ReinstateAccount
    | CloseAccount
    | RegisterDevice
    | RemoveDevice
    | AcquireLicense
    | RenewLicense
    | RenewDevice
    | ReleaseLicense
    | ReportDownload
    | ReportPlayback
    | SyncDevice
    | ExpireLicense
    | RevokeLicense
    | GrantAllowance
    | EraseAccount
)
OperatorCommand = RedriveParked | DiscardParked
