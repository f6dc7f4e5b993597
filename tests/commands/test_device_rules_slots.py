"""R07, R13, R24: the slots that devices hold, and their months."""

from schemas import events
from tests.kit.given import (
    acquire,
    downloaded,
    expect,
    household,
    release,
    renew,
)
from tests.kit.happenings import DAY, HOUR, NOW, expired, happened, released, renewed

FULL = (*downloaded(1, "d1"), *downloaded(2, "d2"))  # both slots of the standard plan
NEXT_MONTH = 1_796_083_200_000  # 2026-12-01T00:00:00Z
MONTHLY = {"plan.max_downloads_device_month": 2}


def grant(device_id: str, expires_at: int) -> events.AllowanceGranted:
    return happened(
        events.AllowanceGranted, device_id=device_id, title_id=None, expires_at=expires_at
    )


# R07 and R24


def test_a_third_device_is_refused_where_two_may_hold_downloads() -> None:
    household(*FULL).when(acquire(device_id="d3")).then_refused(
        "R07", "TOO_MANY_DEVICES", device_id="d3", limit=2, used=2, scope="plan"
    )


def test_the_last_free_slot_is_taken() -> None:
    household(*downloaded(1, "d1")).when(acquire(device_id="d3")).then(
        expect(events.LicenseIssued),
        expect(events.DeviceActivated, device_id="d3", slots_used=2, slots_limit=2),
    )


def test_a_device_that_has_its_slot_gets_further_licenses() -> None:
    household(*FULL).when(acquire(device_id="d2")).then(expect(events.LicenseIssued))


def test_a_slot_comes_free_with_the_last_release() -> None:
    gone = (released(1), happened(events.DeviceDeactivated))
    household(*FULL, *gone).when(acquire(device_id="d3")).then(
        expect(events.LicenseIssued), expect(events.DeviceActivated)
    )


def test_a_lapsed_license_holds_no_slot_and_its_device_is_taken_off_the_record() -> None:
    lapsed = downloaded(1, "d1", expires_at=NOW + HOUR)
    household(*lapsed, *downloaded(2, "d2")).when(acquire(device_id="d3"), NOW + HOUR).then(
        expect(events.LicenseIssued),
        expect(events.DeviceDeactivated, device_id="d1"),
        expect(events.DeviceActivated, device_id="d3", slots_used=2),
    )


def test_a_lapsed_license_holds_its_slot_where_slots_are_held_until_released() -> None:
    lapsed = downloaded(1, "d1", expires_at=NOW + HOUR)
    plan = {"license.slot_held_until": "released"}
    household(*lapsed, *downloaded(2, "d2"), plan=plan).when(
        acquire(device_id="d3"), NOW + HOUR
    ).then_refused("R07", "TOO_MANY_DEVICES", used=2)


def test_an_expiry_on_record_gives_no_slot_back_where_slots_are_held_until_released() -> None:
    case = household(*FULL, expired(1), plan={"license.slot_held_until": "released"})
    case.when(release(1), NOW + HOUR).then(
        expect(events.LicenseReleased, was_expired=True), expect(events.DeviceDeactivated)
    )


def test_a_renewal_takes_its_slot_again() -> None:
    lapsed = (expired(1), happened(events.DeviceDeactivated))
    household(*downloaded(1), *lapsed).when(renew(1)).then(
        expect(events.LicenseRenewed, was_expired=True),
        expect(events.DeviceActivated, device_id="d1", slots_used=1),
    )


def test_a_renewal_is_refused_when_others_have_taken_the_slots() -> None:
    lapsed = (expired(1), happened(events.DeviceDeactivated))
    household(*FULL, *lapsed, *downloaded(3, "d3")).when(renew(1)).then_refused(
        "R07", "TOO_MANY_DEVICES", limit=2, used=2
    )


def test_a_plan_that_shrank_blocks_renewals_until_the_devices_fit() -> None:
    smaller = happened(events.PlanChanged, plan_id="basic")
    household(*FULL, smaller).when(renew(1)).then_refused("R07", "TOO_MANY_DEVICES", limit=1)


def test_a_plan_without_a_limit_has_a_slot_for_every_device() -> None:
    household(*FULL, plan={"plan.max_download_devices": None}).when(
        acquire(device_id="d3")
    ).then(expect(events.LicenseIssued), expect(events.DeviceActivated, slots_limit=None))


# R13


def test_a_device_that_had_its_month_s_downloads_is_refused() -> None:
    had = (*downloaded(1), *downloaded(2))
    household(*had, plan=MONTHLY).when(acquire()).then_refused(
        "R13",
        "MONTHLY_DEVICE_LIMIT",
        limit=2,
        used=2,
        scope="plan",
        available_at=NEXT_MONTH,
    )


def test_below_the_month_s_limit_a_download_is_possible_and_says_the_limit() -> None:
    household(*downloaded(1), plan=MONTHLY).when(acquire()).then(
        expect(events.LicenseIssued, device_limit=2)
    )


def test_with_the_next_month_downloads_are_possible_again() -> None:
    had = (*downloaded(1), *downloaded(2))
    household(*had, plan=MONTHLY).when(acquire("t3"), NEXT_MONTH).then(
        expect(events.LicenseIssued)
    )


def test_another_device_has_a_month_of_its_own() -> None:
    had = (*downloaded(1), *downloaded(2))
    household(*had, plan=MONTHLY).when(acquire(device_id="d2")).then(
        expect(events.LicenseIssued), expect(events.DeviceActivated)
    )


def test_an_allowance_raises_the_month_s_limit_of_its_device() -> None:
    had = (*downloaded(1), *downloaded(2), grant("d1", NOW + DAY))
    household(*had, plan=MONTHLY).when(acquire()).then(
        expect(events.LicenseIssued, device_limit=3)
    )


def test_an_allowance_that_is_over_raises_nothing() -> None:
    had = (*downloaded(1), *downloaded(2), grant("d1", NOW + DAY))
    household(*had, plan=MONTHLY).when(acquire(), NOW + DAY).then_refused(
        "R13", "MONTHLY_DEVICE_LIMIT", limit=2
    )


def test_a_renewal_counts_in_the_month_where_renewals_count() -> None:
    had = (*downloaded(1), renewed(1))
    household(*had, plan=MONTHLY).when(renew(1)).then_refused("R13", "MONTHLY_DEVICE_LIMIT")


def test_a_free_renewal_is_not_refused_for_the_month() -> None:
    had = (*downloaded(1), *downloaded(2))
    household(*had, plan=MONTHLY, title={"title.count_renewals": False}).when(renew(1)).then(
        expect(events.LicenseRenewed, counted=False)
    )


def test_a_refund_gives_the_month_its_download_back() -> None:
    had = (*downloaded(1), *downloaded(2), happened(events.DownloadRefunded))
    household(*had, plan=MONTHLY).when(acquire()).then(expect(events.LicenseIssued))


def test_a_month_without_any_downloads_never_allows_one() -> None:
    household(plan={"plan.max_downloads_device_month": 0}).when(acquire()).then_refused(
        "R13", "MONTHLY_DEVICE_LIMIT", limit=0, used=0, available_at=None
    )
