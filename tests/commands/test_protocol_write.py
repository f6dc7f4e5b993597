"""The write side's protocol, what is decided and stored: each rule by its counterexample.

A rule's number is the one of the model; ARCHITECTURE.md has them in words.
"""

import pytest

from commands.event_store import Position
from schemas.errors import OutcomeUnknown, Unavailable
from tests.kit.counter import add
from tests.kit.shard import Shard


@pytest.fixture
def shard() -> Shard:
    return Shard()


@pytest.fixture
def slow() -> Shard:
    return Shard(is_slow=True)


# W1: every batch is a commit, also one without events


def test_w1_a_batch_of_repeats_tells_a_stale_worker_that_it_is_stale(shard: Shard) -> None:
    """Worker 1 commits, snapshots and dies for ever, unpublished. To worker 2, which believes
    to be at commit 1, the same command looks like a repeat."""
    shard.send(add(1))
    shard.drain()
    first, second = shard.worker(snapshot_every=1), shard.worker()
    first.resume()
    second.resume()
    shard.send(add(2))
    first.take()
    first.commit()
    first.save_snapshots()
    shard.drain(second)
    assert shard.published() == [1, 2]


def test_w1_the_offset_is_never_advanced_in_memory_alone(shard: Shard) -> None:
    shard.send(add(1))
    worker = shard.drain()
    shard.send(add(1), add(1))
    shard.send_raw(None, None)
    shard.drain(worker)
    assert shard.store.resume(0).position.next_offset == 4


# W2: the commit id is fresh for every attempt, a retry is byte-identical


def test_w2_two_workers_that_decide_the_same_do_not_take_each_others_commit_for_their_own(
    shard: Shard,
) -> None:
    shard.send(add(1))
    first, second = shard.worker(), shard.worker()
    first.resume()
    second.resume()
    first.take()
    second.take()
    first.commit()
    assert second.step().fenced
    one, other = shard.store.attempts
    assert one.commit_id != other.commit_id
    assert one.events == other.events


def test_w2_a_batch_that_is_decided_again_has_another_id(shard: Shard) -> None:
    shard.store.faults = ["unavailable", ""]
    shard.send(add(1))
    worker = shard.worker()
    worker.resume()
    worker.take()
    worker.resume()
    worker.take()
    with pytest.raises(Unavailable):
        worker.commit()
    first = shard.store.attempts[0].commit_id
    worker.resume()
    worker.take()
    worker.commit()
    assert shard.store.attempts[1].commit_id != first


def test_w2_a_retry_is_byte_identical_also_in_what_it_says_is_settled(slow: Shard) -> None:
    slow.send(add(1), add(2))
    worker = slow.worker(batch_records_max=1)
    worker.step()
    slow.store.faults = ["lost"] * 5
    with pytest.raises(OutcomeUnknown):
        worker.step()
    slow.deliver_all()  # meanwhile commit 1 is settled
    worker.step()
    attempts = slow.store.attempts[1:]
    assert len(attempts) == 6
    assert attempts == [attempts[0]] * 6


def test_w2_a_refusal_with_our_own_id_in_the_row_means_applied(shard: Shard) -> None:
    """The first attempt is under way when it is asked for, and lands before the second."""
    arriving = Arriving()
    arriving.store.faults = ["late"]
    arriving.send(add(1))
    worker = arriving.worker()
    step = worker.step()
    assert (step.fenced, step.counts.accepted) == (False, 1)
    assert arriving.outcomes() == ["1: AllowanceGranted"]


class Arriving(Shard):
    """What is under way lands just after it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        landed = self.store.landed

        def ask(commit: object) -> bool:
            answer = landed(commit)  # type: ignore[arg-type]
            self.store.arrive()
            return answer

        self.store.landed = ask  # type: ignore[method-assign]


# W3: nothing is decided, evicted or changed until an outcome is known; a fence drops it all


@pytest.mark.parametrize("fault", ["unanswered", "lost"])
def test_w3_an_unknown_outcome_is_resolved_by_asking(shard: Shard, fault: str) -> None:
    shard.store.faults = [fault]
    shard.send(add(1))
    worker = shard.worker()
    assert worker.step().counts.accepted == 1
    shard.send(add(1), add(2))
    shard.drain(worker)
    assert shard.outcomes() == ["1: AllowanceGranted", "2: AllowanceGranted"]
    assert shard.published() == [1, 2]


def test_w3_while_an_outcome_is_unknown_nothing_more_is_decided(shard: Shard) -> None:
    shard.store.faults = ["lost"] * 5
    shard.send(add(1))
    worker = shard.worker()
    with pytest.raises(OutcomeUnknown):
        worker.step()
    shard.send(add(2))
    assert worker.take()
    assert worker.commit().polled == 1


def test_w3_what_is_pending_changes_nothing_in_memory(shard: Shard) -> None:
    shard.send(add(1))
    worker = shard.drain()
    assert worker._tenure is not None
    shard.send(add(2))
    worker.take()
    kept = worker._tenure.cache.get("a")
    assert kept is not None
    assert (kept.version, kept.state.total, len(kept.recent)) == (1, 1, 1)
    assert worker.position == worker._tenure.position == Position(1, 1, 1, 0)


def test_w3_a_state_that_was_decided_and_lost_does_not_leak_into_the_next_commit(
    shard: Shard,
) -> None:
    shard.store.faults = ["lost"] * 5
    shard.send(add(1), add(2, account="b"))
    first = shard.worker()
    with pytest.raises(OutcomeUnknown):
        first.step()
    shard.drain()  # another worker takes the shard and decides the same commands
    shard.send(add(1), add(3), add(2, account="b"))
    shard.drain(first)
    assert shard.outcomes() == [
        "1: AllowanceGranted",
        "2: AllowanceGranted",
        "3: AllowanceGranted",
    ]
    shard.check_laws()


def test_w3_a_fence_drops_also_the_accounts_that_the_lost_batch_did_not_touch(
    shard: Shard,
) -> None:
    shard.send(add(1), add(2, account="b"))
    first = shard.drain()
    shard.send(add(3, account="b"))
    shard.drain()
    shard.send(add(4), add(3, account="b"))
    shard.drain(first)
    shard.check_laws()
    assert shard.outcomes() == [f"{n}: AllowanceGranted" for n in (1, 2, 3, 4)]


# W4: an account stays in memory until every commit that contains it is indexed


def test_w4_a_command_is_not_decided_twice_where_the_index_is_late(shard: Shard) -> None:
    shard.store.is_late = True
    worker = shard.worker(streams_max=0)
    shard.send(add(1))
    worker.step()
    shard.send(add(1))
    assert worker.step().counts.repeats == 1


def test_w4_one_indexed_commit_does_not_release_an_account_with_two(shard: Shard) -> None:
    shard.store.is_late = True
    worker = shard.worker(batch_records_max=1, streams_max=0)
    shard.send(add(1), add(2))
    worker.step()
    worker.step()
    shard.store.index_next()
    worker.save_snapshots()  # evicts what it may
    shard.send(add(2))
    assert worker.step().counts.repeats == 1


def test_w4_once_all_is_indexed_the_account_may_leave_and_is_loaded_whole(
    shard: Shard,
) -> None:
    shard.store.is_late = True
    worker = shard.worker(streams_max=0)
    shard.send(add(1))
    worker.step()
    shard.store.index_all()
    worker.save_snapshots()
    assert worker._tenure is not None
    assert len(worker._tenure.cache) == 0
    shard.send(add(1))
    assert worker.step().counts.repeats == 1
