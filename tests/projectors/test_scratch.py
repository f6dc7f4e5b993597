"""Looking back: a read model as it was at an instant, which nobody follows or serves."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from airside.world.engines import Crash
from projectors import generations
from projectors.scratch import IsOver, LookedBack, begin_scratch, build_scratch
from projectors.view_store import Generation
from schemas.codec import CODEC
from schemas.envelope import Event
from schemas.errors import Contradiction, Hole, Invalid, NotFound
from tests.kit.read_side import COMMAND_ID, START_AT, Bench, drain, two_shards
from tests.kit.tallies import (
    MOVES,
    PLANS,
    POISON,
    TALLIES,
    erasure,
    plain_fold,
    plan_changed,
    suspension,
)

FIRST_AT = START_AT - 1_000
JUNK_OF_MUCH_LATER = b"\xc3\x01" + b"noschema" + b"\x64\x02" + b"\xfe" * 7 + b"\x01"
"""An event of seq 50, if there were such a schema."""


@pytest.fixture
def bench() -> Bench:
    return two_shards()


def begin(bench: Bench, as_of: int, label: str = "scratch", **options: Any) -> Generation:
    """The generation that a look back to that instant goes on with."""
    return begin_scratch(
        bench.store,
        bench.projection.name,
        label,
        as_of=as_of,
        fingerprint=options.pop("fingerprint", bench.fingerprint),
        now_at=bench.now_at,
        **options,
    )


def over(shard: int) -> bool:
    """Every command up to the instant is decided."""
    return True


def look_back(bench: Bench, as_of: int, label: str = "scratch") -> Generation:
    """Begun, or gone on with, and whole."""
    return look(bench, as_of, label=label).generation


def look(
    bench: Bench, as_of: int, is_over: IsOver = over, label: str = "scratch"
) -> LookedBack:
    """What comes of it, whole or not."""
    begun = begin(bench, as_of, label)
    return build_scratch(bench.projection, bench.read_side, begun, is_over=is_over)


def at_instants(bench: Bench, events: Sequence[tuple[Event, int]]) -> list[Event]:
    """These events are stored in shard 0, each at its instant; they are not published."""
    stored = [
        structs.replace(event, seq=n, at=at, command_id=COMMAND_ID)
        for n, (event, at) in enumerate(events, 1)
    ]
    bench.history[0].extend(stored)
    bench.read_side = replace(bench.read_side, fill=lambda shard: bench.fill)
    return stored


def before(history: Sequence[Event], as_of: int) -> list[Event]:
    """The events before the first one that is later."""
    ends = [n for n, event in enumerate(history) if event.at > as_of]
    return list(history[: min(ends, default=len(history))])


SOME_EVENTS = st.one_of(
    st.builds(
        plan_changed,
        st.sampled_from("abc"),
        st.sampled_from(["basic", "premium"]),
        st.sampled_from(["ads", "basic"]),
    ),
    st.builds(suspension, st.sampled_from("abc"), st.sampled_from(["", POISON])),
    st.builds(erasure, st.sampled_from("abc")),
)
GAPS = st.sampled_from([0, 0, 1, 7, -3])  # of ms, between two events: clocks are set back
HISTORIES = st.lists(st.tuples(SOME_EVENTS, GAPS), max_size=30)


@given(
    projection=st.sampled_from([TALLIES, PLANS, MOVES]),
    history=HISTORIES,
    after_ms=st.integers(-5, 120),
    lost=st.sets(st.integers(1, 30), max_size=6),
    repeated=st.integers(0, 30),
)
def test_it_equals_a_live_one_that_was_stopped_at_that_instant(
    projection: Any,
    history: list[tuple[Event, int]],
    after_ms: int,
    lost: set[int],
    repeated: int,
) -> None:
    bench = Bench(projection)
    at = [FIRST_AT + sum(gap for _, gap in history[: n + 1]) for n in range(len(history))]
    stored = at_instants(bench, list(zip((event for event, _ in history), at, strict=True)))
    kept = [event for event in stored if event.seq not in lost]
    bench.append(*kept, *kept[repeated:])
    as_of = FIRST_AT + after_ms
    expected = before(stored, as_of)
    stopped = Bench(projection)
    stopped.append(*expected)
    drain(stopped.worker())
    built = look_back(bench, as_of)
    assert bench.rows(built) == stopped.rows()
    assert bench.checkpoint(built).seq == len(expected)
    assert [p.key for p in bench.parked(built)] == [p.key for p in stopped.parked()]


def test_every_shard_goes_up_to_the_instant(bench: Bench) -> None:
    built = look_back(bench, START_AT + 2)
    assert bench.rows(built, 0) == plain_fold(TALLIES, bench.history[0][:2])
    assert bench.rows(built, 1) == plain_fold(TALLIES, bench.history[1][:2])
    assert (built.name, built.as_of) == ("tallies@scratch", START_AT + 2)


def test_it_is_neither_served_nor_followed_nor_taken_for_a_build(bench: Bench) -> None:
    built = look_back(bench, START_AT + 2)
    registry = bench.store.registry("tallies")
    assert registry.called("scratch") == built
    assert generations.role(registry, built) == "scratch"
    assert generations.followed(registry) == (bench.live,)
    assert generations.building(registry) is generations.standby(registry) is None
    with pytest.raises(Contradiction, match="tallies@scratch was built to look back"):
        generations.promote(bench.store, built, serving=bench.live.number, now_at=1)


def test_a_replay_leaves_it_as_it_is(bench: Bench) -> None:
    built = look_back(bench, START_AT + 2)
    rows = bench.rows(built)
    bench.publish(plan_changed("a1"))
    drain(bench.worker())
    bench.replay()
    bench.replay()
    assert bench.store.registry("tallies").called("scratch") == built
    assert bench.rows(built) == rows


def test_many_can_be_looked_back_with_at_once(bench: Bench) -> None:
    some = [look_back(bench, START_AT + n, f"at-{n}") for n in (10, 20, 30)]
    assert [bench.checkpoint(one).seq for one in some] == [10, 20, 30]


def test_an_interrupted_one_goes_on_where_it_stopped(bench: Bench) -> None:
    begun = begin(bench, START_AT + 250)

    def crash(progress: Any) -> None:
        if progress.done >= 250:  # the first shard is done
            raise Crash

    with pytest.raises(Crash):
        build_scratch(TALLIES, bench.read_side, begun, is_over=over, report=crash)
    assert (bench.checkpoint(begun).seq, bench.checkpoint(begun, 1).seq) == (250, 0)
    assert bench.store.registry("tallies").called("scratch") == begun  # and is not whole
    built = look_back(bench, START_AT + 250)
    assert built.number == begun.number
    assert bench.rows(built) == plain_fold(TALLIES, bench.history[0][:250])
    assert bench.rows(built, 1) == plain_fold(TALLIES, bench.history[1])


def test_it_is_not_whole_while_events_up_to_its_instant_may_come(bench: Bench) -> None:
    first = look(bench, START_AT + 1_000, is_over=lambda shard: shard == 1)
    bench.publish(plan_changed("late"))
    second = look(bench, START_AT + 1_000)
    assert (first.is_whole, first.open_shards) == (False, (0,))
    assert (second.is_whole, second.open_shards) == (True, ())
    assert second.generation.number == first.generation.number
    assert bench.rows(second.generation) == plain_fold(TALLIES, bench.history[0])


def test_a_later_event_tells_that_a_shard_is_whole(bench: Bench) -> None:
    assert look(bench, START_AT + 2, is_over=lambda shard: False).is_whole


def test_what_comes_until_it_is_known_to_be_over_belongs_to_it(bench: Bench) -> None:
    def handled(shard: int) -> bool:
        bench.publish(plan_changed("late"), shard=shard)
        return True

    built = look(bench, START_AT + 1_000, is_over=handled).generation
    assert bench.rows(built) == plain_fold(TALLIES, bench.history[0])
    assert bench.rows(built, 1) == plain_fold(TALLIES, bench.history[1])


def test_nothing_is_folded_into_a_whole_one_any_more(bench: Bench) -> None:
    built = look_back(bench, START_AT + 1_000)
    rows = bench.rows(built)
    bench.publish(plan_changed("redriven"))
    assert look(bench, START_AT + 1_000) == LookedBack(built)
    assert bench.rows(built) == rows


@pytest.mark.parametrize("other", [{"as_of": START_AT + 3}, {"fingerprint": "other"}])
def test_a_label_that_is_taken_is_replaced_only_where_that_is_wanted(
    bench: Bench, other: dict[str, Any]
) -> None:
    built = look_back(bench, START_AT + 2)
    wish = {"as_of": START_AT + 2, **other}
    with pytest.raises(Contradiction, match=r"tallies@scratch is there .*08:00:00.002.*--repl"):
        begin(bench, **wish)
    fresh = begin(bench, anew=True, **wish)
    assert fresh.number > built.number
    assert bench.store.registry("tallies").called("scratch") == fresh
    assert bench.rows(built) == bench.rows(fresh) == {}


def test_a_builder_of_one_that_was_replaced_cannot_write_into_the_new_one(bench: Bench) -> None:
    old = bench.worker(begin(bench, START_AT + 2))
    assert old.checkpoint.seq == 0
    anew = begin(bench, START_AT + 3, anew=True)
    fresh = build_scratch(TALLIES, bench.read_side, anew, is_over=over).generation
    drain(old)
    assert bench.rows(fresh) == plain_fold(TALLIES, bench.history[0][:3])
    bench.now_at += 10_000
    old.step()
    assert "tallies@scratch was retired" in (old.halted or "")


def test_one_that_was_retired_is_gone_with_its_rows(bench: Bench) -> None:
    built = look_back(bench, START_AT + 2)
    generations.retire(bench.store, "tallies", built.number)
    assert bench.store.registry("tallies").called("scratch") is None
    assert bench.rows(built) == {}


def test_one_that_is_retired_meanwhile_is_said(bench: Bench) -> None:
    begun = begin(bench, START_AT + 2)
    generations.retire(bench.store, "tallies", begun.number)
    with pytest.raises(NotFound, match="retired"):
        build_scratch(TALLIES, bench.read_side, begun, is_over=over)


def test_events_that_cannot_be_had_are_said() -> None:
    bench = Bench(TALLIES)
    stored = at_instants(bench, [(plan_changed("a"), FIRST_AT + n) for n in range(3)])
    del bench.history[0][1:]
    bench.append(stored[0], stored[2])
    with pytest.raises(Hole, match="expected seq 2"):
        look_back(bench, FIRST_AT + 2)


def test_junk_that_claims_to_be_later_ends_nothing() -> None:
    bench = Bench(TALLIES)
    first, second = at_instants(bench, [(plan_changed("a"), FIRST_AT)] * 2)
    bench.append(first)
    bench.append_raw((b"a", JUNK_OF_MUCH_LATER))
    bench.append(second)
    built = look_back(bench, FIRST_AT)
    assert (CODEC.at_of(JUNK_OF_MUCH_LATER) or 0) > FIRST_AT
    assert bench.rows(built) == plain_fold(TALLIES, [first, second])


@pytest.mark.parametrize("label", ["", "7", "a.b", "a*", "x" * 41, "a b"])
def test_a_label_can_be_typed_and_is_no_number(bench: Bench, label: str) -> None:
    with pytest.raises(Invalid, match="letters, digits"):
        begin(bench, 1, label)
