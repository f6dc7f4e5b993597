"""The worker folds each event once, whatever is delivered twice, lost, refused or rolled back.

R1 to R4 are the rules of PROTOCOL.md; each test is the counterexample that its rule forbids.
"""

import pytest

from airside.world.engines import Crash
from projectors.digest import digest_of
from projectors.view_store import Checkpoint
from projectors.worker import LOOK_MS
from schemas.errors import Unavailable
from tests.kit.read_side import START_AT, Bench, drain
from tests.kit.tallies import (
    MOVES,
    PLANS,
    TALLIES,
    erasure,
    plain_fold,
    plan_changed,
    reinstatement,
)


@pytest.fixture
def bench() -> Bench:
    return Bench(TALLIES)


def test_a_step_saves_rows_and_checkpoint_together(bench: Bench) -> None:
    bench.publish(plan_changed("a"), plan_changed("b"), plan_changed("a"))
    assert bench.worker().step() == 3
    assert bench.rows() == {
        "a": b'{"count":2,"seqs":[1,3]}',
        "b": b'{"count":1,"seqs":[2]}',
    }
    digest = digest_of(bench.rows())
    assert bench.checkpoint() == Checkpoint(seq=3, offset=3, at=START_AT + 3, digest=digest)
    assert bench.store.saves == 1


def test_a_fold_that_returns_none_deletes_the_row(bench: Bench) -> None:
    bench.publish(plan_changed("a"))
    worker = bench.worker()
    worker.step()
    bench.publish(erasure("a"))
    worker.step()
    assert bench.rows() == {}


def test_a_deleted_row_begins_afresh(bench: Bench) -> None:
    bench.publish(plan_changed("a"), erasure("a"), plan_changed("a"))
    drain(bench.worker())
    assert bench.rows() == {"a": b'{"count":1,"seqs":[3]}'}


def test_an_event_of_another_type_moves_the_checkpoint_and_no_row(bench: Bench) -> None:
    bench.publish(reinstatement("a"), reinstatement("b"))
    drain(bench.worker())
    assert bench.checkpoint() == Checkpoint(seq=2, offset=2, at=START_AT + 2)
    assert bench.rows() == {}


def test_a_fan_in_row_gathers_accounts() -> None:
    bench = Bench(PLANS)
    bench.publish(plan_changed("a", "basic"), plan_changed("b", "basic"))
    drain(bench.worker())
    assert bench.rows() == {"basic": b'{"count":2,"seqs":[1,2]}'}


def test_an_event_may_touch_several_rows() -> None:
    bench = Bench(MOVES)
    bench.publish(plan_changed("a", "basic", "ads"), plan_changed("a", "ads", "basic"))
    drain(bench.worker())
    assert bench.rows() == {
        "basic": b'{"count":2,"seqs":[1,2]}',
        "ads": b'{"count":2,"seqs":[1,2]}',
    }


def test_a_repeated_record_is_dropped(bench: Bench) -> None:
    stored = bench.publish(plan_changed("a"), plan_changed("a"))
    bench.append(*stored)
    worker = bench.worker()
    worker.step()
    bench.append(*stored)
    bench.publish(plan_changed("a"))
    drain(worker)
    assert bench.rows() == {"a": b'{"count":3,"seqs":[1,2,3]}'}


def test_a_batch_of_nothing_but_repeats_saves_nothing(bench: Bench) -> None:
    stored = bench.publish(plan_changed("a"))
    worker = bench.worker()
    worker.step()
    bench.append(*stored)
    assert worker.step() == 1
    assert bench.store.saves == 1


def test_the_next_worker_goes_on_where_the_last_one_stopped(bench: Bench) -> None:
    bench.publish(plan_changed("a"))
    drain(bench.worker())
    bench.publish(plan_changed("a"))
    drain(bench.worker())
    assert bench.rows() == {"a": b'{"count":2,"seqs":[1,2]}'}


def test_memory_is_bounded_and_forgotten_rows_are_read_again(bench: Bench) -> None:
    accounts = [f"a{n % 50}" for n in range(200)]
    bench.publish(*map(plan_changed, accounts))
    worker = bench.worker(batch_max=7, rows_max=20)
    drain(worker)
    assert worker.rows_in_memory <= 20 + 2 * 7
    assert bench.rows() == plain_fold(TALLIES, bench.history[0])


def test_the_pieces_of_a_batch_are_saved_together(bench: Bench) -> None:
    bench.publish(*(plan_changed(f"a{n % 5}") for n in range(20)))
    worker = bench.worker(batch_max=20, piece=3)
    assert worker.step() == 20
    assert bench.store.saves == 1
    assert bench.rows() == plain_fold(TALLIES, bench.history[0])
    assert (bench.checkpoint().seq, bench.checkpoint().at) == (20, START_AT + 20)


@pytest.fixture
def used(bench: Bench) -> Bench:
    """A shard that has a row already, so that rows have to be read from the store."""
    bench.publish(plan_changed("a"))
    drain(bench.worker())
    return bench


def test_r1_a_row_that_is_newer_than_the_checkpoint_is_not_folded_into(used: Bench) -> None:
    slow, fast = used.worker(), used.worker()
    used.publish(plan_changed("a"))
    used.store.before_rows = fast.step  # between the slow one's checkpoint and its rows
    assert slow.step() == 0
    assert used.store.saves == 2
    drain(slow)
    assert used.rows() == {"a": b'{"count":2,"seqs":[1,2]}'}


