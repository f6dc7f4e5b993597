"""Looks at every state that a model can reach, nearest first, until a law is broken.

A model is three things: where it begins, what can happen next, and which law a state breaks.
States are immutable and equal where nothing tells them apart. The first broken state that is
met is as near as any, so the way to it is a shortest counterexample.
"""

import gc
import random
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

Action = tuple[str | int, ...]
"""Who, what, and with which numbers: ("worker 1", "takes", 2)."""

S = TypeVar("S", bound=Hashable)

STATES_MAX = 20_000_000  # before the search is given up: the bounds are too large


@dataclass(frozen=True, slots=True)
class Model(Generic[S]):
    """What the explorer needs to know."""

    initial: S
    actions: Callable[[S], Iterable[tuple[Action, S]]]
    broken: Callable[[S], str]  # the law, in words; "" where all hold
    likeness: Callable[[S], Hashable]  # equal for states that differ in names alone


@dataclass(frozen=True, slots=True)
class Explored:
    """All that was looked at, and the first law that was found broken."""

    states: int
    depth: int  # actions from the beginning to the last state looked at
    broken: str = ""
    trace: tuple[Action, ...] = ()  # to the broken state; empty where none was met

    def __str__(self) -> str:
        if not self.broken:
            return f"{self.states:,} states, {self.depth} actions deep: no law is broken"
        steps = "\n".join(f"  {n:2}. {words(a)}" for n, a in enumerate(self.trace, 1))
        return f"{self.broken} ({self.states:,} states looked at)\n{steps}"


def words(action: Action) -> str:
    """An action as a line of text."""
    return " ".join(map(str, action))


def explore(model: Model[S]) -> Explored:
    """Every reachable state, breadth first. Raises: OverflowError beyond STATES_MAX."""
    was_collecting = gc.isenabled()
    gc.disable()  # millions of tuples without a cycle: looking for one takes half of the time
    try:
        return _explore(model)
    finally:
        if was_collecting:
            gc.enable()


def random_traces(
    model: Model[S], *, seed: int, count: int, actions_max: int
) -> Iterator[tuple[Action, ...]]:
    """So many walks through the model, each until nothing can happen or it is long enough."""
    chance = random.Random(seed)
    for _ in range(count):
        state, trace = model.initial, list[Action]()
        while len(trace) < actions_max and (found := list(model.actions(state))):
            action, state = chance.choice(found)
            trace.append(action)
        yield tuple(trace)


def _explore(model: Model[S]) -> Explored:
    states = [model.initial]
    known = {model.likeness(model.initial)}
    came_from: list[tuple[int, Action]] = [(0, ())]
    depth, ring_ends_at, here = 0, 1, 0
    while here < len(states):
        if here == ring_ends_at:
            depth, ring_ends_at = depth + 1, len(states)
        for action, after in model.actions(states[here]):
            if (likeness := model.likeness(after)) in known:
                continue
            known.add(likeness)
            states.append(after)
            came_from.append((here, action))
            if law := model.broken(after):
                return Explored(len(states), depth + 1, law, _trace(came_from))
        if len(states) > STATES_MAX:
            raise OverflowError(f"more than {STATES_MAX} states. Choose smaller bounds.")
        here += 1
    return Explored(len(states), depth)


def _trace(came_from: list[tuple[int, Action]]) -> tuple[Action, ...]:
    trace: list[Action] = []
    here = len(came_from) - 1
    while here:
        here, action = came_from[here]
        trace.append(action)
    return tuple(reversed(trace))
