"""R14, R15, R16: downloads of a title in a window, and what counts as one."""

from schemas import events
from schemas.envelope import Event
from tests.kit.given import (
    acquire,
    downloaded,
    expect,
    fetched,
    household,
    override,
    played,
    renew,
)
from tests.kit.happenings import DAY, NOW, happened, id_of, released, renewed

YEAR = 365 * DAY
TWO_A_YEAR = {"title.max_downloads": 2}
ON_COMPLETION = {"title.count_at": "completed"}


def had(*days_ago: int) -> tuple[Event, ...]:
    """Downloads of t1 that many days ago, oldest first, all given back at once."""
    licenses = enumerate(days_ago, start=1)
    return tuple(
        event
        for n, days in licenses
        for event in (*downloaded(n, at=NOW - days * DAY), released(n, at=NOW - days * DAY))
    )


def grant(title_id: str = "t1", **fields: object) -> events.AllowanceGranted:
    usual = {"device_id": None, "expires_at": NOW + DAY, "count": 1}
    return happened(events.AllowanceGranted, title_id=title_id, **{**usual, **fields})


# R14


def test_a_title_downloaded_as_often_as_it_may_be_is_refused_until_the_oldest_leaves() -> None:
    household(*had(100, 10), title=TWO_A_YEAR).when(acquire()).then_refused(
        "R14",
        "TITLE_PERIOD_LIMIT",
        limit=2,
        used=2,
        scope="title",
        available_at=NOW - 100 * DAY + YEAR,
    )


