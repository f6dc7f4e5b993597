"""Hypothesis strategies: any well-formed command, any event."""

from functools import cache
from typing import Any

import msgspec
from hypothesis import strategies as st
from msgspec import inspect

from schemas.draft import is_instant
from schemas.envelope import ID_CHARACTERS_MAX, Command, Event
from schemas.registry import COMMAND_TYPES, EVENT_TYPES

LONG_MIN, LONG_MAX = -(2**63), 2**63 - 1
INSTANTS = st.integers(1_600_000_000_000, 2_000_000_000_000)


def commands(*types: type[Command]) -> st.SearchStrategy[Command]:
    """Commands of these types (none: of all) that their classes allow."""
    return st.one_of(*(messages_of(cls) for cls in types or COMMAND_TYPES.values()))


def events(*types: type[Event]) -> st.SearchStrategy[Event]:
    """Events of these types (none: of all), with any envelope."""
    return st.one_of(*(messages_of(cls) for cls in types or EVENT_TYPES.values()))


@cache
def messages_of(cls: type[Any]) -> st.SearchStrategy[Any]:
    """Messages of one type."""
    info = inspect.type_info(cls)
    assert isinstance(info, inspect.StructType)
    return st.builds(
        cls, **{field.name: _values(field.type, field.name) for field in info.fields}
    )


def texts(least: int = 0, most: int = 200) -> st.SearchStrategy[str]:
    """Texts that UTF-8 can hold, short ones mostly."""
    return st.text(st.characters(codec="utf-8"), min_size=least, max_size=most)


def names(least: int, most: int) -> st.SearchStrategy[str]:
    """Names that people can read: no control characters."""
    printable = st.characters(codec="utf-8", exclude_categories=("C", "Z")) | st.just(" ")
    return st.text(printable, min_size=least, max_size=most)


def longs(least: int = LONG_MIN, most: int = LONG_MAX) -> st.SearchStrategy[int]:
    """Whole numbers, of every length on the wire."""
    usual = st.sampled_from([0, 1, 63, 64, 8_191, 8_192, 1_048_576, 2**34, 2**41])
    return st.one_of(usual.filter(lambda n: least <= n <= most), st.integers(least, most))


def _values(kind: inspect.Type, name: str) -> st.SearchStrategy[Any]:
    match kind:
        case inspect.StrType(pattern=str()):
            return st.binary(min_size=16, max_size=16).map(bytes.hex)
        case inspect.StrType(min_length=least, max_length=most) if most == ID_CHARACTERS_MAX:
            return names(least or 0, most)
        case inspect.StrType(min_length=least, max_length=most):
            return texts(least or 0, min(most or 200, 200))
        case inspect.IntType() if is_instant(kind, name):
            return st.one_of(INSTANTS, longs(kind.ge or 0, kind.le or LONG_MAX))
        case inspect.IntType(ge=least, le=most):
            return longs(
                LONG_MIN if least is None else least, LONG_MAX if most is None else most
            )
        case inspect.BoolType():
            return st.booleans()
        case inspect.LiteralType(values=values):
            return st.sampled_from(values)
        case inspect.VarTupleType(item_type=item):
            return st.lists(_values(item, name), max_size=5).map(tuple)
        case inspect.UnionType(types=types):
            return st.one_of(*(_values(one, name) for one in types))
        case inspect.NoneType():
            return st.none()
        case _:
            raise TypeError(f"{name}: {kind} has no strategy yet")


def as_json(message: Command | Event) -> dict[str, Any]:
    """A message as JSON has it, its type included."""
    fields: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(message))
    return fields
