"""R06, R08, R09, R23: devices, their comings and goings, and leases."""

from schemas import commands, events
from schemas.envelope import Command
from tests.kit.given import (
    acquire,
    command,
    downloaded,
    expect,
    household,
    override,
    renew,
)
from tests.kit.happenings import HOUR, NOW, happened, refused

LEVEL_3 = happened(events.DeviceRegistered, device_id="d9", security_level=3)
FULL = (*downloaded(1, "d1"), *downloaded(2, "d2"))  # both slots of the standard plan
TWO_ADDS = {"device.max_adds": 2, "device.max_adds_window_s": 3_600}
ONE_REMOVAL = {"device.max_removals": 1, "device.max_removals_window_s": 3_600}
LEASE = {"account.lease_s": 3_600}


def register(device_id: str, **fields: object) -> Command:
    return command(commands.RegisterDevice, device_id=device_id, **fields)


def remove(device_id: str) -> Command:
    return command(commands.RemoveDevice, device_id=device_id)


def renew_device(device_id: str) -> Command:
    return command(commands.RenewDevice, device_id=device_id)


# R06


def test_an_unknown_device_is_refused() -> None:
    household().when(acquire(device_id="d8")).then_refused(
        "R06", "DEVICE_UNKNOWN", device_id="d8"
    )


def test_a_removed_device_is_refused() -> None:
    household(happened(events.DeviceRemoved)).when(acquire()).then_refused(
        "R06", "DEVICE_REMOVED"
    )


def test_a_removed_device_does_not_sync() -> None:
    sync = command(commands.SyncDevice, device_id="d1", held_license_ids=(), device_clock=NOW)
    household(happened(events.DeviceRemoved)).when(sync).then_refused("R06", "DEVICE_REMOVED")


def test_a_device_that_came_back_is_eligible() -> None:
    back = (happened(events.DeviceRemoved), happened(events.DeviceRegistered))
    household(*back).when(acquire()).then(
        expect(events.LicenseIssued), expect(events.DeviceActivated)
    )


def test_a_device_below_the_security_level_is_refused() -> None:
    household(LEVEL_3, title={"min_security_level": 2}).when(
        acquire(device_id="d9")
    ).then_refused("R06", "DEVICE_NOT_ELIGIBLE")


def test_a_device_at_the_security_level_is_eligible() -> None:
    household(LEVEL_3, title={"min_security_level": 3}).when(acquire(device_id="d9")).then(
        expect(events.LicenseIssued), expect(events.DeviceActivated)
    )


def test_a_device_without_the_drm_that_is_asked_for_is_refused() -> None:
    household().when(acquire(drm="fairplay")).then_refused("R06", "DEVICE_NOT_ELIGIBLE")


def test_a_license_is_for_the_device_s_own_drm_where_none_is_asked_for() -> None:
    household().when(acquire()).then(
        expect(events.LicenseIssued, drm="widevine"), expect(events.DeviceActivated)
    )


# R08


def test_too_many_added_devices_are_refused() -> None:
    added = happened(events.DeviceRegistered, device_id="d4", at=NOW + 2 * HOUR)
    other = happened(events.DeviceRegistered, device_id="d5", at=NOW + 2 * HOUR + 1)
    household(added, other, plan=TWO_ADDS).when(
        register("d6"), NOW + 2 * HOUR + 2
    ).then_refused(
        "R08",
        "DEVICE_CHURN",
        limit=2,
        used=2,
        scope="plan",
        available_at=NOW + 3 * HOUR,
    )


def test_once_an_add_has_left_the_window_another_is_possible() -> None:
    household(plan=TWO_ADDS).when(register("d6"), NOW + HOUR).then(
        expect(events.DeviceRegistered, device_id="d6")
    )


def test_a_device_that_comes_back_is_an_add() -> None:
    gone = happened(events.DeviceRemoved, device_id="d1")
    household(gone, plan=TWO_ADDS).when(register("d1")).then_refused(
        "R08", "DEVICE_CHURN", used=3
    )


def test_a_device_that_changed_is_no_add() -> None:
    household(plan=TWO_ADDS).when(register("d1", security_level=2)).then(
        expect(events.DeviceRegistered, security_level=2)
    )


