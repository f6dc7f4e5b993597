from projectors import licenses
from projectors.licenses import PROJECTION, License, Licenses, license_of
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


def row(*happenings: Event) -> Licenses:
    return row_of(PROJECTION, "a1", *history(*happenings))


def one(*happenings: Event) -> License:
    found = license_of(row(*happenings), id_of(1))
    assert found is not None
    return found


def test_an_account_without_licenses_has_a_row() -> None:
    assert row(OPENED) == Licenses(version=1)


def test_an_issued_license_is_active_until_its_expiry() -> None:
    assert one(issued(quality="high", play_window_s=60)) == License(
        title="t1",
        studio="s1",
        device="d1",
        expires_at=NOW + TERM,
        state="ACTIVE",
        issued_at=NOW,
        profile="main",
        drm="widevine",
        quality="high",
        play_window_s=60,
    )


def test_an_expiry_is_recorded() -> None:
    found = one(issued(), expired(at=NOW + TERM))
    assert (found.state, found.ended_at) == ("EXPIRED", NOW + TERM)


def test_a_renewal_makes_an_expired_license_active_and_starts_its_play_window_afresh() -> None:
    found = one(
        issued(),
        happened(events.PlayWindowOpened, expires_at=NOW + 2 * DAY),
        expired(at=NOW + 2 * DAY),
        renewed(at=NOW + 3 * DAY, expires_at=NOW + 33 * DAY, was_expired=True),
    )
    assert (found.state, found.expires_at) == ("ACTIVE", NOW + 33 * DAY)
    assert (found.renewals, found.renewed_at) == (1, NOW + 3 * DAY)
    assert (found.first_played_at, found.ended_at) == (None, None)


def test_a_release_says_why_and_how_it_was_proved() -> None:
    found = one(issued(), released(at=NOW + 1, reason="deleted", proof="secure"))
    assert (found.state, found.ended_at) == ("RELEASED", NOW + 1)
    assert (found.reason, found.proof) == ("deleted", "secure")


def test_a_revocation_says_why_and_leaves_the_expiry_that_was_issued() -> None:
    found = one(issued(), revoked(at=NOW + 1, reason="stolen"))
    assert (found.state, found.reason, found.expires_at) == ("REVOKED", "stolen", NOW + TERM)


def test_the_latest_report_of_a_download_is_shown() -> None:
    found = one(
        issued(),
        happened(events.DownloadReported, status="started", bytes=0),
        happened(events.DownloadReported, status="failed", bytes=9),
        happened(events.DownloadRefunded),
    )
    assert (found.download, found.bytes, found.refunded) == ("failed", 9, True)


def test_plays_are_counted_once_a_session_and_reports_may_come_in_any_order() -> None:
    found = one(
        issued(),
        happened(events.PlaybackReported, started_at=NOW + 9, late=True),
        happened(events.PlaybackReported, started_at=NOW + 4, counted=False, late=True),
    )
    assert (found.plays, found.late_plays, found.played_at) == (1, 1, NOW + 9)


def test_the_first_play_opens_the_window() -> None:
    opened = happened(events.PlayWindowOpened, first_played_at=NOW + 1, expires_at=NOW + DAY)
    found = one(issued(), opened)
    assert (found.first_played_at, found.expires_at) == (NOW + 1, NOW + DAY)


def test_reports_about_a_license_that_is_forgotten_change_nothing_but_the_version() -> None:
    found = row(
        OPENED,
        happened(events.DownloadReported),
        happened(events.DownloadRefunded),
        happened(events.PlaybackReported),
        happened(events.PlayWindowOpened),
    )
    assert found == Licenses(version=5)


def test_the_end_of_a_license_that_is_forgotten_is_shown_with_what_is_known() -> None:
    assert one(expired()) == License("t1", "s1", "d1", NOW + TERM, "EXPIRED", ended_at=NOW)


def ends(count: int, at: int) -> tuple[Event, ...]:
    return tuple(
        event for n in range(100, 100 + count) for event in (issued(n), released(n, at=at))
    )


def test_ended_licenses_are_dropped_ninety_days_later() -> None:
    later = ends(licenses.SWEEP_EVERY - 1, NOW + 91 * DAY)
    found = row(issued(1), released(1), *later)
    assert id_of(1) not in found.licenses
    assert (len(found.licenses), found.endings) == (15, 16)


def test_an_expired_license_stays_while_it_may_be_renewed() -> None:
    later = ends(licenses.SWEEP_EVERY, NOW + 399 * DAY)
    assert one(issued(1), expired(1), *later).state == "EXPIRED"


def test_an_expired_license_is_dropped_in_the_end() -> None:
    later = ends(licenses.SWEEP_EVERY, NOW + 401 * DAY)
    assert id_of(1) not in row(issued(1), expired(1), *later).licenses


def test_ended_licenses_are_bounded_and_active_ones_are_not_dropped() -> None:
    given = (issued(1), *ends(licenses.ENDED_MAX + 24, NOW))
    assert one(*given).state == "ACTIVE"
    assert len(row(*given).licenses) == 1 + licenses.ENDED_MAX


def expiries(count: int, at: int) -> tuple[Event, ...]:
    return tuple(
        event for n in range(100, 100 + count) for event in (issued(n), expired(n, at=at + n))
    )


def test_an_account_whose_licenses_only_run_out_is_swept_too() -> None:
    later = expiries(licenses.SWEEP_EVERY - 1, NOW + 401 * DAY)
    found = row(issued(1), expired(1), *later)
    assert id_of(1) not in found.licenses
    assert (len(found.licenses), found.expiries) == (15, 16)


def test_expired_licenses_are_bounded_and_the_latest_are_kept() -> None:
    count = licenses.EXPIRED_MAX + licenses.SWEEP_EVERY
    found = row(issued(1), *expiries(count, NOW))
    assert len(found.licenses) == 1 + licenses.EXPIRED_MAX
    assert {id_of(1), id_of(99 + count)} <= found.licenses.keys()
    assert id_of(100) not in found.licenses


def test_an_erased_account_has_no_row() -> None:
    erased = happened(events.AccountErased)
    assert rows_of(PROJECTION, history(OPENED, issued(), erased)) == {}
