"""R22, R26, R27: what devices report, late and with clocks of their own."""

from schemas import events
from tests.kit.given import downloaded, expect, fetched, household, played
from tests.kit.happenings import (
    DAY,
    HOUR,
    NOW,
    TERM,
    expired,
    happened,
    id_of,
    released,
    renewed,
    revoked,
)

TOLERANCE = 300_000
WINDOWED = downloaded(1, play_window_s=2 * DAY // 1000)
REJECT = {"playback.late_action": "reject"}


def first_played(at: int) -> events.PlayWindowOpened:
    """License 1 was first played then."""
    return happened(events.PlayWindowOpened, first_played_at=at, expires_at=at + 2 * DAY)


def test_a_playback_is_reported_and_counts() -> None:
    household(*downloaded(1)).when(played(1, position_s=9)).then(
        expect(events.PlaybackReported, counted=True, late=False, position_s=9, studio_id="s1")
    )


def test_a_session_counts_once() -> None:
    household(*downloaded(1), happened(events.PlaybackReported)).when(played(1)).then(
        expect(events.PlaybackReported, counted=False)
    )


def test_another_session_counts_again() -> None:
    household(*downloaded(1), happened(events.PlaybackReported)).when(
        played(1, session_id="p2")
    ).then(expect(events.PlaybackReported, counted=True))


def test_a_report_about_an_unknown_license_is_refused() -> None:
    household().when(fetched(1)).then_refused("", "LICENSE_UNKNOWN")


# R22


def test_the_first_play_opens_the_window() -> None:
    household(*WINDOWED).when(played(1, NOW + HOUR), NOW + DAY).then(
        expect(events.PlaybackReported),
        expect(
            events.PlayWindowOpened,
            first_played_at=NOW + HOUR,
            expires_at=NOW + HOUR + 2 * DAY,
            previous_expires_at=NOW + TERM,
        ),
    )


def test_the_window_opens_once() -> None:
    household(*WINDOWED, first_played(NOW)).when(played(1, NOW + HOUR), NOW + DAY).then(
        expect(events.PlaybackReported)
    )


def test_a_play_that_came_before_the_first_known_one_opened_the_window_earlier() -> None:
    history = (*WINDOWED, first_played(NOW + DAY))
    household(*history).when(played(1, NOW + HOUR), NOW + DAY).then(
        expect(events.PlaybackReported),
        expect(
            events.PlayWindowOpened,
            expires_at=NOW + HOUR + 2 * DAY,
            previous_expires_at=NOW + 3 * DAY,
        ),
    )


def test_a_play_near_the_end_moves_no_expiry_back() -> None:
    household(*WINDOWED).when(played(1, NOW + TERM), NOW + TERM).then(
        expect(events.PlaybackReported, late=False),
        expect(events.PlayWindowOpened, expires_at=NOW + TERM),
    )


def test_a_renewal_closes_the_window_and_its_next_play_opens_it_again() -> None:
    again = renewed(1, at=NOW + DAY, play_window_s=3_600, expires_at=NOW + DAY + TERM)
    history = (*WINDOWED, first_played(NOW), again)
    household(*history).when(played(1, NOW + 2 * DAY), NOW + 2 * DAY).then(
        expect(events.PlaybackReported),
        expect(events.PlayWindowOpened, expires_at=NOW + 2 * DAY + HOUR),
    )


def test_a_play_from_before_the_renewal_does_not_open_the_new_window() -> None:
    again = renewed(1, at=NOW + DAY, play_window_s=3_600, expires_at=NOW + DAY + TERM)
    household(*WINDOWED, again).when(played(1, NOW + HOUR), NOW + DAY).then(
        expect(events.PlaybackReported, late=False)
    )


# R26


def test_a_play_within_the_tolerance_ahead_is_taken() -> None:
    household(*downloaded(1)).when(played(1, NOW + TOLERANCE)).then(
        expect(events.PlaybackReported)
    )


def test_a_play_ahead_of_our_clock_is_refused() -> None:
    household(*downloaded(1)).when(played(1, NOW + TOLERANCE + 1)).then_refused(
        "R26", "CLOCK_SKEW", limit=TOLERANCE, used=TOLERANCE + 1, detail="ms ahead"
    )


def test_a_play_that_stops_ahead_of_our_clock_is_refused() -> None:
    report = played(1, NOW, stopped_at=NOW + TOLERANCE + 1)
    household(*downloaded(1)).when(report).then_refused("R26", "CLOCK_SKEW")


def test_a_play_a_little_before_its_license_is_taken() -> None:
    household(*downloaded(1)).when(played(1, NOW - TOLERANCE)).then(
        expect(events.PlaybackReported)
    )


def test_a_play_long_before_its_license_is_refused() -> None:
    household(*downloaded(1)).when(played(1, NOW - TOLERANCE - 1)).then_refused(
        "R26", "CLOCK_SKEW", detail="ms before the license was issued"
    )


def test_the_service_says_how_far_clocks_may_be_apart() -> None:
    household(*downloaded(1), service={"clock.max_skew_s": 0}).when(
        played(1, NOW + 1)
    ).then_refused("R26", "CLOCK_SKEW", limit=0, scope="service")


def test_a_play_that_stops_before_it_starts_contradicts_itself() -> None:
    report = played(1, NOW, stopped_at=NOW - 1)
    household(*downloaded(1)).when(report).then_refused("", "COMMAND_INVALID")


# R27


def test_a_play_that_began_after_the_expiry_is_flagged() -> None:
    household(*downloaded(1), expired(1)).when(
        played(1, NOW + TERM + 1), NOW + TERM + DAY
    ).then(expect(events.PlaybackReported, late=True, counted=True))


def test_a_play_that_began_before_the_expiry_is_in_time_however_late_it_is_reported() -> None:
    household(*downloaded(1), expired(1), title=REJECT).when(
        played(1, NOW + TERM), NOW + TERM + DAY
    ).then(expect(events.PlaybackReported, late=False))


def test_by_policy_a_late_play_is_refused() -> None:
    household(*downloaded(1), title=REJECT).when(
        played(1, NOW + TERM + 1), NOW + TERM + DAY
    ).then_refused("R27", "PLAYBACK_LATE", license_id=id_of(1))


def test_a_late_play_opens_no_window() -> None:
    household(*WINDOWED).when(played(1, NOW + TERM + 1), NOW + TERM + DAY).then(
        expect(events.PlaybackReported, late=True)
    )


def test_a_renewal_does_not_make_an_earlier_late_play_timely() -> None:
    again = renewed(1, at=NOW + TERM + DAY, expires_at=NOW + 2 * TERM)
    household(*downloaded(1), again).when(played(1, NOW + TERM + HOUR), NOW + TERM + DAY).then(
        expect(events.PlaybackReported, late=True)
    )


def test_a_play_from_before_the_release_is_taken_after_it() -> None:
    history = (*WINDOWED, released(1, at=NOW + DAY))
    household(*history).when(played(1, NOW + HOUR), NOW + DAY).then(
        expect(events.PlaybackReported, late=False, counted=True)
    )


def test_a_play_from_after_the_release_is_refused() -> None:
    history = (*downloaded(1), released(1, at=NOW + DAY))
    household(*history).when(played(1, NOW + DAY + TOLERANCE + 1), NOW + 2 * DAY).then_refused(
        "", "LICENSE_TERMINAL", license_id=id_of(1)
    )


def test_an_offline_device_plays_a_revoked_license_until_the_expiry_it_was_given() -> None:
    history = (*downloaded(1), revoked(1, at=NOW + DAY))
    household(*history).when(played(1, NOW + 2 * DAY), NOW + 3 * DAY).then(
        expect(events.PlaybackReported, late=False)
    )


def test_a_download_is_reported_after_the_release_and_still_counts() -> None:
    history = (*downloaded(1, counted=False), released(1))
    household(*history).when(fetched(1)).then(
        expect(events.DownloadReported), expect(events.DownloadCounted)
    )
