from functools import partial

import pytest

from projectors import downloads, titles
from projectors.downloads import Downloads
from projectors.titles import Tally
from projectors.view_store import Checkpoint
from queries.finding import SWITCH_SECONDS
from queries.reader import ANYTHING, AtLeast, at_least
from schemas import events
from schemas.errors import Invalid, Unavailable
from schemas.record import shard_of
from tests.kit.happenings import NOW, happened, history, issued
from tests.kit.served import Served

SHARD = shard_of("a1", 4)
OPENED = happened(events.AccountOpened)


@pytest.fixture
def served() -> Served:
    served = Served()
    served.happened(history(OPENED, issued(at=NOW + 5)))
    return served


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        ("3:42", AtLeast(42, 3)),
        ("42", AtLeast(42)),
        (42, AtLeast(42)),
        ("0:0", AtLeast(0, 0)),
    ],
)
def test_a_token_says_shard_and_seq(token: str | int, expected: AtLeast) -> None:
    assert at_least(token) == expected


@pytest.mark.parametrize(
    "token", ["", ":", ":5", "3:", "a:5", "3:-1", "1:2:3", "٣:٤", -1, "9" * 40]
)
def test_a_token_that_is_none_is_refused(token: str | int) -> None:
    with pytest.raises(Invalid, match="min_version"):
        at_least(token)


@pytest.mark.parametrize("seconds", [-1.0, 61.0, float("nan")])
def test_a_wait_is_bounded(seconds: float) -> None:
    with pytest.raises(Invalid, match="cannot wait"):
        at_least("3:42", seconds)


def test_an_answer_says_from_when_it_is(served: Served) -> None:
    standing = served.reader.of_account(downloads.PROJECTION, "a1", ("a1",)).standing
    assert (standing.as_of, standing.version) == (NOW + 5, 2)
    assert (standing.generation, standing.fresh, standing.behind) == ("downloads.1", True, 0)


def test_what_is_there_already_is_not_waited_for(served: Served) -> None:
    reading = served.reader.of_account(downloads.PROJECTION, "a1", ("a1",), AtLeast(2, SHARD))
    assert (reading.standing.fresh, served.slept) == (True, [])


def test_a_reader_waits_for_the_version_it_was_asked_for(served: Served) -> None:
    served.while_sleeping = lambda: served.happened([issued(2)])
    reading = served.reader.of_account(downloads.PROJECTION, "a1", ("a1",), AtLeast(4))
    assert reading.rows["a1"].issued == 3
    assert (reading.standing.fresh, reading.standing.version) == (True, 4)
    assert len(served.slept) == 2


def test_the_pauses_grow_and_are_bounded(served: Served) -> None:
    served.reader.of_account(downloads.PROJECTION, "a1", ("a1",), AtLeast(9, None, 1.0))
    assert served.slept[:4] == pytest.approx([0.002, 0.004, 0.008, 0.016])
    assert max(served.slept) == 0.1
    assert sum(served.slept) == pytest.approx(1.0)


def test_an_answer_that_comes_too_early_says_what_it_lacks(served: Served) -> None:
    reading = served.reader.of_account(
        downloads.PROJECTION, "a1", ("a1",), AtLeast(9, None, 0.1)
    )
    assert reading.rows["a1"].issued == 1
    assert (reading.standing.fresh, reading.standing.behind) == (False, 7)


def test_a_token_of_another_shard_is_refused(served: Served) -> None:
    with pytest.raises(Invalid, match=f"lives in shard {SHARD}"):
        served.reader.of_account(downloads.PROJECTION, "a1", (), AtLeast(1, SHARD + 1))


def test_without_a_served_generation_there_is_no_answer(served: Served) -> None:
    served.serve("downloads", None)
    with pytest.raises(Unavailable, match="airside up"):
        served.reader.of_account(downloads.PROJECTION, "a1", ("a1",))


def test_the_served_generation_answers_from_its_promotion_on(served: Served) -> None:
    rebuilt = {"a1": Downloads(version=9)}
    served.save(downloads.PROJECTION, 2, SHARD, rebuilt, Checkpoint(2, 0, NOW))
    served.serve("downloads", 2)
    reading = served.reader.of_account(downloads.PROJECTION, "a1", ("a1",))
    assert (reading.rows, reading.standing.generation) == (rebuilt, "downloads.2")
    served.serve("downloads", 1)
    assert served.reader.of_account(downloads.PROJECTION, "a1", ("a1",)).rows["a1"].version == 2


def test_a_promotion_while_waiting_is_followed(served: Served) -> None:
    served.save(downloads.PROJECTION, 2, SHARD, {"a1": Downloads()}, Checkpoint(7, 0, NOW))
    served.while_sleeping = lambda: served.serve("downloads", 2)
    reading = served.reader.of_account(downloads.PROJECTION, "a1", ("a1",), AtLeast(7))
    assert reading.standing.generation == "downloads.2"


def read_after_a_switch_to(served: Served, seq: int) -> tuple[str, int]:
    """Generation and version of an answer, where one of version 2 was given before."""
    served.reader.of_account(downloads.PROJECTION, "a1", ("a1",))
    row = {"a1": Downloads()}
    served.save(downloads.PROJECTION, 2, SHARD, row, Checkpoint(seq, 0, NOW))
    served.serve("downloads", 2)
    standing = served.reader.of_account(downloads.PROJECTION, "a1", ("a1",)).standing
    return standing.generation, standing.version


