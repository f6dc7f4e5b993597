"""Rolling windows: how often something happened lately, and when it may happen again.

An instant lies in a window of `window_s` that ends at `at` while less than `window_s` has
passed since. All instants are ms, in any order.
"""

from collections.abc import Callable, Sequence
from operator import attrgetter

from msgspec import Struct

from commands.policy import WindowBound


class Use(Struct, frozen=True, gc=False):
    """How much of one limit is used."""

    limit: int  # with what support granted on top
    used: int
    window_s: int
    scope: str

    @property
    def left(self) -> int:
        """How many are left; below zero where a limit was lowered."""
        return self.limit - self.used


def nothing_granted(at: int) -> int:
    """What is granted on top of a limit that cannot be raised."""
    return 0


def count_within(instants: Sequence[int], at: int, window_s: int) -> int:
    """How many of the instants lie in the window that ends at `at`."""
    horizon = at - window_s * 1000
    return len([instant for instant in instants if instant > horizon])


def tightest(
    bounds: Sequence[WindowBound],
    instants: Sequence[int],
    at: int,
    granted: Callable[[int], int] = nothing_granted,
    held_until: Sequence[int] = (),
) -> Use | None:
    """The use of the limit with the fewest left; None without any limit.

    `held_until` are places that are taken until then without having counted.
    """
    if not bounds:
        return None
    extra, held = granted(at), len([until for until in held_until if until > at])
    uses = [
        Use(
            bound.count + extra,
            count_within(instants, at, bound.window_s) + held,
            bound.window_s,
            bound.scope,
        )
        for bound in bounds
    ]
    return min(uses, key=attrgetter("left"))


def possible_again_at(
    bounds: Sequence[WindowBound],
    instants: Sequence[int],
    at: int,
    granted: Callable[[int], int] = nothing_granted,
    held_until: Sequence[int] = (),
) -> int | None:
    """The first instant from `at` on at which every limit has one left; None: never.

    With time use only falls, and so does what is granted: so it is tried with what is granted
    now, then with what is still granted by then, until that is enough.
    """
    leaving = [
        (bound.count, sorted([*(i + bound.window_s * 1000 for i in instants), *held_until]))
        for bound in bounds
    ]
    while True:
        extra, possible_at = granted(at), at
        for count, leaves in leaving:
            if count + extra <= 0:
                return None
            if len(leaves) >= count + extra:
                possible_at = max(possible_at, leaves[-(count + extra)])
        if possible_at == at:
            return at
        at = possible_at
