"""Poison somewhere in a batch of several pieces, which are forgotten when they are folded."""

from dataclasses import replace
from typing import Any

import pytest

from airside.adapters.memory_log import MemorySource
from projectors.worker import ShardProjector
from schemas.record import EVENTS_TOPIC, Record
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


def test_poison_in_a_later_piece_is_parked_although_a_seek_takes_its_time(bench: Bench) -> None:
    bench.publish(*(plan_changed(f"a{n}") for n in range(4)), suspension("a1", POISON))
    drain(slow_to_seek(bench))
    assert [p.seq for p in bench.parked()] == [5]


def test_a_builder_comes_past_poison_although_a_seek_takes_its_time(bench: Bench) -> None:
    bench.publish(*(plan_changed(f"a{n}") for n in range(4)), suspension("a1", POISON))
    slow_to_seek(bench).run_until(5)
    assert bench.checkpoint().seq == 5


class SlowSource(MemorySource):
    """Of Kafka's kind: the first poll after a seek finds nothing yet."""

    is_there = False

    def seek(self, offset: int) -> None:
        self.is_there = False
        super().seek(offset)

    def poll(self, count_max: int, wait_seconds: float) -> list[Record]:
        was_there, self.is_there = self.is_there, True
        return super().poll(count_max, wait_seconds) if was_there else []


def slow_to_seek(bench: Bench) -> ShardProjector[Any]:
    """A worker of small pieces, whose source is slow after a seek."""
    log = bench.log
    source = SlowSource(log, EVENTS_TOPIC, 0, log.records(EVENTS_TOPIC, 0))
    bench.read_side = replace(bench.read_side, source=lambda shard: source)
    return bench.worker(piece=2)
