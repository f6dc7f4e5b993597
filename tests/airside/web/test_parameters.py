"""What is said of a parameter that is missing, or is not as it must be."""

from typing import Annotated, Literal

import pytest
from msgspec import Meta, Struct
from starlette.datastructures import Headers

from airside.web.parameters import Group, group_of, taken
from airside.web.problems import Rejected

KEY = "A key, made once."


class Wish(Struct, frozen=True):
    box: Annotated[str, Meta(pattern="^[0-9]{4}$", description="The box: four digits.")]
    key: Annotated[str, Meta(description=KEY, extra={"header": "Box-Key"})]
    color: Annotated[Literal["red", "blue"], Meta(description="Its color.")] | None = None
    weight: Annotated[float, Meta(ge=0)] = 0.0


WISH: Group = group_of(Wish, "/boxes/{box}")


def told(box: str = "1234", key: str | None = "k", **query: str) -> str:
    headers = Headers({} if key is None else {"Box-Key": key})
    with pytest.raises(Rejected) as raised:
        taken(WISH, {"box": box}, query, headers)
    return raised.value.problem.detail


def test_what_is_missing_is_named_with_what_it_is() -> None:
    assert told(key=None) == f"the header lacks Box-Key: it must be given. {KEY}"


def test_a_word_that_is_none_of_the_choices_is_answered_with_all_of_them() -> None:
    assert told(color="green") == (
        "query parameter color = 'green': it must be one of blue, red."
    )


def test_a_pattern_is_said_in_words() -> None:
    assert told(box="12") == (
        "path parameter box = '12': it is not written as it must be. The box: four digits."
    )


def test_a_number_that_is_none_is_told_without_names_of_types() -> None:
    assert told(weight="much") == (
        "query parameter weight = 'much': expected a number, got text."
    )


def test_a_header_in_two_lines_is_both() -> None:
    headers = Headers(raw=[(b"box-key", b"one"), (b"box-key", b"two")])

    assert taken(WISH, {"box": "1234"}, {}, headers) == Wish("1234", "one, two")
