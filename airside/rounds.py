"""Rounds: every shard has its turn, and an engine that hangs does not hold up all of them."""

import time
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from schemas.errors import Transient

TROUBLE_SECONDS_MAX = 5.0  # of a round in which an engine fails; the rest comes next time

K = TypeVar("K")


class Rounds(Generic[K]):
    """Steps keys in turn."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._reached: K | None = None  # by the last round, where it was cut short

    def go(self, keys: Sequence[K], step: Callable[[K], int]) -> int:
        """Step each once; the sum. One that fails stops no other, as long as there is time.

        Raises: the last Transient, at the end of the round.
        """
        began = self._monotonic()
        reached, self._reached = self._reached, None
        first = keys.index(reached) + 1 if reached in keys else 0
        done, trouble = 0, None
        for key in (*keys[first:], *keys[:first]):
            try:
                done += step(key)
            except Transient as error:
                trouble = error
                if self._monotonic() - began > TROUBLE_SECONDS_MAX:
                    self._reached = key
                    break
        if trouble is not None:
            raise trouble
        return done
