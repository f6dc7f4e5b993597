"""How often one caller may ask: a bucket of tokens each, in memory that has a bound.

The generic cell rate algorithm: one number per caller, the instant at which its bucket will be
full again.
"""

from collections.abc import Callable

CALLERS_MAX = 65_536  # remembered; the one that asked least lately is forgotten first
BURST_SECONDS = 2.0  # so many seconds' worth may come at once


class Rates:
    """A limit per key. Not shared between processes: each grants the whole rate."""

    def __init__(
        self,
        per_second: float,
        monotonic: Callable[[], float],
        *,
        callers_max: int = CALLERS_MAX,
    ) -> None:
        self._interval = 1.0 / per_second if per_second > 0 else 0.0
        self._burst_seconds = max(BURST_SECONDS, self._interval)  # one may always come
        self._monotonic = monotonic
        self._callers_max = callers_max
        self._full_at: dict[str, float] = {}

    def __len__(self) -> int:
        """How many callers are remembered."""
        return len(self._full_at)

    def wait_seconds(self, key: str) -> float:
        """0 if it may ask now, which counts; else for how long it may not, which does not."""
        if not self._interval:
            return 0.0
        now = self._monotonic()
        full_at = max(self._full_at.pop(key, now), now) + self._interval
        early = full_at - now - self._burst_seconds
        if early > 0:
            full_at -= self._interval
        elif len(self._full_at) >= self._callers_max:
            del self._full_at[next(iter(self._full_at))]
        self._full_at[key] = full_at
        return max(0.0, early)

    def forgive(self, key: str) -> None:
        """The last one does not count."""
        if key in self._full_at:
            self._full_at[key] -= self._interval
