"""Rows healed in place: one account's or a partition's, under workers that believe others."""

from typing import Any

import pytest

from airside.checking.repair import Healed
from airside.healing import heal_account, heal_partition
from projectors.builds import start_build
from projectors.generations import promote
from projectors.projection import Projection
from schemas.errors import NotFound
from tests.kit.counter import NOW, add
from tests.kit.estate import EVENTS, KINDS, TOTALS, Estate
from tests.kit.read_side import drain

WRONG = b'{"count":99,"seqs":[]}'


def of_account(estate: Estate, account_id: str = "a") -> Healed:
    """The account's rows are healed in the one generation there is."""
    (done,) = heal_account(estate.sides, estate.projection, account_id)
    return done


def of_partition(estate: Estate) -> Healed:
    """All rows are."""
    (done,) = heal_partition(estate.sides, estate.projection, 0)
    return done


@pytest.mark.parametrize("row", [WRONG, None], ids=["altered", "missing"])
def test_an_accounts_row_is_healed_and_shown_as_it_was_and_as_it_is(row: bytes | None) -> None:
    estate = Estate()
    right = estate.rows()
    estate.spoil("a", row)
    done = of_account(estate)
    (shown,) = done.shown
    assert (shown.key, shown.live, shown.rebuilt) == ("a", row, right["a"])
    assert (done.compared, done.rewritten, done.given_up) == (1, 1, "")
    assert estate.rows() == right
    assert estate.faults() == []


def test_rows_of_other_accounts_are_left_alone() -> None:
    estate = Estate()
    estate.spoil("b", WRONG)
    done = of_account(estate)
    assert (done.compared, done.rewritten) == (1, 0)
    assert estate.rows()["b"] == WRONG


@pytest.mark.parametrize(
    ("key", "row"), [("a", WRONG), ("b", None), ("zz", WRONG)], ids=["other", "gone", "extra"]
)
def test_a_partition_is_healed_of_rows_that_differ_lack_or_are_too_many(
    key: str, row: bytes | None
) -> None:
    estate = Estate()
    right = estate.rows()
    estate.spoil(key, row)
    assert of_partition(estate).rewritten == 1
    assert estate.rows() == right
    assert estate.faults() == []


def test_it_tells_how_many_of_the_events_are_folded() -> None:
    estate = Estate()
    told: list[tuple[int, int]] = []
    heal_partition(estate.sides, TOTALS, 0, lambda done, total: told.append((done, total)))
    assert told[-1] == (EVENTS, EVENTS)


def test_what_is_right_is_not_written() -> None:
    estate = Estate()
    before = estate.checkpoint
    assert of_partition(estate).rewritten == of_account(estate).rewritten == 0
    assert estate.checkpoint == before


@pytest.mark.parametrize("heal", [of_account, of_partition])
def test_a_worker_with_the_wrong_row_in_memory_does_not_bring_it_back(heal: Any) -> None:
    estate = Estate()
    worker = estate.worker()
    estate.spoil("a", WRONG)
    grow(estate, 70)
    drain(worker)  # it has folded an event into the wrong row, and keeps that in memory
    assert worker.rows_in_memory
    heal(estate)
    grow(estate, 71)
    drain(worker)
    assert estate.rows()["a"] == b'{"count":5,"seqs":[1,3,4,6,7]}'
    assert estate.faults() == []


@pytest.mark.parametrize("heal", [of_account, of_partition])
def test_a_worker_with_the_right_row_in_memory_goes_on_from_the_healed_one(heal: Any) -> None:
    estate = Estate()
    worker = estate.worker()
    grow(estate, 70)
    drain(worker)
    estate.spoil("a", WRONG)
    heal(estate)
    grow(estate, 71)
    drain(worker)
    assert worker.checkpoint.seq == 7
    assert estate.rows()["a"] == b'{"count":5,"seqs":[1,3,4,6,7]}'
    assert estate.faults() == []


def grow(estate: Estate, number: int) -> None:
    """One more event of account a is published."""
    estate.shard.send(add(number))
    estate.shard.drain()


def test_rows_that_other_accounts_are_in_too_are_folded_from_all_of_them() -> None:
    estate = Estate(projection=KINDS)
    right = estate.rows()
    estate.spoil("AllowanceGranted", WRONG)
    estate.spoil("AccountSuspended", None)
    done = of_account(estate, "b")
    assert (done.compared, done.rewritten) == (1, 1)
    assert estate.rows()["AllowanceGranted"] == right["AllowanceGranted"]
    assert of_account(estate, "a").rewritten == 1
    assert estate.rows() == right


@pytest.mark.parametrize("projection", [TOTALS, KINDS], ids=lambda p: p.name)
def test_a_row_that_an_event_is_parked_for_is_said_to_stay_incomplete(
    projection: Projection[Any],
) -> None:
    estate = Estate.poisoned(projection)
    done = of_account(estate)
    (row,) = done.incomplete
    assert row in ("a", "AccountSuspended")
    assert (done.left, done.given_up) == ([], "")
    assert of_account(estate, "b").incomplete == []


def test_a_held_row_that_differs_is_not_rewritten() -> None:
    estate = Estate.poisoned()
    estate.spoil("a", WRONG)
    done = of_account(estate)
    assert (done.left, done.incomplete, done.rewritten) == (["a"], ["a"], 0)
    assert estate.rows()["a"] == WRONG


def test_the_standby_is_healed_too() -> None:
    estate = Estate()
    first = estate.live
    estate.live = start_build(
        estate.views, "totals", fingerprint=estate.fingerprint, now_at=NOW
    )
    drain(estate.worker())
    promote(estate.views, estate.live, serving=first.number, now_at=NOW)
    served, estate.live = estate.live, first
    estate.spoil("a", WRONG)
    done = heal_account(estate.sides, TOTALS, "a")
    assert {one.generation: one.rewritten for one in done} == {first.name: 1, served.name: 0}


def test_rows_that_other_code_serves_are_not_touched_and_the_next_step_is_said() -> None:
    estate = Estate()
    built = start_build(estate.views, "totals", fingerprint="other", now_at=NOW)
    promote(estate.views, built, serving=estate.live.number, now_at=NOW)
    done = {one.generation: one for one in heal_account(estate.sides, TOTALS, "a")}
    assert done[built.name].given_up.endswith("Run: airside replay totals")
    assert done[built.name].compared == 0
    assert done[estate.live.name].compared == 1


def test_a_row_is_not_healed_where_its_workers_could_not_be_told() -> None:
    estate = Estate()
    estate.append(b"a", b"junk that was parked")
    drain(estate.worker())
    estate.spoil("a", WRONG)
    done = of_account(estate)
    assert "airside replay totals" in done.given_up
    assert estate.rows()["a"] == WRONG


def test_an_account_without_a_history_is_refused_with_the_next_step() -> None:
    with pytest.raises(NotFound, match=r"account nobody: unknown.* --partition 0"):
        heal_account(Estate().sides, TOTALS, "nobody")


def test_a_partition_that_is_none_is_refused() -> None:
    with pytest.raises(NotFound, match=r"partition 1: there are partitions 0 to 0"):
        heal_partition(Estate().sides, TOTALS, 1)


def test_nothing_is_healed_where_nothing_is_served() -> None:
    estate = Estate()
    estate.projection = KINDS
    with pytest.raises(NotFound, match="no generation is served yet"):
        of_partition(estate)
