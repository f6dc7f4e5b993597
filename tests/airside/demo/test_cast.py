"""The cast: everybody meets what their script says, for sure."""

import pytest

from airside.demo.cast import CAST, PROVOKED_BY
from airside.demo.stage import DAY, HOUR
from schemas.codes import REFUSALS
from schemas.events import (
    AccountErased,
    CommandRefused,
    LicenseIssued,
    LicenseRenewed,
    LicenseRevoked,
    PlaybackReported,
    PlayWindowOpened,
)
from tests.airside.demo.service import START_AT, a_world, live, the_cast_alone, two_months

YEAR = 365 * DAY


@pytest.mark.parametrize(("code", "account_id"), PROVOKED_BY.items())
def test_a_household_is_sure_to_meet_its_refusal(code: str, account_id: str) -> None:
    assert two_months().service.refusals()[account_id, code] >= 1


@pytest.mark.parametrize("seed", range(5))
def test_no_seed_spares_anybody(seed: int) -> None:
    met = live(a_world(households=0, seed=seed), 62).service.refusals()
    assert {(account_id, code) for code, account_id in PROVOKED_BY.items()} <= set(met)


def test_the_cast_meets_nearly_every_code_there_is() -> None:
    assert set(REFUSALS) - set(PROVOKED_BY) == {"PLAYBACK_LATE"}  # no sample policy rejects it


def test_every_script_says_what_it_is_about() -> None:
    assert all(script.__doc__ for script in CAST)


def test_amelia_hears_when_the_next_download_is_possible() -> None:
    service = the_cast_alone().service
    first = service.events_of("amelia", LicenseIssued)[0]
    refusals = service.events_of("amelia", CommandRefused)
    assert [refusal.available_at for refusal in refusals] == [first.at + YEAR] * 2


def test_bruno_gives_the_slot_of_one_device_to_the_other() -> None:
    issued = the_cast_alone().service.events_of("bruno", LicenseIssued)
    assert [event.device_id for event in issued] == ["bruno-phone", "bruno-tablet"]


def test_chiaras_plays_on_the_plane_open_their_windows_when_she_played() -> None:
    windows = the_cast_alone().service.events_of("chiara", PlayWindowOpened)
    spans = {window.expires_at - window.first_played_at for window in windows}
    assert spans == {48 * HOUR}
    assert all(window.at - window.first_played_at > 2 * DAY for window in windows[:3])


def test_chiara_watched_once_when_it_was_too_late() -> None:
    plays = the_cast_alone().service.events_of("chiara", PlaybackReported)
    assert [play.late for play in plays].count(True) == 1


def test_dmitris_lost_phone_loses_its_licenses() -> None:
    revoked = the_cast_alone().service.events_of("dmitri", LicenseRevoked)
    assert [event.device_id for event in revoked] == ["dmitri-phone"] * 3


def test_emi_downloads_again_in_the_next_month() -> None:
    service = the_cast_alone().service
    refusal = service.events_of("emi", CommandRefused)[0]
    last = service.events_of("emi", LicenseIssued)[-1]
    assert (refusal.available_at or 0) < last.at


def test_farid_is_erased_on_the_thirtieth_day() -> None:
    [erased] = the_cast_alone().service.events_of("farid", AccountErased)
    assert (erased.at - START_AT) // DAY == 30


def test_greta_renews_what_has_expired_as_often_as_it_may_be() -> None:
    renewed = the_cast_alone().service.events_of("greta", LicenseRenewed)
    assert [event.renewal for event in renewed] == [1, 2, 3]
    assert all(event.previous_expires_at < event.at for event in renewed)
