"""Poison somewhere in a batch of several pieces, which are forgotten when they are folded."""

import pytest

from tests.kit.read_side import Bench, drain
from tests.kit.tallies import POISON, TALLIES, plain_fold, plan_changed, suspension


@pytest.fixture
def bench() -> Bench:
    return Bench(TALLIES)


def test_poison_in_a_later_piece_of_a_batch_parks_what_belongs_to_it(bench: Bench) -> None:
    bench.publish(*(plan_changed(f"a{n % 3}") for n in range(10)), suspension("a1", POISON))
    bench.publish(plan_changed("a1"), plan_changed("a2"))
    drain(bench.worker(piece=2))
    assert [p.seq for p in bench.parked()] == [11, 12]
    free = [event for event in bench.history[0] if event.seq not in (11, 12)]
    assert bench.rows() == plain_fold(TALLIES, free)


def test_a_batch_with_a_row_that_is_not_in_memory_is_folded_again_where_that_fails(
    bench: Bench,
) -> None:
    bench.publish(plan_changed("a"))
    drain(bench.worker())
    bench.publish(plan_changed("b"), suspension("a", POISON), plan_changed("b"))
    drain(bench.worker(piece=1))
    assert [p.seq for p in bench.parked()] == [3]
    assert bench.rows() == {
        "a": b'{"count":1,"seqs":[1]}',
        "b": b'{"count":2,"seqs":[2,4]}',
    }


def test_what_belongs_to_a_held_row_is_found_wherever_it_is_in_a_batch(bench: Bench) -> None:
    bench.publish(suspension("a", POISON))
    worker = bench.worker(piece=1)
    drain(worker)
    bench.publish(plan_changed("a"), plan_changed("b"), plan_changed("a"))
    assert worker.step() == 3
    drain(worker)
    assert [p.seq for p in bench.parked()] == [1, 2, 4]
    assert bench.rows() == {"b": b'{"count":1,"seqs":[3]}'}
