"""Ids."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.envelope import derived_id, new_id, parse_id


@given(st.uuids(), st.integers(0) | st.text(max_size=20))
def test_a_derived_id_is_the_uuid5_of_the_command_and_a_name(
    command: uuid.UUID, name: int | str
) -> None:
    assert derived_id(command.hex, name) == uuid.uuid5(command, str(name)).hex


def test_an_id_may_be_spelled_as_uuids_usually_are() -> None:
    id = new_id()
    assert parse_id(str(uuid.UUID(id)).upper()) == parse_id(f"{{{id}}}") == id


def test_what_is_no_uuid_is_no_id() -> None:
    with pytest.raises(ValueError, match="badly formed"):
        parse_id("17")
