"""Roles in threads wait for their engines, revive them, and die in one line."""

import logging
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from airside.running import Crew, take_turns
from schemas.errors import Hole, Unavailable

AWHILE = 10  # idle turns: by then the main thread is waiting


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


class Struck:
    """A role whose thread gets the signal that was meant for the whole process."""

    name = "struck"

    def __init__(self) -> None:
        self.turns = 0

    def turn(self) -> int:
        self.turns += 1
        if self.turns == AWHILE:
            signal.pthread_kill(threading.get_ident(), signal.SIGUSR1)
        return 0


@pytest.mark.timeout(20)
def test_a_request_to_stop_is_heard_whichever_thread_gets_the_signal() -> None:
    role = Struck()

    @contextmanager
    def opened() -> Iterator[Struck]:
        yield role

    crew = Crew([("struck", opened)])
    before = signal.signal(signal.SIGUSR1, lambda *_: crew.stop.set())
    try:
        crew.start()
        crew.join()
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert role.turns >= AWHILE
