"""Looking back on a real view store: the same as in memory, beside what is served there."""

import dataclasses
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airside.adapters.redis_view_store import RedisViewStore
from projectors.generations import retire
from projectors.projection import Projection
from projectors.read_side import ReadSide
from projectors.scratch import look_back
from projectors.view_store import Generation
from schemas.envelope import Event
from tests.kit.read_side import START_AT, Bench, drain
from tests.kit.tallies import PLANS, TALLIES, erasure, plain_fold, plan_changed

pytestmark = pytest.mark.engines

SOME = st.one_of(
    st.builds(plan_changed, st.sampled_from("abc"), st.sampled_from(["basic", "premium"])),
    st.builds(erasure, st.sampled_from("abc")),
)


@pytest.fixture
def store(views_url: str) -> Iterator[RedisViewStore]:
    with closing(RedisViewStore(views_url)) as store:
        yield store


def rows(store: RedisViewStore, generation: Generation) -> dict[str, bytes | None]:
    return dict(store.rows(generation, 0, list(store.keys(generation, 0))).rows)


def of(bench: Bench, store: RedisViewStore) -> ReadSide:
    """The bench's events, and rows in this store."""
    return dataclasses.replace(bench.read_side, store=store)


def past(
    projection: Projection[Any], read_side: ReadSide, as_of: int, *, anew: bool = False
) -> Generation:
    """One that is over."""
    return look_back(
        projection, read_side, "then", as_of=as_of, is_over=lambda shard: True, anew=anew
    ).generation


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    projection=st.sampled_from([TALLIES, PLANS]),
    history=st.lists(SOME, max_size=25),
    after_ms=st.integers(0, 27),
)
def test_it_equals_a_live_one_that_was_stopped_at_that_instant(
    store: RedisViewStore, projection: Projection[Any], history: Sequence[Event], after_ms: int
) -> None:
    bench = Bench(projection)
    published = bench.publish(*history)
    stopped = Bench(projection)
    stopped.append(*published[:after_ms])
    drain(stopped.worker())
    built = past(projection, of(bench, store), START_AT + after_ms, anew=True)
    assert rows(store, built) == stopped.rows()
    assert store.rows(built, 0, ()).checkpoint == stopped.checkpoint()


def test_one_label_twice_leaves_nothing_of_the_first(store: RedisViewStore) -> None:
    bench = Bench(TALLIES)
    history = bench.publish(*map(plan_changed, "abcd"))
    read_side = of(bench, store)
    first = past(TALLIES, read_side, START_AT + 3)
    second = past(TALLIES, read_side, START_AT + 1, anew=True)
    assert rows(store, first) == {}
    assert rows(store, second) == plain_fold(TALLIES, history[:1])
    retire(store, "tallies", second.number)
    assert rows(store, second) == {}
