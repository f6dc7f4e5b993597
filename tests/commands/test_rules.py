"""The table of rules: ordered, complete, explained, and every code has its rows."""

import re
from pathlib import Path

import pytest

from commands import account_rules, device_rules, license_rules, title_rules
from commands.rules import EVERY, RULES, RULES_OF, Rule
from schemas.codes import REFUSALS
from schemas.commands import AcquireLicense, RenewLicense

HERE = Path(__file__).parent
MODULES = (account_rules, device_rules, license_rules, title_rules)
ROW = re.compile(r'then_refused\(\s*"(R?\d*)",\s*"([A-Z_]+)"')
ROWS = {row for path in HERE.rglob("test_*.py") for row in ROW.findall(path.read_text())}
MADE_BY_THE_ENGINE = {"COMMAND_STALE"}
NUMBERS = {f"R{n:02}" for n in range(1, 30)}


def test_every_code_has_a_given_when_then_row() -> None:
    assert {code for _, code in ROWS} == set(REFUSALS) - MADE_BY_THE_ENGINE


def test_every_refusing_rule_has_a_given_when_then_row() -> None:
    assert {rule for rule, _ in ROWS} == {rule.id for rule in RULES}


def test_every_number_is_explained_where_it_is_decided() -> None:
    files = [Path(str(module.__file__)) for module in MODULES]
    text = "".join(path.read_text() for path in files)
    assert set(re.findall(r"R\d\d", text)) >= NUMBERS


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.refuses.__name__)
def test_every_rule_says_itself_in_words(rule: Rule) -> None:
    assert (rule.refuses.__doc__ or "").startswith(f"{rule.id}: " if rule.id else "")
    assert rule.refuses.__doc__


def test_numbered_rules_are_asked_in_their_order() -> None:
    numbered = [rule.id for rule in RULES if rule.id]
    assert numbered == sorted(numbered)


def test_every_rule_that_holds_for_an_acquire_holds_for_a_renewal() -> None:
    assert set(RULES_OF[AcquireLicense]) < set(RULES_OF[RenewLicense])


def test_every_command_but_the_first_is_asked_for_a_known_account() -> None:
    asked = [kind for kind in EVERY if account_rules.is_known in _functions(kind)]
    assert [kind.__name__ for kind in EVERY if kind not in asked] == ["OpenAccount"]


def _functions(kind: type) -> list[object]:
    return [rule.refuses for rule in RULES_OF[kind]]
