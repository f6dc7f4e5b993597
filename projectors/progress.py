"""How far long work is, how fast it goes, and how long it will take, with an honest band."""

from collections import deque
from collections.abc import Callable
from statistics import fmean, stdev
from typing import Literal

from msgspec import Struct

INTERVAL_MS = 1_000  # of one measured rate
INTERVALS_KEPT = 60
INTERVALS_MIN = 3  # before a band can be told

Phase = Literal["building", "verifying", "following"]


class Progress(Struct, frozen=True):
    """How far a phase is. Seconds are None while they cannot be told."""

    phase: Phase
    done: int  # events; rows while verifying
    total: int
    rate: float  # per second, in this phase
    eta_seconds: float | None
    eta_low: float | None = None  # at the mean rate of late plus its standard deviation
    eta_high: float | None = None  # … minus; None where that is no rate at all


Report = Callable[[Progress], None]


class Meter:
    """Tells how far one phase is. `clock` tells ms."""

    def __init__(
        self, phase: Phase, clock: Callable[[], int], report: Report, total: int, done: int = 0
    ) -> None:
        self._phase, self._clock, self._report = phase, clock, report
        self._total, self._done = total, done
        self._first, self._first_at = done, clock()
        self._last, self._last_at = done, self._first_at
        self._rates: deque[float] = deque(maxlen=INTERVALS_KEPT)

    def add(self, count: int) -> None:
        """So many more are done."""
        self.tell(self._done + count)

    def tell(self, done: int) -> None:
        """So many are done in all."""
        self._done, self._total = done, max(self._total, done)
        now = self._clock()
        if now - self._last_at >= INTERVAL_MS:
            self._rates.append((done - self._last) * 1_000 / (now - self._last_at))
            self._last, self._last_at = done, now
        elapsed_ms = now - self._first_at
        rate = (done - self._first) * 1_000 / elapsed_ms if elapsed_ms > 0 else 0.0
        left = self._total - done
        self._report(
            Progress(self._phase, done, self._total, rate, _over(left, rate), *self._band(left))
        )

    def _band(self, left: int) -> tuple[float | None, float | None]:
        if len(self._rates) < INTERVALS_MIN:
            return None, None
        mean, spread = fmean(self._rates), stdev(self._rates)
        return _over(left, mean + spread), _over(left, mean - spread)


def _over(left: int, rate: float) -> float | None:
    return left / rate if rate > 0 else None
