"""A replay rebuilds beside the served generation, proves that it is equal, then cuts over."""

from dataclasses import replace
from typing import Any

import pytest

from airside.world.engines import Crash
from projectors import generations
from projectors.builds import start_build
from projectors.digest import digest_of
from projectors.pace import COUNT_FIRST
from projectors.progress import Progress
from projectors.view_store import Checkpoint, Registry
from projectors.worker import ShardProjector
from schemas.errors import Contradiction, Hole, Overtaken
from tests.kit.faults import FaultyViewStore
from tests.kit.read_side import Bench, drain, rolled_back, two_shards
from tests.kit.tallies import (
    MOVES,
    PLANS,
    POISON,
    TALLIES,
    plain_fold,
    plan_changed,
    suspension,
)


@pytest.fixture
def bench() -> Bench:
    return two_shards()


def test_the_rebuilt_generation_equals_the_live_one_and_is_served(bench: Bench) -> None:
    done = bench.replay()
    assert done.promoted
    assert (done.verification.rows, done.verification.different) == (41, 0)
    assert bench.served() == done.rebuilt
    assert bench.rows(done.rebuilt, 0) == bench.rows(bench.live, 0)
    assert bench.rows(done.rebuilt, 1) == bench.rows(bench.live, 1)
    assert bench.checkpoint(done.rebuilt) == bench.checkpoint(bench.live)
    assert done.events == 303


@pytest.mark.parametrize("projection", [TALLIES, PLANS, MOVES], ids=lambda p: p.name)
def test_a_replay_equals_live_under_repeats_and_poison(projection: Any) -> None:
    bench = Bench(projection)
    stored = bench.publish(
        plan_changed("a", "basic"), suspension("a", POISON), plan_changed("b", "ads")
    )
    bench.append(*stored[1:])
    bench.append_raw((None, b"rubbish"))
    bench.publish(plan_changed("a", "premium"), plan_changed("b", "basic"))
    drain(bench.worker(batch_max=2))
    done = bench.replay()
    assert done.promoted
    assert bench.rows(done.rebuilt) == bench.rows(bench.live)
    assert bench.parked(done.rebuilt) == bench.parked(bench.live)


def test_a_generation_that_was_replaced_stands_by_and_can_be_served_again(
    bench: Bench,
) -> None:
    bench.replay()
    rolled_back(bench.store, "tallies", now_at=bench.now_at)
    assert bench.served().number == bench.live.number


def test_queries_see_the_old_generation_until_the_step_and_then_the_new_one(
    bench: Bench,
) -> None:
    seen: list[tuple[str, int]] = []
    done = bench.replay(report=lambda p: seen.append((p.phase, bench.served().number)))
    phases = [phase for phase, _ in seen]
    numbers = [number for _, number in seen]
    before, after = bench.live.number, done.rebuilt.number
    assert phases == sorted(phases, key=["building", "verifying", "following"].index)
    assert numbers == sorted(numbers)
    assert {n for phase, n in seen if phase != "following"} == {before}
    assert {n for phase, n in seen if phase == "following"} == {after}


def test_a_live_generation_that_moves_meanwhile_is_compared_all_the_same(
    bench: Bench,
) -> None:
    live = bench.worker()

    def more_arrives(progress: Progress) -> None:
        if len(bench.history[0]) < 400:
            bench.publish(*map(plan_changed, ("a1", "new", "a2")))
            live.step()

    done = bench.replay(report=more_arrives)
    assert done.verification.different == 0
    drain(live)
    drain(bench.worker(done.rebuilt))
    assert bench.rows(done.rebuilt) == plain_fold(TALLIES, bench.history[0])
    assert bench.rows(done.rebuilt) == bench.rows(bench.live)


def test_what_came_before_the_cut_over_is_in_the_rows_that_are_served_then(
    bench: Bench,
) -> None:
    live = bench.worker()
    seqs: list[int] = []

    def more_arrives(progress: Progress) -> None:
        bench.publish(plan_changed("a1"))
        seqs.append(bench.checkpoint(bench.served()).seq)
        live.step()

    bench.replay(report=more_arrives)
    assert seqs == sorted(seqs)
    assert len(seqs) > 3


