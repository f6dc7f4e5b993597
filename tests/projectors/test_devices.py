from projectors import devices
from projectors.devices import PROJECTION, Device, Devices
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
    id_of,
    issued,
    released,
    renewed,
    revoked,
)

OPENED = happened(events.AccountOpened)
REGISTERED = happened(events.DeviceRegistered)


def row(*happenings: Event) -> Devices:
    return row_of(PROJECTION, "a1", *history(*happenings))


def one(*happenings: Event) -> Device:
    return row(*happenings).devices["d1"]


def test_an_account_has_a_plan_and_a_country() -> None:
    assert row(OPENED) == Devices(version=1, plan_id="standard", country="DE")


def test_the_country_follows() -> None:
    assert row(OPENED, happened(events.CountryChanged, country="AT")).country == "AT"


def test_a_new_plan_has_slots_that_are_not_resolved_yet() -> None:
    found = row(
        OPENED, happened(events.DeviceActivated), happened(events.PlanChanged, plan_id="ads")
    )
    assert (found.plan_id, found.slots_limit) == ("ads", None)


def test_a_suspended_account_says_so_until_it_is_reinstated() -> None:
    suspended = (OPENED, happened(events.AccountSuspended))
    assert row(*suspended).status == "suspended"
    assert row(*suspended, happened(events.AccountReinstated)).status == "open"


def test_a_closed_account_says_so() -> None:
    assert row(OPENED, happened(events.AccountClosed)).status == "closed"


def test_a_registered_device_is_listed_with_what_it_can_prove() -> None:
    assert one(happened(events.DeviceRegistered, lease_until=NOW + DAY)) == Device(
        model="tablet",
        drm="widevine",
        security_level=1,
        registered_at=NOW,
        lease_until=NOW + DAY,
    )


def test_a_device_takes_a_slot_and_gives_it_back() -> None:
    taken = (REGISTERED, happened(events.DeviceActivated, slots_limit=2))
    assert (one(*taken).slot_since, row(*taken).slots_limit) == (NOW, 2)
    assert one(*taken, happened(events.DeviceDeactivated)).slot_since is None


def test_a_removed_device_takes_no_slot() -> None:
    removed = happened(events.DeviceRemoved, at=NOW + 1)
    found = one(REGISTERED, happened(events.DeviceActivated), removed)
    assert (found.removed_at, found.slot_since) == (NOW + 1, None)


def test_a_device_can_come_back() -> None:
    found = one(REGISTERED, happened(events.DeviceRemoved), REGISTERED)
    assert found.removed_at is None


def test_removed_devices_are_bounded() -> None:
    gone = (
        happened(events.DeviceRemoved, device_id=f"d{n}", at=NOW + n)
        for n in range(devices.REMOVED_MAX + 1)
    )
    found = row(happened(events.DeviceRegistered, device_id="here"), *gone)
    assert len(found.devices) == 1 + devices.REMOVED_MAX
    assert "d0" not in found.devices


def test_a_device_holds_a_license_until_it_is_over() -> None:
    three = (issued(1), issued(2), issued(3))
    assert len(one(*three).licenses) == 3
    assert one(*three, released(1), revoked(2), expired(3)).licenses == {}


def test_a_device_holds_a_license_until_its_latest_expiry() -> None:
    window = happened(events.PlayWindowOpened, expires_at=NOW + DAY)
    assert one(issued(), window).licenses == {id_of(1): NOW + DAY}
    again = renewed(expires_at=NOW + 2 * TERM)
    assert one(issued(), window, again).licenses == {id_of(1): NOW + 2 * TERM}


def test_a_sync_says_when_it_was_and_how_wrong_the_clock_is() -> None:
    synced = happened(events.DeviceSynced, at=NOW + 5, clock_skew_ms=-9, lease_until=NOW + DAY)
    found = one(REGISTERED, synced)
    assert (found.synced_at, found.clock_skew_ms) == (NOW + 5, -9)
    assert found.lease_until == NOW + DAY


def test_a_lease_is_renewed() -> None:
    leased = happened(events.DeviceLeaseRenewed, lease_until=NOW + DAY)
    assert one(REGISTERED, leased).lease_until == NOW + DAY


def test_an_erased_account_has_no_row() -> None:
    erased = happened(events.AccountErased)
    assert rows_of(PROJECTION, history(OPENED, REGISTERED, erased)) == {}
