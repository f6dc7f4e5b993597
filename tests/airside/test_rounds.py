"""Every key has its turn; trouble is told, and cuts a round short where it takes long."""

import pytest

from airside.rounds import TROUBLE_SECONDS_MAX, Rounds
from schemas.errors import Unavailable


class Hanging:
    """Keys that answer, except for some that take as long as an engine that hangs."""

    def __init__(self, *hanging: str) -> None:
        self.now = 0.0
        self.told: list[str] = []
        self.hanging = hanging
        self.rounds: Rounds[str] = Rounds(lambda: self.now)

    def step(self, key: str) -> int:
        self.told.append(key)
        if key in self.hanging:
            self.now += TROUBLE_SECONDS_MAX * 0.7
            raise Unavailable(f"{key} hangs.")
        return 1

    def go(self) -> str:
        self.told = []
        with pytest.raises(Unavailable):
            self.rounds.go(list("abcde"), self.step)
        return "".join(self.told)


def test_all_are_stepped_in_turn_and_added_up() -> None:
    quick = Hanging()
    assert (quick.rounds.go(list("abcde"), quick.step), "".join(quick.told)) == (5, "abcde")


def test_one_that_fails_stops_no_other() -> None:
    assert Hanging("b").go() == "abcde"


def test_a_round_that_takes_too_long_is_cut_short_and_the_next_begins_behind() -> None:
    hanging = Hanging("b", "c")
    assert [hanging.go(), hanging.go()] == ["abc", "deabc"]


def test_a_round_goes_on_from_the_start_where_its_key_is_gone() -> None:
    hanging = Hanging("b", "c")
    hanging.go()
    hanging.told = []
    assert hanging.rounds.go(list("ad"), hanging.step) == 2
    assert hanging.told == ["a", "d"]
