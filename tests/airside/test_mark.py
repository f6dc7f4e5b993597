"""A log belongs to one event store, and says so."""

import pytest

from airside.adapters.memory_log import MemoryLog
from airside.mark import check_mark, mark
from commands.catalog_follower import CatalogFollower
from schemas.errors import Contradiction, NotFound
from schemas.record import CATALOG_TOPIC


@pytest.fixture
def log() -> MemoryLog:
    log = MemoryLog(lambda: 0)
    log.create_topic(CATALOG_TOPIC, 1)
    return log


def test_a_log_is_marked_once(log: MemoryLog) -> None:
    assert [mark(log, "h1"), mark(log, "h1")] == [True, False]
    assert len(log.records(CATALOG_TOPIC, 0)) == 1


def test_a_log_of_another_event_store_is_refused(log: MemoryLog) -> None:
    mark(log, "h1")
    with pytest.raises(Contradiction, match="history h1, this one has h2"):
        mark(log, "h2")
    with pytest.raises(Contradiction, match="the log belongs"):
        check_mark(log, "h2")


def test_a_log_without_a_mark_is_not_laid_out(log: MemoryLog) -> None:
    with pytest.raises(NotFound, match="airside init"):
        check_mark(log, "h1")


def test_the_mark_is_no_entry_of_the_catalog(log: MemoryLog) -> None:
    mark(log, "h1")
    follower = CatalogFollower(log.source(CATALOG_TOPIC, 0))
    assert (follower.catch_up().version, follower.rejected) == (1, ())
