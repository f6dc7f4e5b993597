"""R03–R05, R11, R12, R17: titles, their studios and plays."""

from schemas import commands, events
from tests.kit.given import (
    acquire,
    command,
    downloaded,
    expect,
    household,
    renew,
)
from tests.kit.happenings import DAY, HOUR, NOW, expired, happened, released

YEAR = 365 * DAY


def played(session_id: str, started_at: int = NOW, at: int = NOW) -> events.PlaybackReported:
    return happened(
        events.PlaybackReported, session_id=session_id, started_at=started_at, at=at
    )


# R03, R04, R05


def test_an_unknown_title_is_refused() -> None:
    household().when(acquire("t9")).then_refused("R03", "TITLE_UNKNOWN", title_id="t9")


def test_an_allowance_is_granted_for_known_titles_only() -> None:
    granting = command(commands.GrantAllowance, count=1, expires_at=NOW + DAY, title_id="t9")
    household().when(granting).then_refused("R03", "TITLE_UNKNOWN")


def test_a_title_that_is_only_streamed_is_refused() -> None:
    household(downloadable=False).when(acquire()).then_refused(
        "R03", "TITLE_NOT_DOWNLOADABLE", studio_id="s1"
    )


def test_a_title_before_its_window_is_refused_and_says_when_it_opens() -> None:
    household(window_start=NOW + 1).when(acquire()).then_refused(
        "R04", "TITLE_WITHDRAWN", available_at=NOW + 1
    )


def test_a_title_is_available_from_its_window_s_first_instant() -> None:
    household(window_start=NOW).when(acquire()).then(
        expect(events.LicenseIssued), expect(events.DeviceActivated)
    )


def test_a_title_is_withdrawn_at_its_window_s_end() -> None:
    household(window_end=NOW).when(acquire()).then_refused(
        "R04", "TITLE_WITHDRAWN", available_at=None
    )


def test_a_withdrawn_title_is_not_renewed() -> None:
    household(*downloaded(1), window_end=NOW).when(renew(1)).then_refused(
        "R04", "TITLE_WITHDRAWN"
    )


def test_no_license_outlives_its_title_s_window() -> None:
    household(window_end=NOW + DAY).when(acquire()).then(
        expect(events.LicenseIssued, expires_at=NOW + DAY), expect(events.DeviceActivated)
    )


def test_a_title_of_other_countries_is_refused() -> None:
    household(countries=("US", "CA")).when(acquire()).then_refused(
        "R05", "REGION_NOT_ALLOWED", detail="GB"
    )


def test_after_a_move_the_new_country_counts() -> None:
    moved = happened(events.CountryChanged, country="US")
    household(moved, countries=("US", "CA")).when(acquire()).then(
        expect(events.LicenseIssued), expect(events.DeviceActivated)
    )


# R11 and R12


def test_the_studio_s_limit_of_active_licenses_is_kept_over_all_its_titles() -> None:
    held = (*downloaded(1, title_id="t1"), *downloaded(2, title_id="t2"))
    household(*held, studio={"studio.max_active": 2}).when(acquire("t1")).then_refused(
        "R11", "STUDIO_ACTIVE_LIMIT", limit=2, used=2, scope="studio", studio_id="s1"
    )


def test_licenses_of_another_studio_leave_room() -> None:
    held = (*downloaded(1, title_id="t1"), *downloaded(2, title_id="t3", studio_id="s2"))
    household(*held, studio={"studio.max_active": 2}).when(acquire("t1")).then(
        expect(events.LicenseIssued)
    )


def test_a_renewal_does_not_count_itself_against_the_studio_s_limit() -> None:
    household(*downloaded(1), studio={"studio.max_active": 1}).when(renew(1)).then(
        expect(events.LicenseRenewed)
    )


def test_a_title_on_as_many_devices_as_it_may_be_is_refused_on_another() -> None:
    household(*downloaded(1, "d1"), title={"title.max_concurrent_devices": 1}).when(
        acquire(device_id="d2")
    ).then_refused("R12", "TITLE_DEVICE_LIMIT", limit=1, used=1, scope="title")


def test_the_same_title_again_on_its_device_is_one_device_still() -> None:
    household(*downloaded(1, "d1"), title={"title.max_concurrent_devices": 1}).when(
        acquire(device_id="d1")
    ).then(expect(events.LicenseIssued))


def test_a_title_given_back_leaves_its_device() -> None:
    gone = (*downloaded(1, "d1"), released(1), happened(events.DeviceDeactivated))
    household(*gone, title={"title.max_concurrent_devices": 1}).when(
        acquire(device_id="d2")
    ).then(expect(events.LicenseIssued), expect(events.DeviceActivated))


# R17


def test_a_title_played_as_often_as_it_may_be_is_not_acquired() -> None:
    plays = (played("p1", NOW - 2 * DAY), played("p2", NOW - DAY))
    household(*plays, title={"title.max_plays": 2}).when(acquire()).then_refused(
        "R17",
        "PLAYBACK_PERIOD_LIMIT",
        limit=2,
        used=2,
        scope="title",
        available_at=NOW - 2 * DAY + YEAR,
    )


def test_a_title_played_as_often_as_it_may_be_is_not_renewed() -> None:
    household(*downloaded(1), played("p1"), title={"title.max_plays": 1}).when(
        renew(1)
    ).then_refused("R17", "PLAYBACK_PERIOD_LIMIT")


def test_reports_of_one_session_are_one_play() -> None:
    again = happened(events.PlaybackReported, session_id="p1", counted=False)
    household(*downloaded(1), played("p1"), again, title={"title.max_plays": 2}).when(
        acquire()
    ).then(expect(events.LicenseIssued))


def test_a_play_that_left_its_window_counts_no_more() -> None:
    title = {"title.max_plays": 1, "title.max_plays_window_s": HOUR // 1000}
    household(*downloaded(1), expired(1), played("p1"), title=title).when(
        acquire(), NOW + HOUR
    ).then(expect(events.LicenseIssued))
