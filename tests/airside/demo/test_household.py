"""Households and devices: what they know, and how they fill in a command."""

from random import Random

import pytest

from airside.demo.device import LAPTOP, PHONE, Device, Model
from airside.demo.habits import Shelf
from airside.demo.household import Household
from airside.demo.stage import DAY, HOUR, MINUTE, SECOND, Party, Stage
from schemas.commands import ReleaseLicense, SyncDevice
from schemas.events import LicenseIssued, LicenseRevoked, PlayWindowOpened
from tests.airside.demo.service import START_AT

LICENSE_ID = "ab" * 16


def a_home() -> Household:
    stage, party = Stage(START_AT), Party(1, Random(1))
    shelf = Shelf([("t1", "s1"), ("t2", "s1"), ("t3", "s2")], Random(1))
    return Household(stage, party, "a1", "premium", "US", shelf)


def issued(device: Device) -> LicenseIssued:
    return LicenseIssued(
        license_id=LICENSE_ID,
        device_id=device.id,
        title_id="t1",
        studio_id="s1",
        counted=True,
        expires_at=START_AT + 30 * DAY,
        limit=None,
        used=1,
        window_s=365 * 86_400,
        device_limit=None,
        play_window_s=None,
        profile_id="main",
        drm="widevine",
    )


def test_a_second_device_of_a_kind_has_an_id_of_its_own() -> None:
    home = a_home()
    assert [home.device(PHONE).id for _ in range(2)] == ["a1-phone", "a1-phone-2"]


def test_a_command_is_dated_by_the_clock_of_its_device() -> None:
    slow = a_home().device(PHONE, clock_error_ms=-5 * HOUR)
    assert abs(slow.registers().issued_at - (START_AT - 5 * HOUR)) <= 2 * SECOND


def test_a_device_waits_for_the_network() -> None:
    phone = a_home().device(PHONE)
    phone.away_until = START_AT + 3 * HOUR
    assert 3 * HOUR <= phone.until_online() < 3 * HOUR + MINUTE


def test_a_device_with_a_network_does_not_wait() -> None:
    assert a_home().device(PHONE).until_online() == 0


def test_a_device_holds_what_was_issued_to_it() -> None:
    phone = a_home().device(PHONE)
    phone.home.learn(issued(phone))
    command = phone.syncs()
    assert isinstance(command, SyncDevice)
    assert command.held_license_ids == (LICENSE_ID,)


def test_a_device_knows_that_a_play_window_opened() -> None:
    phone = a_home().device(PHONE)
    phone.home.learn(issued(phone))
    phone.home.learn(
        PlayWindowOpened(
            license_id=LICENSE_ID,
            device_id=phone.id,
            title_id="t1",
            first_played_at=START_AT,
            expires_at=START_AT + 2 * DAY,
            previous_expires_at=START_AT + 30 * DAY,
        )
    )
    assert phone.held[LICENSE_ID].expires_at == START_AT + 2 * DAY


def test_a_revoked_license_is_gone() -> None:
    phone = a_home().device(PHONE)
    phone.home.learn(issued(phone))
    phone.home.learn(
        LicenseRevoked(
            license_id=LICENSE_ID,
            device_id=phone.id,
            title_id="t1",
            studio_id="s1",
            expires_at=START_AT + 30 * DAY,
            was_expired=False,
            reason="",
        )
    )
    assert not phone.has(LICENSE_ID)


@pytest.mark.parametrize(("model", "proof"), [(PHONE, "secure"), (LAPTOP, "claimed")])
def test_only_strong_hardware_proves_a_deletion(model: Model, proof: str) -> None:
    command = a_home().device(model).releases(LICENSE_ID)
    assert isinstance(command, ReleaseLicense)
    assert command.proof == proof


def test_the_first_titles_of_a_shelf_are_wanted_most() -> None:
    home = a_home()
    picks = [home.shelf.pick(home.random) for _ in range(1_100)]
    counts = [picks.count(title_id) for title_id, _ in home.shelf.titles]
    assert [round(count / 100) for count in counts] == [6, 3, 2]


def test_the_next_moment_lies_ahead_and_within_a_day() -> None:
    home = a_home()
    waits = [home.until_moment() for _ in range(500)]
    assert min(waits) > 0
    assert max(waits) <= DAY
