"""Small moves that the write side's model is put together from."""

from typing import Any

from tests.protocol_model.write_state import Commit, State, Worker


def without_names(state: State) -> tuple[object, ...]:
    """Which worker is which makes no difference."""
    one, other = state.workers
    return (frozenset((one, other)), *state[:3], *state[4:])


def put(values: tuple[Any, ...], place: int, value: object) -> tuple[Any, ...]:
    return (*values[:place], value, *values[place + 1 :])


def with_worker(state: State, w: int, worker: Worker) -> State:
    return state._replace(workers=put(state.workers, w, worker))


def one_fault_less(state: State, kind: int) -> State:
    return state._replace(faults=put(state.faults, kind, state.faults[kind] - 1))


def requested(state: State, request: Commit) -> State:
    return state._replace(requests=tuple(sorted({*state.requests, request})))


def seqs_of(commit: Commit) -> range:
    return range(commit.first_seq, commit.first_seq + len(commit.events))


def mask_of(commit: Commit) -> int:
    return sum(1 << command for command, _ in commit.events)


def arrived(state: State, wire: tuple[int, ...]) -> State:
    """The first record on a wire is on the topic."""
    seq = wire[0]
    if seq <= state.published:
        return state
    law = "" if seq == state.published + 1 else "law 4: first publications come out of order"
    return state._replace(published=seq, broken=law)
