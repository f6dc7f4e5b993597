"""Mutation proof: the pipeline is broken in one place, and the world finds out."""

from pathlib import Path

import pytest

from airside.world.running import run_many
from tests.airside.world.mutants import MUTANTS, SEEDS_MAX, Mutant

TABLE = Path(__file__).parents[3] / "docs" / "mutants.md"
NAMES = frozenset(mutant.name for mutant in MUTANTS)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_the_world_catches(mutant: Mutant) -> None:
    with mutant.at_work():
        found = run_many(range(SEEDS_MAX))
    assert found.failed, f"{mutant.name}: {SEEDS_MAX} worlds, and every law held"


def test_every_mutant_breaks_another_place() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS) >= 20


def test_the_table_of_mutants_names_them_all() -> None:
    lines = TABLE.read_text().splitlines()
    named = [line.split(" | ")[0].removeprefix("| ") for line in lines if line[-3:] != "--:|"]
    assert [name for name in named if name in NAMES] == [mutant.name for mutant in MUTANTS]
