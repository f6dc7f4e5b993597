"""Habits that all households share: which titles are popular, and at what hour people watch."""

from bisect import bisect
from collections.abc import Sequence
from itertools import accumulate
from random import Random

from airside.demo.stage import DAY, HOUR

HOURS = (2, 1, 1, 1, 1, 2, 4, 8, 7, 5, 5, 5, 7, 6, 5, 6, 8, 12, 18, 24, 26, 20, 11, 5)
"""How much goes on in each hour of the day (UTC): a rise at breakfast, a peak after dinner."""

CLOCK_FACE = tuple(accumulate(HOURS))


class Shelf:
    """Titles by popularity: the n-th is wanted 1/n as often as the first (zipf)."""

    def __init__(self, titles: Sequence[tuple[str, str]], random: Random) -> None:
        self.titles = random.sample(titles, len(titles))
        self._sums = tuple(accumulate(1 / rank for rank in range(1, len(titles) + 1)))

    def pick(self, random: Random) -> str:
        """A title that somebody feels like; its id."""
        return self.titles[bisect(self._sums, random.random() * self._sums[-1])][0]


def until_moment(random: Random, now_at: int, *, days: int = 0) -> int:
    """How long (ms) until people do something again, today or so many days later."""
    hour = bisect(CLOCK_FACE, random.randrange(CLOCK_FACE[-1]))
    moment_at = now_at - now_at % DAY + days * DAY + hour * HOUR + random.randrange(HOUR)
    return moment_at - now_at if moment_at > now_at else moment_at + DAY - now_at
