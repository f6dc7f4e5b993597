"""Commands about licenses: acquired, renewed, released, expired, revoked."""

from commands.account import Account
from commands.ask import Ask, Refusal, ask_about
from commands.catalog import Catalog
from commands.deciding.slots import noted, revoked, slot_taken, slots_given_back
from commands.device_rules import lease_after_contact, month_limit
from commands.license import License
from commands.license_rules import expiry, warnings
from commands.rules import first_refusal, refused
from commands.title_rules import counts_at_once, downloads_said
from schemas.commands import (
    AcquireLicense,
    ExpireLicense,
    ReleaseLicense,
    RenewLicense,
    RevokeLicense,
)
from schemas.envelope import Command, Event, derived_id
from schemas.events import (
    CommandNoted,
    DeviceLeaseRenewed,
    LicenseExpired,
    LicenseIssued,
    LicenseReleased,
    LicenseRenewed,
)

EARLY_MAX_S = 300  # by which an expiry may be recorded too early, however wide the tolerance


def acquire_license(
    account: Account, command: AcquireLicense, catalog: Catalog, at: int
) -> list[Event]:
    """A license, if no rule is against it; all that was resolved for it is in the event."""
    device_id, title_id = command.device_id, command.title_id
    license_id = license_id_of(command)
    ask = ask_about(command, account, catalog, at, device_id=device_id, title_id=title_id)
    if refusal := first_refusal(ask):
        return [refusal]
    if account.license(license_id) is not None:
        detail = "the license of this command_id was issued before"
        return [refused(ask, Refusal("COMMAND_INVALID", detail=detail))]
    counts, expires_at = counts_at_once(ask), expiry(ask)
    limit, used, window_s = downloads_said(ask, counts=counts)
    left = None if limit is None else limit - used - (not counts)  # it holds its place (R16)
    issued = LicenseIssued(
        license_id=license_id,
        device_id=device_id,
        title_id=title_id,
        studio_id=ask.studio_id or "",
        counted=counts,
        expires_at=expires_at,
        limit=limit,
        used=used,
        window_s=window_s,
        device_limit=month_limit(ask),
        play_window_s=ask.policy.license_play_window_s,
        profile_id=command.profile_id,
        drm=command.drm or (ask.device.drm if ask.device else ""),
        quality=command.quality,
        warnings=warnings(ask, expires_at, left),
    )
    return [issued, *_lease_moved(ask), *slot_taken(ask)]


def license_id_of(command: AcquireLicense) -> str:
    """Its license's id; another account that used the same command id gets another one."""
    return derived_id(command.command_id, f"{command.account_id}/1")


def renew_license(
    account: Account, command: RenewLicense, catalog: Catalog, at: int
) -> list[Event]:
    """A new expiry, if no rule is against it."""
    return renewed(account, command, catalog, at, command.license_id)


def renewed(
    account: Account, command: Command, catalog: Catalog, at: int, license_id: str
) -> list[Event]:
    """The renewal of one license, asked for alone or with all of its device."""
    ask = ask_about(command, account, catalog, at, license_id=license_id)
    refusal, license = first_refusal(ask, RenewLicense), ask.license
    if refusal or license is None:
        return [refusal or refused(ask, Refusal("LICENSE_UNKNOWN"))]
    counts, expires_at = counts_at_once(ask), expiry(ask)
    limit, used, window_s = downloads_said(ask, counts=counts)
    event = LicenseRenewed(
        license_id=license_id,
        device_id=license.device_id,
        title_id=license.title_id,
        studio_id=license.studio_id,
        counted=counts,
        expires_at=expires_at,
        previous_expires_at=license.expires_at,
        was_expired=license.is_recorded_expired,
        limit=limit,
        used=used,
        window_s=window_s,
        play_window_s=ask.policy.license_play_window_s,
        renewal=license.renewals + 1,
        warnings=warnings(ask, expires_at, None if limit is None else limit - used),
    )
    return [event, *_lease_moved(ask), *slot_taken(ask)]


def _lease_moved(ask: Ask) -> list[Event]:
    """R23: a device that got a license has checked in."""
    device = ask.device
    if device is None or ask.policy.account_lease_s is None:
        return []
    until = lease_after_contact(device, ask.policy, ask.at)
    if until == device.lease_until:
        return []
    return [DeviceLeaseRenewed(device_id=device.device_id, lease_until=until)]


