"""Random histories × random interruptions × repeats: what is rebuilt equals what is live.

Byte for byte, at one position, whatever happened on the way; from the topic, which has repeats
and rubbish and lacks its beginning, and from the store's ordered history, which is only whole.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airside.history_source import HistorySource
from projectors.generations import building, serving
from projectors.read_side import ReadSide
from projectors.replay import Replayed, replay
from projectors.view_store import Generation, Source
from schemas.errors import AirsideError
from tests.kit.faults import Crash
from tests.kit.given_history import GivenHistory
from tests.kit.read_side import Bench, drain
from tests.kit.tallies import MOVES, PLANS, TALLIES, erasure, plan_changed, suspension

FAULTS = ("", "", "lost", "unanswered", "crash", "crash after")
ATTEMPTS_MAX = 60

accounts = st.sampled_from(["a", "b", "c", "d"])
plans = st.sampled_from(["ads", "basic", "premium"])
happenings = st.one_of(
    st.builds(plan_changed, accounts, plans, plans),
    st.builds(suspension, accounts, st.just("")),
    st.builds(erasure, accounts),
)
histories = st.lists(st.lists(happenings, max_size=25), min_size=2, max_size=2)
projections = st.sampled_from([TALLIES, PLANS, MOVES])


def lived(projection: Any, histories: list[Any], repeats: list[int]) -> Bench:
    """Shards of a history on the topic, some of it again, and a live generation of it all."""
    bench = Bench(projection, shards=len(histories))
    for shard, events in enumerate(histories):
        stored = bench.publish(*events, shard=shard)
        for first in repeats:
            bench.append(*stored[first : first + 3], shard=shard)
        drain(bench.worker(shard=shard))
    return bench


def read_side_of(bench: Bench, source: Source) -> ReadSide:
    """With few rows in memory, and events from either source."""
    few = replace(bench.read_side, rows_max=2)
    if source == "topic":
        return few
    history = GivenHistory(bench.history)
    return replace(few, source=lambda shard: HistorySource(history, shard))


def replayed(bench: Bench, source: Source, faults: list[str]) -> Replayed:
    """The same replay again and again, through everything that befalls the store."""
    bench.store.faults = list(faults)
    read_side, wish = read_side_of(bench, source), bench.wish(source=source)
    for _ in range(ATTEMPTS_MAX):
        try:
            return replay(bench.projection, read_side, wish=wish)
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
@given(
    projection=projections,
    histories=histories,
    repeats=st.lists(st.integers(0, 20), max_size=4),
    faults=st.lists(st.sampled_from(FAULTS), max_size=8),
)
def test_a_rebuilt_generation_equals_the_live_one(
    source: Source, projection: Any, histories: Any, repeats: list[int], faults: list[str]
) -> None:
    bench = lived(projection, histories, repeats)
    before = bench.live
    done = replayed(bench, source, faults)
    assert serving(bench.store.registry(projection.name)) == done.rebuilt
    assert done.verification.different == 0
    assert standing(bench, done.rebuilt) == standing(bench, before)


@given(
    histories=histories,
    more=st.lists(happenings, max_size=10),
    faults=st.lists(st.sampled_from(FAULTS), max_size=4),
)
def test_a_generation_built_from_the_store_goes_on_in_the_topic(
    histories: Any, more: Any, faults: list[str]
) -> None:
    bench = lived(TALLIES, histories, repeats=[0, 5])
    done = replayed(bench, "store", faults)
    bench.publish(*more)
    bench.store.faults = []
    drain(bench.worker(bench.live))
    drain(bench.worker(done.rebuilt))
    assert bench.rows(done.rebuilt) == bench.rows(bench.live)
    assert bench.parked(done.rebuilt) == []


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
    bench = lived(TALLIES, [[plan_changed(f"a{n % 7}") for n in range(60)], []], [3])
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
