"""With all rules no law is broken within the bounds; without any one of them a law is."""

from pathlib import Path

import pytest

from tests.protocol_model.explorer import Model, explore, random_traces
from tests.protocol_model.rules import READ_SIDE, RULES, WRITE_SIDE, counterexample, explored

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.parametrize("name", WRITE_SIDE)
def test_with_all_rules_the_write_side_breaks_no_law(name: str) -> None:
    found = explored(WRITE_SIDE[name])
    assert not found.broken, str(found)
    assert found.states > 1_000, "the bounds let nothing happen"


@pytest.mark.parametrize("name", READ_SIDE)
def test_with_all_rules_the_read_side_breaks_no_law(name: str) -> None:
    found = explored(READ_SIDE[name])
    assert not found.broken, str(found)
    assert found.states > 1_000, "the bounds let nothing happen"


@pytest.mark.parametrize("rule", RULES)
def test_without_one_rule_a_law_is_broken(rule: str) -> None:
    assert counterexample(rule).broken == RULES[rule][1]


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_and_its_counterexample_are_in_the_documentation(rule: str) -> None:
    text = (ROOT / "docs" / "protocol.md").read_text()
    steps = len(counterexample(rule).trace)
    assert f"| `{rule}` | {RULES[rule][1].partition(':')[0]} | {steps} |" in text


def test_every_rule_of_the_protocol_is_there() -> None:
    named = {rule.partition(".")[0] for rule in RULES}
    assert named == {*(f"W{n}" for n in range(1, 10)), *(f"R{n}" for n in range(1, 5))}


# the explorer itself, on a counter that may go up by one or by two

COUNTER = Model(
    initial=0,
    actions=lambda n: [(("adds", step), n + step) for step in (1, 2) if n + step <= 7],
    broken=lambda n: "seven" if n == 7 else "",
    likeness=lambda n: n,
)


def test_a_counterexample_is_a_shortest_one() -> None:
    found = explore(COUNTER)
    assert found.broken == "seven"
    assert found.trace == (("adds", 1), ("adds", 2), ("adds", 2), ("adds", 2))


def test_without_a_broken_state_all_of_them_are_counted() -> None:
    sound = Model(0, COUNTER.actions, lambda n: "", COUNTER.likeness)
    assert (explore(sound).states, explore(sound).depth) == (8, 4)


def test_random_traces_are_the_same_for_the_same_seed() -> None:
    once = list(random_traces(COUNTER, seed=5, count=9, actions_max=4))
    again = list(random_traces(COUNTER, seed=5, count=9, actions_max=4))
    assert once == again
    assert len(set(once)) > 1
