"""Generations change in one atomic step each, forward and back."""

from typing import Any

import pytest
from msgspec.structs import replace

from airside.adapters.memory_view_store import MemoryViewStore
from airside.world.engines import Crash
from projectors import generations
from projectors.builds import start_build
from projectors.view_store import Checkpoint, Generation, Registry, ViewStore
from projectors.worker import LOOK_MS
from schemas.errors import Contradiction, Moved, NotFound
from tests.kit.read_side import Bench, drain, rolled_back
from tests.kit.tallies import TALLIES, plan_changed

NAME = "tallies"


class RivalStore(MemoryViewStore):
    """Somebody else changes the registry just before our next changes of it."""

    def __init__(self, rivals: int) -> None:
        super().__init__()
        self.rivals = rivals

    def change_registry(self, projection: str, expected: int, registry: Registry) -> None:
        if self.rivals:
            self.rivals -= 1
            super().change_registry(projection, expected, self.registry(projection))
        super().change_registry(projection, expected, registry)


@pytest.fixture
def store() -> MemoryViewStore:
    return MemoryViewStore()


def ensure(store: ViewStore, history: str = "") -> Registry:
    return generations.ensure_serving(store, NAME, fingerprint="f1", history=history, now_at=1)


def build(store: ViewStore, fingerprint: str = "f1", now_at: int = 2) -> Generation:
    return start_build(store, NAME, fingerprint=fingerprint, now_at=now_at)


def promote(store: ViewStore, generation: Generation, now_at: int) -> Registry:
    serving = store.registry(NAME).serving
    return generations.promote(store, generation, serving=serving, now_at=now_at)


def with_two(store: ViewStore) -> tuple[Generation, Generation]:
    """One generation stands by, the next is served."""
    first = generations.serving(ensure(store))
    second = build(store)
    promote(store, second, now_at=3)
    return first, second


def numbers(store: ViewStore) -> list[int]:
    return [g.number for g in store.registry(NAME).generations]


def test_the_first_generation_is_served_at_once(store: MemoryViewStore) -> None:
    registry = ensure(store)
    assert generations.serving(registry) == Generation(NAME, 1, "f1", 1, 1)
    assert ensure(store) == registry


def test_read_models_cut_into_other_shards_are_refused(store: MemoryViewStore) -> None:
    generations.ensure_serving(store, NAME, fingerprint="f1", shards=2, now_at=1)
    with pytest.raises(Contradiction, match="2 and 3 shards"):
        generations.ensure_serving(store, NAME, fingerprint="f1", shards=3, now_at=1)


def test_read_models_that_did_not_say_their_shards_say_them_from_now_on(
    store: MemoryViewStore,
) -> None:
    ensure(store)
    generations.ensure_serving(store, NAME, fingerprint="f1", shards=2, now_at=1)
    assert store.registry(NAME).shards == 2


def test_read_models_of_another_history_are_refused(store: MemoryViewStore) -> None:
    registry = ensure(store, "h1")
    assert registry.history == "h1"
    assert ensure(store, "h1") == registry
    with pytest.raises(Contradiction, match="of history h1, the events of history h2"):
        ensure(store, "h2")
    assert store.registry(NAME) == registry


def test_read_models_keep_their_history_through_every_change(store: MemoryViewStore) -> None:
    ensure(store, "h1")
    promote(store, build(store), now_at=3)
    assert store.registry(NAME).history == "h1"


def test_read_models_whose_history_was_never_said_take_the_first(
    store: MemoryViewStore,
) -> None:
    served = ensure(store).serving
    registry = ensure(store, "h1")
    assert (registry.history, registry.serving) == ("h1", served)


def test_a_build_is_not_followed_and_not_served(store: MemoryViewStore) -> None:
    ensure(store)
    started = build(store)
    registry = store.registry(NAME)
    assert generations.building(registry) == started
    assert [g.number for g in generations.followed(registry)] == [1]
    assert registry.serving == 1


def test_a_build_by_the_same_code_is_continued(store: MemoryViewStore) -> None:
    ensure(store)
    assert build(store, now_at=2) == build(store, now_at=9)


def test_a_build_by_other_code_is_replaced_and_its_rows_are_dropped(
    store: MemoryViewStore,
) -> None:
    ensure(store)
    old = build(store, "f2")
    store.save(old, 0, expected=Checkpoint(), checkpoint=Checkpoint(1), rows={"a": b"1"})
    new = build(store, "f3")
    assert new.number != old.number
    assert numbers(store) == [1, new.number]
    assert list(store.keys(old, 0)) == []


