"""The write side's protocol, what is published and resumed: each rule by its counterexample."""

import pytest

from commands.event_store import StoredEvent
from tests.kit.counter import add
from tests.kit.shard import Shard


@pytest.fixture
def shard() -> Shard:
    return Shard()


@pytest.fixture
def slow() -> Shard:
    return Shard(is_slow=True)


# W5: first in, first out; after an error everything from the first unacknowledged record again


def test_w5_after_a_lost_acknowledgement_everything_behind_it_is_sent_again(
    slow: Shard,
) -> None:
    slow.send(add(1), add(2), add(3))
    worker = slow.worker(batch_records_max=1)
    worker.step()
    worker.step()
    slow.publishers[0].deliver(1, acknowledge=False)
    slow.publishers[0].fail()
    worker.step()
    slow.drain(worker)
    assert slow.published() == [1, 1, 2, 3]


def test_w5_on_a_fence_the_old_publisher_stops_before_the_shard_is_resumed(
    slow: Shard,
) -> None:
    slow.send(add(1))
    first = slow.worker()
    first.step()  # event 1 is on its wire
    slow.send(add(2))
    second = slow.worker()
    second.step()
    slow.send(add(3))
    assert first.step().fenced
    slow.publishers[0].deliver(9)
    assert slow.published() == []
    slow.drain(first)
    assert slow.published() == [1, 2, 3]


def test_w5_resuming_by_hand_stops_the_old_publisher_too(slow: Shard) -> None:
    slow.send(add(1))
    worker = slow.worker()
    worker.step()
    worker.resume()
    slow.publishers[0].deliver(9)
    assert slow.published() == []


# W6: settled is what is indexed *and* acknowledged


def test_w6_what_is_indexed_and_not_acknowledged_is_published_by_the_successor(
    slow: Shard,
) -> None:
    slow.send(add(1), add(2))
    first = slow.worker(batch_records_max=1)
    first.step()
    first.step()  # commit 2 says what is settled
    slow.publishers[0].fail()  # the process is gone, and so is all that was on its wire
    slow.drain()
    assert slow.published() == [1, 2]


def test_w6_what_is_acknowledged_and_not_indexed_is_indexed_by_the_successor(
    shard: Shard,
) -> None:
    shard.store.is_late = True
    shard.send(add(1), add(2))
    first = shard.worker(batch_records_max=1)
    first.step()
    first.step()
    shard.store.lose_inserts()
    shard.send(add(1), add(2))
    assert shard.drain().counts.repeats == 2


def test_w6_what_was_published_in_resuming_counts_as_settled(slow: Shard) -> None:
    slow.send(add(1))
    slow.worker().step()
    slow.publishers[0].fail()
    slow.drain()
    assert slow.store.resume(0).position.settled == 1


def test_w6_an_idle_note_of_what_is_settled_says_no_more_than_is_true(slow: Shard) -> None:
    slow.send(add(1))
    worker = slow.worker()
    worker.step()
    worker.step()
    worker.close()
    assert slow.store.resume(0).position.settled == 0


# W7: resuming awaits the index; a stale worker may see what does not fit


def test_w7_a_successor_sees_what_its_predecessor_had_not_indexed(shard: Shard) -> None:
    shard.store.is_late = True
    shard.send(add(1))
    shard.worker().step()
    shard.store.lose_inserts()
    shard.send(add(1))
    assert shard.drain().counts.repeats == 1


def test_w7_a_version_that_is_too_new_means_resume(shard: Shard) -> None:
    stale = shard.worker()
    stale.resume()
    shard.send(add(1), add(2))
    shard.drain()
    assert stale.step().fenced
    shard.drain(stale)
    assert shard.count().total == 2


def test_w7_a_hole_that_a_stale_worker_sees_is_no_corruption(shard: Shard) -> None:
    stale = shard.worker(batch_records_max=1)
    stale.resume()
    shard.send(add(1), add(2))
    shard.drain()
    events = shard.store._accounts["a"]
    missing: StoredEvent = events.pop(1)
    del events[2]
    events[2] = StoredEvent(0, "a", 2, missing.data)  # of a seq that looks old enough
    assert stale.take()
    assert stale.step().fenced
    assert shard.parked() == []
