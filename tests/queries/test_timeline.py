import pytest

from projectors.timeline import PAGE_ENTRIES, PROJECTION, Page, page_key
from projectors.view_store import Checkpoint
from queries.reader import AtLeast
from queries.timeline import changes, timeline
from schemas import events
from schemas.errors import Invalid, NotFound
from schemas.record import shard_of
from tests.kit.fold import rows_of
from tests.kit.happenings import NOW, happened, history, issued, refused
from tests.kit.served import Served

COUNT = 5 * PAGE_ENTRIES + 10


@pytest.fixture
def served() -> Served:
    served = Served()
    served.happened(history(*(issued(n, at=NOW + n) for n in range(COUNT))))
    return served


def versions(served: Served, *, limit: int, before: int | None = None) -> list[int]:
    found = timeline(served.reader, "a1", limit=limit, before=before)
    return [entry.version for entry in found.entries]


def test_the_latest_come_first(served: Served) -> None:
    assert versions(served, limit=3) == [COUNT, COUNT - 1, COUNT - 2]


def test_a_stretch_may_lie_across_pages(served: Served) -> None:
    assert versions(served, limit=PAGE_ENTRIES + 20) == list(
        range(COUNT, COUNT - PAGE_ENTRIES - 20, -1)
    )


def test_the_answer_says_how_to_go_on_until_the_beginning(served: Served) -> None:
    first = timeline(served.reader, "a1", limit=100)
    assert first.before == COUNT - 99
    assert versions(served, limit=100, before=first.before) == list(range(COUNT - 100, 0, -1))
    assert timeline(served.reader, "a1", limit=100, before=first.before).before is None


def test_before_the_beginning_there_is_nothing(served: Served) -> None:
    found = timeline(served.reader, "a1", before=1)
    assert (found.entries, found.before, found.version) == ((), None, COUNT)


def test_before_the_future_is_now(served: Served) -> None:
    assert versions(served, limit=1, before=9_999) == [COUNT]


def test_a_refusal_is_explained() -> None:
    served = Served()
    served.happened(history(refused(limit=3, used=3, scope="title")))
    entry = timeline(served.reader, "a1").entries[0]
    assert "The limit of the title was 3, and 3 of it were used." in entry.explanation
    assert "rule R14, catalog version 3" in entry.explanation


def test_other_events_need_no_explanation(served: Served) -> None:
    assert timeline(served.reader, "a1", limit=1).entries[0].explanation == ""


def test_what_came_after_an_erasure_is_all_there_is() -> None:
    served = Served()
    many = (issued(n) for n in range(PAGE_ENTRIES))
    erased = happened(events.AccountErased)
    served.happened(history(*many, erased, refused("ACCOUNT_CLOSED")))
    found = timeline(served.reader, "a1", limit=500)
    assert [entry.type for entry in found.entries] == ["CommandRefused"]
    assert found.before is None


@pytest.mark.parametrize("limit", [0, -1, 1_001])
def test_an_answer_is_bounded(limit: int) -> None:
    with pytest.raises(Invalid, match="ask for 1 to 1000"):
        timeline(Served().reader, "a1", limit=limit)


def test_a_timeline_is_waited_for_once(served: Served) -> None:
    found = timeline(served.reader, "a1", wanted=AtLeast(COUNT + 3, None, 0.5))
    assert (found.standing.fresh, found.standing.behind) == (False, 3)
    assert sum(served.slept) == pytest.approx(0.5)


def test_an_unknown_account_is_told_the_next_step() -> None:
    with pytest.raises(NotFound, match="Check the id"):
        timeline(Served().reader, "a9")


def test_changes_follow_on_a_version_the_earliest_first(served: Served) -> None:
    found = changes(served.reader, "a1", after=18, limit=4)
    assert [entry.version for entry in found.entries] == [19, 20, 21, 22]
    assert (found.after, found.version) == (18, COUNT)


def test_after_the_last_nothing_has_changed(served: Served) -> None:
    assert changes(served.reader, "a1", after=COUNT).entries == ()
    assert changes(served.reader, "a1", after=COUNT + 7).entries == ()


def test_changes_of_an_account_that_is_not_there_are_not_found(served: Served) -> None:
    with pytest.raises(NotFound):
        changes(served.reader, "nobody", after=0)


def test_changes_have_no_gap_where_a_page_is_late(served: Served) -> None:
    rows = rows_of(PROJECTION, history(*(issued(n, at=NOW + n) for n in range(COUNT))))
    rows[page_key("a1", 1)] = Page(
        page=1, first_version=21, version=20
    )  # 21 to 40 are not there
    served.save(PROJECTION, 1, shard_of("a1", 4), rows, Checkpoint(COUNT + 1, 0, NOW))
    found = changes(served.reader, "a1", after=18, limit=40)
    assert [entry.version for entry in found.entries] == [19, 20]
