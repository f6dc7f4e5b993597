"""Run a world: one seed to its end, many of them, or a failing one until it is short.

run(seed, steps)                what it came to
run_many(seeds, steps)          what all of them came to
shortened(outcome)              the same failure with fewer steps and fewer kinds of faults
"""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice

from airside.world.domain import Domain
from airside.world.fate import CELLS, KINDS, Cell, Fate
from airside.world.laws import broken
from airside.world.small import SMALL
from airside.world.storm import NeverCalmError, Storm
from airside.world.world import World

STEPS = 200  # of a run, unless it is said
BROKEN_MAX = 20  # told of one run


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run came to. It is the same in every process, on every machine."""

    seed: int
    steps: int
    off: frozenset[str] = frozenset()  # kinds of faults that were left out
    broken: tuple[str, ...] = ()  # laws
    trace: str = ""
    struck: Counter[Cell] = field(default_factory=Counter)
    events: int = 0

    @property
    def command(self) -> str:
        """What replays it exactly."""
        off = "".join(f' --without "{kind}"' for kind in sorted(self.off))
        return f"airside simulate-world --seed {self.seed} --steps {self.steps}{off}"


@dataclass(slots=True)
class Runs:
    """What many runs came to."""

    runs: int = 0
    events: int = 0
    seconds: float = 0.0  # of this process's own work, whatever else the machine does
    struck: Counter[Cell] = field(default_factory=Counter)
    failed: list[Outcome] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Seeds per second of one core."""
        return self.runs / self.seconds if self.seconds else 0.0

    @property
    def empty(self) -> list[Cell]:
        """The cells of the table that no fault has struck."""
        return [cell for cell in CELLS if not self.struck[cell]]

    @property
    def by_kind(self) -> dict[str, int]:
        """How many faults of each kind."""
        return {
            kind: sum(n for (_, k), n in self.struck.items() if k == kind) for kind in KINDS
        }


def run(
    seed: int, steps: int = STEPS, *, off: Iterable[str] = (), domain: Domain = SMALL
) -> Outcome:
    """One world from its first step to the laws. An error of the code itself breaks one."""
    left_out = frozenset(off)
    fate = Fate(seed, off=left_out)
    with quiet():
        world = World(domain, fate)
        storm = Storm(world)
        found = tuple(islice(_played(world, storm, steps), BROKEN_MAX))
    events = sum(len(events) for events in world.store._history.values())
    return Outcome(seed, steps, left_out, found, fate.trace, fate.struck, events)


def run_many(
    seeds: Iterable[int],
    steps: int = STEPS,
    *,
    off: Iterable[str] = (),
    domain: Domain = SMALL,
    seconds: float | None = None,
    failures_max: int = 1,
    report: Callable[[Runs], None] = lambda runs: None,
) -> Runs:
    """All of these, until so many have failed or so many seconds are over."""
    total, began, worked = Runs(), time.monotonic(), time.process_time()
    left_out = frozenset(off)
    for seed in seeds:
        one = run(seed, steps, off=left_out, domain=domain)
        total.runs += 1
        total.events += one.events
        total.struck += one.struck
        total.seconds = time.process_time() - worked
        if one.broken:
            total.failed.append(one)
        report(total)
        is_over = seconds is not None and time.monotonic() - began >= seconds
        if is_over or len(total.failed) >= failures_max:
            break
    return total


def shortened(failed: Outcome, *, domain: Domain = SMALL) -> Outcome:
    """A run that breaks the same law with fewer steps, or with fewer kinds of faults.

    Each of the SHORTENINGS is tried once, in a run of its own.
    """
    law, best = law_of(failed), failed
    for shorter in SHORTENINGS:
        tried = shorter(best)
        tried = run(tried.seed, tried.steps, off=tried.off, domain=domain)
        if law in {_law(sentence) for sentence in tried.broken}:
            best = tried
    return best


def law_of(outcome: Outcome) -> str:
    """The first law that it broke: `rows`, `order`, …; the empty string where none is."""
    return _law(outcome.broken[0]) if outcome.broken else ""


def _law(sentence: str) -> str:
    return sentence.partition(":")[0]


def _fewer_steps(share: int, best: Outcome) -> Outcome:
    return replace(best, steps=max(1, best.steps - max(1, best.steps // share)))


def _without(kind: str, best: Outcome) -> Outcome:
    return replace(best, off=best.off | {kind})


SHORTENINGS: tuple[Callable[[Outcome], Outcome], ...] = (
    *(partial(_fewer_steps, share) for share in (2, 2, 2, 2, 2, 4, 4, 8, 8, 8)),
    *(partial(_without, kind) for kind in KINDS),
    *(partial(_fewer_steps, share) for share in (2, 4, 8, 16, 16, 16)),
)
"""What is tried in turn, on the best so far: cut the steps, leave out a kind, cut again."""


def _played(world: World, storm: Storm, steps: int) -> Iterator[str]:
    try:
        storm.rage(steps)
        storm.calm()
        yield from (f"halted: {why}" for why in storm.halted())
        yield from broken(world)
    except NeverCalmError as never:
        yield f"calm: {never}"
        yield from (f"halted: {why}" for why in storm.halted())
    except Exception as bug:  # noqa: BLE001 (the top of a run: whatever it is, it is told)
        yield f"error: {type(bug).__name__}: {bug}"


@contextmanager
def quiet() -> Iterator[None]:
    """The pipeline's own log says nothing: a run is judged by what it leaves behind."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)
