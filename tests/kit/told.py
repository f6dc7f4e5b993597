"""What each event says, as the state after it has to say too."""

from collections.abc import Callable, Mapping
from typing import Any

from commands.account import Account
from schemas import events
from schemas.envelope import Event


def is_told_by(account: Account, event: Event) -> bool:
    """Whether the account knows what the event says; True where that is nothing lasting."""
    says = SAYS.get(type(event))
    return says is None or says(account, event)


def _has_counted(account: Account, event: Any) -> bool:
    return (event.at, event.license_id) in account.title(event.title_id).downloads


def _lasts(account: Account, event: Any) -> bool:
    held = account.licenses.get(event.license_id)
    return held is not None and held.expires_at == event.expires_at


def _ended(account: Account, event: Any) -> bool:
    ended = account.ended.get(event.license_id)
    return ended is not None and ended.ended_at == event.at


def _license(field: str, expected: Callable[[Any], Any]) -> Callable[[Account, Any], bool]:
    """The license, held or ended, has that value in that field."""

    def says(account: Account, event: Any) -> bool:
        known = account.license(event.license_id)
        return known is not None and bool(getattr(known, field) == expected(event))

    return says


def _device(field: str, expected: Callable[[Any], Any]) -> Callable[[Account, Any], bool]:
    """The device has that value in that field."""

    def says(account: Account, event: Any) -> bool:
        known = account.devices.get(event.device_id)
        return known is not None and bool(getattr(known, field) == expected(event))

    return says


def _had(account: Account, event: Any) -> bool:
    known, plays = account.license(event.license_id), account.title(event.title_id).plays
    return known is not None and known.is_completed and event.session_id in plays


_counted_then = _license("counted_at", lambda event: event.at)
_completed = _license("is_completed", lambda event: True)

SAYS: Mapping[type[Event], Callable[[Account, Any], bool]] = {
    events.PlanChanged: lambda account, event: account.plan_id == event.plan_id,
    events.CountryChanged: lambda account, event: account.country == event.country,
    events.AccountSuspended: lambda account, event: account.status == "on_hold",
    events.AccountReinstated: lambda account, event: account.status == "open",
    events.AccountClosed: lambda account, event: account.status == "closed",
    events.AccountErased: lambda account, event: account.status == "erased",
    events.AllowanceGranted: lambda account, event: (
        event.expires_at in {extra.expires_at for extra in account.allowances}
    ),
    events.DeviceRegistered: _device("lease_until", lambda event: event.lease_until),
    events.DeviceRemoved: _device("removed_at", lambda event: event.at),
    events.DeviceActivated: _device("activated_at", lambda event: event.at),
    events.DeviceDeactivated: _device("activated_at", lambda event: None),
    events.DeviceLeaseRenewed: _device("lease_until", lambda event: event.lease_until),
    events.DeviceSynced: _device("lease_until", lambda event: event.lease_until),
    events.LicenseIssued: lambda account, event: (
        _lasts(account, event) and (_has_counted(account, event) or not event.counted)
    ),
    events.LicenseRenewed: lambda account, event: (
        _lasts(account, event) and (_has_counted(account, event) or not event.counted)
    ),
    events.LicenseReleased: _ended,
    events.LicenseRevoked: _ended,
    events.LicenseExpired: _license("is_recorded_expired", lambda event: True),
    events.DownloadReported: lambda account, event: (
        event.status != "completed" or _completed(account, event)
    ),
    events.DownloadCounted: lambda account, event: (
        _counted_then(account, event) and _has_counted(account, event)
    ),
    events.DownloadRefunded: _license("counted_at", lambda event: None),
    events.PlaybackReported: _had,
    events.PlayWindowOpened: _license("expires_at", lambda event: event.expires_at),
}