def release_license(
    account: Account, command: ReleaseLicense, catalog: Catalog, at: int
) -> list[Event]:
    """The member gave it back; with the last one its device gives its slot back."""
    ask = ask_about(command, account, catalog, at, license_id=command.license_id)
    license = ask.license
    if license is not None and license.ended_as is not None:
        return noted(ask, f"the license was {license.ended_as} already")
    refusal = first_refusal(ask)
    if refusal or license is None:
        return [refusal or refused(ask, Refusal("LICENSE_UNKNOWN"))]
    given_back = released(license, command.reason, command.proof)
    return [given_back, *slots_given_back(account, ask.policy, at, [license])]


def released(license: License, reason: str, proof: str) -> LicenseReleased:
    """The event that says so."""
    return LicenseReleased(
        license_id=license.license_id,
        device_id=license.device_id,
        title_id=license.title_id,
        studio_id=license.studio_id,
        expires_at=license.expires_at,
        was_expired=license.is_recorded_expired,
        reason=reason,
        proof=proof,
    )


def expire_license(
    account: Account, command: ExpireLicense, catalog: Catalog, at: int
) -> list[Event]:
    """The expiry is put on record, if it has come.

    The timekeeper's clock may be a little ahead of `at`. It fires each due instant only once,
    so within the tolerance (R26), and never more than `EARLY_MAX_S`, its word is taken.
    """
    ask = ask_about(command, account, catalog, at, license_id=command.license_id)
    license = ask.license
    if account.status == "erased":
        return _too_late(ask, command, "the account was erased")
    refusal = first_refusal(ask)
    if refusal or license is None:
        return [refusal or refused(ask, Refusal("LICENSE_UNKNOWN"))]
    if license.ended_as is not None:
        return _too_late(ask, command, f"the license was {license.ended_as} already")
    if license.is_recorded_expired:
        return _too_late(ask, command, "the license expired already")
    early_s = min(ask.policy.clock_max_skew_s, EARLY_MAX_S)
    now_at = max(at, min(command.issued_at, at + early_s * 1000))
    if license.expires_at > now_at:
        return _too_late(ask, command, "the license expires later", license.expires_at)
    expired = LicenseExpired(
        license_id=license.license_id,
        device_id=license.device_id,
        title_id=license.title_id,
        studio_id=license.studio_id,
        expires_at=license.expires_at,
    )
    if ask.policy.license_slot_held_until == "released":
        return [expired]
    return [expired, *slots_given_back(account, ask.policy, at, [license])]


def _too_late(
    ask: Ask, command: ExpireLicense, note: str, next_due_at: int | None = None
) -> list[Event]:
    return [
        CommandNoted(
            command_type="ExpireLicense",
            note=note,
            license_id=command.license_id,
            due_at=command.due_at,
            next_due_at=next_due_at,
        )
    ]


def revoke_license(
    account: Account, command: RevokeLicense, catalog: Catalog, at: int
) -> list[Event]:
    """Takes away one license, or all of a title, of a device or of the account."""
    ask = ask_about(
        command,
        account,
        catalog,
        at,
        device_id=command.device_id,
        title_id=command.title_id,
        license_id=command.license_id,
    )
    named = (command.license_id, command.title_id, command.device_id, command.all or None)
    if sum(selector is not None for selector in named) != 1:
        detail = "exactly one of license_id, title_id, device_id and all"
        return [refused(ask, Refusal("COMMAND_INVALID", detail=detail))]
    if refusal := first_refusal(ask):
        return [refusal]
    if command.license_id is not None and ask.license is None:
        return [refused(ask, Refusal("LICENSE_UNKNOWN"))]
    taken = [held for held in account.licenses.values() if _is_meant(held, command)]
    if not taken:
        return noted(ask, "there is no such license to revoke")
    return revoked(account, ask.policy, at, taken, command.reason)


def _is_meant(held: License, command: RevokeLicense) -> bool:
    return (
        command.all
        or held.license_id == command.license_id
        or held.title_id == command.title_id
        or held.device_id == command.device_id
    )
