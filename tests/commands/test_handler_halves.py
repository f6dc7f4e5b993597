"""A step in two halves: while a commit is under way nothing else is decided, only looked at."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airside.world.engines import Crash
from commands.event_store import Position
from commands.handler import Step
from schemas.errors import Unavailable
from schemas.record import COMMANDS_TOPIC
from tests.kit.counter import add
from tests.kit.shard import Shard, Worker


@pytest.fixture
def shard() -> Shard:
    return Shard()


def in_halves(worker: Worker, steps: int) -> None:
    """As a role does it that has other shards to look after in between."""
    for _ in range(steps):
        worker.finish()
        worker.begin()
    worker.finish()


def test_what_is_begun_does_not_stand_before_it_is_finished(shard: Shard) -> None:
    shard.send(add(1))
    worker = shard.worker()
    begun = worker.begin()
    assert (begun.polled, worker.position, shard.published()) == (1, Position(), [])
    assert worker.finish() == begun
    assert (worker.position, shard.published()) == (Position(1, 1, 1, 0), [1])


def test_with_nothing_begun_there_is_nothing_to_finish(shard: Shard) -> None:
    worker = shard.worker()
    assert worker.finish() == Step()
    assert worker.begin() == Step()
    assert worker.finish() == Step()


def test_what_arrives_while_a_commit_is_under_way_is_decided_behind_it(shard: Shard) -> None:
    shard.send(add(1))
    worker = shard.worker()
    worker.begin()
    shard.send(add(2))
    assert worker.begin().polled == 1
    worker.finish()
    assert [len(commit.events) for commit in shard.store.attempts] == [1]
    worker.step()
    assert [len(commit.events) for commit in shard.store.attempts] == [1, 1]


def test_a_commit_under_way_is_sent_once_however_often_it_is_begun(shard: Shard) -> None:
    shard.store.is_eager = True
    shard.send(add(1))
    worker = shard.worker()
    in_halves(worker, 1)
    worker.begin()
    assert len(shard.store.attempts) == 1


def test_who_is_overtaken_between_the_halves_is_fenced_and_forgets_all(shard: Shard) -> None:
    shard.send(add(1))
    worker = shard.worker()
    worker.begin()
    shard.drain()
    assert worker.finish().fenced
    assert worker.position is None
    shard.drain(worker)
    shard.check_laws()


@pytest.mark.parametrize("fault", ["", "lost", "unanswered", "late", "crash after"])
def test_a_worker_that_dies_between_the_halves_leaves_a_whole_history(
    shard: Shard, fault: str
) -> None:
    shard.store.is_eager, shard.store.faults = True, [fault]
    shard.send(add(1), add(2, account="b"))
    shard.worker().begin()
    shard.store.is_eager = False
    shard.drain()
    shard.store.arrive()
    shard.check_laws()
    assert shard.outcomes() == ["1: AllowanceGranted", "2: AllowanceGranted"]


@pytest.mark.parametrize("fault", ["lost", "unanswered"])
def test_an_unknown_outcome_of_a_head_start_is_resolved_by_asking(
    shard: Shard, fault: str
) -> None:
    shard.store.is_eager, shard.store.faults = True, [fault]
    shard.send(add(1))
    in_halves(shard.worker(), 2)
    shard.check_laws()
    assert shard.count().total == 1


def test_a_crash_in_the_second_half_is_repaired_by_whoever_resumes(shard: Shard) -> None:
    shard.store.is_eager, shard.store.faults = True, ["crash after"]
    shard.send(add(1))
    worker = shard.worker()
    worker.begin()
    with pytest.raises(Crash):
        worker.finish()
    shard.drain()
    assert shard.published() == [1]


def test_closing_finishes_what_is_under_way(shard: Shard) -> None:
    shard.send(add(1))
    worker = shard.worker()
    worker.begin()
    worker.close()
    assert shard.published() == [1]
    assert shard.store.resume(0).unpublished == ()


def test_closing_does_not_try_again_what_was_refused(shard: Shard) -> None:
    shard.store.faults = ["unavailable"]
    shard.send(add(1))
    worker = shard.worker()
    worker.begin()
    with pytest.raises(Unavailable):
        worker.finish()
    worker.close()
    assert len(shard.store.attempts) == 1


def test_closing_when_somebody_else_has_the_shard_leaves_it_to_them(shard: Shard) -> None:
    shard.send(add(1))
    worker = shard.worker()
    worker.begin()
    shard.drain()
    worker.close()
    shard.check_laws()


# looking ahead


def test_the_next_accounts_are_asked_for_while_a_commit_is_under_way(shard: Shard) -> None:
    shard.send(add(1), add(2, account="b"), add(3, account="c"))
    worker = shard.worker(batch_records_max=1)
    in_halves(worker, 2)
    assert (shard.store.loaded, shard.store.asked) == ([["a"]], [["b"], ["c"]])
    assert shard.outcomes() == ["1: AllowanceGranted", "2: AllowanceGranted"]


def test_w4_an_account_of_the_commit_under_way_is_not_asked_for(shard: Shard) -> None:
    shard.send(add(1), add(2), add(3, account="b"))
    worker = shard.worker(batch_records_max=1, streams_max=0)
    in_halves(worker, 3)
    assert shard.store.asked == [["b"]]
    assert (shard.count().total, shard.count("b").total) == (2, 1)
    shard.check_laws()


def test_trouble_with_what_comes_next_does_not_hold_up_a_commit(
    shard: Shard, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise Unavailable("away.")

    shard.send(add(1), add(2, account="b"))
    worker = shard.worker(batch_records_max=1)
    monkeypatch.setattr(shard.store, "load_ahead", away)
    in_halves(worker, 2)
    assert shard.published() == [1, 2]


def test_what_was_looked_at_ahead_is_not_polled_again(shard: Shard) -> None:
    shard.send(*[add(n) for n in range(1, 6)])
    worker = shard.worker(batch_records_max=2)
    in_halves(worker, 3)
    assert [commit.next_offset for commit in shard.store.attempts] == [2, 4, 5]
    assert worker.counts.accepted == 5


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 12), st.sampled_from("abcd"), st.integers(0, 3))),
    st.integers(1, 4),
    st.sampled_from([1, 300, 100_000]),
    st.booleans(),
)
def test_however_batches_and_halves_fall_each_command_is_decided_once(
    wishes: list[tuple[int, str, int]], records_max: int, bytes_max: int, is_late: bool
) -> None:
    shard = Shard()
    shard.store.is_late = is_late
    worker = shard.worker(
        batch_records_max=records_max, commit_bytes_max=bytes_max, streams_max=0
    )
    for number, account, steps in wishes:
        shard.send(add(number + 100 * ord(account), account=account))
        in_halves(worker, steps)
        shard.store.index_all()
    shard.drain(worker)
    shard.check_laws()
    assert len(shard.events()) == len({wish[:2] for wish in wishes})
    assert worker.position is not None
    assert worker.position.next_offset == len(shard.log.records(COMMANDS_TOPIC, 0))
