"""The decider: the whole of a domain, as a handful of pure functions.

The engine (handler, store, snapshots) takes one as an argument and knows no license. Another
domain is another decider.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Generic, Protocol, TypeVar

from schemas.envelope import Command, Event


class Context(Protocol):
    """What a decision may look up besides the state: a catalog, frozen at one version."""

    @property
    def version(self) -> int:
        """Which catalog this is; written into every event that it decided."""


S = TypeVar("S")
X = TypeVar("X", bound=Context)


@dataclass(frozen=True, slots=True)
class Decider(Generic[S, X]):
    """`decide` says what happens, `evolve` what that changes; neither sees a clock.

    `decide(state, command, context, at)` returns at least one event for every well-formed
    command and never raises; its events carry no envelope yet. `evolve(state, event)` returns
    the next state and leaves the old one as it was. Both are deterministic.
    """

    initial: Callable[[str], S]  # account_id -> the state before its first event
    evolve: Callable[[S, Event], S]
    decide: Callable[[S, Command, X, int], Sequence[Event]]
    clock_tolerance_ms: Callable[[X], int]  # how far ahead a client's clock may be
    state_type: type[S]  # what a snapshot is decoded to, by msgspec
    fold_modules: tuple[ModuleType, ...]  # whose source decides whether a snapshot still fits
