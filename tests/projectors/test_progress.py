"""Long work says how far it is, and how long it will take, with an honest band."""

from projectors.progress import INTERVAL_MS, Meter, Progress


class Work:
    """Told by a clock that only the work moves."""

    def __init__(self, total: int) -> None:
        self.now_at = 1_000
        self.said: list[Progress] = []
        self.meter = Meter("building", lambda: self.now_at, self.said.append, total)

    def goes_on(self, *rates: int) -> Progress:
        """A second of each of these rates; what is said at the end."""
        for rate in rates:
            self.now_at += INTERVAL_MS
            self.meter.add(rate)
        return self.said[-1]


def test_nothing_is_promised_before_anything_is_known() -> None:
    work = Work(1_000)
    work.meter.tell(0)
    at = work.said[-1]
    assert (at.rate, at.eta_seconds, at.eta_low, at.eta_high) == (0.0, None, None, None)


def test_steady_work_has_no_band() -> None:
    at = Work(1_000).goes_on(100, 100, 100, 100)
    assert (at.eta_seconds, at.eta_low, at.eta_high) == (6.0, 6.0, 6.0)


def test_the_band_is_the_mean_rate_give_or_take_its_spread() -> None:
    at = Work(1_000).goes_on(50, 100, 150)  # mean 100, standard deviation 50
    assert (at.eta_low, at.eta_seconds, at.eta_high) == (700 / 150, 7.0, 14.0)


def test_work_that_comes_in_bursts_has_no_upper_bound() -> None:
    at = Work(1_000).goes_on(0, 0, 0, 200)
    assert at.eta_high is None
    assert at.eta_low is not None
    assert at.eta_seconds == 16.0


def test_a_total_that_was_too_low_grows() -> None:
    at = Work(100).goes_on(150)
    assert (at.done, at.total, at.eta_seconds) == (150, 150, 0.0)
