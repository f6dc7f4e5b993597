"""Roles in threads wait for their engines, revive them, and die in one line."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from airside.running import Crew, take_turns
from schemas.errors import Hole, Unavailable


class Script:
    """A role that does, turn by turn, as told; then it stops the loop."""

    name = "scripted"

    def __init__(self, stop: threading.Event, errors: list[Exception]) -> None:
        self._stop, self._errors = stop, errors

    def turn(self) -> int:
        if self._errors:
            raise self._errors.pop(0)
        self._stop.set()
        return 0


def test_an_engine_that_is_away_is_revived_before_the_next_turn() -> None:
    stop, revived = threading.Event(), list[str]()
    take_turns(Script(stop, [Unavailable("gone")]), stop, lambda: revived.append("once"))
    assert revived == ["once"]


def test_a_role_is_opened_again_where_its_engine_was_away() -> None:
    errors: list[Exception] = [Unavailable("dead port")]

    @contextmanager
    def opened() -> Iterator[Script]:
        Script(crew.stop, errors).turn() if errors else None
        yield Script(crew.stop, [])

    crew = Crew([("views", opened)])
    crew.start()
    crew.join()
    assert errors == []


def test_an_expected_death_is_told_in_one_line(caplog: pytest.LogCaptureFixture) -> None:
    @contextmanager
    def opened() -> Iterator[Script]:
        yield Script(crew.stop, [Hole("seq 3 is missing")])

    crew = Crew([("handler", opened)])
    crew.start()
    with pytest.raises(Hole):
        crew.join()
    told = [(record.message, record.exc_info) for record in caplog.records]
    assert told == [("a role died name=handler because seq 3 is missing", None)]
    assert caplog.records[0].levelno == logging.ERROR
