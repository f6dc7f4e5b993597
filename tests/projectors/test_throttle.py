"""A builder gives way to the worker of the served rows, unless nobody is at work on them."""

from dataclasses import replace

from projectors.build import Job, ShardProgress, build_here
from projectors.builds import start_build
from projectors.pace import COUNT_FIRST
from projectors.throttle import LOOK_MS, STILL_MS, Throttle
from projectors.view_store import Checkpoint
from tests.kit.read_side import Bench, drain
from tests.kit.tallies import TALLIES, plan_changed

LAG_MS_MAX = 2_000


class Scene:
    """Served rows that a worker brings forward while the builder waits."""

    def __init__(self, events: int, waits_at_work: int = 1_000) -> None:
        self.bench = Bench(TALLIES)
        self.bench.publish(*(plan_changed("a") for _ in range(events)))
        self.worker = self.bench.worker(batch_max=1)
        self.waits_at_work = waits_at_work  # behind them the worker is gone
        self.waits = 0
        self.bench.now_at += 60_000  # the events are a minute old
        self.throttle = Throttle(
            self.bench.store,
            self.bench.live,
            0,
            end=lambda: self.bench.log.source("events", 0).end(),
            clock=lambda: self.bench.now_at,
            sleep=self.wait,
            lag_ms_max=LAG_MS_MAX,
        )

    def wait(self, seconds: float) -> None:
        self.waits += 1
        self.bench.now_at += int(seconds * 1_000)
        self.work()

    def work(self) -> None:
        """What the worker does between two looks."""
        if self.waits <= self.waits_at_work:
            self.worker.step()
            self.worker.step()

    def looks(self) -> None:
        """The builder's batches of some seconds, while the worker goes on."""
        for _ in range(3):
            self.bench.now_at += LOOK_MS
            self.work()
            self.throttle.wait()

    @property
    def served(self) -> Checkpoint:
        return self.bench.checkpoint()


def test_while_the_served_rows_are_late_the_builder_waits() -> None:
    scene = Scene(events=20)
    scene.looks()
    assert scene.waits > 3
    assert scene.served.seq == 20


def test_rows_that_are_not_late_hold_up_nobody() -> None:
    scene = Scene(events=20)
    drain(scene.worker)
    scene.looks()
    assert scene.waits == 0


def test_rows_that_nobody_works_on_hold_up_nobody_for_long() -> None:
    scene = Scene(events=200, waits_at_work=5)
    scene.looks()
    assert 5 < scene.served.seq < 200
    assert scene.waits == 5 + STILL_MS // LOOK_MS


def test_a_builder_that_waits_says_that_it_is_alive() -> None:
    bench = Bench(TALLIES)
    bench.publish(*(plan_changed("a") for _ in range(6 * COUNT_FIRST)))
    worker = bench.worker(batch_max=COUNT_FIRST // 2)
    worker.run_until(3 * COUNT_FIRST)
    bench.now_at += 60_000
    said: list[ShardProgress | None] = []

    def goes_on(seconds: float) -> None:
        bench.now_at += LOOK_MS
        worker.step()

    def tell(progress: ShardProgress | None) -> None:
        said.append(progress)
        goes_on(0)

    built = start_build(bench.store, "tallies", fingerprint=bench.fingerprint, now_at=1)
    job = Job(bench.live, built, (0,), lag_ms_max=LAG_MS_MAX)
    build_here(bench.projection, replace(bench.read_side, sleep=goes_on), job, tell)
    assert None in said
    assert bench.checkpoint().seq == 6 * COUNT_FIRST, "it waited for the served rows"
