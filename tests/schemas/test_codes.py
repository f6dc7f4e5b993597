"""Refusal codes: each says itself in words."""

import re

import pytest

from schemas.codes import REFUSALS


@pytest.mark.parametrize("code", sorted(REFUSALS))
def test_every_code_has_a_sentence(code: str) -> None:
    assert re.fullmatch(r"[A-Z][^.]+\.", REFUSALS[code])


@pytest.mark.parametrize("code", sorted(REFUSALS))
def test_a_code_is_shouted_words(code: str) -> None:
    assert re.fullmatch(r"[A-Z]+(_[A-Z]+)+", code)


def test_no_two_codes_say_the_same() -> None:
    assert len(set(REFUSALS.values())) == len(REFUSALS)
