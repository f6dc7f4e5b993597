"""The devices of an account: which hold downloads, which slot is free, who was seen when."""

import sys
from typing import Any

from msgspec import Struct, field

from projectors import keys
from projectors.keys import by_account, forgotten
from projectors.projection import Projection
from schemas import events

REMOVED_MAX = 50  # removed devices that stay listed, the latest


class Device(Struct, gc=False, omit_defaults=True):
    """One device, as its events left it."""

    model: str = ""
    drm: str = ""
    security_level: int = 3
    registered_at: int | None = None
    removed_at: int | None = None
    slot_since: int | None = None  # since when it takes a slot; None: it takes none
    licenses: dict[str, int] = field(default_factory=dict)  # id -> expires_at, not yet over
    lease_until: int | None = None
    synced_at: int | None = None
    clock_skew_ms: int = 0  # at the last sync: its clock minus the broker's


class Devices(Struct, gc=False, omit_defaults=True):
    """The row of one account."""

    version: int = 0
    plan_id: str = ""
    country: str = ""
    status: str = "open"  # open, suspended or closed
    slots_limit: int | None = None  # as last resolved (R07); null: none, or not yet known
    devices: dict[str, Device] = field(default_factory=dict)


def opened(row: Devices, event: Any) -> Devices:
    """A membership began."""
    row.version = event.version
    row.plan_id = event.plan_id
    row.country = event.country
    row.status = "open"
    return row


def moved(row: Devices, event: Any) -> Devices:
    """Another country."""
    row.version = event.version
    row.country = event.country
    return row


def replanned(row: Devices, event: Any) -> Devices:
    """Another plan, whose slots are known with the next device that takes one."""
    row.version = event.version
    row.plan_id = event.plan_id
    row.slots_limit = None
    return row


def suspended(row: Devices, event: Any) -> Devices:
    """On hold."""
    row.version = event.version
    row.status = "suspended"
    return row


def reinstated(row: Devices, event: Any) -> Devices:
    """Off hold."""
    row.version = event.version
    row.status = "open"
    return row


def closed(row: Devices, event: Any) -> Devices:
    """The membership ended."""
    row.version = event.version
    row.status = "closed"
    return row


def registered(row: Devices, event: Any) -> Devices:
    """Known, or back."""
    device = _device(row, event)
    device.model = event.model
    device.drm = event.drm
    device.security_level = event.security_level
    device.registered_at = event.at
    device.removed_at = None
    device.lease_until = event.lease_until
    return row


def removed(row: Devices, event: Any) -> Devices:
    """Taken off the account; its slot is free."""
    device = _device(row, event)
    device.removed_at = event.at
    device.slot_since = None
    gone = [i for i, one in row.devices.items() if one.removed_at is not None]
    gone.sort(key=lambda i: row.devices[i].removed_at or 0)
    for device_id in gone[:-REMOVED_MAX]:
        del row.devices[device_id]
    return row


def activated(row: Devices, event: Any) -> Devices:
    """It takes a slot."""
    _device(row, event).slot_since = event.at
    row.slots_limit = event.slots_limit
    return row


def deactivated(row: Devices, event: Any) -> Devices:
    """Its slot is free."""
    _device(row, event).slot_since = None
    return row


def leased(row: Devices, event: Any) -> Devices:
    """It may stay away for longer."""
    _device(row, event).lease_until = event.lease_until
    return row


def synced(row: Devices, event: Any) -> Devices:
    """It was seen."""
    device = _device(row, event)
    device.synced_at = event.at
    device.clock_skew_ms = event.clock_skew_ms
    device.lease_until = event.lease_until
    return row


def holds(row: Devices, event: Any) -> Devices:
    """It holds this license until then."""
    _device(row, event).licenses[event.license_id] = event.expires_at
    return row


def holds_no_more(row: Devices, event: Any) -> Devices:
    """A license on it is over."""
    _device(row, event).licenses.pop(event.license_id, None)
    return row


def _device(row: Devices, event: Any) -> Device:
    row.version = event.version
    device = row.devices.get(event.device_id)
    if device is None:
        device = row.devices[event.device_id] = Device()
    return device


PROJECTION: Projection[Devices] = Projection(
    name="devices",
    row_type=Devices,
    initial=lambda _: Devices(),
    keys=by_account,
    folds={
        events.AccountOpened: opened,
        events.CountryChanged: moved,
        events.PlanChanged: replanned,
        events.AccountSuspended: suspended,
        events.AccountReinstated: reinstated,
        events.AccountClosed: closed,
        events.DeviceRegistered: registered,
        events.DeviceRemoved: removed,
        events.DeviceActivated: activated,
        events.DeviceDeactivated: deactivated,
        events.DeviceLeaseRenewed: leased,
        events.DeviceSynced: synced,
        events.LicenseIssued: holds,
        events.LicenseRenewed: holds,
        events.PlayWindowOpened: holds,
        events.LicenseReleased: holds_no_more,
        events.LicenseExpired: holds_no_more,
        events.LicenseRevoked: holds_no_more,
        events.AccountErased: forgotten,
    },
    reads=(
        *("version", "at", "account_id", "plan_id", "country", "device_id", "model", "drm"),
        *("security_level", "lease_until", "slots_limit", "clock_skew_ms"),
        *("license_id", "expires_at"),
    ),
    modules=(sys.modules[__name__], keys),
)
