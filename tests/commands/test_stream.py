"""A stream: gapless, all or nothing, and the ids that it remembers."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from commands.stream import RECENT_MAX, Ring, Stream, bug_of
from schemas.envelope import Event
from schemas.errors import Hole
from schemas.events import AccountSuspended
from tests.kit.counter import NOW, Count, evolve, granted, id_of


def happened(version: int, command: int | None = None, issued_at: int = NOW) -> Event:
    command_id = id_of(version if command is None else command)
    return replace(
        granted(1),
        version=version,
        at=NOW + version,
        command_id=command_id,
        issued_at=issued_at,
    )


def a_stream() -> Stream[Count]:
    return Stream("a", Count("a"))


def test_events_move_state_version_and_time() -> None:
    stream = a_stream()
    stream.apply([happened(1), happened(2)], evolve)
    assert (stream.state.total, stream.version, stream.at) == (2, 2, NOW + 2)


def test_a_missing_version_is_a_hole_and_changes_nothing() -> None:
    stream = a_stream()
    with pytest.raises(Hole, match="expected version 2, found 3"):
        stream.apply([happened(1), happened(3)], evolve)
    assert stream == a_stream()


def test_events_that_cannot_be_folded_change_nothing() -> None:
    stream = a_stream()
    poison = AccountSuspended(reason="evolve", version=2, command_id=id_of(2))
    with pytest.raises(ValueError, match="cannot fold"):
        stream.apply([happened(1), poison], evolve)
    assert stream == a_stream()


def test_the_events_of_one_command_are_one_entry_in_the_ring() -> None:
    stream = a_stream()
    stream.apply([happened(1, command=7), happened(2, command=7)], evolve)
    assert stream.recent.items() == [(id_of(7), NOW)]


def test_a_full_ring_forgets_nothing() -> None:
    stream = a_stream()
    stream.apply([happened(n) for n in range(1, RECENT_MAX + 1)], evolve)
    assert len(stream.recent) == RECENT_MAX
    assert stream.forgotten_until == -1


def test_one_more_lets_the_oldest_go() -> None:
    stream = a_stream()
    stream.apply([happened(n, issued_at=NOW + n) for n in range(1, RECENT_MAX + 2)], evolve)
    assert id_of(1) not in stream.recent
    assert id_of(2) in stream.recent
    assert stream.forgotten_until == NOW + 1


def test_what_is_forgotten_is_known_by_the_latest_time_among_it() -> None:
    times = [NOW + 9_000, *range(NOW, NOW + RECENT_MAX + 5)]
    stream = a_stream()
    stream.apply([happened(n, issued_at=at) for n, at in enumerate(times, 1)], evolve)
    assert stream.forgotten_until == NOW + 9_000


def test_a_copy_goes_on_alone() -> None:
    stream = a_stream()
    stream.apply([happened(1)], evolve)
    copy = stream.copy()
    copy.apply([happened(2)], evolve)
    assert (stream.version, len(stream.recent)) == (1, 1)
    assert (copy.version, len(copy.recent)) == (2, 2)


def test_one_event_after_the_other_leads_where_all_at_once_do() -> None:
    events = [happened(n, issued_at=NOW - n * 7 % 50) for n in range(1, 300)]
    at_once = a_stream()
    at_once.apply(events, evolve)
    assert one_by_one(events) == at_once


def one_by_one(events: list[Event]) -> Stream[Count]:
    stream = a_stream()
    for event in events:
        stream.apply([event], evolve)
    return stream


def divide_by_zero(state: Count, event: Event) -> Count:
    return Count("a", total=1 // state.total)


def test_a_bug_is_told_with_its_place() -> None:
    with pytest.raises(ZeroDivisionError) as bug:
        a_stream().apply([happened(1)], divide_by_zero)
    assert bug_of(bug.value).startswith("ZeroDivisionError: ")
    assert "(test_stream.py:" in bug_of(bug.value)


# the ring


@settings(max_examples=40, deadline=None)
@given(st.lists(st.one_of(st.just("copy"), st.integers(0, 400)), min_size=250, max_size=350))
def test_a_ring_is_the_last_ids_however_often_it_was_copied(steps: list[str | int]) -> None:
    ring = Ring()
    expected: dict[str, int] = {}
    for step in steps:
        ring = fold_in(ring, expected, step)
    assert ring.items() == list(expected.items())
    assert len(ring) == len(expected)
    assert [n for n in range(401) if id_of(n) in ring] == [
        n for n in range(401) if id_of(n) in expected
    ]


def fold_in(ring: Ring, expected: dict[str, int], step: str | int) -> Ring:
    """One more id, by the plain rule beside it; or a copy, whose original goes astray."""
    if isinstance(step, str):
        copy = ring.copy()
        ring.add(id_of(9_999), NOW)
        return copy
    if id_of(step) not in ring:
        oldest = next(iter(expected.values()), None) if len(expected) == RECENT_MAX else None
        if oldest is not None:
            del expected[next(iter(expected))]
        expected[id_of(step)] = NOW + step
        assert ring.add(id_of(step), NOW + step) == oldest
    return ring
