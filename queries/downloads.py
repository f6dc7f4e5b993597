"""How many downloads a member has, what is left of each limit, and when there is one more."""

from bisect import bisect_right
from collections.abc import Sequence

from msgspec import Struct

from projectors.downloads import PROJECTION, DeviceUse, Downloads, title_use
from projectors.keys import month_after, month_of
from queries.reader import ANYTHING, AtLeast, Reader, Standing, the_row
from queries.warnings import MemberWarning, of_downloads

Grants = Sequence[tuple[int, int]]  # (count, until) of each allowance


class TitleDownloads(Struct, frozen=True):
    """One title: what counted within its window, and what is left (R14)."""

    title_id: str
    used: int  # within the window that ends now
    window_s: int  # as last resolved
    limit: int | None  # as last resolved, allowances included; None: no limit
    allowance: int  # what support added to it
    left: int | None  # None: no limit
    available_at: int | None  # when this limit allows the next; None: not as things stand


class DeviceDownloads(Struct, frozen=True):
    """One device: what it holds, and its calendar month (R13)."""

    device_id: str
    active: int  # licenses
    next_expiry_at: int | None  # of these
    issued: int
    month: str  # UTC: 2026-11
    used: int
    limit: int | None
    allowance: int
    left: int | None
    available_at: int | None


class DownloadsAnswer(Struct, frozen=True):
    """The downloads of one account, at one moment."""

    account_id: str
    at: int  # the moment that was asked about
    version: int  # of the account: the ETag
    standing: Standing | None  # from when the rows are; None: from the account's history
    issued: int
    renewed: int
    counted: int
    refunded: int
    active: int
    titles: tuple[TitleDownloads, ...]
    devices: tuple[DeviceDownloads, ...]
    warnings: tuple[MemberWarning, ...]  # of expiries: see the licenses


class TitleAnswer(Struct, frozen=True):
    """One title's downloads by one account, at one moment."""

    account_id: str
    at: int
    version: int  # of the account
    standing: Standing
    title: TitleDownloads


def downloads(
    reader: Reader,
    account_id: str,
    *,
    at: int,
    title_id: str | None = None,
    wanted: AtLeast = ANYTHING,
) -> DownloadsAnswer:
    """The account's downloads, or those of one title. Raises: NotFound, Unavailable."""
    reading = reader.of_account(PROJECTION, account_id, (account_id,), wanted)
    row = the_row(reading, account_id, account_id)
    return downloads_of(row, account_id, at=at, title_id=title_id, standing=reading.standing)


def one_title(
    reader: Reader, account_id: str, title_id: str, *, at: int, wanted: AtLeast = ANYTHING
) -> TitleAnswer:
    """One title; one that was never downloaded counts none. Raises: NotFound, Unavailable."""
    reading = reader.of_account(PROJECTION, account_id, (account_id,), wanted)
    row = the_row(reading, account_id, account_id)
    return TitleAnswer(
        account_id=account_id,
        at=at,
        version=row.version,
        standing=reading.standing,
        title=_title(row, title_id, at),
    )


def downloads_of(
    row: Downloads,
    account_id: str,
    *,
    at: int,
    title_id: str | None = None,
    standing: Standing | None = None,
) -> DownloadsAnswer:
    """The answer that a row gives at a moment; pure, so that a row of the past may be asked."""
    names = sorted(row.titles) if title_id is None else [title_id]
    titles = tuple(_title(row, name, at) for name in names)
    devices = tuple(_device(row, name, use, at) for name, use in sorted(row.devices.items()))
    return DownloadsAnswer(
        account_id=account_id,
        at=at,
        version=row.version,
        standing=standing,
        issued=row.issued,
        renewed=row.renewed,
        counted=row.counted,
        refunded=row.refunded,
        active=sum(one.active for one in devices),
        titles=titles,
        devices=devices,
        warnings=tuple(w for one in titles for w in of_downloads(one.title_id, one.left)),
    )


def next_at(
    instants: Sequence[int], limit: int, window_ms: int, grants: Grants, *, at: int
) -> int | None:
    """When one more fits under a limit in a rolling window, `at` or later; None: never.

    An instant t counts at T while T - window < t. Room comes only from an instant that leaves
    the window; allowances run out meanwhile.
    """
    counted = sorted(instants)
    for moment in sorted({at, *(t + window_ms for t in counted if t + window_ms > at)}):
        allowed = limit + sum(count for count, until in grants if until > moment)
        if _used(counted, window_ms, moment) < allowed:
            return moment
    return None


def _used(counted: Sequence[int], window_ms: int, at: int) -> int:
    return len(counted) - bisect_right(counted, at - window_ms)


def _title(row: Downloads, title_id: str, at: int) -> TitleDownloads:
    use = title_use(row, title_id)
    window_ms = use.window_s * 1_000
    grants = [(a.count, a.until) for a in row.allowances if a.title == title_id]
    allowance = sum(count for count, until in grants if until > at)
    used = _used(use.at, window_ms, at)
    limit = None if use.limit is None else use.limit + allowance
    return TitleDownloads(
        title_id=title_id,
        used=used,
        window_s=use.window_s,
        limit=limit,
        allowance=allowance,
        left=None if limit is None else max(0, limit - used),
        available_at=at
        if use.limit is None
        else next_at(use.at, use.limit, window_ms, grants, at=at),
    )


def _device(row: Downloads, device_id: str, use: DeviceUse, at: int) -> DeviceDownloads:
    month = month_of(at)
    used = use.in_month if use.month == month else 0
    ahead = [until for until in use.until if until > at]
    grants = [(a.count, a.until) for a in row.allowances if a.device == device_id]
    allowance = sum(count for count, until in grants if until > at)
    limit = None if use.limit is None else use.limit + allowance
    left = None if limit is None else max(0, limit - used)
    return DeviceDownloads(
        device_id=device_id,
        active=len(ahead),
        next_expiry_at=min(ahead, default=None),
        issued=use.issued,
        month=month,
        used=used,
        limit=limit,
        allowance=allowance,
        left=left,
        available_at=at if left is None or left else _next_month(use, grants, at),
    )


def _next_month(use: DeviceUse, grants: Grants, at: int) -> int | None:
    begins_at = month_after(at)
    allowed = (use.limit or 0) + sum(count for count, until in grants if until > begins_at)
    return begins_at if allowed > 0 else None