def test_r1_a_row_that_is_older_than_the_checkpoint_is_not_folded_into(used: Bench) -> None:
    restore = used.store.backup()
    used.publish(plan_changed("a"))
    worker = used.worker()
    worker.step()
    used.publish(plan_changed("b"))
    used.store.before_rows = restore
    assert worker.step() == 0
    drain(worker)
    assert used.rows() == plain_fold(TALLIES, used.history[0])


def test_a_shard_that_was_empty_is_not_asked_for_rows(bench: Bench) -> None:
    bench.publish(*map(plan_changed, "abc"))
    bench.store.before_rows = pytest.fail
    drain(bench.worker(batch_max=1))
    bench.store.before_rows = None
    assert bench.rows() == plain_fold(TALLIES, bench.history[0])


def test_r2_after_a_refused_save_nothing_is_counted_twice_and_nothing_skipped(
    bench: Bench,
) -> None:
    bench.publish(plan_changed("a"))
    zombie, owner = bench.worker(), bench.worker()
    zombie.step()
    bench.publish(plan_changed("a"))
    owner.step()
    bench.publish(plan_changed("a"))
    assert zombie.step() == 0
    drain(zombie)
    assert bench.rows() == {"a": b'{"count":3,"seqs":[1,2,3]}'}


@pytest.mark.parametrize("fault", ["lost", "unanswered"])
def test_r2_an_unknown_outcome_is_found_out_by_loading_again(bench: Bench, fault: str) -> None:
    bench.publish(plan_changed("a"))
    bench.store.faults = [fault]
    worker = bench.worker()
    assert worker.step() == 0
    drain(worker)
    assert bench.rows() == {"a": b'{"count":1,"seqs":[1]}'}


def test_r2_a_save_that_lands_after_it_was_given_up_is_refused_or_right(bench: Bench) -> None:
    bench.publish(plan_changed("a"))
    bench.store.faults = ["late"]
    worker = bench.worker()
    worker.step()
    bench.publish(plan_changed("a"))
    worker.step()
    bench.store.deliver()
    bench.publish(plan_changed("a"))
    drain(worker)
    assert bench.rows() == {"a": b'{"count":3,"seqs":[1,2,3]}'}


@pytest.mark.parametrize("fault", ["crash", "crash after"])
def test_r2_a_crash_around_the_save_leaves_each_event_counted_once(
    bench: Bench, fault: str
) -> None:
    bench.publish(plan_changed("a"), plan_changed("b"))
    bench.store.faults = [fault]
    with pytest.raises(Crash):
        bench.worker().step()
    drain(bench.worker())
    assert bench.rows() == plain_fold(TALLIES, bench.history[0])


def test_r2_an_engine_that_does_not_answer_is_said_and_loses_nothing(used: Bench) -> None:
    worker = used.worker()
    worker.step()
    used.publish(plan_changed("b"))
    used.store.is_down = True
    with pytest.raises(Unavailable):
        worker.step()
    used.store.is_down = False
    drain(worker)
    assert used.rows() == plain_fold(TALLIES, used.history[0])


@pytest.mark.parametrize("passed_ms", [LOOK_MS, -1], ids=["later", "by a clock set back"])
def test_r3_an_idle_worker_notices_a_failover_to_an_older_state(
    bench: Bench, passed_ms: int
) -> None:
    restore = bench.store.backup()
    bench.publish(plan_changed("a"))
    worker = bench.worker()
    worker.step()
    restore()
    assert worker.step() == 0
    bench.now_at += passed_ms
    drain(worker)
    assert bench.rows() == {"a": b'{"count":1,"seqs":[1]}'}


def test_a_store_that_falls_back_under_a_busy_worker_is_followed(bench: Bench) -> None:
    worker = bench.worker()
    bench.publish(plan_changed("a"))
    worker.step()
    restore = bench.store.backup()
    bench.publish(plan_changed("a"))
    worker.step()
    restore()
    bench.publish(plan_changed("a"))
    drain(worker)
    assert bench.rows() == {"a": b'{"count":3,"seqs":[1,2,3]}'}


def test_r4_a_log_that_ends_before_the_checkpoint_halts_the_shard_and_says_so(
    bench: Bench,
) -> None:
    bench.store.save(
        bench.live, 0, expected=Checkpoint(), checkpoint=Checkpoint(1, 900), rows={}
    )
    bench.publish(plan_changed("a"), plan_changed("a"))
    worker = bench.worker()
    assert worker.step() == 0
    assert bench.checkpoint() == Checkpoint(1, 900)
    assert worker.halted is not None
    assert "goes on at offset 900, but the events topic ends at 2" in worker.halted
    assert "Run: airside replay tallies" in worker.halted


def test_a_halted_shard_goes_on_when_the_log_is_whole_again(bench: Bench) -> None:
    stored = bench.publish(*map(plan_changed, "abc"))
    worker = bench.worker()
    worker.step()
    worker.forget()
    del bench.log.records("events", 0)[1:]
    worker.step()
    assert worker.halted is not None
    bench.append(*stored[1:])
    bench.publish(plan_changed("a"))
    bench.now_at += LOOK_MS
    drain(worker)
    assert worker.halted is None
    assert bench.rows() == plain_fold(TALLIES, bench.history[0])
