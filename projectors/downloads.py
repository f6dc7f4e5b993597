"""Download counts of an account: in total, active, by device, by title in its window.

Limits are those that the last decision resolved, without the allowances that support granted on
top for a while: these are listed beside them.

A row keeps its titles encoded, since an event touches one of them and the row is written whole:
measured, that takes a quarter off the fold and the writing of a row together. For the same
reason it names no license: one that ends is told by its device and its expiry.

What is left at a given moment is computed when it is asked (`queries/downloads.py`).
"""

import sys
from typing import Any

import msgspec
from msgspec import Raw, Struct, field

from projectors import keys
from projectors.keys import YEAR_MS, by_account, forgotten, month_of
from projectors.projection import Projection
from schemas import events

YEAR_S = YEAR_MS // 1_000
SWEEP_EVERY = 64  # licenses issued between two sweeps of what is too old to matter
DEVICES_MAX = 100  # above it, those go that had nothing for a year
INSTANTS_MAX = 1_000  # of one title; only a title without a limit can come near it


class TitleUse(Struct, gc=False, omit_defaults=True):
    """What counted of one title, and the limit (R14) that it counts against."""

    at: list[int]  # instants that counted, ascending
    limit: int | None = None  # without allowances
    window_s: int = YEAR_S  # as resolved last; the rules count over a year without a limit


class DeviceUse(Struct, gc=False, omit_defaults=True):
    """What one device downloaded and holds, and its limit per calendar month (R13)."""

    issued: int = 0  # ever
    month: str = ""  # UTC, of the last one that counted
    in_month: int = 0  # counted, refunds taken off
    limit: int | None = None  # without allowances
    until: list[int] = field(default_factory=list)  # when each license ends that it holds


class Allowance(Struct, gc=False, omit_defaults=True):
    """A limit raised by support, of one title or one device."""

    count: int
    until: int
    title: str | None = None
    device: str | None = None


class Downloads(Struct, gc=False, omit_defaults=True):
    """The row of one account."""

    version: int = 0  # of the account, as far as it is folded
    issued: int = 0
    renewed: int = 0
    counted: int = 0
    refunded: int = 0
    titles: dict[str, Raw] = field(default_factory=dict)  # of TitleUse; `title_use` reads one
    devices: dict[str, DeviceUse] = field(default_factory=dict)
    allowances: list[Allowance] = field(default_factory=list)


def opened(row: Downloads, event: Any) -> Downloads:
    """An account without downloads has a row too, so that it differs from no account."""
    row.version = event.version
    return row


def issued(row: Downloads, event: Any) -> Downloads:
    """One more license, on one device."""
    row.version = event.version
    row.issued += 1
    device = _device(row, event.device_id)
    device.issued += 1
    device.until.append(event.expires_at)
    device.limit = event.device_limit
    if row.allowances and device.limit is not None:
        device.limit -= _granted(row, event.at, device_id=event.device_id)
    _resolve(row, device, event)
    if row.issued % SWEEP_EVERY == 0:
        _sweep(row, event.at)
    return row


def renewed(row: Downloads, event: Any) -> Downloads:
    """A license goes on, or is back after its expiry."""
    row.version = event.version
    row.renewed += 1
    device = _device(row, event.device_id)
    if not event.was_expired:
        _take(device, event.previous_expires_at)
    device.until.append(event.expires_at)
    _resolve(row, device, event)
    return row


def expired(row: Downloads, event: Any) -> Downloads:
    """A license is over until it is renewed."""
    row.version = event.version
    _take(row.devices.get(event.device_id), event.expires_at)
    return row


def ended(row: Downloads, event: Any) -> Downloads:
    """A license is over for good; one that had expired was over before."""
    row.version = event.version
    if not event.was_expired:
        _take(row.devices.get(event.device_id), event.expires_at)
    return row


def shortened(row: Downloads, event: Any) -> Downloads:
    """The first play moved the expiry."""
    row.version = event.version
    device = row.devices.get(event.device_id)
    if device is not None and _take(device, event.previous_expires_at):
        device.until.append(event.expires_at)
    return row


def counted(row: Downloads, event: Any) -> Downloads:
    """A completed download counts (R16)."""
    row.version = event.version
    use = title_use(row, event.title_id)
    _count(row, use, _device(row, event.device_id), event.at)
    row.titles[event.title_id] = Raw(_encode(use))
    return row


