"""How often one caller may ask."""

from airside.web.rates import BURST_SECONDS, Rates

PER_SECOND = 10.0
BURST = int(BURST_SECONDS * PER_SECOND)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_may_come_at_once_and_no_more() -> None:
    limited = Rates(PER_SECOND, Clock())

    waits = [limited.wait_seconds("a") for _ in range(BURST + 1)]

    assert waits[:BURST] == [0.0] * BURST
    assert 0 < waits[BURST] <= 1 / PER_SECOND + 1e-9


def test_what_was_refused_does_not_count() -> None:
    clock = Clock()
    limited = Rates(PER_SECOND, clock)
    wait = max(limited.wait_seconds("a") for _ in range(10 * BURST))

    clock.now += wait + 1e-6

    assert limited.wait_seconds("a") == 0.0


def test_after_a_rest_a_burst_may_come_again() -> None:
    clock = Clock()
    limited = Rates(PER_SECOND, clock)
    sum(limited.wait_seconds("a") for _ in range(BURST))

    clock.now += BURST_SECONDS

    assert [limited.wait_seconds("a") for _ in range(BURST)] == [0.0] * BURST


def test_one_caller_does_not_use_up_what_is_another_s() -> None:
    limited = Rates(PER_SECOND, Clock())
    sum(limited.wait_seconds("a") for _ in range(10 * BURST))

    assert limited.wait_seconds("b") == 0.0


def test_no_limit_is_none() -> None:
    free = Rates(0.0, Clock())

    assert sum(free.wait_seconds("a") for _ in range(10_000)) == 0.0


def test_only_so_many_callers_are_remembered() -> None:
    limited = Rates(PER_SECOND, Clock(), callers_max=3)
    sum(limited.wait_seconds("a") for _ in range(BURST))
    waits = [limited.wait_seconds(name) for name in ("b", "c", "d")]

    assert (waits, len(limited)) == ([0.0] * 3, 3)
    assert limited.wait_seconds("a") == 0.0  # forgotten
