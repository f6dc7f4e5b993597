"""Why a message is not allowed, for the person who wrote it: fact, value, next step."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import msgspec
from msgspec import inspect

from schemas.envelope import INSTANT_MAX, Command
from schemas.errors import Invalid

VALUE_CHARACTERS_MAX = 80

_PATH = re.compile(r" - at `\$\.(\w+)([^`]*)`$")


def explained(
    error: msgspec.ValidationError, fields: Mapping[str, Any], cls: type[Command]
) -> Invalid:
    """What msgspec complains of in a command's fields: which, its value, what was expected."""
    found = _PATH.search(str(error))
    if found is None or found[1] not in fields:
        return Invalid(f"{cls.__name__}: {error}. Correct the command and send it again.")
    name, inside = found[1], found[2]
    return Invalid(
        f"{cls.__name__}.{name}{inside} = {shortened(fields[name])}: expected "
        f"{expected(field_types(cls)[name])}. Correct it and send the command again."
    )


def shortened(value: object) -> str:
    """A value as JSON has it, of some 80 characters at most."""
    try:
        text = msgspec.json.encode(value).decode()
    except (TypeError, ValueError, RecursionError):
        text = ascii(value) if isinstance(value, str) else repr(type(value))
    if len(text) <= VALUE_CHARACTERS_MAX:
        return text
    return f"{text[:VALUE_CHARACTERS_MAX]}… ({len(text)} characters)"


@cache
def field_types(cls: type[Command]) -> Mapping[str, inspect.Type]:
    """The type of each field of a command."""
    info = inspect.type_info(cls)
    assert isinstance(info, inspect.StructType)
    return {field.name: field.type for field in info.fields}


@cache
def required_fields(cls: type[Command]) -> tuple[str, ...]:
    """The fields that have no default."""
    return tuple(field.name for field in msgspec.structs.fields(cls) if field.required)


def expected(kind: inspect.Type) -> str:
    """What may stand in a field, in words."""
    match kind:
        case inspect.StrType(pattern=str()):
            return "a UUID"
        case inspect.StrType(min_length=least, max_length=most):
            return f"text of {least or 0} to {most} characters"
        case inspect.IntType(le=most) if most == INSTANT_MAX:
            return "an instant (2026-01-31T12:00:00Z, or ms since 1970) before 2100"
        case inspect.IntType(ge=least, le=most):
            return f"a whole number from {least} to {most}"
        case inspect.BoolType():
            return "true or false"
        case inspect.LiteralType(values=values):
            return " or ".join(str(value) for value in values)
        case inspect.VarTupleType(item_type=item, max_length=most):
            return f"up to {most} times {expected(item)}, separated by commas"
        case inspect.UnionType(types=types):
            return " or ".join(sorted(expected(one) for one in types))
        case inspect.NoneType():
            return "nothing"
        case _:
            raise TypeError(f"{kind}: say in invalid.py how it is called.")
