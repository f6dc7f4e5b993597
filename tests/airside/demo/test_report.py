"""The tables of the demo."""

from io import StringIO

from rich.console import Console, RenderableType

from airside.demo import report
from airside.demo.stage import DAY
from commands.batch import Counts
from queries.downloads import DownloadsAnswer, TitleDownloads
from queries.licenses import LicenseAnswer, LicensesAnswer
from queries.reader import Standing
from queries.timeline import TimelineAnswer, TimelineEntry
from tests.airside.demo.service import START_AT

STANDING = Standing(as_of=START_AT, version=9, generation="downloads.1")
COUNTS = Counts(accepted=80, refused=10, noted=4, repeats=5, parked=1)


def shown(table: RenderableType) -> str:
    console = Console(file=StringIO(), width=140, color_system=None)
    with console.capture() as capture:
        console.print(table)
    return capture.get()


def downloads_of(*titles: TitleDownloads) -> DownloadsAnswer:
    return DownloadsAnswer(
        account_id="amelia",
        at=START_AT,
        version=12,
        standing=STANDING,
        issued=2,
        renewed=0,
        counted=2,
        refunded=0,
        active=0,
        titles=titles,
        devices=(),
        warnings=(),
    )


def title(*, left: int | None, available_at: int | None) -> TitleDownloads:
    return TitleDownloads(
        title_id="t22",
        active=0,
        used=2,
        window_s=365 * 86_400,
        limit=None if left is None else 2,
        allowance=0,
        left=left,
        available_at=available_at,
    )


def a_license() -> LicenseAnswer:
    return LicenseAnswer(
        license_id="ab" * 16,
        state="EXPIRED",
        recorded_state="ACTIVE",
        title_id="t18",
        studio_id="s3",
        device_id="chiara-ipad",
        profile_id="main",
        drm="fairplay",
        quality="high",
        issued_at=START_AT - DAY,
        expires_at=START_AT,
        expires_in_s=None,
        renewals=1,
        renewed_at=None,
        first_played_at=None,
        play_window_s=172_800,
        played_at=None,
        plays=3,
        late_plays=1,
        download="completed",
        bytes=1,
        refunded=False,
        ended_at=None,
        reason="",
        proof="",
    )


def licenses_of(count: int) -> LicensesAnswer:
    return LicensesAnswer(
        account_id="chiara",
        at=START_AT,
        version=3,
        standing=STANDING,
        licenses=(a_license(),) * count,
        warnings=(),
    )


def timeline_of(*entries: TimelineEntry) -> TimelineAnswer:
    return TimelineAnswer(
        account_id="amelia", version=12, standing=STANDING, entries=entries, before=None
    )


def entry(version: int, *, explanation: str = "", **facts: object) -> TimelineEntry:
    return TimelineEntry(
        version=version,
        at=START_AT,
        type="LicenseIssued",
        actor="member",
        command_id="cd" * 16,
        catalog_version=1,
        facts=facts,
        explanation=explanation,
    )


def test_numbers_that_add_up_say_so() -> None:
    assert "in all, as many as on the topic" in shown(report.numbers_table(COUNTS, 100))


def test_numbers_that_do_not_add_up_say_so() -> None:
    assert "but 101 are on the topic" in shown(report.numbers_table(COUNTS, 101))


def test_refusals_are_put_in_words_the_most_frequent_first() -> None:
    table = report.refusals_table({"ACCOUNT_ON_HOLD": 1, "TOO_MANY_DEVICES": 7}, {})
    text = shown(table)
    assert text.index("TOO_MANY_DEVICES") < text.index("The account is suspended.")


def test_a_used_up_title_says_when_the_next_is_possible() -> None:
    answer = downloads_of(title(left=0, available_at=START_AT + 365 * DAY))
    assert "2027-07-01" in shown(report.downloads_table(answer, {}))


def test_a_title_with_downloads_left_is_possible_now() -> None:
    answer = downloads_of(title(left=1, available_at=START_AT))
    assert "now" in shown(report.downloads_table(answer, {"t22": "The Undertow Sessions"}))


def test_a_title_is_called_by_its_name() -> None:
    answer = downloads_of(title(left=None, available_at=START_AT))
    text = shown(report.downloads_table(answer, {"t22": "The Undertow Sessions"}))
    assert "The Undertow Sessions (t22)" in text


def test_a_license_shows_its_effective_state() -> None:
    assert "EXPIRED" in shown(report.licenses_table(licenses_of(1), {}))


def test_licenses_beyond_the_table_are_counted() -> None:
    assert "and 3 more" in shown(report.licenses_table(licenses_of(8), {}, rows_max=5))


def test_a_timeline_reads_from_the_top_down() -> None:
    text = shown(report.timeline_table(timeline_of(entry(12, used=2), entry(11, used=1))))
    assert text.index("used=1") < text.index("used=2")


def test_a_timeline_explains_a_refusal() -> None:
    refusal = entry(3, explanation="TOO_MANY_DEVICES: as many as the plan allows.", limit=1)
    assert "as many as the plan allows" in shown(report.timeline_table(timeline_of(refusal)))


def test_instants_in_a_timeline_are_dates() -> None:
    text = shown(report.timeline_table(timeline_of(entry(1, expires_at=START_AT))))
    assert "expires_at=2026-07-01T00:00:00" in text


def test_the_busiest_hour_has_the_longest_bar() -> None:
    lines = shown(report.hours_chart([0, 10, 40])).splitlines()
    assert [line.count("█") for line in lines] == [0, 10, 40]
