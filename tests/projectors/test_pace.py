"""A batch is as large as makes a save of about a mebibyte, within bounds."""

import pytest

from projectors.pace import BUILDING, COUNT_FIRST, COUNT_MIN, SAVE_BYTES, Bounds, Pace

KIB = {str(n): bytes(1_024) for n in range(1_024)}  # rows of a save that is just right


@pytest.fixture
def pace() -> Pace:
    return Pace()


def test_small_rows_allow_twice_as_many_records(pace: Pace) -> None:
    pace.saved(COUNT_FIRST, {"a": b"{}"})
    assert pace.count == 2 * COUNT_FIRST


def test_large_rows_allow_fewer_at_once(pace: Pace) -> None:
    pace.saved(COUNT_FIRST, {"a": bytes(4 * SAVE_BYTES)})
    assert pace.count == COUNT_FIRST // 4


def test_there_is_a_least(pace: Pace) -> None:
    pace.saved(COUNT_FIRST, {"a": bytes(1_000 * SAVE_BYTES)})
    assert pace.count == COUNT_MIN


def test_a_save_that_is_just_right_changes_nothing(pace: Pace) -> None:
    pace.saved(COUNT_FIRST, KIB)
    assert pace.count == COUNT_FIRST


def test_a_batch_that_was_not_full_makes_the_next_no_larger(pace: Pace) -> None:
    pace.saved(1, {"a": b"{}"})
    assert pace.count == COUNT_FIRST


def test_a_batch_that_was_not_full_may_make_the_next_smaller(pace: Pace) -> None:
    pace.saved(COUNT_FIRST // 2, {"a": bytes(2 * SAVE_BYTES)})
    assert pace.count == COUNT_FIRST // 4


def test_deleted_rows_weigh_nothing(pace: Pace) -> None:
    pace.saved(COUNT_FIRST, {"a": None})
    assert pace.count == 2 * COUNT_FIRST


def test_there_is_a_most() -> None:
    pace = Pace(Bounds(COUNT_FIRST + 1, SAVE_BYTES))
    pace.saved(COUNT_FIRST, {"a": b"{}"})
    assert pace.count == COUNT_FIRST + 1


def test_whoever_asks_for_few_gets_no_more() -> None:
    pace = Pace(Bounds(7, SAVE_BYTES))
    pace.saved(7, {"a": b"{}"})
    assert pace.count == 7


def test_a_builder_saves_more_at_once() -> None:
    builder = Pace(BUILDING)
    builder.saved(COUNT_FIRST, {"a": bytes(2 * SAVE_BYTES)})
    assert builder.count == 2 * COUNT_FIRST
