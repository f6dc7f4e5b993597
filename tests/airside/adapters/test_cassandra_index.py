"""A commit counts as indexed when each of its requests was acknowledged, and not before."""

from collections.abc import Callable
from typing import Any

import cassandra
import pytest
from cassandra.cluster import NoHostAvailable
from cassandra.connection import ConnectionBusy

from airside.adapters.cassandra_index import IndexWriter, Task
from airside.adapters.cassandra_payload import Content
from airside.urls import parse
from schemas.errors import Unavailable
from tests.kit.kafka import until


class Answer:
    """A request's future, as far as the writer uses it."""

    def __init__(self, request: str) -> None:
        self.request = request
        self._told: tuple[Callable[..., None], Callable[..., None], tuple[Any, ...]]

    def add_callbacks(
        self,
        arrived: Callable[..., None],
        missed: Callable[..., None],
        *,
        callback_args: tuple[Any, ...],
        errback_args: tuple[Any, ...],
    ) -> None:
        assert callback_args == errback_args
        self._told = arrived, missed, callback_args

    def arrive(self) -> None:
        self._told[0](None, *self._told[2])

    def time_out(self) -> None:
        self._told[1](cassandra.OperationTimedOut(), *self._told[2])


class Driver:
    """Takes requests, and answers when a test says so."""

    address = parse("cassandra://h", scheme="cassandra", port=9042, options={})
    timeout_seconds = 1

    def __init__(self) -> None:
        self.sent: list[Answer] = []
        self.is_busy = False

    def send(self, request: str, _profile: str) -> Answer:
        if self.is_busy:
            raise NoHostAvailable("no host", {"h": ConnectionBusy("has too much to send")})
        self.sent.append(Answer(request))
        return self.sent[-1]


@pytest.fixture
def driver() -> Driver:
    return Driver()


@pytest.fixture
def writer(driver: Driver) -> IndexWriter:
    session: Any = driver
    requests: list[Any] = ["r1", "r2"]
    found = IndexWriter(session)
    found.start(Task(0, 1, Content((), (), ()), requests))
    return found


def indexed(writer: IndexWriter) -> int | None:
    """None while a request has failed."""
    try:
        return writer.indexed(0)
    except Unavailable:
        return None


def arrived(answers: list[Answer]) -> list[str]:
    """Which requests these were that are acknowledged now."""
    for answer in answers:
        answer.arrive()
    return [answer.request for answer in answers]


@pytest.mark.parametrize("second_word", [Answer.time_out, Answer.arrive])
def test_a_request_whose_end_is_told_twice_is_sent_again_once_and_counts_once(
    writer: IndexWriter, driver: Driver, second_word: Callable[[Answer], None]
) -> None:
    driver.sent[0].time_out()
    second_word(driver.sent[0])
    assert until(lambda: indexed(writer) is not None)
    assert (arrived(driver.sent[2:]), indexed(writer)) == (["r1"], 0)
    driver.sent[1].arrive()
    assert indexed(writer) == 1


def test_a_connection_that_takes_no_more_for_the_moment_is_no_failure(driver: Driver) -> None:
    driver.is_busy = True
    session: Any = driver
    requests: list[Any] = ["r1", "r2"]
    writer = IndexWriter(session)
    writer.start(Task(0, 1, Content((), (), ()), requests))
    assert (indexed(writer), driver.sent) == (0, [])
    driver.is_busy = False
    assert indexed(writer) == 0
    assert arrived(driver.sent) == ["r1", "r2"]
    assert indexed(writer) == 1
