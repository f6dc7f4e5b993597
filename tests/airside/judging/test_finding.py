"""Clocks, and how numbers are said."""

import pytest

from airside.judging.finding import Verdict, clock, counted, sized

TOLERANCE_MS = 300_000


@pytest.mark.parametrize(
    ("skew_ms", "verdict"),
    [
        (0, "ok"),
        (1_000, "ok"),
        (-1_001, "look"),
        (300_000, "look"),
        (-300_001, "mend"),
    ],
)
def test_a_clock_is_looked_at_above_a_second_and_mended_above_the_tolerance(
    skew_ms: int, verdict: Verdict
) -> None:
    assert clock("log", skew_ms, TOLERANCE_MS).verdict == verdict


def test_a_tolerance_below_a_second_does_not_make_a_good_clock_bad() -> None:
    assert clock("log", 900, 0).verdict == "ok"


def test_a_clock_says_in_which_direction_it_is_wrong() -> None:
    assert clock("log", 5_000, TOLERANCE_MS).found == "5,000 ms ahead of this machine"
    assert clock("log", -5_000, TOLERANCE_MS).found == "5,000 ms behind this machine"


def test_numbers_are_said_as_people_say_them() -> None:
    assert counted(1, "broker") == "1 broker"
    assert counted(1_200, "broker") == "1,200 brokers"
    assert sized(1_023) == "1023 B"
    assert sized(3 * 1024 * 1024) == "3.0 MiB"
    assert sized(5 * 1024**4) == "5,120.0 GiB"
