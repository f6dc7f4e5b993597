"""R4: a hole halts the shard and says so, until the event store fills it."""

from dataclasses import replace
from typing import Any

import pytest

from projectors.worker import LOOK_MS, ShardProjector
from schemas.envelope import Event
from schemas.errors import Hole, Overtaken
from schemas.record import EVENTS_TOPIC
from tests.kit.read_side import Bench, drain
from tests.kit.tallies import TALLIES, plain_fold, plan_changed, reinstatement


@pytest.fixture
def bench() -> Bench:
    return Bench(TALLIES)


def with_a_hole(bench: Bench) -> list[Event]:
    """Events 1, 2 and 6 are on the topic, 3 to 5 only in the event store."""
    bench.publish(plan_changed("a"), plan_changed("b"))
    missing = bench.store_events(plan_changed("a"), reinstatement("a"), plan_changed("c"))
    bench.publish(plan_changed("a"))
    return missing


def step_with_pauses(bench: Bench, worker: ShardProjector[Any], *, times: int) -> None:
    for _ in range(times):
        worker.step()
        bench.now_at += LOOK_MS


def test_what_lies_before_a_hole_is_folded_and_nothing_beyond_it(bench: Bench) -> None:
    with_a_hole(bench)
    worker = bench.worker()
    drain(worker)
    assert bench.rows() == plain_fold(TALLIES, bench.history[0][:2])
    assert bench.checkpoint().seq == 2
    assert bench.checkpoint().offset == 2


def test_a_hole_is_named_with_the_next_step(bench: Bench) -> None:
    with_a_hole(bench)
    worker = bench.worker()
    drain(worker)
    assert worker.halted == (
        "tallies.1, shard 0: expected seq 3, found seq 6 at offset 2. "
        "Let the worker read the event store."
    )


