"""What a command's class allows, as Python source, for the generated decoders.

msgspec checks every field of a command too, and says what is wrong with it. It takes a
microsecond for that, half of it for ids, which cannot be anything else when they were read from
16 bytes. So what is surely allowed is told apart here first, and msgspec hears of the rest.
"""

from collections.abc import Mapping
from typing import Any

from msgspec import inspect


def allowed(values: Mapping[str, tuple[Any, inspect.Type]]) -> str:
    """An expression that is true only where msgspec would allow all of these.

    `values` are the Avro type and the wanted type by the variable that holds what was read.
    """
    checks = (_check(name, avro, kind) for name, (avro, kind) in values.items())
    return " and ".join(check for check in checks if check != "True") or "True"


def _check(value: str, avro: Any, kind: inspect.Type) -> str:
    match avro, kind:
        case (("Uuid" | {"type": "fixed"}), inspect.StrType(pattern=str())):
            return "True"
        case "string", inspect.StrType(pattern=None, min_length=least, max_length=int(most)):
            return f"{least or 0} <= len({value}) <= {most}"
        case (
            ("long" | {"type": "long"}),
            inspect.IntType(gt=None, ge=int(least), lt=None, le=int(most), multiple_of=None),
        ):
            return f"{least} <= {value} <= {most}"
        case "boolean", inspect.BoolType():
            return "True"
        case (("string" | "long"), inspect.LiteralType(values=values)):
            return f"{value} in {{{', '.join(map(repr, values))}}}"
        case {"type": "array"}, inspect.VarTupleType(min_length=None):
            return f"{value} == ()"
        case ["null", some], inspect.UnionType(types=types):
            (wanted,) = (one for one in types if not isinstance(one, inspect.NoneType))
            return f"({value} is None or {_check(value, some, wanted)})"
        case _:
            return "False"
