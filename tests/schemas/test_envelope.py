"""Ids that are derived, made and parsed; and the union types, complete."""

import uuid
from typing import get_args

import pytest

from schemas import commands, events
from schemas.envelope import Command, Event, derived_id, new_id, parse_id

COMMAND_ID = "0f" * 16


def test_a_derived_id_is_the_same_every_time() -> None:
    assert derived_id(COMMAND_ID, 1) == derived_id(COMMAND_ID, 1)


def test_derived_ids_differ_by_number_and_by_command() -> None:
    ids = {derived_id(COMMAND_ID, 1), derived_id(COMMAND_ID, 2), derived_id("1e" * 16, 1)}

    assert len(ids) == 3


def test_a_derived_id_is_the_uuid5_of_its_number() -> None:
    assert derived_id(COMMAND_ID, 7) == uuid.uuid5(uuid.UUID(COMMAND_ID), "7").hex


def test_a_new_id_is_new() -> None:
    assert parse_id(new_id()) != parse_id(new_id())


@pytest.mark.parametrize("text", ["", "a1", "0f" * 15, "zz" * 16])
def test_what_is_no_uuid_is_no_id(text: str) -> None:
    with pytest.raises(ValueError, match=r"badly formed|invalid literal"):
        parse_id(text)


def test_every_event_class_is_one_of_any_event() -> None:
    assert set(get_args(events.AnyEvent)) == classes_of(events, Event)


def test_every_command_class_is_one_of_any_command_or_an_operators() -> None:
    said = (*get_args(commands.AnyCommand), *get_args(commands.OperatorCommand))

    assert set(said) == classes_of(commands, Command)


def test_an_event_class_names_itself() -> None:
    assert events.LicenseIssued.event_type is events.LicenseIssued


def classes_of(module: object, base: type) -> set[type]:
    found = [one for one in vars(module).values() if isinstance(one, type)]
    return {one for one in found if issubclass(one, base) and one is not base}
