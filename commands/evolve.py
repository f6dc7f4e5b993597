"""How every event changes an account: `evolve`, and one short fold for each event type.

A fold depends on the event alone, never on the catalog: what a decision resolved is in its
events. Nor does it object: an event about what was forgotten long ago changes nothing.
"""

from collections.abc import Callable, Mapping
from typing import Any

from msgspec.structs import replace

from commands import device as devices
from commands import license as licenses
from commands import title as titles
from commands.account import Account, Allowance, remembered
from commands.device import Device
from commands.license import License
from schemas import events
from schemas.envelope import Event

Fold = Callable[[Account, Any], Account]


def evolve(account: Account, event: Event) -> Account:
    """The account after the event; the one before stays as it was."""
    fold = FOLDS[type(event)]
    if fold is _unchanged:
        return account
    return fold(remembered(account, event.at), event)


def _unchanged(account: Account, event: Event) -> Account:
    return account


def _opened(account: Account, event: events.AccountOpened) -> Account:
    return replace(account, status="open", plan_id=event.plan_id, country=event.country)


def _plan_changed(account: Account, event: events.PlanChanged) -> Account:
    return replace(account, plan_id=event.plan_id)


def _country_changed(account: Account, event: events.CountryChanged) -> Account:
    return replace(account, country=event.country)


def _suspended(account: Account, event: events.AccountSuspended) -> Account:
    return replace(account, status="on_hold")


def _reinstated(account: Account, event: events.AccountReinstated) -> Account:
    return replace(account, status="open")


def _closed(account: Account, event: events.AccountClosed) -> Account:
    return replace(account, status="closed")


def _erased(account: Account, event: events.AccountErased) -> Account:
    return Account(account.account_id, "erased")


def _allowance_granted(account: Account, event: events.AllowanceGranted) -> Account:
    extra = Allowance(event.title_id, event.device_id, event.count, event.expires_at)
    lasting = (other for other in account.allowances if other.expires_at > event.at)
    return replace(account, allowances=(*lasting, extra))


def _device_registered(account: Account, event: events.DeviceRegistered) -> Account:
    """A change of a device that is there already is no add (R08)."""
    known = account.devices.get(event.device_id)
    if known is None or known.removed_at is not None:
        account = replace(account, device_adds=(*account.device_adds, event.at))
    return account.with_device(devices.registered(known, event))


def _device_removed(account: Account, event: events.DeviceRemoved) -> Account:
    known = account.devices.get(event.device_id)
    if known is None:
        return account
    account = replace(account, device_removals=(*account.device_removals, event.at))
    return account.with_device(devices.removed(known, event))


def _of_device(change: Callable[[Device, Any], Device]) -> Fold:
    """The fold of an event that changes one device and nothing else."""

    def fold(account: Account, event: Any) -> Account:
        known = account.devices.get(event.device_id)
        return account if known is None else account.with_device(change(known, event))

    return fold


def _of_license(change: Callable[[License, Any], License]) -> Fold:
    """The fold of an event that changes one license and nothing else."""

    def fold(account: Account, event: Any) -> Account:
        known = account.license(event.license_id)
        return account if known is None else account.with_license(change(known, event))

    return fold


def _license_issued(account: Account, event: events.LicenseIssued) -> Account:
    begun = licenses.issued(event)
    account = account.with_license(begun)
    return _counted(account, begun, event.at) if event.counted else account


def _license_renewed(account: Account, event: events.LicenseRenewed) -> Account:
    held = account.licenses.get(event.license_id)
    if held is None:
        return account
    account = account.with_license(licenses.renewed(held, event))
    return _counted(account, held, event.at) if event.counted else account


def _counted(account: Account, license: License, at: int) -> Account:
    """A download counts: for its title (R14) and in its device's month (R13)."""
    use = account.title(license.title_id)
    account = account.with_title(
        license.title_id, titles.download_counted(use, at, license.license_id)
    )
    known = account.devices.get(license.device_id)
    return account.with_device(devices.download_counted(known, at)) if known else account


def _download_counted(account: Account, event: events.DownloadCounted) -> Account:
    known = account.license(event.license_id)
    if known is None:
        return account
    account = account.with_license(replace(known, counted_at=event.at))
    return _counted(account, known, event.at)


def _download_refunded(account: Account, event: events.DownloadRefunded) -> Account:
    known = account.license(event.license_id)
    if known is None:
        return account
    counted_at, use = event.counted_at, account.title(known.title_id)
    account = account.with_license(replace(known, counted_at=None)).with_title(
        known.title_id, titles.download_refunded(use, counted_at, known.license_id)
    )
    device = account.devices.get(known.device_id)
    if device is None:
        return account
    return account.with_device(devices.download_refunded(device, counted_at))


def _playback_reported(account: Account, event: events.PlaybackReported) -> Account:
    """A play counts for when it took place, not for when it was reported."""
    known = account.license(event.license_id)
    if known is not None and not known.is_completed:
        account = account.with_license(replace(known, is_completed=True))
    if not event.counted:
        return account
    use = account.title(event.title_id)
    began_at = min(event.started_at, event.at)
    return account.with_title(event.title_id, titles.played(use, event.session_id, began_at))


FOLDS: Mapping[type[Event], Fold] = {
    events.AccountOpened: _opened,
    events.PlanChanged: _plan_changed,
    events.CountryChanged: _country_changed,
    events.AccountSuspended: _suspended,
    events.AccountReinstated: _reinstated,
    events.AccountClosed: _closed,
    events.AccountErased: _erased,
    events.AllowanceGranted: _allowance_granted,
    events.DeviceRegistered: _device_registered,
    events.DeviceRemoved: _device_removed,
    events.DeviceActivated: _of_device(devices.activated),
    events.DeviceDeactivated: _of_device(devices.deactivated),
    events.DeviceLeaseRenewed: _of_device(devices.lease_renewed),
    events.DeviceSynced: _of_device(devices.lease_renewed),
    events.LicenseIssued: _license_issued,
    events.LicenseRenewed: _license_renewed,
    events.LicenseExpired: _of_license(licenses.expired),
    events.LicenseReleased: _of_license(licenses.released),
    events.LicenseRevoked: _of_license(licenses.revoked),
    events.DownloadReported: _of_license(licenses.download_reported),
    events.DownloadCounted: _download_counted,
    events.DownloadRefunded: _download_refunded,
    events.PlaybackReported: _playback_reported,
    events.PlayWindowOpened: _of_license(licenses.play_window_opened),
    events.CommandRefused: _unchanged,
    events.CommandNoted: _unchanged,
}
"""How each event changes an account; a test compares it with `AnyEvent`."""