def test_a_hole_is_logged_once(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    with_a_hole(bench)
    step_with_pauses(bench, bench.worker(), times=10)
    assert [r.levelname for r in caplog.records].count("ERROR") == 1


def test_a_hole_is_filled_from_the_event_store(bench: Bench) -> None:
    with_a_hole(bench)
    bench.publish(plan_changed("b"))
    worker = bench.worker(fill=bench.fill)
    drain(worker)
    assert worker.halted is None
    assert bench.rows() == plain_fold(TALLIES, bench.history[0])
    assert bench.checkpoint().offset == 4


@pytest.mark.parametrize("batch_max", [1, 2, 3])
def test_a_hole_is_filled_in_batches(bench: Bench, batch_max: int) -> None:
    with_a_hole(bench)
    drain(bench.worker(fill=bench.fill, batch_max=batch_max))
    assert bench.rows() == plain_fold(TALLIES, bench.history[0])


def test_a_halted_shard_goes_on_once_the_hole_can_be_filled(bench: Bench) -> None:
    missing = with_a_hole(bench)
    worker = bench.worker()
    drain(worker)
    bench.append(*missing)
    bench.append(*bench.history[0][5:])
    assert worker.step() == 0
    worker = bench.worker(fill=bench.fill)
    drain(worker)
    assert bench.rows() == plain_fold(TALLIES, bench.history[0])


def test_a_topic_that_lost_its_beginning_is_filled_from_the_event_store(bench: Bench) -> None:
    bench.store_events(plan_changed("a"), plan_changed("b"))
    bench.publish(plan_changed("a"))
    drain(bench.worker(fill=bench.fill))
    assert bench.rows() == plain_fold(TALLIES, bench.history[0])


def test_a_builder_never_goes_beyond_the_asked_seq(bench: Bench) -> None:
    bench.publish(*map(plan_changed, "abcabc"))
    worker = bench.worker()
    worker.run_until(4)
    assert bench.checkpoint().seq == 4
    assert bench.rows() == plain_fold(TALLIES, bench.history[0][:4])
    worker.run_until(6)
    assert bench.rows() == plain_fold(TALLIES, bench.history[0])


def test_a_builder_steps_over_repeats_to_the_asked_seq(bench: Bench) -> None:
    stored = bench.publish(*map(plan_changed, "abc"))
    bench.append(*stored * 60)
    bench.publish(plan_changed("a"))
    bench.worker().run_until(4)
    assert bench.rows() == plain_fold(TALLIES, bench.history[0])


def test_a_builder_fills_what_the_topic_lacks_at_its_end(bench: Bench) -> None:
    bench.publish(plan_changed("a"))
    bench.store_events(plan_changed("b"), plan_changed("a"))
    bench.worker(fill=bench.fill).run_until(3)
    assert bench.rows() == plain_fold(TALLIES, bench.history[0])


def test_a_builder_says_when_the_events_cannot_be_had(bench: Bench) -> None:
    bench.publish(plan_changed("a"))
    with pytest.raises(Hole, match="expected seq 2, the topic ends at offset 1"):
        bench.worker().run_until(3)


def test_a_builder_that_is_too_far_says_so(bench: Bench) -> None:
    bench.publish(plan_changed("a"), plan_changed("a"))
    drain(bench.worker())
    with pytest.raises(Overtaken, match="beyond seq 1"):
        bench.worker().run_until(1)


# retention deleted every record: nothing on the topic tells the hole


@pytest.fixture
def emptied(bench: Bench) -> Bench:
    """30 events, of which the live generation has 10 and the topic none any more."""
    bench.publish(*(plan_changed(f"a{n % 7}") for n in range(30)))
    bench.worker().run_until(10)
    bench.log.delete(EVENTS_TOPIC, 0, before=30)
    bench.read_side = replace(bench.read_side, fill=lambda shard: bench.fill)
    return bench


@pytest.mark.parametrize("batch_max", [3, 1_000])
def test_a_late_worker_of_an_emptied_topic_goes_on_with_the_event_store(
    emptied: Bench, batch_max: int
) -> None:
    worker = emptied.worker(fill=emptied.fill, batch_max=batch_max)
    drain(worker)
    assert emptied.rows() == plain_fold(TALLIES, emptied.history[0])
    assert (emptied.checkpoint().offset, worker.lag, worker.halted) == (30, 0, None)
    emptied.publish(plan_changed("a1"))
    drain(worker)
    assert emptied.rows() == plain_fold(TALLIES, emptied.history[0])


def test_without_an_event_store_it_halts_and_says_so(emptied: Bench) -> None:
    worker = emptied.worker()
    drain(worker)
    assert worker.halted == (
        "tallies.1, shard 0: expected seq 11, the topic ends at offset 30. "
        "Let the worker read the event store."
    )


def test_a_worker_whose_topic_is_emptied_meanwhile_sees_it_at_its_next_look(
    bench: Bench,
) -> None:
    bench.publish(*map(plan_changed, "abcabc"))
    worker = bench.worker(fill=bench.fill, batch_max=2)
    worker.step()
    bench.log.delete(EVENTS_TOPIC, 0, before=6)
    bench.now_at += LOOK_MS
    drain(worker)
    assert bench.rows() == plain_fold(TALLIES, bench.history[0])


def test_an_emptied_topic_without_a_hole_is_gone_on_with(bench: Bench) -> None:
    stored = bench.publish(*map(plan_changed, "ab"))
    drain(bench.worker())
    bench.append(*stored)
    bench.log.delete(EVENTS_TOPIC, 0, before=4)
    worker = bench.worker(fill=bench.fill)
    drain(worker)
    assert (worker.halted, bench.checkpoint().offset) == (None, 4)
    bench.publish(plan_changed("a"))
    drain(worker)
    assert bench.rows() == plain_fold(TALLIES, bench.history[0])


def test_a_replay_of_an_emptied_topic_takes_all_from_the_event_store(emptied: Bench) -> None:
    drain(emptied.worker(fill=emptied.fill))
    done = emptied.replay()
    assert (done.promoted, done.events, done.verification.different) == (True, 30, 0)


def test_a_builder_whose_topic_is_emptied_meanwhile_goes_on(bench: Bench) -> None:
    bench.publish(*map(plan_changed, "abcabc"))
    builder = bench.worker(fill=bench.fill, batch_max=2)
    builder.advance(6)
    bench.log.delete(EVENTS_TOPIC, 0, before=6)
    builder.run_until(6)
    assert bench.rows() == plain_fold(TALLIES, bench.history[0])


def test_a_builder_says_when_the_event_store_has_less_than_is_asked(emptied: Bench) -> None:
    with pytest.raises(Hole, match="expected seq 31, the topic ends at offset 30"):
        emptied.worker(fill=emptied.fill).run_until(31)
