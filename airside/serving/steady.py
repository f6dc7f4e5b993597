"""Answers without what changes by the mere passing of time: two of them are equal as long as
nothing happened, and no limit, window or expiry was crossed.
"""

from typing import Any

from msgspec.structs import replace

from queries.downloads import DeviceDownloads, DownloadsAnswer, TitleAnswer, TitleDownloads
from queries.licenses import LicenseAnswer, LicensesAnswer, OneLicenseAnswer


def steady_downloads(found: DownloadsAnswer) -> Any:
    """Whatever is possible now is possible since ever."""
    return (
        replace(found, at=0, standing=None, titles=(), devices=()),
        [_possible(one, found.at) for one in found.titles],
        [_possible(one, found.at) for one in found.devices],
    )


def steady_title(found: TitleAnswer) -> Any:
    """The same of one title."""
    return found.account_id, found.version, _possible(found.title, found.at)


def steady_licenses(found: LicensesAnswer) -> Any:
    """The seconds until an expiry follow from the expiry."""
    some = [_counted_down(one) for one in found.licenses]
    return replace(found, at=0, standing=None, licenses=()), some


def steady_license(found: OneLicenseAnswer) -> Any:
    """The same of one license."""
    return found.account_id, found.version, _counted_down(found.license)


def _possible(
    one: TitleDownloads | DeviceDownloads, at: int
) -> TitleDownloads | DeviceDownloads:
    is_now = one.available_at is not None and one.available_at <= at
    return replace(one, available_at=0) if is_now else one


def _counted_down(one: LicenseAnswer) -> LicenseAnswer:
    return replace(one, expires_in_s=None)
