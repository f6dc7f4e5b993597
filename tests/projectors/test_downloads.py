from typing import Any

from projectors import downloads
from projectors.downloads import (
    PROJECTION,
    Allowance,
    DeviceUse,
    Downloads,
    TitleUse,
    title_use,
)
from schemas import events
from schemas.envelope import Event
from tests.kit.fold import row_of, rows_of
from tests.kit.happenings import (
    DAY,
    NOW,
    TERM,
    expired,
    happened,
    history,
    issued,
    released,
    renewed,
    revoked,
)

OPENED = happened(events.AccountOpened)


def row(*happenings: Event) -> Downloads:
    return row_of(PROJECTION, "a1", *history(*happenings))


def held(*happenings: Event) -> list[int]:
    return row(*happenings).devices["d1"].until


def counted(**fields: Any) -> events.DownloadCounted:
    return happened(events.DownloadCounted, **fields)


def test_an_account_without_downloads_has_a_row() -> None:
    assert row(OPENED) == Downloads(version=1)


def test_a_license_is_counted_in_total_by_title_and_by_device() -> None:
    found = row(OPENED, issued(device_limit=15))
    assert (found.version, found.issued, found.counted) == (2, 1, 1)
    assert title_use(found, "t1") == TitleUse([NOW], limit=3, window_s=365 * 86_400)
    assert found.devices == {"d1": DeviceUse(1, "2026-11", 1, 15, [NOW + TERM])}


def test_a_license_that_counts_on_completion_counts_then() -> None:
    assert title_use(row(issued(counted=False)), "t1").at == []
    found = row(issued(counted=False), counted(at=NOW + 5))
    assert (found.counted, title_use(found, "t1").at) == (1, [NOW + 5])
    assert found.devices["d1"].in_month == 1


def test_a_renewal_counts_if_it_says_so() -> None:
    found = row(issued(), renewed(at=NOW + DAY), renewed(at=NOW + 2 * DAY, counted=False))
    assert (found.issued, found.renewed, found.counted) == (1, 2, 2)
    assert title_use(found, "t1").at == [NOW, NOW + DAY]


def test_a_renewal_moves_the_expiry() -> None:
    assert held(issued(), renewed(expires_at=NOW + 2 * TERM)) == [NOW + 2 * TERM]


def test_a_license_that_is_over_is_held_no_more() -> None:
    assert held(issued(1), issued(2), issued(3), released(1), revoked(2), expired(3)) == []


def test_a_license_that_expired_is_over_only_once() -> None:
    assert held(issued(1), issued(2), expired(1), released(1, was_expired=True)) == [NOW + TERM]
    assert held(issued(1), issued(2), expired(1), revoked(1, was_expired=True)) == [NOW + TERM]


def test_a_renewal_after_the_expiry_brings_the_license_back() -> None:
    back = renewed(was_expired=True, expires_at=NOW + 2 * TERM)
    assert held(issued(1), issued(2), expired(1), back) == [NOW + TERM, NOW + 2 * TERM]


def test_the_first_play_shortens_the_license() -> None:
    played = happened(events.PlayWindowOpened, expires_at=NOW + 2 * DAY)
    assert held(issued(1), issued(2), played) == [NOW + TERM, NOW + 2 * DAY]


def test_a_device_holds_its_own() -> None:
    found = row(issued(1), issued(2, device_id="d2"), released(2, device_id="d2"))
    assert [found.devices[name].until for name in ("d1", "d2")] == [[NOW + TERM], []]


def test_the_end_of_something_unknown_changes_nothing() -> None:
    assert held(issued(), released(2, expires_at=5)) == [NOW + TERM]


def test_a_refund_takes_one_download_off_the_title_and_the_month() -> None:
    found = row(
        issued(1, at=NOW),
        issued(2, at=NOW),
        happened(events.DownloadRefunded, counted_at=NOW),
    )
    assert (found.counted, found.refunded) == (2, 1)
    assert (title_use(found, "t1").at, found.devices["d1"].in_month) == ([NOW], 1)