def test_a_crash_before_the_rows_were_dropped_leaks_none(
    store: MemoryViewStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    ensure(store)
    old = build(store)
    store.save(old, 0, expected=Checkpoint(), checkpoint=Checkpoint(1), rows={"a": b"1"})
    with monkeypatch.context() as crashing:
        crashing.setattr(store, "drop", crash)
        with pytest.raises(Crash):
            generations.abandon(store, NAME)
    assert list(store.keys(old, 0)) == ["a"]
    build(store)
    assert list(store.keys(old, 0)) == []


def crash(generation: Generation) -> None:
    raise Crash


def test_no_number_comes_twice_though_a_build_was_dropped(store: MemoryViewStore) -> None:
    ensure(store)
    old = build(store)
    generations.abandon(store, NAME)
    assert build(store).number > old.number


def test_promotion_keeps_the_one_before_as_a_standby(store: MemoryViewStore) -> None:
    first, second = with_two(store)
    registry = store.registry(NAME)
    assert registry.serving == second.number
    assert generations.standby(registry) == first
    assert generations.followed(registry) == registry.generations


def test_promotion_drops_what_is_older_than_the_standby(store: MemoryViewStore) -> None:
    first, second = with_two(store)
    store.save(first, 0, expected=Checkpoint(), checkpoint=Checkpoint(1), rows={"a": b"1"})
    third = build(store)
    promote(store, third, now_at=4)
    assert numbers(store) == [second.number, third.number]
    assert list(store.keys(first, 0)) == []


def test_promotion_is_refused_where_another_one_is_served_than_was_compared(
    store: MemoryViewStore,
) -> None:
    with_two(store)
    third = build(store)
    with pytest.raises(Moved, match="was compared with number 1"):
        generations.promote(store, third, serving=1, now_at=4)


def test_promotion_is_refused_for_a_generation_that_was_dropped(
    store: MemoryViewStore,
) -> None:
    ensure(store)
    dropped = build(store)
    generations.abandon(store, NAME)
    with pytest.raises(NotFound):
        promote(store, dropped, now_at=4)


def test_a_second_promotion_changes_nothing(store: MemoryViewStore) -> None:
    _, second = with_two(store)
    before = store.registry(NAME)
    assert generations.promote(store, second, serving=1, now_at=9) == before


def test_rolling_back_serves_the_standby_and_again_undoes_it(store: MemoryViewStore) -> None:
    first, second = with_two(store)
    assert rolled_back(store, NAME, now_at=4).serving == first.number
    assert rolled_back(store, NAME, now_at=5).serving == second.number


def test_a_build_after_a_roll_back_replaces_what_was_rolled_back_from(
    store: MemoryViewStore,
) -> None:
    first, _ = with_two(store)
    rolled_back(store, NAME, now_at=4)
    third = build(store)
    promote(store, third, now_at=5)
    assert numbers(store) == [first.number, third.number]


def test_a_change_is_made_anew_when_somebody_else_was_faster() -> None:
    store = RivalStore(rivals=3)
    assert ensure(store).serving == 4


def test_changing_gives_up_when_others_never_stop() -> None:
    with pytest.raises(Moved, match="10 times in a row"):
        ensure(RivalStore(rivals=1_000))


def test_a_worker_refuses_a_generation_of_other_code_and_says_what_to_do() -> None:
    bench = Bench(TALLIES)
    bench.publish(plan_changed("a"))
    worker = bench.worker(fingerprint="of other code")
    drain(worker)
    assert bench.checkpoint() == Checkpoint()
    assert worker.halted == (
        f"tallies.1 was built by other code: {bench.fingerprint}, this is of other code. "
        "Run: airside replay tallies"
    )


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"created_at": 7}, "was retired"),
        ({"fingerprint": "other"}, "was built by other code: other"),
    ],
)
def test_a_worker_stops_where_another_generation_has_its_number(
    changed: dict[str, Any], why: str
) -> None:
    bench = Bench(TALLIES)
    worker = bench.worker()
    worker.step()
    registry = bench.store.registry(NAME)
    other = replace(registry, generations=(replace(bench.live, **changed),))
    bench.store.change_registry(NAME, registry.revision, other)
    bench.now_at += LOOK_MS
    bench.publish(plan_changed("a"))
    drain(worker)
    assert worker.halted is not None
    assert why in worker.halted
    assert bench.rows() == {}


def test_a_worker_stops_when_its_generation_is_retired() -> None:
    bench = Bench(TALLIES)
    started = build(bench.store, bench.fingerprint)
    worker = bench.worker(started)
    bench.publish(plan_changed("a"))
    drain(worker)
    generations.abandon(bench.store, NAME)
    bench.publish(plan_changed("b"))
    drain(worker)
    assert worker.halted == f"{started.name} was retired. Follow the registry."
    assert bench.rows(started) == {}


def test_an_idle_worker_hears_of_its_retirement() -> None:
    bench = Bench(TALLIES)
    started = build(bench.store, bench.fingerprint)
    worker = bench.worker(started)
    worker.step()
    generations.abandon(bench.store, NAME)
    bench.now_at += LOOK_MS
    worker.step()
    assert worker.halted is not None