def test_too_many_removed_devices_are_refused() -> None:
    gone = happened(events.DeviceRemoved, device_id="d1")
    household(gone, plan=ONE_REMOVAL).when(remove("d2"), NOW + 1).then_refused(
        "R08", "DEVICE_CHURN", limit=1, used=1, available_at=NOW + HOUR, detail="removed"
    )


def test_once_a_removal_has_left_the_window_another_is_possible() -> None:
    gone = happened(events.DeviceRemoved, device_id="d1")
    household(gone, plan=ONE_REMOVAL).when(remove("d2"), NOW + HOUR).then(
        expect(events.DeviceRemoved, device_id="d2")
    )


# R09


def test_a_full_device_is_refused() -> None:
    held = (*downloaded(1), *downloaded(2))
    household(*held, service={"device.max_active": 2}).when(acquire()).then_refused(
        "R09", "DEVICE_DOWNLOAD_LIMIT", limit=2, used=2, scope="service"
    )


def test_licenses_of_other_devices_do_not_fill_a_device() -> None:
    household(*FULL, service={"device.max_active": 2}).when(acquire()).then(
        expect(events.LicenseIssued)
    )


def test_a_full_device_renews_what_it_has() -> None:
    household(*downloaded(1), service={"device.max_active": 1}).when(renew(1)).then(
        expect(events.LicenseRenewed)
    )


def test_a_title_s_override_names_its_scope_when_a_device_is_full() -> None:
    title = override(**{"device.max_active": 1})
    household(*downloaded(1), title=title).when(acquire()).then_refused(
        "R09", "DEVICE_DOWNLOAD_LIMIT", limit=1, scope="title"
    )


# R23


def leased(until: int) -> events.DeviceLeaseRenewed:
    return happened(events.DeviceLeaseRenewed, lease_until=until)


def test_a_device_that_stayed_away_past_its_lease_acquires_nothing() -> None:
    household(leased(NOW), plan=LEASE).when(acquire()).then_refused("R23", "LEASE_EXPIRED")


def test_a_device_within_its_lease_acquires_and_the_license_ends_with_a_lease() -> None:
    household(leased(NOW + 1), plan=LEASE).when(acquire()).then(
        expect(events.LicenseIssued, expires_at=NOW + HOUR),
        expect(events.DeviceLeaseRenewed, device_id="d1", lease_until=NOW + HOUR),
        expect(events.DeviceActivated),
    )


def test_a_device_from_before_there_were_leases_gets_one_with_its_next_license() -> None:
    after = household(plan=LEASE).when(acquire(), NOW + 5).account
    assert after.devices["d1"].lease_until == NOW + 5 + HOUR


def test_a_renewal_refreshes_the_lease() -> None:
    household(*downloaded(1), leased(NOW + 1), plan=LEASE).when(renew(1)).then(
        expect(events.LicenseRenewed),
        expect(events.DeviceLeaseRenewed, lease_until=NOW + HOUR),
    )


def test_a_lease_that_would_not_move_is_not_renewed() -> None:
    household(*downloaded(1), leased(NOW + HOUR), plan=LEASE).when(renew(1)).then(
        expect(events.LicenseRenewed)
    )


def test_a_license_alone_is_not_renewed_past_the_lease() -> None:
    household(*downloaded(1), leased(NOW), plan=LEASE).when(renew(1)).then_refused(
        "R23", "LEASE_EXPIRED", license_id=f"{1:032x}"
    )


def test_renewing_the_device_refreshes_the_lease_first() -> None:
    household(*downloaded(1), leased(NOW), plan=LEASE).when(renew_device("d1")).then(
        expect(events.DeviceLeaseRenewed, lease_until=NOW + HOUR),
        expect(events.LicenseRenewed, expires_at=NOW + HOUR),
    )


def test_an_old_lease_means_nothing_where_there_are_no_leases_any_more() -> None:
    household(leased(NOW)).when(acquire()).then(
        expect(events.LicenseIssued), expect(events.DeviceActivated)
    )


def test_a_refusal_on_the_way_changes_no_lease() -> None:
    household(leased(NOW), refused(), plan=LEASE).when(acquire()).then_refused(
        "R23", "LEASE_EXPIRED"
    )
