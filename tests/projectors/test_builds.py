"""One builder at a time: the second one is told, and a dead one is succeeded."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from airside.adapters.memory_view_store import MemoryViewStore
from projectors import generations
from projectors.builds import (
    DEAD_SECONDS,
    beat,
    follow,
    note_verified,
    release,
    start_build,
    take_up,
)
from projectors.view_store import Builder, Generation, Registry, Source, Verified
from schemas.errors import Contradiction, Moved, NotFound
from tests.kit.read_side import Bench, two_shards

NAME = "tallies"
FIRST, SECOND = Builder("the first", "c1"), Builder("the second", "c2")


class Waited:
    """A clock that only waiting moves; something may happen meanwhile."""

    def __init__(self, meanwhile: Callable[[], object] = lambda: None) -> None:
        self.seconds = 0.0
        self._meanwhile = meanwhile

    def __call__(self, seconds: float) -> None:
        self.seconds += seconds
        self._meanwhile()


@pytest.fixture
def store() -> MemoryViewStore:
    store = MemoryViewStore()
    generations.ensure_serving(store, NAME, fingerprint="f1", now_at=1)
    return store


def take(
    store: MemoryViewStore,
    builder: Builder,
    sleep: Callable[[float], None] | None = None,
    fingerprint: str = "f1",
    source: Source = "topic",
) -> Generation:
    return take_up(
        store,
        NAME,
        fingerprint=fingerprint,
        now_at=2,
        builder=builder,
        sleep=sleep or Waited(),
        source=source,
    )


def test_the_second_builder_is_told_who_is_at_it_and_how_far(store: MemoryViewStore) -> None:
    built, alive = take(store, FIRST), FIRST

    def at_work() -> None:
        nonlocal alive
        alive = beat(store, built, alive, phase="building", done=1_200, total=9_000)

    with pytest.raises(Moved, match="by the first already: building 1,200 of 9,000"):
        take(store, SECOND, Waited(at_work))


def test_a_builder_without_a_beat_is_succeeded_after_a_while(store: MemoryViewStore) -> None:
    began, waited = take(store, FIRST), Waited()
    taken = take(store, SECOND, waited)
    assert waited.seconds == DEAD_SECONDS
    assert (taken.number, taken.builder) == (began.number, SECOND)


def test_a_builder_that_was_thought_dead_is_told_at_its_next_beat(
    store: MemoryViewStore,
) -> None:
    began = take(store, FIRST)
    take(store, SECOND)
    with pytest.raises(Moved, match="but the second's"):
        beat(store, began, FIRST)


def test_who_let_go_is_succeeded_at_once(store: MemoryViewStore) -> None:
    began, waited = take(store, FIRST), Waited()
    release(store, began, FIRST)
    assert take(store, SECOND, waited).number == began.number
    assert waited.seconds == 0


def test_who_lost_the_build_does_not_let_go_of_it_for_the_other(store: MemoryViewStore) -> None:
    began = take(store, FIRST)
    take(store, SECOND)
    release(store, began, FIRST)
    found = generations.building(store.registry(NAME))
    assert found is not None
    assert found.builder == SECOND


def test_of_two_who_succeed_a_dead_one_one_is_told(store: MemoryViewStore) -> None:
    take(store, FIRST)
    take_at_once(store, SECOND, instead_of=FIRST)
    with pytest.raises(Moved, match="built by the second already"):
        take_at_once(store, Builder("the third", "c3"), instead_of=FIRST)


def take_at_once(store: MemoryViewStore, builder: Builder, instead_of: Builder) -> None:
    start_build(store, NAME, fingerprint="f1", now_at=3, builder=builder, instead_of=instead_of)


def test_a_build_of_other_code_is_begun_anew(store: MemoryViewStore) -> None:
    began = take(store, FIRST)
    release(store, began, FIRST)
    other = take(store, SECOND, fingerprint="f2")
    assert other.number > began.number
    assert store.registry(NAME).generation(began.number) is None


def test_a_build_that_is_half_done_from_elsewhere_is_not_dropped_in_silence(
    store: MemoryViewStore,
) -> None:
    release(store, take(store, FIRST, source="store"), FIRST)
    with pytest.raises(Contradiction, match=r"--from store; or drop it: .* retire tallies 2"):
        take(store, SECOND)
    assert take(store, SECOND, source="store").number == 2


def test_whoever_waited_is_told_that_the_other_has_finished(store: MemoryViewStore) -> None:
    built = take(store, FIRST)
    with pytest.raises(Moved, match=r"tallies\.2 was just finished by the first"):
        take(store, SECOND, Waited(lambda: follow(store, built, now_at=5)))


def test_whoever_builds_only_what_is_missing_leaves_what_is_there(
    store: MemoryViewStore,
) -> None:
    with pytest.raises(Moved, match="a generation of this code is there already"):
        start_build(store, NAME, fingerprint="f1", now_at=2, if_missing=True)
    assert start_build(store, NAME, fingerprint="f2", now_at=2, if_missing=True).number == 2


def test_of_two_that_are_ready_the_older_one_is_dropped(store: MemoryViewStore) -> None:
    follow(store, take(store, FIRST), now_at=5)
    follow(store, take(store, SECOND), now_at=6)
    assert generations.listed(store.registry(NAME)) == "1 (serving), 3 (ready)"


def test_numbers_count_generations_and_not_beats(store: MemoryViewStore) -> None:
    began = take(store, FIRST)
    beat(store, began, FIRST)
    generations.abandon(store, NAME)
    assert (began.number, take(store, SECOND).number) == (2, 3)


def test_numbers_of_before_are_not_given_again(store: MemoryViewStore) -> None:
    old = replace(store.registry(NAME), last_number=0)
    store.change_registry(NAME, old.revision, replace(old, revision=0))
    revision = store.registry(NAME).revision
    assert take(store, FIRST).number == revision + 1


def test_a_whole_build_is_followed_and_may_be_promoted(store: MemoryViewStore) -> None:
    began = take(store, FIRST)
    ready = follow(store, began, now_at=5)
    registry = store.registry(NAME)
    assert generations.role(registry, ready) == "ready"
    assert ready in generations.followed(registry)
    assert generations.building(registry) is None
    generations.promote(store, ready, serving=registry.serving, now_at=6)
    assert generations.listed(store.registry(NAME)) == "1 (standby), 2 (serving)"


def test_what_is_ready_is_nothing_to_roll_back_to(store: MemoryViewStore) -> None:
    follow(store, take(store, FIRST), now_at=5)
    assert generations.standby(store.registry(NAME)) is None


def test_what_a_comparison_found_is_kept(store: MemoryViewStore) -> None:
    began, found = take(store, FIRST), Verified(at=9, rows=41, different=0)
    note_verified(store, began, found)
    kept = store.registry(NAME).generation(began.number)
    assert kept is not None
    assert kept.verified == found


def test_a_generation_that_was_dropped_is_not_brought_back(store: MemoryViewStore) -> None:
    began = take(store, FIRST)
    generations.retire(store, NAME, began.number)
    with pytest.raises(Moved, match=r"tallies\.2 was dropped"):
        follow(store, began, now_at=5)


def test_what_is_served_cannot_be_retired(store: MemoryViewStore) -> None:
    with pytest.raises(Contradiction, match=r"tallies\.1 is served"):
        generations.retire(store, NAME, 1)
    with pytest.raises(NotFound, match=r"no generation 7\. There is: 1 \(serving\)"):
        generations.retire(store, NAME, 7)


def test_a_replay_says_that_it_is_alive_and_lets_go_at_the_end() -> None:
    bench: Bench = two_shards()
    seen: list[Builder | None] = []

    def look(_: object) -> None:
        bench.now_at += 700
        found = generations.building(bench.store.registry(NAME))
        seen.append(None if found is None else found.builder)

    done = bench.replay(report=look)
    beats = [one.beat for one in seen if one is not None]
    assert beats == sorted(beats)
    assert beats[-1] > 2
    assert done.rebuilt.builder is None


def test_a_replay_that_only_builds_leaves_what_is_served() -> None:
    bench = two_shards()
    before: Registry = bench.store.registry(NAME)
    done = bench.replay(wish=bench.wish(promote=False))
    after = bench.store.registry(NAME)
    assert (after.serving, done.promoted, done.refused) == (before.serving, False, "")
    assert generations.role(after, done.rebuilt) == "ready"
    assert done.rebuilt.verified == Verified(bench.now_at, 41, 0)