def test_a_refund_of_something_forgotten_takes_nothing_off() -> None:
    found = row(issued(), happened(events.DownloadRefunded, counted_at=5, title_id="t9"))
    assert (found.refunded, title_use(found, "t1").at) == (1, [NOW])


def test_a_refund_of_last_month_leaves_this_month_alone() -> None:
    later = NOW + 10 * DAY
    refund = happened(events.DownloadRefunded, at=later, counted_at=NOW)
    found = row(issued(1), issued(2, at=later), refund)
    assert (found.devices["d1"].month, found.devices["d1"].in_month) == ("2026-12", 1)


def test_a_month_begins_at_zero() -> None:
    found = row(issued(1), issued(2, at=NOW + 10 * DAY))
    assert (found.devices["d1"].month, found.devices["d1"].in_month) == ("2026-12", 1)


def test_the_limit_is_the_one_resolved_last() -> None:
    found = row(issued(1, limit=3), issued(2, limit=2, window_s=60))
    assert (title_use(found, "t1").limit, title_use(found, "t1").window_s) == (2, 60)


def test_instants_older_than_a_year_and_the_window_go() -> None:
    found = row(issued(1, at=NOW), issued(2, at=NOW + 366 * DAY))
    assert title_use(found, "t1").at == [NOW + 366 * DAY]


def test_instants_within_a_window_of_two_years_stay() -> None:
    found = row(issued(1, at=NOW), issued(2, at=NOW + 366 * DAY, window_s=2 * 365 * 86_400))
    assert title_use(found, "t1").at == [NOW, NOW + 366 * DAY]


def test_the_instants_of_a_title_are_bounded() -> None:
    many = (issued(n, at=NOW + n, limit=None) for n in range(downloads.INSTANTS_MAX + 5))
    found = row(*many)
    assert title_use(found, "t1").at[0] == NOW + 5
    assert len(title_use(found, "t1").at) == downloads.INSTANTS_MAX


def test_a_sweep_drops_titles_that_did_not_count_for_a_year() -> None:
    old = (issued(1, title_id="old"), issued(2, at=NOW + 10 * DAY, title_id="newer"))
    later = (issued(n, at=NOW + 366 * DAY) for n in range(3, downloads.SWEEP_EVERY + 1))
    assert sorted(row(*old, *later).titles) == ["newer", "t1"]


def test_a_sweep_drops_devices_of_long_ago_only_above_the_bound() -> None:
    old = (issued(n, device_id=f"d{n}", title_id="t") for n in range(100, 229))
    over = (released(n, device_id=f"d{n}") for n in range(100, 229))
    later = (issued(n, device_id="new", at=NOW + 400 * DAY) for n in range(1, 65))
    assert list(row(*old, *over, *later).devices) == ["new"]


def test_an_allowance_is_kept_until_the_next_grant_after_it_ran_out() -> None:
    found = row(
        happened(events.AllowanceGranted, device_id=None, expires_at=NOW + 1),
        happened(events.AllowanceGranted, at=NOW + 2, title_id=None, expires_at=NOW + DAY),
    )
    assert found.allowances == [Allowance(1, NOW + DAY, None, "d1")]


def test_a_limit_is_kept_without_the_allowance_that_was_granted_on_top() -> None:
    granted = happened(events.AllowanceGranted, device_id=None, count=2, expires_at=NOW + DAY)
    within = row(granted, issued(limit=5, device_limit=15))
    assert (title_use(within, "t1").limit, within.devices["d1"].limit) == (3, 15)
    after = row(granted, issued(limit=3, at=NOW + DAY))
    assert title_use(after, "t1").limit == 3


def test_a_limit_of_a_device_is_kept_without_its_allowance() -> None:
    granted = happened(events.AllowanceGranted, title_id=None, count=2, expires_at=NOW + DAY)
    assert row(granted, issued(device_limit=17)).devices["d1"].limit == 15


def test_an_erased_account_has_no_row() -> None:
    erased = happened(events.AccountErased)
    assert rows_of(PROJECTION, history(OPENED, issued(), erased)) == {}
