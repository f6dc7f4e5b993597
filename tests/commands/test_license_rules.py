"""R18–R22 and R29: how often and when a license is renewed, until when it lasts, warnings."""

from schemas import events
from tests.kit.given import (
    acquire,
    downloaded,
    expect,
    given,
    household,
    override,
    played,
    renew,
)
from tests.kit.happenings import (
    DAY,
    HOUR,
    NOW,
    TERM,
    id_of,
    released,
    renewed,
    revoked,
)

YEAR = 365 * DAY
TWO_RENEWALS = {"license.max_renewals": 2}
WINDOW = {"license.play_window_s": 2 * DAY // 1000}
OLD = downloaded(1, at=NOW - YEAR, expires_at=NOW + DAY)


def test_a_license_that_the_account_never_held_is_unknown() -> None:
    household().when(renew(1)).then_refused("", "LICENSE_UNKNOWN", license_id=id_of(1))


def test_an_unknown_account_comes_before_an_unknown_license() -> None:
    given().when(renew(1)).then_refused("R01", "ACCOUNT_UNKNOWN")


def test_a_released_license_does_not_come_back() -> None:
    household(*downloaded(1), released(1)).when(renew(1)).then_refused(
        "", "LICENSE_TERMINAL", license_id=id_of(1), device_id="d1", title_id="t1"
    )


def test_a_revoked_license_does_not_come_back() -> None:
    household(*downloaded(1), revoked(1)).when(renew(1)).then_refused("", "LICENSE_TERMINAL")


# R18


def test_a_license_renewed_as_often_as_it_may_be_is_refused() -> None:
    history = (*downloaded(1), renewed(1, renewal=2))
    household(*history, title=TWO_RENEWALS).when(renew(1)).then_refused(
        "R18", "RENEWAL_LIMIT", limit=2, used=2, scope="title"
    )


def test_the_last_renewal_that_is_left_is_given() -> None:
    household(*downloaded(1), renewed(1), title=TWO_RENEWALS).when(renew(1)).then(
        expect(events.LicenseRenewed, renewal=2)
    )


def test_renewals_of_one_license_are_not_another_s() -> None:
    history = (*downloaded(1), renewed(1, renewal=2), *downloaded(2))
    household(*history, title=TWO_RENEWALS).when(renew(2)).then(
        expect(events.LicenseRenewed, renewal=1)
    )


# R19


def test_a_license_a_year_old_is_not_renewed() -> None:
    household(*OLD).when(renew(1)).then_refused(
        "R19", "RENEWAL_LIMIT", limit=YEAR // 1000, used=YEAR // 1000, scope="service"
    )


def test_a_license_a_second_short_of_a_year_is_renewed() -> None:
    household(*OLD).when(renew(1), NOW - 1000).then(
        expect(events.LicenseRenewed, previous_expires_at=NOW + DAY)
    )


def test_a_title_may_override_how_old_a_license_may_grow() -> None:
    title = override(**{"license.max_age_s": 2 * YEAR // 1000})
    household(*OLD, title=title).when(renew(1)).then(expect(events.LicenseRenewed))


def test_renewals_make_a_license_no_younger() -> None:
    household(*OLD, renewed(1, at=NOW - DAY)).when(renew(1)).then_refused(
        "R19", "RENEWAL_LIMIT"
    )


def test_no_license_lasts_longer_than_it_may_grow_old() -> None:
    household(title={"license.max_age_s": 60}).when(acquire()).then(
        expect(events.LicenseIssued, expires_at=NOW + 60_000), expect(events.DeviceActivated)
    )


def test_no_renewal_lasts_longer_than_its_license_may_grow_old() -> None:
    title = {"license.max_age_s": 10 * DAY // 1000}
    household(*downloaded(1), title=title).when(renew(1), NOW + 9 * DAY).then(
        expect(events.LicenseRenewed, expires_at=NOW + 10 * DAY)
    )


# R20


def test_a_license_far_from_its_expiry_is_not_renewed_yet() -> None:
    title = {"license.renew_from_s": DAY // 1000}
    household(*downloaded(1), title=title).when(renew(1)).then_refused(
        "R20", "RENEWAL_TOO_EARLY", available_at=NOW + TERM - DAY
    )


def test_a_license_near_its_expiry_is_renewed() -> None:
    title = {"license.renew_from_s": DAY // 1000}
    household(*downloaded(1), title=title).when(renew(1), NOW + TERM - DAY).then(
        expect(events.LicenseRenewed)
    )


def test_a_license_long_expired_is_not_renewed_any_more() -> None:
    title = {"license.renew_until_s": DAY // 1000}
    household(*downloaded(1), title=title).when(renew(1), NOW + TERM + DAY + 1).then_refused(
        "R20", "RENEWAL_TOO_LATE"
    )


def test_a_license_expired_of_late_is_renewed() -> None:
    title = {"license.renew_until_s": DAY // 1000}
    household(*downloaded(1), title=title).when(renew(1), NOW + TERM + DAY).then(
        expect(events.LicenseRenewed)
    )


# R21, R22


def test_a_license_lasts_for_its_term() -> None:
    household(title={"license.term_s": 60}).when(acquire()).then(
        expect(events.LicenseIssued, expires_at=NOW + 60_000), expect(events.DeviceActivated)
    )


def test_a_renewal_lasts_for_the_term_from_now() -> None:
    household(*downloaded(1)).when(renew(1), NOW + DAY).then(
        expect(
            events.LicenseRenewed,
            expires_at=NOW + DAY + TERM,
            previous_expires_at=NOW + TERM,
            was_expired=False,
            renewal=1,
        )
    )


def test_a_license_says_the_play_window_that_was_resolved_for_it() -> None:
    household(title=WINDOW).when(acquire()).then(
        expect(events.LicenseIssued, play_window_s=2 * DAY // 1000),
        expect(events.DeviceActivated),
    )


def test_a_play_window_that_the_policy_lost_still_holds_for_what_was_issued() -> None:
    household(*downloaded(1, play_window_s=3_600)).when(played(1)).then(
        expect(events.PlaybackReported),
        expect(events.PlayWindowOpened, expires_at=NOW + HOUR, previous_expires_at=NOW + TERM),
    )


# R29


def test_a_license_that_ends_soon_says_so() -> None:
    household(window_end=NOW + 7 * DAY).when(acquire()).then(
        expect(events.LicenseIssued, warnings=("EXPIRES_SOON",)),
        expect(events.DeviceActivated),
    )


def test_a_license_that_lasts_has_no_warnings() -> None:
    household(window_end=NOW + 7 * DAY + 1).when(acquire()).then(
        expect(events.LicenseIssued, warnings=()), expect(events.DeviceActivated)
    )


def test_few_downloads_left_are_said() -> None:
    household(title={"title.max_downloads": 2}).when(acquire()).then(
        expect(events.LicenseIssued, warnings=("DOWNLOADS_LEFT:1",)),
        expect(events.DeviceActivated),
    )


def test_a_renewal_warns_too() -> None:
    title = {"title.max_downloads": 2, "license.term_s": 60}
    household(*downloaded(1), title=title).when(renew(1)).then(
        expect(events.LicenseRenewed, warnings=("EXPIRES_SOON", "DOWNLOADS_LEFT:0"))
    )
