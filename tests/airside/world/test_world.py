"""The world in a box: every law holds in every seed, and a seed is one world everywhere."""

import os
import subprocess
import sys
from dataclasses import replace

import pytest

from airside.world.fate import CELLS, KINDS, Fate
from airside.world.running import Outcome, run, run_many, shortened
from airside.world.small import SMALL
from airside.world.world import World
from tests.airside.world.mutants import MUTANTS

STEPS = 200
SEEDS = 200
TRACE = "from airside.world.running import run; print(run(7, 300).trace)"


@pytest.fixture(scope="module")
def failed() -> Outcome:
    """What a broken pipeline comes to."""
    with MUTANTS[0].at_work():
        return run_many(range(100), STEPS).failed[0]


def trace_elsewhere(hash_seed: str) -> str:
    """The trace of one world in another process."""
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    command = (sys.executable, "-c", TRACE)
    return subprocess.check_output(command, env=environment, text=True).strip()


def test_every_law_holds_in_every_world() -> None:
    found = run_many(range(SEEDS), STEPS, failures_max=SEEDS)
    assert [(one.command, one.broken) for one in found.failed] == []
    assert found.runs == SEEDS
    assert found.events > 20 * SEEDS


def test_a_few_hundred_worlds_strike_every_kind_of_fault() -> None:
    found = run_many(range(1_000, 1_100), STEPS)
    assert [kind for kind, count in found.by_kind.items() if not count] == []
    assert len(found.empty) < len(CELLS) / 3


def test_a_long_storm_ends_well() -> None:
    assert run(7, 2_000).broken == ()


def test_the_same_seed_is_the_same_world() -> None:
    assert run(3, STEPS) == run(3, STEPS)


def test_another_seed_is_another_world() -> None:
    assert run(3, STEPS).trace != run(4, STEPS).trace


def test_a_world_is_the_same_in_another_process() -> None:
    assert trace_elsewhere("1") == trace_elsewhere("2") == run(7, 300).trace


def test_kinds_that_are_off_do_not_strike() -> None:
    found = run(5, STEPS, off=KINDS)
    assert not found.struck
    assert found.broken == ()


def test_a_failing_run_says_the_command_that_replays_it(failed: Outcome) -> None:
    assert failed.command == f"airside simulate-world --seed {failed.seed} --steps {STEPS}"
    with MUTANTS[0].at_work():
        assert run(failed.seed, failed.steps) == failed


def test_a_failing_run_is_shortened_and_fails_alike(failed: Outcome) -> None:
    with MUTANTS[0].at_work():
        short = shortened(failed)
        again = run(short.seed, short.steps, off=short.off)
    assert again == short
    assert again.broken
    assert short.steps < failed.steps or short.off


def test_a_calm_fate_strikes_nothing() -> None:
    fate = Fate(1)
    fate.is_calm = True
    assert not fate.strikes("rebalance")
    assert fate.at("commit") == ""


def test_one_domain_is_as_good_as_another() -> None:
    without_poison = run(2, STEPS, domain=replace(SMALL, poison={}))
    assert without_poison.broken == ()
    assert not any("poison rule" in cell for cell in without_poison.struck)


def test_time_never_stands_still_for_who_waits() -> None:
    world = World(SMALL, Fate(7))
    world.fate.is_calm = True  # else others may work meanwhile
    before = world.monotonic()

    world.sleep(0.000_4)

    assert world.monotonic() > before
