import pytest

from queries.across import Due, due, expiring, refusals, studio, title
from schemas.errors import Invalid, NotFound
from tests.kit.happenings import DAY, HOUR, NOW, expired, history, id_of, issued, refused
from tests.kit.served import Served


def served(*happenings: object) -> Served:
    served = Served()
    served.happened(history(*happenings))  # type: ignore[arg-type]
    return served


def due_at(expires_at: int, n: int, account_id: str = "a1") -> object:
    return issued(n, expires_at=expires_at, account_id=account_id)


def test_a_title_is_counted_over_all_accounts() -> None:
    found = title(served(issued(1), issued(2, account_id="a2")).reader, "t1")
    assert (found.id, found.tally.issued, found.tally.active) == ("t1", 2, 2)
    assert found.standing.generation == "titles.1"


def test_a_studio_is_counted_over_all_titles() -> None:
    found = studio(served(issued(1), issued(2, title_id="t2", account_id="a2")).reader, "s1")
    assert (found.id, found.tally.issued) == ("s1", 2)


def test_a_title_that_nothing_happened_to_is_not_found() -> None:
    with pytest.raises(NotFound, match="title t9: nothing has happened to it"):
        title(served().reader, "t9")


def test_a_studio_that_nothing_happened_to_is_not_found() -> None:
    with pytest.raises(NotFound, match="studio s9: nothing has happened to it"):
        studio(served().reader, "s9")


def test_what_expires_within_the_hour_is_listed_first_to_last() -> None:
    given = served(
        due_at(NOW, 1),
        due_at(NOW + HOUR, 2),
        due_at(NOW + 1, 3, "a2"),
        due_at(NOW + HOUR + 1, 4),
    )
    found = expiring(given.reader, 3_600, at=NOW)
    assert (found.until, found.count) == (NOW + HOUR, 2)
    assert found.licenses == (Due(id_of(3), "a2", NOW + 1), Due(id_of(2), "a1", NOW + HOUR))


@pytest.mark.parametrize("within_s", [-1, 31 * 86_400 + 1])
def test_the_stretch_is_bounded(within_s: int) -> None:
    with pytest.raises(Invalid, match="31 days"):
        expiring(served().reader, within_s, at=NOW)


def test_what_is_due_and_not_on_record_is_told_oldest_first() -> None:
    given = served(
        due_at(NOW, 1),
        due_at(NOW - 90 * DAY, 2, "a2"),
        due_at(NOW + 1, 3),
        due_at(NOW - 1, 4),
        expired(4, expires_at=NOW - 1),
    )
    assert due(given.reader, at=NOW) == [
        Due(id_of(2), "a2", NOW - 90 * DAY),
        Due(id_of(1), "a1", NOW),
    ]


def test_a_timekeeper_that_was_there_need_not_look_back_far() -> None:
    given = served(due_at(NOW, 1), due_at(NOW - 90 * DAY, 2))
    assert due(given.reader, at=NOW, since=NOW - HOUR) == [Due(id_of(1), "a1", NOW)]


def test_no_more_is_due_at_once_than_was_asked_for() -> None:
    given = served(*(due_at(NOW - n * HOUR, n) for n in range(20)))
    found = due(given.reader, at=NOW, count_max=5)
    assert [one.license_id for one in found] == [id_of(n) for n in (19, 18, 17, 16, 15)]


def test_refusals_are_counted_by_code_the_most_frequent_first() -> None:
    given = served(
        refused("TITLE_WITHDRAWN"),
        refused("RENEWAL_LIMIT"),
        refused("RENEWAL_LIMIT", account_id="a2"),
    )
    found = refusals(given.reader)
    assert found.count == 3
    assert {code: row.count for code, row in found.codes.items()} == {
        "RENEWAL_LIMIT": 2,
        "TITLE_WITHDRAWN": 1,
    }
    assert list(found.codes) == ["RENEWAL_LIMIT", "TITLE_WITHDRAWN"]
