"""Random histories × random interruptions × repeats: what is rebuilt equals what is live.

Byte for byte, at one position, whatever happened on the way; from the topic, which has repeats
and rubbish and lacks its beginning, and from the store's ordered history, which is only whole.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airside.world.engines import Crash
from projectors.generations import building, serving
from projectors.pace import SAVE_BYTES, Bounds
from projectors.replay import Replayed, replay
from projectors.view_store import Generation, Source
from schemas.errors import AirsideError
from tests.kit.faults import FaultyViewStore, PipelinedViewStore
from tests.kit.read_side import Bench, drain
from tests.kit.stored import StoredBench, in_memory, in_sqlite
from tests.kit.tallies import MOVES, PLANS, TALLIES, erasure, plan_changed, suspension

FAULTS = ("", "", "lost", "unanswered", "crash", "crash after")
ATTEMPTS_MAX = 60
EXAMPLES: dict[Any, int] = {in_memory: 100, in_sqlite: 30}  # a file takes longer

Opened = Callable[[Any, int, type[FaultyViewStore]], AbstractContextManager[StoredBench]]

accounts = st.sampled_from(["a", "b", "c", "d"])
plans = st.sampled_from(["ads", "basic", "premium"])
happenings = st.one_of(
    st.builds(plan_changed, accounts, plans, plans),
    st.builds(suspension, accounts, st.just("")),
    st.builds(erasure, accounts),
)
histories = st.lists(st.lists(happenings, max_size=25), min_size=2, max_size=2)
repeated = st.lists(st.integers(0, 20), max_size=4)
projections = st.sampled_from([TALLIES, PLANS, MOVES])
view_stores = st.sampled_from([FaultyViewStore, PipelinedViewStore])
batches = st.tuples(st.sampled_from([1, 4, 100]), st.sampled_from([1, 3, 100]))
troubles = st.lists(st.sampled_from(FAULTS), max_size=8)


def lived(
    bench: StoredBench,
    histories: list[Any],
    repeats: list[int],
    *,
    batch: tuple[int, int] = (100, 100),
    faults: list[str] | None = None,
) -> None:
    """Shards of a history on the topic, some of it again, and a live generation of it all."""
    for shard, events in enumerate(histories):
        stored = bench.publish(*events, shard=shard)
        for first in repeats:
            bench.append(*stored[first : first + 3], shard=shard)
    bench.store.faults = list(faults or ())
    for shard in range(len(histories)):
        followed(bench, bench.live, shard, batch)


def followed(
    bench: StoredBench, generation: Generation, shard: int, batch: tuple[int, int] = (100, 100)
) -> None:
    """A shard followed to its end, by one worker after the other."""
    for _ in range(ATTEMPTS_MAX):
        worker = bench.worker(
            generation, shard=shard, batch_max=batch[0], piece=batch[1], rows_max=2
        )
        try:
            return drain(worker)
        except Crash:
            continue
    raise AssertionError(f"not followed after {ATTEMPTS_MAX} attempts")


def replayed(
    bench: StoredBench,
    source: Source,
    faults: list[str],
    batch: tuple[int, int] = (100, 100),
) -> Replayed:
    """The same replay again and again, through everything that befalls the store."""
    bench.store.faults = list(faults)
    building = Bounds(batch[0], SAVE_BYTES, batch[1])
    read_side = replace(bench.from_source(source), rows_max=2, building=building)
    for _ in range(ATTEMPTS_MAX):
        try:
            return replay(bench.projection, read_side, wish=bench.wish(source=source))
        except (Crash, AirsideError):
            continue
    raise AssertionError(f"not done after {ATTEMPTS_MAX} attempts")


def standing(bench: Bench, generation: Generation) -> list[tuple[Any, ...]]:
    """Rows, position and digest of every shard."""
    found = []
    for shard in range(len(bench.history)):
        at = bench.checkpoint(generation, shard)
        found.append((bench.rows(generation, shard), at.seq, at.at, at.digest))
    return found


@pytest.mark.parametrize("source", ["topic", "store"])
@pytest.mark.parametrize("opened", [in_memory, in_sqlite])
def test_a_rebuilt_generation_equals_the_live_one(opened: Opened, source: Source) -> None:
    @settings(max_examples=EXAMPLES[opened])
    @given(
        projection=projections,
        histories=histories,
        repeats=repeated,
        store=view_stores,
        batch=batches,
        faults=st.tuples(troubles, troubles),
    )
    def holds(
        projection: Any,
        histories: Any,
        repeats: list[int],
        store: type[FaultyViewStore],
        batch: tuple[int, int],
        faults: tuple[list[str], list[str]],
    ) -> None:
        with opened(projection, len(histories), store) as bench:
            lived(bench, histories, repeats, batch=batch, faults=faults[0])
            before = bench.live
            done = replayed(bench, source, faults[1], batch)
            assert serving(bench.store.registry(projection.name)) == done.rebuilt
            assert done.verification.different == 0
            assert standing(bench, done.rebuilt) == standing(bench, before)

    holds()


@pytest.mark.parametrize("opened", [in_memory, in_sqlite])
def test_a_generation_built_from_the_store_goes_on_in_the_topic(opened: Opened) -> None:
    @settings(max_examples=EXAMPLES[opened])
    @given(histories=histories, more=st.lists(happenings, max_size=10), faults=troubles)
    def holds(histories: Any, more: Any, faults: list[str]) -> None:
        with opened(TALLIES, len(histories), FaultyViewStore) as bench:
            lived(bench, histories, repeats=[0, 5])
            done = replayed(bench, "store", faults)
            bench.publish(*more)
            bench.store.faults = []
            followed(bench, bench.live, 0)
            followed(bench, done.rebuilt, 0)
            assert bench.rows(done.rebuilt) == bench.rows(bench.live)
            assert bench.parked(done.rebuilt) == []

    holds()


class Rival:
    """Another process with the same replay, which takes the build over in the middle."""

    def __init__(self, bench: Bench, when: int) -> None:
        self.bench, self._when = bench, when
        self.done: Replayed | None = None

    def __call__(self, _: object) -> None:
        self._when -= 1
        if self._when == 0:
            self.done = self.bench.replay()


@given(when=st.integers(1, 6))
def test_a_builder_that_was_thought_dead_spoils_nothing(when: int) -> None:
    with in_memory(TALLIES, 2, FaultyViewStore) as bench:
        lived(bench, [[plan_changed(f"a{n % 7}") for n in range(60)], []], [3])
        bench.now_at += 5_000
        rival = Rival(bench, when)
        told = error_of(lambda: bench.replay(report=rival))
        assert rival.done is not None
        assert told in ("Moved", "Overtaken", "NotFound", "")
        served = bench.served()
        assert bench.rows(served) == bench.rows(bench.live)
        assert building(bench.store.registry("tallies")) is None


def error_of(call: Callable[[], object]) -> str:
    """The name of the error that it raises."""
    try:
        call()
    except AirsideError as error:
        return type(error).__name__
    return ""