def test_the_last_download_that_is_left_is_given_with_limit_and_use() -> None:
    household(*downloaded(1), title=TWO_A_YEAR).when(acquire()).then(
        expect(events.LicenseIssued, counted=True, limit=2, used=2, window_s=YEAR // 1000)
    )


def test_a_download_that_left_the_window_counts_no_more() -> None:
    household(*had(365, 10), title=TWO_A_YEAR).when(acquire()).then(
        expect(events.LicenseIssued, limit=2, used=2)
    )


def test_one_ms_before_the_oldest_leaves_it_is_still_refused() -> None:
    household(*had(100, 10), title=TWO_A_YEAR).when(
        acquire(), NOW - 100 * DAY + YEAR - 1
    ).then_refused("R14", "TITLE_PERIOD_LIMIT")


def test_the_limits_of_all_scopes_must_hold() -> None:
    title = {"title.max_downloads": 5, "title.max_downloads_window_s": YEAR // 1000}
    studio = {"title.max_downloads": 1, "title.max_downloads_window_s": DAY // 1000}
    household(*downloaded(1), title=title, studio=studio).when(acquire()).then_refused(
        "R14", "TITLE_PERIOD_LIMIT", limit=1, scope="studio", available_at=NOW + DAY
    )


def test_an_overriding_title_silences_its_studio_s_limit() -> None:
    title = override(**{"title.max_downloads": 2})
    household(*had(3, 2), title=title, studio={"title.max_downloads": 1}).when(
        acquire()
    ).then_refused("R14", "TITLE_PERIOD_LIMIT", limit=2, scope="title")


def test_the_fewest_left_of_all_limits_is_what_a_license_says() -> None:
    title, studio = {"title.max_downloads": 5}, {"title.max_downloads": 3}
    household(*downloaded(1), title=title, studio=studio).when(acquire()).then(
        expect(events.LicenseIssued, limit=3, used=2)
    )


def test_without_a_limit_a_license_says_the_downloads_of_a_year() -> None:
    household(*downloaded(1), *downloaded(2, at=NOW - YEAR)).when(acquire()).then(
        expect(events.LicenseIssued, limit=None, used=2, window_s=YEAR // 1000)
    )


def test_an_allowance_raises_the_limit_of_its_title() -> None:
    household(*downloaded(1), *downloaded(2), grant(), title=TWO_A_YEAR).when(acquire()).then(
        expect(events.LicenseIssued, limit=3, used=3)
    )


def test_an_allowance_for_another_title_raises_nothing() -> None:
    household(*had(2, 1), grant("t2"), title=TWO_A_YEAR).when(acquire()).then_refused(
        "R14", "TITLE_PERIOD_LIMIT", limit=2
    )


def test_an_allowance_that_is_over_raises_nothing() -> None:
    household(*had(2, 1), grant(expires_at=NOW + 5), title=TWO_A_YEAR).when(
        acquire(), NOW + 5
    ).then_refused("R14", "TITLE_PERIOD_LIMIT", limit=2)


def test_an_allowance_that_ends_first_does_not_bring_the_next_download_nearer() -> None:
    spent = (*had(300, 200, 100), grant(expires_at=NOW + DAY))
    household(*spent, title=TWO_A_YEAR).when(acquire()).then_refused(
        "R14", "TITLE_PERIOD_LIMIT", limit=3, used=3, available_at=NOW - 200 * DAY + YEAR
    )


def test_a_title_that_may_never_be_downloaded_is_never_available() -> None:
    household(title={"title.max_downloads": 0}).when(acquire()).then_refused(
        "R14", "TITLE_PERIOD_LIMIT", limit=0, used=0, available_at=None
    )


# R15


def test_a_renewal_counts_as_a_download() -> None:
    household(*downloaded(1), title=TWO_A_YEAR).when(renew(1)).then(
        expect(events.LicenseRenewed, counted=True, limit=2, used=2)
    )


def test_a_renewal_is_refused_when_no_download_is_left() -> None:
    household(*downloaded(1), renewed(1), title=TWO_A_YEAR).when(renew(1)).then_refused(
        "R14", "TITLE_PERIOD_LIMIT", used=2
    )


def test_a_free_renewal_neither_counts_nor_is_refused() -> None:
    title = {**TWO_A_YEAR, "title.count_renewals": False}
    household(*downloaded(1), *downloaded(2), title=title).when(renew(1)).then(
        expect(events.LicenseRenewed, counted=False, limit=2, used=2)
    )


# R16


def test_a_download_may_count_only_when_it_is_completed() -> None:
    household(title={**TWO_A_YEAR, **ON_COMPLETION}).when(acquire()).then(
        expect(events.LicenseIssued, counted=False, used=0), expect(events.DeviceActivated)
    )


def test_a_completed_download_counts_then() -> None:
    household(*downloaded(1, counted=False), title=ON_COMPLETION).when(fetched(1)).then(
        expect(events.DownloadReported, status="completed"),
        expect(events.DownloadCounted, license_id=id_of(1), studio_id="s1"),
    )


def test_a_completed_download_counts_once() -> None:
    done = (happened(events.DownloadReported), happened(events.DownloadCounted))
    household(*downloaded(1, counted=False), *done, title=ON_COMPLETION).when(fetched(1)).then(
        expect(events.DownloadReported)
    )


def test_what_counted_when_it_was_issued_does_not_count_on_completion() -> None:
    household(*downloaded(1)).when(fetched(1)).then(expect(events.DownloadReported))


def test_a_download_counted_on_completion_is_used_up() -> None:
    done = (happened(events.DownloadReported), happened(events.DownloadCounted))
    title = {**ON_COMPLETION, "title.max_downloads": 1}
    household(*downloaded(1, counted=False), *done, title=title).when(acquire()).then_refused(
        "R14", "TITLE_PERIOD_LIMIT", used=1
    )


def test_an_early_failure_is_refunded() -> None:
    household(*downloaded(1)).when(fetched(1, "failed"), NOW + DAY).then(
        expect(events.DownloadReported, status="failed"),
        expect(events.DownloadRefunded, counted_at=NOW),
    )


def test_a_late_failure_is_not_refunded() -> None:
    household(*downloaded(1)).when(fetched(1, "failed"), NOW + DAY + 1).then(
        expect(events.DownloadReported)
    )


def test_a_failure_after_completion_is_not_refunded() -> None:
    done = happened(events.DownloadReported)
    household(*downloaded(1), done).when(fetched(1, "failed")).then(
        expect(events.DownloadReported)
    )


def test_a_failure_is_refunded_once() -> None:
    refunded = happened(events.DownloadRefunded)
    household(*downloaded(1), refunded).when(fetched(1, "failed")).then(
        expect(events.DownloadReported)
    )


def test_a_refunded_download_may_be_had_again() -> None:
    refunded = happened(events.DownloadRefunded)
    household(*downloaded(1), refunded, title={"title.max_downloads": 1}).when(acquire()).then(
        expect(events.LicenseIssued, used=1)
    )


def test_a_refunded_download_that_is_completed_after_all_counts_again() -> None:
    refunded = happened(events.DownloadRefunded)
    household(*downloaded(1), refunded).when(fetched(1)).then(
        expect(events.DownloadReported), expect(events.DownloadCounted)
    )


def test_a_download_that_only_started_changes_no_count() -> None:
    household(*downloaded(1, counted=False)).when(fetched(1, "started")).then(
        expect(events.DownloadReported, status="started")
    )


def test_what_was_played_did_not_fail() -> None:
    seen = happened(events.PlaybackReported)
    household(*downloaded(1), seen).when(fetched(1, "failed")).then(
        expect(events.DownloadReported)
    )


def test_what_was_given_back_is_not_refunded_any_more() -> None:
    household(*downloaded(1), released(1)).when(fetched(1, "failed")).then(
        expect(events.DownloadReported)
    )


def test_a_refunded_download_that_plays_after_all_counts_again() -> None:
    refunded = happened(events.DownloadRefunded)
    household(*downloaded(1), refunded).when(played(1)).then(
        expect(events.PlaybackReported),
        expect(events.DownloadCounted, license_id=id_of(1), title_id="t1", studio_id="s1"),
    )


def test_a_first_play_counts_as_completion_does() -> None:
    windowed = downloaded(1, counted=False, play_window_s=60)
    household(*windowed, title=ON_COMPLETION).when(played(1)).then(
        expect(events.PlaybackReported),
        expect(events.DownloadCounted),
        expect(events.PlayWindowOpened),
    )


def test_a_play_counts_no_download_twice() -> None:
    household(*downloaded(1)).when(played(1)).then(expect(events.PlaybackReported))


def test_a_download_that_will_count_on_completion_holds_its_place() -> None:
    waiting = downloaded(1, counted=False, expires_at=NOW + DAY)
    title = {**ON_COMPLETION, "title.max_downloads": 1}
    household(*waiting, title=title).when(acquire()).then_refused(
        "R14", "TITLE_PERIOD_LIMIT", limit=1, used=1, available_at=NOW + DAY
    )


def test_what_was_given_back_before_it_was_completed_holds_no_place() -> None:
    gone = (*downloaded(1, counted=False), released(1))
    title = {**ON_COMPLETION, "title.max_downloads": 1}
    household(*gone, title=title).when(acquire()).then(
        expect(events.LicenseIssued, used=0, limit=1, warnings=("DOWNLOADS_LEFT:0",))
    )


def test_another_title_s_download_holds_no_place() -> None:
    waiting = downloaded(1, counted=False, title_id="t2")
    title = {**ON_COMPLETION, "title.max_downloads": 1}
    household(*waiting, title=title).when(acquire()).then(expect(events.LicenseIssued))


def test_a_renewal_leaves_its_license_the_place_that_its_download_will_take() -> None:
    title = {**ON_COMPLETION, "title.max_downloads": 1}
    household(*downloaded(1, counted=False), title=title).when(renew(1)).then_refused(
        "R14", "TITLE_PERIOD_LIMIT", limit=1, used=1, available_at=None
    )
