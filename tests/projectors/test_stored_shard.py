"""Where the store can, a save is under way while the worker goes on, but no row is read."""

import pytest

from tests.kit.faults import PipelinedViewStore
from tests.kit.read_side import Bench, drain
from tests.kit.tallies import TALLIES, plain_fold, plan_changed


@pytest.fixture
def pipelined() -> Bench:
    return Bench(TALLIES, store=PipelinedViewStore)


def test_a_pipelined_save_is_under_way_while_the_next_batch_is_folded(
    pipelined: Bench,
) -> None:
    pipelined.publish(*map(plan_changed, "aaa"))
    worker = pipelined.worker(batch_max=1)
    assert [worker.step(), worker.step(), worker.step()] == [1, 1, 1]
    assert pipelined.checkpoint().seq == 2
    assert worker.checkpoint.seq == 3
    assert worker.step() == 0
    assert pipelined.rows() == {"a": b'{"count":3,"seqs":[1,2,3]}'}


def test_a_pipelined_save_is_waited_for_before_rows_are_read(pipelined: Bench) -> None:
    pipelined.publish(plan_changed("a"))
    drain(pipelined.worker())
    pipelined.publish(plan_changed("b"), plan_changed("a"))
    worker = pipelined.worker(batch_max=1)
    assert [worker.step(), worker.step()] == [1, 1]
    assert pipelined.store.saves == 2
    drain(worker)
    assert pipelined.rows() == plain_fold(TALLIES, pipelined.history[0])


def test_a_pipelined_save_that_was_refused_spoils_nothing(pipelined: Bench) -> None:
    pipelined.publish(*map(plan_changed, "aaa"))
    worker = pipelined.worker(batch_max=1)
    worker.step()
    pipelined.store.faults = ["lost"]
    assert worker.step() == 0
    drain(worker)
    assert pipelined.rows() == {"a": b'{"count":3,"seqs":[1,2,3]}'}


def test_closing_a_worker_waits_for_its_save(pipelined: Bench) -> None:
    pipelined.publish(plan_changed("a"))
    worker = pipelined.worker()
    worker.step()
    worker.close()
    assert pipelined.checkpoint().seq == 1


def test_a_builder_has_saved_what_it_says_it_reached(pipelined: Bench) -> None:
    pipelined.publish(*map(plan_changed, "abcabc"))
    pipelined.worker(batch_max=1).run_until(4)
    assert pipelined.checkpoint().seq == 4
