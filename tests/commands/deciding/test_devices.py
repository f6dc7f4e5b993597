"""Devices: registered, removed, renewed as a whole, synced."""

from typing import Any

from schemas import commands, events
from schemas.envelope import Command
from tests.kit.given import command, downloaded, expect, household
from tests.kit.happenings import DAY, HOUR, NOW, TERM, happened, id_of

LEASE = {"account.lease_s": 3_600}
PROOF = {"release.require_proof": True}
LATER: dict[str, Any] = {"issued_at": NOW + HOUR, "device_clock": NOW + HOUR}
TOLERANCE = 300_000
TWO_A_YEAR = {"title.max_downloads": 2}


def register(device_id: str, **fields: object) -> Command:
    usual = {"model": "tablet", "drm": "widevine", "security_level": 1}
    return command(commands.RegisterDevice, device_id=device_id, **{**usual, **fields})


def remove(device_id: str) -> Command:
    return command(commands.RemoveDevice, device_id=device_id)


def renew(device_id: str) -> Command:
    return command(commands.RenewDevice, device_id=device_id)


def leased(until: int) -> events.DeviceLeaseRenewed:
    return happened(events.DeviceLeaseRenewed, lease_until=until)


def sync(*held: int, device_id: str = "d1", **fields: object) -> Command:
    usual = {"held_license_ids": tuple(map(id_of, held)), "device_clock": NOW}
    return command(commands.SyncDevice, device_id=device_id, **{**usual, **fields})


def test_a_device_is_registered() -> None:
    household().when(register("d9", security_level=2)).then(
        expect(events.DeviceRegistered, device_id="d9", security_level=2, lease_until=None)
    )


def test_a_device_is_registered_with_its_lease() -> None:
    household(plan=LEASE).when(register("d9")).then(
        expect(events.DeviceRegistered, lease_until=NOW + HOUR)
    )


def test_a_device_that_changed_revives_no_lease_that_is_over() -> None:
    household(leased(NOW), plan=LEASE).when(register("d1", model="other")).then(
        expect(events.DeviceRegistered, lease_until=NOW)
    )


def test_a_device_that_comes_back_has_a_lease_again() -> None:
    back = (leased(NOW), happened(events.DeviceRemoved))
    household(*back, plan=LEASE).when(register("d1")).then(
        expect(events.DeviceRegistered, lease_until=NOW + HOUR)
    )


def test_a_device_that_is_there_and_unchanged_is_not_registered_again() -> None:
    household().when(register("d1")).then_noted(command_type="RegisterDevice")


def test_a_removed_device_comes_back() -> None:
    household(happened(events.DeviceRemoved)).when(register("d1")).then(
        expect(events.DeviceRegistered, device_id="d1")
    )


def test_a_device_that_comes_back_holds_nothing() -> None:
    after = household(*downloaded(1)).when(remove("d1")).account
    assert not after.licenses
    assert after.devices["d1"].activated_at is None


def test_a_removed_device_loses_its_licenses_and_its_slot() -> None:
    household(*downloaded(1), *downloaded(2, "d2")).when(remove("d1")).then(
        expect(events.LicenseRevoked, license_id=id_of(1)),
        expect(events.DeviceDeactivated, device_id="d1"),
        expect(events.DeviceRemoved, device_id="d1"),
    )


def test_a_device_is_removed_once() -> None:
    household(happened(events.DeviceRemoved)).when(remove("d1")).then_noted()


def test_an_unknown_device_is_not_removed() -> None:
    household().when(remove("d9")).then_refused("R06", "DEVICE_UNKNOWN")


def test_a_closed_account_removes_no_device() -> None:
    gone = (happened(events.DeviceRemoved), happened(events.AccountClosed))
    household(*gone).when(remove("d1")).then_refused("R01", "ACCOUNT_CLOSED")


# RenewDevice


def test_a_device_without_licenses_renews_its_lease() -> None:
    household().when(renew("d1")).then(
        expect(events.DeviceLeaseRenewed, device_id="d1", lease_until=None)
    )


def test_each_license_of_the_device_is_renewed() -> None:
    held = (*downloaded(1), *downloaded(2, title_id="t3"), *downloaded(3, "d2"))
    household(*held).when(renew("d1"), NOW + DAY).then(
        expect(events.DeviceLeaseRenewed),
        expect(events.LicenseRenewed, license_id=id_of(1), expires_at=NOW + DAY + TERM),
        expect(events.LicenseRenewed, license_id=id_of(2), expires_at=NOW + DAY + TERM),
    )


