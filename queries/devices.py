"""Which devices an account has, which hold downloads, and which slot is free."""

from msgspec import Struct

from projectors.devices import PROJECTION, Device, Devices
from queries.reader import ANYTHING, AtLeast, Reader, Standing, the_row


class DeviceAnswer(Struct, frozen=True):
    """One device as it is at the moment that was asked about."""

    device_id: str
    model: str
    drm: str
    security_level: int
    registered_at: int | None
    removed_at: int | None
    takes_slot: bool  # as recorded
    slot_since: int | None
    active: int  # licenses that have not run out
    next_expiry_at: int | None  # of these
    lease_until: int | None
    is_lease_over: bool
    synced_at: int | None
    clock_skew_ms: int


class DevicesAnswer(Struct, frozen=True):
    """The devices of one account, at one moment."""

    account_id: str
    at: int
    version: int  # of the account: the ETag
    standing: Standing | None
    plan_id: str
    country: str
    status: str  # open, suspended or closed
    slots_used: int
    slots_limit: int | None  # as last resolved; None: none, or not yet on this plan
    slots_free: int | None
    devices: tuple[DeviceAnswer, ...]


def devices(
    reader: Reader, account_id: str, *, at: int, wanted: AtLeast = ANYTHING
) -> DevicesAnswer:
    """The account's devices. Raises: NotFound, Unavailable."""
    reading = reader.of_account(PROJECTION, account_id, (account_id,), wanted)
    row = the_row(reading, account_id, account_id)
    return devices_of(row, account_id, at=at, standing=reading.standing)


def devices_of(
    row: Devices, account_id: str, *, at: int, standing: Standing | None = None
) -> DevicesAnswer:
    """The answer that a row gives at a moment."""
    used = sum(one.slot_since is not None for one in row.devices.values())
    limit = row.slots_limit
    return DevicesAnswer(
        account_id=account_id,
        at=at,
        version=row.version,
        standing=standing,
        plan_id=row.plan_id,
        country=row.country,
        status=row.status,
        slots_used=used,
        slots_limit=limit,
        slots_free=None if limit is None else max(0, limit - used),
        devices=tuple(_answer(name, one, at) for name, one in sorted(row.devices.items())),
    )


def _answer(device_id: str, one: Device, at: int) -> DeviceAnswer:
    ahead = [expires_at for expires_at in one.licenses.values() if expires_at > at]
    return DeviceAnswer(
        device_id=device_id,
        model=one.model,
        drm=one.drm,
        security_level=one.security_level,
        registered_at=one.registered_at,
        removed_at=one.removed_at,
        takes_slot=one.slot_since is not None,
        slot_since=one.slot_since,
        active=len(ahead),
        next_expiry_at=min(ahead, default=None),
        lease_until=one.lease_until,
        is_lease_over=one.lease_until is not None and one.lease_until <= at,
        synced_at=one.synced_at,
        clock_skew_ms=one.clock_skew_ms,
    )
