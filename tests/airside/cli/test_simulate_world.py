"""`airside simulate-world`: what it tells, and the exit code of a broken law."""

import json

import pytest
from click.testing import CliRunner

from airside.cli.main import main
from airside.world.fate import CELLS
from tests.airside.world.mutants import MUTANTS


@pytest.fixture
def runner() -> CliRunner:
    return CliRunner()


def test_a_world_tells_its_trace_and_what_went_wrong(runner: CliRunner) -> None:
    ran = runner.invoke(main, ["simulate-world", "--seed", "3", "--steps", "100", "--json"])
    told = json.loads(ran.stdout)
    assert ran.exit_code == 0
    assert (told["seed"], told["failed"]) == (3, [])
    assert told["struck"]


def test_many_worlds_name_the_cells_that_are_empty(runner: CliRunner) -> None:
    ran = runner.invoke(main, ["simulate-world", "--seeds", "2", "--steps", "50"])
    assert ran.exit_code == 0
    assert f"of {len(CELLS)} cells of the fault × step table were struck" in ran.stdout
    assert "empty: unanswered, at: drop rows" in ran.stdout


def test_a_broken_law_exits_5_and_says_what_replays_it(runner: CliRunner) -> None:
    with MUTANTS[0].at_work():
        ran = runner.invoke(main, ["simulate-world", "--seeds", "60", "--as-is"])
    assert ran.exit_code == 5
    assert "replay it: airside simulate-world --seed" in ran.stdout


def test_a_shortened_run_is_replayed_by_its_command(runner: CliRunner) -> None:
    with MUTANTS[0].at_work():
        ran = runner.invoke(main, ["simulate-world", "--seeds", "60", "--json"])
        command = json.loads(ran.stdout)["failed"][0]["command"]
        again = runner.invoke(main, [*words(command), "--as-is"])
    assert again.exit_code == 5


def words(command: str) -> list[str]:
    """The arguments of a command as it is told."""
    found: list[str] = []
    for n, part in enumerate(command.removeprefix("airside ").split('"')):
        found += [part] if n % 2 else part.split()
    return found


def test_a_minute_is_enough_for_some_worlds(runner: CliRunner) -> None:
    ran = runner.invoke(main, ["simulate-world", "--minutes", "0.01", "--json"])
    assert json.loads(ran.stdout)["worlds"] >= 1


def test_a_kind_that_is_none_is_refused(runner: CliRunner) -> None:
    ran = runner.invoke(main, ["simulate-world", "--without", "rain"])
    assert ran.exit_code == 2


def test_the_kinds_are_listed(runner: CliRunner) -> None:
    ran = runner.invoke(main, ["simulate-world", "--kinds"])
    assert "acknowledgement lost" in ran.stdout