def test_what_ends_first_is_renewed_first_and_the_next_sees_what_it_used() -> None:
    held = (*downloaded(1, counted=False), *downloaded(2, expires_at=NOW + DAY))
    household(*held, title=TWO_A_YEAR).when(renew("d1")).then(
        expect(events.DeviceLeaseRenewed),
        expect(events.LicenseRenewed, license_id=id_of(2), used=2),
        expect(
            events.CommandRefused,
            license_id=id_of(1),
            code="TITLE_PERIOD_LIMIT",
            command_type="RenewDevice",
        ),
    )


def test_what_expired_long_ago_is_not_renewed_with_its_device() -> None:
    household(*downloaded(1)).when(renew("d1"), NOW + TERM + 30 * DAY + 1).then(
        expect(events.DeviceLeaseRenewed)
    )


def test_what_expired_of_late_is_renewed_with_its_device() -> None:
    household(*downloaded(1)).when(renew("d1"), NOW + TERM + 30 * DAY).then(
        expect(events.DeviceLeaseRenewed), expect(events.LicenseRenewed)
    )


def test_a_policy_may_say_how_long_ago_is_too_long_for_renewing_a_device() -> None:
    title = {"license.renew_until_s": 60 * DAY // 1000}
    household(*downloaded(1), title=title).when(renew("d1"), NOW + TERM + 60 * DAY).then(
        expect(events.DeviceLeaseRenewed), expect(events.LicenseRenewed)
    )


def test_a_removed_device_is_not_renewed() -> None:
    household(happened(events.DeviceRemoved)).when(renew("d1")).then_refused(
        "R06", "DEVICE_REMOVED"
    )


# SyncDevice


def test_what_a_device_no_longer_holds_is_released() -> None:
    household(*downloaded(1), *downloaded(2)).when(sync(2, **LATER), NOW + HOUR).then(
        expect(events.DeviceSynced, held=1, released=1, clock_skew_ms=0),
        expect(events.LicenseReleased, license_id=id_of(1), proof="claimed"),
    )


def test_a_device_that_holds_nothing_any_more_gives_its_slot_back() -> None:
    household(*downloaded(1)).when(sync(**LATER), NOW + HOUR).then(
        expect(events.DeviceSynced, held=0, released=1),
        expect(events.LicenseReleased),
        expect(events.DeviceDeactivated, device_id="d1"),
    )


def test_a_device_that_holds_all_it_got_releases_nothing() -> None:
    household(*downloaded(1), *downloaded(2, "d2")).when(sync(1, **LATER), NOW + HOUR).then(
        expect(events.DeviceSynced, held=1, released=0)
    )


def test_a_list_is_no_proof_where_a_deletion_must_be_proved() -> None:
    held = (*downloaded(1), *downloaded(2, title_id="t3"))
    household(*held, title=PROOF).when(sync(**LATER), NOW + HOUR).then(
        expect(events.DeviceSynced, released=1),
        expect(events.LicenseReleased, license_id=id_of(2)),
    )


def test_a_wrong_clock_is_recorded_and_no_reason_to_refuse() -> None:
    household().when(sync(device_clock=NOW - 5 * DAY)).then(
        expect(events.DeviceSynced, clock_skew_ms=-5 * DAY)
    )


def test_a_license_issued_after_the_list_was_sent_is_not_missing_from_it() -> None:
    ahead = sync(issued_at=NOW + TOLERANCE - 1)  # by a clock that may be so much ahead
    household(*downloaded(1)).when(ahead, NOW + TOLERANCE).then(
        expect(events.DeviceSynced, released=0)
    )


def test_a_license_issued_before_the_list_can_have_been_sent_is_missing_from_it() -> None:
    household(*downloaded(1), *downloaded(2)).when(
        sync(2, issued_at=NOW + TOLERANCE), NOW + TOLERANCE
    ).then(expect(events.DeviceSynced, released=1), expect(events.LicenseReleased))


def test_a_sync_refreshes_the_lease() -> None:
    household(leased(NOW + 2), plan=LEASE).when(sync(), NOW + 1).then(
        expect(events.DeviceSynced, lease_until=NOW + 1 + HOUR)
    )


def test_a_sync_revives_no_lease_that_is_over() -> None:
    household(leased(NOW), plan=LEASE).when(sync(), NOW + DAY).then(
        expect(events.DeviceSynced, lease_until=NOW)
    )


def test_a_device_from_before_there_were_leases_gets_one_when_it_syncs() -> None:
    household(plan=LEASE).when(sync(), NOW + DAY).then(
        expect(events.DeviceSynced, lease_until=NOW + DAY + HOUR)
    )


def test_a_device_that_never_registered_does_not_sync() -> None:
    household().when(sync(device_id="d9")).then_refused("R06", "DEVICE_UNKNOWN")