def refunded(row: Downloads, event: Any) -> Downloads:
    """A counted download failed early and counts no more (R16)."""
    row.version = event.version
    row.refunded += 1
    device = row.devices.get(event.device_id)
    if device is not None and device.in_month and device.month == month_of(event.counted_at):
        device.in_month -= 1
    use = title_use(row, event.title_id)
    if event.counted_at in use.at:
        use.at.remove(event.counted_at)
        row.titles[event.title_id] = Raw(_encode(use))
    return row


def granted(row: Downloads, event: Any) -> Downloads:
    """Support raised a limit."""
    row.version = event.version
    row.allowances = [a for a in row.allowances if a.until > event.at]
    row.allowances.append(
        Allowance(event.count, event.expires_at, event.title_id, event.device_id)
    )
    return row


def title_use(row: Downloads, title_id: str) -> TitleUse:
    """What counted of one title; nothing, where the row does not know it."""
    encoded = row.titles.get(title_id)
    return TitleUse([]) if encoded is None else _decode(encoded)


def _device(row: Downloads, device_id: str) -> DeviceUse:
    device = row.devices.get(device_id)
    if device is None:
        device = row.devices[device_id] = DeviceUse()
    return device


def _resolve(row: Downloads, device: DeviceUse, event: Any) -> None:
    """The title's limit as it is now, without the allowances that it includes."""
    use = title_use(row, event.title_id)
    use.limit = event.limit
    use.window_s = event.window_s
    if row.allowances and use.limit is not None:
        use.limit -= _granted(row, event.at, title_id=event.title_id)
    if event.counted:
        _count(row, use, device, event.at)
    row.titles[event.title_id] = Raw(_encode(use))


def _take(device: DeviceUse | None, expires_at: int) -> bool:
    """One license less that ends then: which one does not matter here."""
    if device is None or expires_at not in device.until:
        return False
    device.until.remove(expires_at)
    return True


def _count(row: Downloads, use: TitleUse, device: DeviceUse, at: int) -> None:
    row.counted += 1
    month = month_of(at)
    if device.month == month:
        device.in_month += 1
    else:
        device.month = month
        device.in_month = 1
    instants = use.at
    instants.append(at)
    if instants[0] <= at - YEAR_MS or len(instants) > INSTANTS_MAX:
        use.at = _recent(use, at)


def _granted(
    row: Downloads, at: int, *, title_id: str | None = None, device_id: str | None = None
) -> int:
    return sum(
        a.count
        for a in row.allowances
        if (a.title, a.device) == (title_id, device_id) and a.until > at
    )


def _recent(use: TitleUse, at: int) -> list[int]:
    oldest = at - max(use.window_s * 1_000, YEAR_MS)  # a window may widen up to a year again
    return [instant for instant in use.at if instant > oldest][-INSTANTS_MAX:]


def _sweep(row: Downloads, at: int) -> None:
    for title_id in list(row.titles):
        use = title_use(row, title_id)
        use.at = _recent(use, at)
        if use.at:
            row.titles[title_id] = Raw(_encode(use))
        else:
            del row.titles[title_id]
    if len(row.devices) > DEVICES_MAX:
        since = month_of(at - YEAR_MS)
        row.devices = {d: u for d, u in row.devices.items() if u.until or u.month >= since}
    row.allowances = [a for a in row.allowances if a.until > at]


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(TitleUse).decode

PROJECTION: Projection[Downloads] = Projection(
    name="downloads",
    row_type=Downloads,
    initial=lambda _: Downloads(),
    keys=by_account,
    folds={
        events.AccountOpened: opened,
        events.LicenseIssued: issued,
        events.LicenseRenewed: renewed,
        events.LicenseReleased: ended,
        events.LicenseExpired: expired,
        events.LicenseRevoked: ended,
        events.PlayWindowOpened: shortened,
        events.DownloadCounted: counted,
        events.DownloadRefunded: refunded,
        events.AllowanceGranted: granted,
        events.AccountErased: forgotten,
    },
    reads=(
        *("version", "at", "account_id", "device_id", "title_id", "counted", "expires_at"),
        *("previous_expires_at", "was_expired", "limit", "window_s", "device_limit"),
        *("counted_at", "count"),
    ),
    modules=(sys.modules[__name__], keys),
)
