"""How events change an account: completely, without touching the old state, and bounded."""

from typing import get_args

import msgspec
import pytest

from commands.account import HISTORY_KEPT_MS, Account, initial
from commands.evolve import FOLDS, evolve
from commands.policy import HISTORY_KEPT_S
from schemas import events
from schemas.envelope import Event
from tests.kit.given import (
    HOUSEHOLD,
    downloaded,
    fetched,
    folded,
    household,
    override,
    renew,
)
from tests.kit.happenings import (
    DAY,
    NOW,
    TERM,
    expired,
    happened,
    id_of,
    refused,
    released,
    renewed,
)

ABOUT_NOTHING_KNOWN = [
    happened(event_type)
    for event_type in get_args(events.AnyEvent)
    if event_type not in (events.AccountOpened, events.DeviceRegistered, events.LicenseIssued)
]
LONG_AFTER = NOW + TERM + HISTORY_KEPT_MS


def after(*history: Event) -> Account:
    return household(*history).account


def something_at(at: int) -> Event:
    return happened(events.DeviceActivated, device_id="d2", at=at)


def test_every_event_has_a_fold() -> None:
    assert set(FOLDS) == set(get_args(events.AnyEvent))


@pytest.mark.parametrize("event", ABOUT_NOTHING_KNOWN, ids=lambda event: type(event).__name__)
def test_an_event_about_what_was_forgotten_is_no_error(event: Event) -> None:
    assert evolve(initial("a1"), event).account_id == "a1"


@pytest.mark.parametrize("event", [refused(), happened(events.CommandNoted)])
def test_refusals_and_notes_change_nothing(event: Event) -> None:
    before = after(*downloaded(1))
    assert evolve(before, event) is before


def test_the_state_before_stays_as_it_was() -> None:
    before = after(*downloaded(1))
    told = msgspec.msgpack.encode(before)
    folded(before, [*downloaded(2), renewed(1), released(1), *HOUSEHOLD])
    assert msgspec.msgpack.encode(before) == told


def test_a_license_is_remembered_with_what_was_resolved_for_it() -> None:
    license = after(*downloaded(1, play_window_s=60)).licenses[id_of(1)]
    assert (license.expires_at, license.play_window_s) == (NOW + TERM, 60)
    assert (license.counted_at, license.renewals) == (NOW, 0)


def test_a_counted_license_counts_for_its_title_and_in_its_device_s_month() -> None:
    account = after(*downloaded(1))
    assert account.titles["t1"].downloads == ((NOW, id_of(1)),)
    assert account.devices["d1"].downloads_in_month(NOW) == 1


def test_a_license_that_does_not_count_leaves_no_trace_in_the_counts() -> None:
    account = after(*downloaded(1, counted=False))
    assert account.titles == {}
    assert account.devices["d1"].downloads_in_month(NOW) == 0


def test_a_refund_removes_exactly_that_download() -> None:
    account = after(*downloaded(1), renewed(1, at=NOW + 1), happened(events.DownloadRefunded))
    assert account.titles["t1"].downloads == ((NOW + 1, id_of(1)),)


def test_a_renewal_makes_an_expired_license_active_and_its_play_window_fresh() -> None:
    opened = happened(events.PlayWindowOpened, expires_at=NOW + 5)
    again = renewed(1, at=NOW + DAY, expires_at=NOW + DAY + TERM)
    license = after(*downloaded(1), opened, expired(1), again).licenses[id_of(1)]
    assert license.is_active(NOW + DAY)
    assert license.first_played_at is None


def test_a_play_counts_for_when_it_took_place() -> None:
    report = happened(events.PlaybackReported, started_at=NOW - DAY)
    assert after(report).titles["t1"].plays == {"p1": NOW - DAY}


def test_a_play_ahead_of_our_clock_counts_for_now() -> None:
    report = happened(events.PlaybackReported, started_at=NOW + 9)
    assert after(report).titles["t1"].plays == {"p1": NOW}


# what is forgotten


def test_no_window_of_a_policy_reaches_further_back_than_what_is_kept() -> None:
    assert HISTORY_KEPT_MS == HISTORY_KEPT_S * 1000


def test_a_license_that_ended_is_kept_to_say_so_and_forgotten_at_last() -> None:
    gone = after(*downloaded(1), released(1))
    assert id_of(1) in evolve(gone, something_at(NOW + HISTORY_KEPT_MS - 1)).ended
    assert id_of(1) not in evolve(gone, something_at(NOW + HISTORY_KEPT_MS)).ended


def test_an_expired_license_is_forgotten_long_after_its_expiry() -> None:
    held = after(*downloaded(1))
    assert id_of(1) in evolve(held, something_at(LONG_AFTER - 1)).licenses
    assert id_of(1) not in evolve(held, something_at(LONG_AFTER)).licenses


def test_counts_older_than_any_window_are_forgotten() -> None:
    account = after(*downloaded(1), happened(events.PlaybackReported))
    assert evolve(account, something_at(NOW + HISTORY_KEPT_MS)).titles == {}


def test_a_removed_device_is_forgotten_at_last_and_a_registered_one_is_not() -> None:
    account = after(happened(events.DeviceRemoved))
    later = evolve(account, something_at(NOW + HISTORY_KEPT_MS))
    assert list(later.devices) == ["d2", "d3"]


def test_an_allowance_is_forgotten_when_it_is_over() -> None:
    account = after(happened(events.AllowanceGranted, expires_at=NOW + 5))
    assert evolve(account, something_at(NOW + DAY)).allowances == ()


def test_nothing_is_forgotten_twice_a_day() -> None:
    account = after(happened(events.AllowanceGranted, expires_at=NOW + 5))
    assert len(evolve(account, something_at(NOW + DAY - 1)).allowances) == 1


# what is forgotten is forgotten by decisions, too


def test_what_its_next_event_will_find_forgotten_is_not_renewed() -> None:
    title = override(**{"license.max_age_s": None})
    household(*downloaded(1), title=title).when(renew(1), LONG_AFTER).then_refused(
        "", "LICENSE_UNKNOWN"
    )


def test_what_its_next_event_will_still_find_is_renewed() -> None:
    title = override(**{"license.max_age_s": None})
    after = household(*downloaded(1), title=title).when(renew(1), LONG_AFTER - 1).account
    assert after.licenses[id_of(1)].renewals == 1


def test_a_download_that_is_forgotten_does_not_count_when_it_is_reported_completed() -> None:
    household(*downloaded(1, counted=False)).when(fetched(1), LONG_AFTER).then_refused(
        "", "LICENSE_UNKNOWN"
    )


def test_a_played_license_is_known_to_have_been_downloaded() -> None:
    account = after(*downloaded(1), happened(events.PlaybackReported, counted=False))
    assert account.licenses[id_of(1)].is_completed