def test_answers_do_not_go_back_when_another_generation_is_served(served: Served) -> None:
    row = {"a1": Downloads()}
    there = Checkpoint(2, 0, NOW)
    served.while_sleeping = lambda: served.save(downloads.PROJECTION, 2, SHARD, row, there)
    assert read_after_a_switch_to(served, seq=1) == ("downloads.2", 2)
    assert len(served.slept) == 1


def test_a_generation_that_stands_still_is_waited_for_once_and_not_for_long(
    served: Served,
) -> None:
    assert read_after_a_switch_to(served, seq=1) == ("downloads.2", 1)
    assert sum(served.slept) == pytest.approx(SWITCH_SECONDS)
    served.slept.clear()
    standing = served.reader.of_account(downloads.PROJECTION, "a1", ("a1",)).standing
    assert (standing.version, served.slept) == (1, [])


def test_all_shards_of_a_merged_answer_are_waited_for_together() -> None:
    served = Served()
    served.happened(history(issued(1), issued(2, account_id="a2"), issued(3, account_id="a3")))
    served.reader.merged(titles.PROJECTION, ("t1",))
    served.serve("titles", 2)  # it has nothing, in any shard
    served.reader.merged(titles.PROJECTION, ("t1",))
    assert sum(served.slept) == pytest.approx(SWITCH_SECONDS)


def test_an_older_answer_of_a_slower_thread_does_not_lower_the_mark(served: Served) -> None:
    served.reader.of_account(downloads.PROJECTION, "a1", ("a1",))
    served.save(downloads.PROJECTION, 1, SHARD, {}, Checkpoint(1, 0, NOW))
    assert read_after_a_switch_to(served, seq=1) == ("downloads.2", 1)
    assert sum(served.slept) == pytest.approx(SWITCH_SECONDS), "two events were seen before"


def test_a_store_that_fell_back_is_answered_from_as_it_is(served: Served) -> None:
    served.reader.of_account(downloads.PROJECTION, "a1", ("a1",))
    served.save(downloads.PROJECTION, 1, SHARD, {}, Checkpoint(1, 0, NOW))
    standing = served.reader.of_account(downloads.PROJECTION, "a1", ("a1",)).standing
    assert (standing.version, served.slept) == (1, [])


def test_a_generation_dropped_between_two_looks_is_not_taken_for_an_empty_one() -> None:
    served = Served()
    served.save(downloads.PROJECTION, 2, SHARD, {"a1": Downloads()}, Checkpoint(7, 0, NOW))
    served.store.after_rows = [lambda: served.serve("downloads", 2)]
    reading = served.reader.of_account(downloads.PROJECTION, "a1", ("a1",))
    assert reading.rows == {"a1": Downloads()}


def test_a_projection_that_is_promoted_all_the_time_gives_up_at_last() -> None:
    served = Served()
    promotions = [partial(served.serve, "downloads", number) for number in range(2, 99)]
    served.store.after_registry = [*promotions]
    with pytest.raises(Unavailable, match="keeps changing"):
        served.reader.of_account(downloads.PROJECTION, "a1", ("a1",))


def test_shards_are_merged_into_one_answer() -> None:
    served = Served()
    served.happened(history(issued(1), issued(2, account_id="a2"), issued(3, account_id="a3")))
    reading = served.reader.merged(titles.PROJECTION, ("t1", "t9"))
    assert {key: row.issued for key, row in reading.rows.items()} == {"t1": 3}
    assert reading.standing.version == 3


def test_a_merged_answer_waits_for_the_shard_of_the_token(served: Served) -> None:
    served.while_sleeping = lambda: served.happened([issued(2)])
    reading = served.reader.merged(titles.PROJECTION, ("t1",), AtLeast(3, SHARD))
    assert (reading.rows["t1"].issued, reading.standing.fresh) == (2, True)


def test_a_merged_answer_says_what_it_lacks(served: Served) -> None:
    reading = served.reader.merged(titles.PROJECTION, ("t1",), AtLeast(5, SHARD, 0.0))
    assert (reading.standing.fresh, reading.standing.behind) == (False, 3)


@pytest.mark.parametrize("wanted", [AtLeast(5), AtLeast(5, 4), AtLeast(0, 99)])
def test_a_merged_answer_needs_a_shard_that_exists(served: Served, wanted: AtLeast) -> None:
    with pytest.raises(Invalid, match="shard:seq"):
        served.reader.merged(titles.PROJECTION, ("t1",), wanted)


def test_a_row_that_other_code_wrote_and_this_cannot_read_needs_a_replay() -> None:
    served = Served()
    unknown = {"a1": {"version": "no number", "issued": []}}
    served.save(downloads.PROJECTION, 1, SHARD, unknown, Checkpoint(1, 0, NOW))
    with pytest.raises(Unavailable, match="Run: airside replay downloads"):
        served.reader.of_account(downloads.PROJECTION, "a1", ("a1",))


def test_a_merged_answer_is_of_one_generation() -> None:
    served = Served()
    served.save(titles.PROJECTION, 2, 3, {"t1": Tally(issued=7)}, Checkpoint(1, 0, NOW))
    served.save(titles.PROJECTION, 1, 0, {"t1": Tally(issued=1)}, Checkpoint(1, 0, NOW))
    served.store.after_rows = [lambda: served.serve("titles", 2)]
    reading = served.reader.merged(titles.PROJECTION, ("t1",), ANYTHING)
    assert (reading.rows["t1"].issued, reading.standing.generation) == (7, "titles.2")
