import pytest

from projectors import devices as rows
from queries.devices import DevicesAnswer, devices, devices_of
from schemas import events
from schemas.envelope import Event
from schemas.errors import NotFound
from tests.kit.fold import row_of
from tests.kit.happenings import DAY, NOW, TERM, happened, history, issued
from tests.kit.served import Served

OPENED = happened(events.AccountOpened)
ACTIVATED = happened(events.DeviceActivated, slots_limit=2)


def answer(*happenings: Event, at: int = NOW) -> DevicesAnswer:
    row = row_of(rows.PROJECTION, "a1", *history(OPENED, *happenings))
    return devices_of(row, "a1", at=at)


def test_slots_that_no_device_takes_are_free() -> None:
    found = answer(happened(events.DeviceRegistered), ACTIVATED)
    assert (found.slots_used, found.slots_limit, found.slots_free) == (1, 2, 1)
    assert found.devices[0].takes_slot


def test_no_slot_is_free_where_a_smaller_limit_is_exceeded() -> None:
    two = (ACTIVATED, happened(events.DeviceActivated, device_id="d2", slots_limit=1))
    assert answer(*two).slots_free == 0


def test_a_limit_that_is_not_known_leaves_the_free_slots_open() -> None:
    assert answer().slots_free is None


def test_a_device_holds_what_has_not_run_out_yet() -> None:
    two = (issued(1), issued(2, expires_at=NOW + DAY))
    now = answer(*two).devices[0]
    assert (now.active, now.next_expiry_at) == (2, NOW + DAY)
    then = answer(*two, at=NOW + DAY).devices[0]
    assert (then.active, then.next_expiry_at) == (1, NOW + TERM)


def test_a_lease_is_over_at_its_end() -> None:
    registered = happened(events.DeviceRegistered, lease_until=NOW + DAY)
    assert not answer(registered).devices[0].is_lease_over
    assert answer(registered, at=NOW + DAY).devices[0].is_lease_over


def test_the_answer_comes_from_the_read_model() -> None:
    served = Served()
    served.happened(history(OPENED, happened(events.DeviceRegistered)))
    found = devices(served.reader, "a1", at=NOW)
    assert (found.version, found.plan_id, found.status) == (2, "standard", "open")


def test_an_erased_account_is_unknown() -> None:
    served = Served()
    served.happened(history(OPENED, happened(events.AccountErased)))
    with pytest.raises(NotFound, match="unknown, or erased"):
        devices(served.reader, "a1", at=NOW)
