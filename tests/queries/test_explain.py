import pytest

from queries.explain import explain
from schemas.codes import REFUSALS


@pytest.mark.parametrize("code", sorted(REFUSALS))
def test_every_code_is_said_in_words(code: str) -> None:
    assert explain({"code": code}, 3).startswith(f"{code}: {REFUSALS[code]}")


def test_a_code_from_the_future_is_not_hidden() -> None:
    assert explain({"code": "NEW_RULE"}, 3).startswith("NEW_RULE: A reason that this version")


def test_what_is_absent_is_not_spoken_of() -> None:
    assert explain({"code": "ACCOUNT_ON_HOLD", "rule": "R01", "limit": None}, 3) == (
        "ACCOUNT_ON_HOLD: The account is suspended. Decided by rule R01, catalog version 3."
    )


def test_a_limit_that_time_does_not_change_says_so() -> None:
    words = explain({"code": "TOO_MANY_DEVICES", "limit": 2, "used": 2, "scope": "plan"}, 3)
    assert "The limit of the plan was 2, and 2 of it were used. Time alone" in words


def test_details_are_given() -> None:
    words = explain({"code": "COMMAND_INVALID", "detail": "either a title or a device."}, 3)
    assert "In detail: either a title or a device. Decided by no numbered rule" in words
