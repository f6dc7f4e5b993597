import msgspec
import pytest

from projectors import downloads as rows
from queries.downloads import DownloadsAnswer, TitleDownloads, downloads, downloads_of, next_at
from queries.warnings import MemberWarning
from schemas import events
from schemas.envelope import Event
from schemas.errors import NotFound
from tests.kit.fold import row_of
from tests.kit.happenings import DAY, NOW, TERM, expired, happened, history, issued
from tests.kit.served import Served

YEAR = 365 * DAY
OPENED = happened(events.AccountOpened)
DECEMBER = 1_796_083_200_000  # 2026-12-01T00:00:00Z


def answer(*happenings: Event, at: int = NOW, title_id: str | None = None) -> DownloadsAnswer:
    row = row_of(rows.PROJECTION, "a1", *history(OPENED, *happenings))
    return downloads_of(row, "a1", at=at, title_id=title_id)


def title(*happenings: Event, at: int = NOW) -> TitleDownloads:
    return answer(*happenings, at=at, title_id="t1").titles[0]


def grant(**fields: object) -> events.AllowanceGranted:
    usual: dict[str, object] = {"device_id": None, "expires_at": NOW + DAY}
    return happened(events.AllowanceGranted, **usual | fields)


def test_a_member_without_downloads_has_none() -> None:
    found = answer()
    assert (found.issued, found.active, found.titles, found.devices) == (0, 0, (), ())


def test_totals_are_as_recorded_and_active_is_as_of_now() -> None:
    two = (issued(1), issued(2, expires_at=NOW + DAY))
    assert (answer(*two).issued, answer(*two).active) == (2, 2)
    assert answer(*two, at=NOW + DAY).active == 1


def test_what_is_left_of_a_limit_is_possible_now() -> None:
    found = title(issued(1), issued(2))
    assert (found.used, found.limit, found.left, found.available_at) == (2, 3, 1, NOW)


def test_without_a_limit_nothing_runs_out() -> None:
    found = title(issued(limit=None))
    assert (found.used, found.limit, found.left, found.available_at) == (1, None, None, NOW)


def test_a_used_up_title_is_possible_again_when_the_first_one_leaves_the_window() -> None:
    three = [issued(n, at=NOW + n) for n in range(3)]
    found = title(*three, at=NOW + DAY)
    assert (found.left, found.available_at) == (0, NOW + YEAR)


def test_the_instant_that_is_told_is_the_first_at_which_one_is_left() -> None:
    three = [issued(n, at=NOW + n) for n in range(3)]
    assert title(*three, at=NOW + YEAR - 1).left == 0
    assert title(*three, at=NOW + YEAR).left == 1


def test_a_title_that_was_never_had_has_used_nothing() -> None:
    found = answer(issued(), title_id="t9").titles
    assert [(one.title_id, one.used, one.limit, one.window_s) for one in found] == [
        ("t9", 0, None, 365 * 86_400)
    ]


def test_an_allowance_raises_the_limit_until_it_runs_out() -> None:
    given = (grant(count=2), issued(1, limit=3), issued(2, limit=3))
    found = title(*given)
    assert (found.allowance, found.limit, found.left) == (2, 3, 1)
    later = title(*given, at=NOW + DAY)
    assert (later.allowance, later.limit, later.left) == (0, 1, 0)


def test_an_allowance_that_came_after_the_last_decision_counts_too() -> None:
    found = title(issued(limit=1), grant(count=1))
    assert (found.limit, found.left, found.available_at) == (2, 1, NOW)


def test_an_allowance_of_another_title_does_not_count() -> None:
    assert title(issued(limit=1), grant(title_id="t2")).left == 0


def test_a_month_of_a_device_is_counted_and_ends() -> None:
    two = (issued(1, device_limit=2), issued(2, device_limit=2))
    now = answer(*two).devices[0]
    assert (now.used, now.limit, now.left, now.available_at) == (2, 2, 0, DECEMBER)
    then = answer(*two, at=DECEMBER).devices[0]
    assert (then.month, then.used, then.left, then.available_at) == ("2026-12", 0, 2, DECEMBER)


def test_a_device_without_a_limit_has_its_month_counted_all_the_same() -> None:
    found = answer(issued()).devices[0]
    assert (found.used, found.left, found.available_at) == (1, None, NOW)


def test_an_allowance_raises_a_device_for_a_while() -> None:
    given = (grant(title_id=None, device_id="d1", count=1), issued(device_limit=1))
    now = answer(*given).devices[0]
    assert (now.allowance, now.limit, now.left, now.available_at) == (1, 1, 0, None)


def test_what_a_device_holds_is_counted_as_of_now() -> None:
    two = (issued(1), issued(2, device_id="d2", expires_at=NOW + DAY))
    found = answer(*two, at=NOW + DAY).devices
    assert [(one.device_id, one.active, one.issued) for one in found] == [
        ("d1", 1, 1),
        ("d2", 0, 1),
    ]


@pytest.mark.parametrize(
    ("instants", "limit", "grants", "at", "expected"),
    [
        ([], 1, (), 5, 5),
        ([], 0, (), 5, None),
        ([1], 1, (), 5, 101),
        ([1, 1], 1, (), 5, 101),
        ([1, 2, 3], 1, (), 5, 103),
        ([1, 2, 3], 2, (), 5, 102),
        ([3, 1, 2], 2, (), 5, 102),
        ([1], 1, ((1, 6),), 5, 5),
        ([1], 1, ((1, 5),), 5, 101),
        ([1, 2], 0, ((2, 102),), 5, 101),
        ([1, 2], 0, ((1, 102),), 5, None),
        ([1], 1, (), 101, 101),
    ],
)
def test_the_next_is_possible_once_enough_has_left_the_window(
    instants: list[int],
    limit: int,
    grants: tuple[tuple[int, int], ...],
    at: int,
    expected: int | None,
) -> None:
    assert next_at(instants, limit, 100, grants, at=at) == expected


def test_a_member_is_warned_of_the_last_download() -> None:
    found = answer(issued(1, limit=2), issued(2, title_id="t2", limit=3))
    assert found.warnings == (MemberWarning("DOWNLOADS_LEFT", "t1", downloads_left=1),)


def test_the_next_expiry_of_a_device_is_told() -> None:
    two = (issued(1), issued(2, expires_at=NOW + DAY))
    assert answer(*two).devices[0].next_expiry_at == NOW + DAY
    assert answer(*two, at=NOW + DAY).devices[0].next_expiry_at == NOW + TERM


def test_the_answer_comes_from_the_read_model_with_its_standing() -> None:
    served = Served()
    served.happened(history(OPENED, issued(), expired(at=NOW + TERM)))
    found = downloads(served.reader, "a1", at=NOW)
    assert found.standing is not None
    assert (found.version, found.standing.version, found.issued) == (3, 3, 1)


def test_an_answer_is_json() -> None:
    found = answer(issued())
    assert msgspec.json.decode(msgspec.json.encode(found), type=DownloadsAnswer) == found


@pytest.mark.parametrize("account_id", ["a9", "x" * 10_000, ""])
def test_an_unknown_account_is_told_the_next_step(account_id: str) -> None:
    with pytest.raises(NotFound, match="Check the id"):
        downloads(Served().reader, account_id, at=NOW)
