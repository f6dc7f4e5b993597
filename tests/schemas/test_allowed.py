"""The generated checks, held to msgspec."""

from typing import Any

import msgspec
import pytest

from schemas.allowed import allowed
from schemas.envelope import INSTANT_MAX, Command
from schemas.invalid import field_types
from schemas.registry import COMMAND_TYPES
from tests.kit.avro import NEWEST

TEXTS = ["", "x", "x" * 128, "x" * 129, "x" * 1_000, "x" * 1_001, "é" * 128, "widevine"]
TEXTS += ["secure", "failed"]
NUMBERS = [-1, 0, 1, 3, 4, 2**53, 2**53 + 1, INSTANT_MAX, INSTANT_MAX + 1]


def values_of(avro: Any) -> list[object]:
    """What may be read where a schema has this type, near every bound of a class."""
    match avro:
        case ["null", some]:
            return [None, *values_of(some)]
        case "long" | {"type": "long"}:
            return list(NUMBERS)
        case "string":
            return list(TEXTS)
        case "boolean":
            return [False, True]
        case {"type": "array"}:
            return [()]
        case _:
            return ["0f" * 16]


FIELDS = [
    pytest.param(
        COMMAND_TYPES[name], field["name"], field["type"], id=f"{name}.{field['name']}"
    )
    for name in COMMAND_TYPES
    for field in NEWEST[name].avro["fields"]
]


@pytest.mark.parametrize(("cls", "name", "avro"), FIELDS)
def test_a_field_is_allowed_where_msgspec_allows_it(
    cls: type[Command], name: str, avro: Any
) -> None:
    values = values_of(avro)

    told = [is_told_allowed(cls, name, avro, value) for value in values]

    assert told == [is_converted(cls, name, value) for value in values]
    assert any(told)


def test_a_list_with_something_in_it_is_left_to_msgspec() -> None:
    kind = field_types(COMMAND_TYPES["SyncDevice"])["held_license_ids"]
    check = allowed({"v": ({"type": "array", "items": "Uuid"}, kind)})

    assert not eval(check, {"v": ["0f" * 16]})


def test_what_is_not_known_is_left_to_msgspec() -> None:
    assert allowed({"v": ("string", msgspec.inspect.FloatType())}) == "False"


STEPS = msgspec.inspect.IntType(ge=0, le=9, multiple_of=3)
ABOVE = msgspec.inspect.IntType(ge=0, le=9, gt=0)
BELOW = msgspec.inspect.IntType(ge=0, le=9, lt=9)
SOME = msgspec.inspect.VarTupleType(msgspec.inspect.IntType(), min_length=1)


@pytest.mark.parametrize(
    ("avro", "kind"),
    [("long", STEPS), ("long", ABOVE), ("long", BELOW), ({"type": "array"}, SOME)],
)
def test_a_bound_that_no_command_has_yet_is_left_to_msgspec(avro: Any, kind: Any) -> None:
    assert allowed({"v": (avro, kind)}) == "False"


def test_an_id_that_was_written_as_a_text_is_left_to_msgspec() -> None:
    kind = field_types(COMMAND_TYPES["RenewLicense"])["license_id"]

    assert allowed({"v": ("string", kind)}) == "False"


def is_told_allowed(cls: type[Command], name: str, avro: Any, value: object) -> bool:
    return bool(eval(allowed({"v": (avro, field_types(cls)[name])}), {"v": value}))


def is_converted(cls: type[Command], name: str, value: object) -> bool:
    (kind,) = (field.type for field in msgspec.structs.fields(cls) if field.name == name)
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return False
    return True
