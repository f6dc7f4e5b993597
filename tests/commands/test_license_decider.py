"""What the engine is given."""

from commands import license_decider
from commands.account import Account
from commands.license_decider import DECIDER
from commands.rules import RULES
from tests.kit.given import acquire, catalog_of, folded, household
from tests.kit.happenings import NOW


def test_the_decider_starts_with_an_account_that_nobody_opened() -> None:
    assert DECIDER.initial("a1") == Account("a1", "unknown")


def test_the_decider_decides_and_folds() -> None:
    before = household().account
    decided = DECIDER.decide(before, acquire(), catalog_of(), NOW)
    assert folded(before, list(decided)) == DECIDER.evolve(
        DECIDER.evolve(before, decided[0]), decided[1]
    )


def test_the_clock_tolerance_is_the_service_s() -> None:
    assert DECIDER.clock_tolerance_ms(catalog_of(service={"clock.max_skew_s": 7})) == 7_000


def test_a_rule_is_no_part_of_the_fold_so_that_a_new_one_keeps_every_snapshot() -> None:
    folding = {module.__name__ for module in DECIDER.fold_modules}
    assert not folding & {rule.refuses.__module__ for rule in RULES}
    assert license_decider.__name__ not in folding
