"""The whole check: nothing to find where all is well, also while workers go on."""

import pytest

from airside.adapters.memory_event_store import MemoryEventStore
from airside.checking.checking import Asked, check
from airside.checking.found import CHECKS, Check
from commands.event_store import Resumed
from schemas.errors import Hole
from tests.kit.counter import add
from tests.kit.estate import EVENTS, Estate
from tests.kit.read_side import drain


def test_nothing_is_found_where_all_is_well() -> None:
    estate = Estate()
    assert estate.faults() == []
    assert estate.repair() == []


@pytest.mark.parametrize(
    ("name", "compared"),
    [("store", EVENTS), ("index", 2), ("topic", EVENTS), ("commands", 6), ("rows", 2)],
)
def test_it_says_how_much_was_compared(name: Check, compared: int) -> None:
    (found,) = Estate().check(name)
    assert (found.check, found.compared) == (name, compared)


def test_what_is_sent_and_not_handled_yet_is_no_fault() -> None:
    estate = Estate()
    estate.shard.send(add(50), add(51, account="b"))
    assert estate.faults() == []


def test_what_is_handled_and_not_folded_yet_is_no_fault() -> None:
    estate = Estate()
    estate.shard.send(add(50))
    estate.shard.drain()
    assert estate.faults() == []


def test_what_is_committed_and_not_published_yet_waits_for_its_handler() -> None:
    estate = Estate()
    estate.shard.send(add(50))
    worker = estate.shard.worker()
    worker.resume()
    worker.take()
    worker.commit()  # and then the process dies
    (found,) = estate.check("topic")
    assert found.fault_count == 0
    assert found.waiting == 1
    assert found.said == [
        "1 events from seq 6 on wait to be published: the shard's handler does it"
    ]


def test_progress_ends_at_the_whole() -> None:
    estate = Estate()
    told: list[tuple[int, int]] = []
    check(estate.sides, Asked((0,)), lambda done, total: told.append((done, total)))
    assert told == sorted(told)
    assert told[-1][0] == told[-1][1] == 4 * EVENTS + 6


class Unresumable(MemoryEventStore):
    def resume(self, shard: int) -> Resumed:
        raise Hole("commit 7 is missing.")


def test_a_commit_that_is_missing_ends_the_check_of_its_shard() -> None:
    estate = Estate()
    estate.store = Unresumable()
    assert estate.faults() == ["store, shard 0: commit 7 is missing."]


def test_only_what_is_asked_for_is_checked() -> None:
    found = Estate().check("topic", "rows")
    assert [one.check for one in found] == ["topic", "rows"]
    assert {one.check for one in Estate().check()} == set(CHECKS)


def test_a_check_changes_nothing() -> None:
    estate = Estate()
    before = (estate.rows(), estate.checkpoint, estate.shard.published(), estate.shard.events())
    estate.check()
    assert before == (
        estate.rows(), estate.checkpoint, estate.shard.published(), estate.shard.events()
    )  # fmt: skip
    worker = estate.worker()
    drain(worker)
    assert worker.halted is None
