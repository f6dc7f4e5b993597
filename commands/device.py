"""One device of an account: what is remembered of it, and how its events change that."""

from datetime import UTC, datetime

from msgspec import Struct
from msgspec.structs import replace

from schemas import events


class Device(Struct, frozen=True, array_like=True, gc=False):
    """A device that was registered, and may have been removed since."""

    device_id: str
    model: str
    drm: str
    security_level: int  # 1 is the strongest
    lease_until: int | None = None  # R23
    removed_at: int | None = None
    activated_at: int | None = None  # since when it occupies a slot, as recorded; None: none
    month_downloads: int = 0  # R13: downloads that counted in the month that ends at …
    month_ends_at: int = 0

    def downloads_in_month(self, at: int) -> int:
        """Downloads that counted in the calendar month (UTC) of that instant."""
        return self.month_downloads if at < self.month_ends_at else 0


def month_of(at: int) -> tuple[int, int]:
    """First instant of the UTC calendar month that `at` lies in, and of the next one, in ms."""
    first = datetime.fromtimestamp(at / 1000, UTC).replace(
        day=1, hour=0, minute=0, second=0, microsecond=0
    )
    following = first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)
    return int(first.timestamp()) * 1000, int(following.timestamp()) * 1000


def registered(device: Device | None, event: events.DeviceRegistered) -> Device:
    """New, back after a removal, or changed. Its downloads of the month stay counted."""
    known = device or Device(event.device_id, event.model, event.drm, event.security_level)
    return replace(
        known,
        model=event.model,
        drm=event.drm,
        security_level=event.security_level,
        lease_until=event.lease_until,
        removed_at=None,
    )


def removed(device: Device, event: events.DeviceRemoved) -> Device:
    """Off the account; remembered for a while, so that it can be told so."""
    return replace(device, removed_at=event.at, activated_at=None)


def activated(device: Device, event: events.DeviceActivated) -> Device:
    """It occupies a slot."""
    return replace(device, activated_at=event.at)


def deactivated(device: Device, event: events.DeviceDeactivated) -> Device:
    """It gave its slot back."""
    return replace(device, activated_at=None)


def lease_renewed(
    device: Device, event: events.DeviceLeaseRenewed | events.DeviceSynced
) -> Device:
    """It checked in."""
    return replace(device, lease_until=event.lease_until)


def download_counted(device: Device, at: int) -> Device:
    """One download more in its calendar month."""
    if at < device.month_ends_at:
        return replace(device, month_downloads=device.month_downloads + 1)
    return replace(device, month_downloads=1, month_ends_at=month_of(at)[1])


def download_refunded(device: Device, counted_at: int) -> Device:
    """One download less, if it counted in the month that is still remembered."""
    if month_of(counted_at)[1] != device.month_ends_at:
        return device
    return replace(device, month_downloads=device.month_downloads - 1)