def test_a_shard_is_caught_up_again_after_the_others_right_before_the_cut_over(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    live, armed, standing = bench.worker(), [False], []
    run_until, change = ShardProjector.run_until, bench.store.change_registry

    def run_and_fall_behind(builder: ShardProjector[Any], seq: int) -> None:
        run_until(builder, seq)
        if builder.shard == 1 and armed.pop():
            bench.publish(plan_changed("a1"))
            live.step()
        armed[:] = armed or [False]

    def look_and_change(name: str, expected: int, registry: Registry) -> None:
        began = generations.building(bench.store.registry(name))
        if began is not None and registry.serving == began.number:
            standing.append((bench.checkpoint(began).seq, bench.checkpoint().seq))
        change(name, expected, registry)

    def arm(progress: Progress) -> None:
        armed[:] = [progress.phase == "verifying"]

    monkeypatch.setattr(ShardProjector, "run_until", run_and_fall_behind)
    monkeypatch.setattr(bench.store, "change_registry", look_and_change)
    bench.replay(report=arm)
    assert standing == [(303, 303)]


def test_the_new_generation_is_followed_to_the_end_of_the_topic(bench: Bench) -> None:
    bench.publish(*map(plan_changed, ("a1", "late")))  # nobody folds it into the live one
    done = bench.replay()
    assert done.verification.different == 0
    assert bench.checkpoint(done.rebuilt).seq == 302
    assert bench.rows(done.rebuilt) == plain_fold(TALLIES, bench.history[0])


def test_progress_adds_up(bench: Bench) -> None:
    seen: list[Progress] = []

    def watch(progress: Progress) -> None:
        seen.append(progress)
        bench.now_at += 500

    bench.replay(report=watch)
    built = [p for p in seen if p.phase == "building"]
    verified = [p for p in seen if p.phase == "verifying"]
    assert (built[-1].done, built[-1].total) == (303, 303)
    assert (verified[-1].done, verified[-1].total) == (41, 41)
    assert verified[-1].rate > 0
    assert verified[-1].eta_seconds == 0


def test_an_interrupted_replay_goes_on_where_it_stopped(bench: Bench) -> None:
    bench.publish(*map(plan_changed, ["a1"] * COUNT_FIRST))
    drain(bench.worker())
    bench.store.faults = ["", "crash"]
    with pytest.raises(Crash):
        bench.replay()
    began = generations.building(bench.store.registry("tallies"))
    assert began is not None
    assert bench.checkpoint(began).seq == COUNT_FIRST
    saves = bench.store.saves
    done = bench.replay()
    assert done.rebuilt.number == began.number
    assert bench.store.saves == saves + 2  # the rest of one shard, and the other
    assert done.verification.different == 0


def test_a_live_generation_that_fell_back_behind_the_build_is_not_compared(
    bench: Bench,
) -> None:
    began = start_build(bench.store, "tallies", fingerprint=bench.fingerprint, now_at=1)
    bench.publish(plan_changed("a"))
    drain(bench.worker(began))
    with pytest.raises(Overtaken, match="beyond seq 300"):
        bench.replay()


def test_a_topic_that_lost_its_beginning_cannot_be_replayed_from_it_alone(
    bench: Bench,
) -> None:
    lose_beginning(bench)
    with pytest.raises(Hole, match="expected seq 1, found seq 101 at offset 100"):
        bench.replay()
    assert bench.served() == bench.live


def test_a_topic_that_lost_its_beginning_is_replayed_with_the_event_store(
    bench: Bench,
) -> None:
    lose_beginning(bench)
    bench.read_side = replace(bench.read_side, fill=lambda shard: bench.fill)
    assert bench.replay().promoted


def test_a_replay_of_another_history_is_refused(bench: Bench) -> None:
    bench.read_side = replace(bench.read_side, history="h1")
    bench.replay()
    bench.read_side = replace(bench.read_side, history="h2")
    with pytest.raises(Contradiction, match="of history h1, the events of history h2"):
        bench.replay()


def test_a_topic_that_lost_its_end_is_replayed_with_the_event_store(bench: Bench) -> None:
    del bench.log.records("events", 0)[250:]
    bench.read_side = replace(bench.read_side, fill=lambda shard: bench.fill)
    done = bench.replay()
    assert done.promoted
    assert bench.rows(done.rebuilt) == plain_fold(TALLIES, bench.history[0])


def test_a_build_that_is_beyond_the_end_of_the_topic_begins_anew(bench: Bench) -> None:
    began = start_build(bench.store, "tallies", fingerprint=bench.fingerprint, now_at=1)
    bench.worker(began).run_until(300)
    del bench.log.records("events", 0)[250:]
    bench.read_side = replace(bench.read_side, fill=lambda shard: bench.fill)
    done = bench.replay()
    assert done.promoted
    assert done.rebuilt.number > began.number
    assert bench.rows(done.rebuilt) == plain_fold(TALLIES, bench.history[0])


def lose_beginning(bench: Bench) -> None:
    """Retention has taken the first 100 records of shard 0."""
    bench.log.delete("events", 0, before=100)


def test_two_builders_of_one_generation_do_not_spoil_it(bench: Bench) -> None:
    began = start_build(bench.store, "tallies", fingerprint=bench.fingerprint, now_at=1)
    other: ShardProjector[Any] = bench.worker(began, batch_max=10)
    stop = bench.checkpoint().seq - 50

    def rival(progress: Progress) -> None:
        if bench.checkpoint(began).seq < stop:
            other.step()

    bench.publish(*map(plan_changed, ["a5"] * (2 * COUNT_FIRST)))
    drain(bench.worker())
    assert bench.replay(report=rival).verification.different == 0


def test_a_first_replay_without_any_generation_serves_what_it_built() -> None:
    bench = Bench(TALLIES)
    bench.store = FaultyViewStore()
    bench.read_side = replace(bench.read_side, store=bench.store)
    bench.publish(plan_changed("a"))
    done = bench.replay()
    assert bench.rows(done.rebuilt) == {"a": b'{"count":1,"seqs":[1]}'}
    at, digest = done.rebuilt.created_at + 1, digest_of(bench.rows(done.rebuilt))
    assert bench.checkpoint(done.rebuilt) == Checkpoint(1, 1, at, digest)
