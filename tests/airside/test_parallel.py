"""Processes that build shards: who is heard of, who is dead, who hangs."""

import queue
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from airside import parallel
from airside.parallel import Part, Team
from airside.settings import Settings
from projectors.build import Job, ShardProgress
from projectors.verification import Verification
from projectors.view_store import Generation
from schemas.errors import Fenced, Unavailable

LIVE, BUILT = Generation("downloads", 1, "f", 0), Generation("downloads", 2, "f", 0)
PROGRESS = ShardProgress(1, 5, 10)


class Process:
    """One that has ended with this code, or is at work."""

    exitcode: int | None = None


class Answers:
    """What the processes say; nothing where it is quiet, and then the clock goes on."""

    def __init__(self, *said: Any) -> None:
        self.said = list(said)
        self.seconds = 0.0
        self.while_quiet: Callable[[], None] = lambda: None

    def get(self, timeout: float) -> Any:
        if self.said and self.said[0] is not None:
            return self.said.pop(0)
        self.said[:1] = []
        self.seconds += timeout
        self.while_quiet()
        raise queue.Empty


@pytest.fixture
def processes() -> list[Process]:
    return [Process(), Process()]


def team(processes: list[Any], answers: Answers) -> Team:
    settings = Settings(data=Path("nowhere"))
    parts = [
        Part(settings, "downloads", "topic", Job(LIVE, BUILT, (n, n + 2)), 1) for n in (0, 1)
    ]
    return Team(parts, processes, answers, lambda: answers.seconds)


def hear_all(heard: Team, times: int) -> list[ShardProgress | None]:
    return [heard.hear() for _ in range(times)]


def test_what_they_say_is_heard_until_each_has_answered(
    processes: list[Process],
) -> None:
    found = Verification(rows=3)
    heard = team(processes, Answers((0, PROGRESS), (1, found), None))
    assert hear_all(heard, 3) == [PROGRESS, None, None]
    assert heard.found == {1: found}


def test_one_that_answered_may_end_and_the_others_may_be_quiet_for_a_while(
    processes: list[Process],
) -> None:
    heard = team(processes, Answers((1, Verification()), *[None] * 50))
    processes[1].exitcode = 0
    assert hear_all(heard, 51) == [None] * 51


def test_one_that_ended_without_an_answer_is_named_once_its_last_words_must_be_there(
    processes: list[Process],
) -> None:
    answers = Answers(None, (0, Verification()), None, None, None)
    heard = team(processes, answers)
    processes[0].exitcode = 0  # its answer is on its way
    assert hear_all(heard, 3) == [None] * 3
    processes[1].exitcode = -9
    heard.hear()
    with pytest.raises(Unavailable, match="shards 1, 3 ended with exit code -9"):
        heard.hear()


def test_one_that_hangs_is_named(
    processes: list[Process],
) -> None:
    answers = Answers((0, Verification()), *[None] * 500)
    heard = team(processes, answers)
    with pytest.raises(Unavailable, match="shards 1, 3 says nothing"):
        hear_all(heard, 500)
    assert answers.seconds > parallel.SILENT_SECONDS


def test_what_one_raised_is_raised(
    processes: list[Process],
) -> None:
    heard = team(processes, Answers((0, Fenced("somebody else moved it"))))
    with pytest.raises(Fenced, match="somebody else"):
        heard.hear()
