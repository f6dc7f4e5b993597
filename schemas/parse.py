"""Commands from people: JSON objects, JSON lines, and FIELD=VALUE at a command line.

What is missing and can be filled in is; what is wrong is told as the fact, the value and the
next step. Ids may be UUIDs in any usual spelling, instants ISO 8601 with a time zone.
"""

import difflib
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from msgspec import inspect

from schemas.envelope import ID_CHARACTERS_MAX, INSTANT_MAX, Command, parse_id
from schemas.errors import Invalid
from schemas.invalid import expected, explained, field_types, required_fields, shortened
from schemas.meanings import MEANINGS
from schemas.registry import COMMAND_TYPES

FILLED_IN = ("command_id", "issued_at", "actor")

_WHOLE_NUMBER = re.compile(r"^[+-]?[0-9]{1,19}$")
_TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def parse_command(
    fields: Mapping[str, object], *, command_id: str, issued_at: int, actor: str
) -> Command:
    """The command of a JSON object: its `type`, and its fields.

    `command_id`, `issued_at` and `actor` are used where the object does not say them. Raises:
    Invalid.
    """
    if "type" not in fields:
        raise Invalid(
            f"{shortened(fields)}: a command without a type. "
            f'Add "type": one of {", ".join(COMMAND_TYPES)}.'
        )
    cls = command_class(fields["type"])
    given = {"command_id": command_id, "issued_at": issued_at, "actor": actor}
    given |= {name: value for name, value in fields.items() if name != "type"}
    _refuse_other_fields(cls, given)
    for name, kind in field_types(cls).items():
        if name in given:
            given[name] = _usual_spelling(kind, given[name], f"{cls.__name__}.{name}")
    try:
        return msgspec.convert(given, cls)
    except msgspec.ValidationError as error:
        raise explained(error, given, cls) from None


def parse_command_line(line: bytes, *, command_id: str, issued_at: int, actor: str) -> Command:
    """The command of one line of JSON. Raises: Invalid; the caller knows which line it is."""
    try:
        fields = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Invalid(
            f"{line[:80]!r}: {error}. Write one JSON object on the line, in UTF-8."
        ) from None
    except RecursionError:
        raise Invalid(f"{line[:80]!r}: nested too deeply. A command has no nesting.") from None
    if not isinstance(fields, dict):
        raise Invalid(f'{shortened(fields)}: no JSON object. Write {{"type": …}} on the line.')
    return parse_command(fields, command_id=command_id, issued_at=issued_at, actor=actor)


def parse_assignments(
    assignments: Iterable[str],
    command_type: str,
    *,
    command_id: str,
    issued_at: int,
    actor: str,
) -> Command:
    """The command of FIELD=VALUE words; the field's type says what a value is. Raises: Invalid.

    `account_id=17` stays text, `count=3` is a number, `all=yes` is true, and a list is
    separated by commas.
    """
    kinds = field_types(command_class(command_type))
    fields: dict[str, object] = {"type": command_type}
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        if not equals:
            raise Invalid(f"{shortened(assignment)}: no FIELD=VALUE. Write account_id=a1.")
        if name in fields:
            raise Invalid(f"{shortened(assignment)}: {name} is there twice. Leave one out.")
        fields[name] = _from_text(kinds[name], text) if name in kinds else text
    return parse_command(fields, command_id=command_id, issued_at=issued_at, actor=actor)


def command_class(name: object) -> type[Command]:
    """The class of a command's type. Raises: Invalid, naming the closest ones."""
    cls = COMMAND_TYPES.get(name) if isinstance(name, str) else None
    if cls is not None:
        return cls
    lower = {known.lower(): known for known in COMMAND_TYPES}
    close = difflib.get_close_matches(str(name)[:80].lower(), lower)
    raise Invalid(
        f"{shortened(name)}: no such command. "
        + (f"Did you mean {' or '.join(lower[found] for found in close)}?" if close else "")
        + ("" if close else f"There are {', '.join(COMMAND_TYPES)}.")
    )


def describe(command_type: str) -> list[str]:
    """Lines about a command: what it does, and each field's name, type, default and meaning.

    Raises: Invalid for an unknown type.
    """
    cls = command_class(command_type)
    fields = msgspec.structs.fields(cls)
    kinds = field_types(cls)
    lines = [f"{cls.__name__}: {cls.__doc__}", ""]
    for field in sorted(
        fields, key=lambda field: (field.name in FILLED_IN, not field.required)
    ):
        default = "" if field.required else f" [default: {_shown(field.default)}]"
        if field.name in FILLED_IN:
            default = " [filled in]"
        lines.append(f"  {field.name:<17} {MEANINGS[field.name]}{default}")
        lines.append(f"  {'':<17} {expected(kinds[field.name])}")
    return lines


def _refuse_other_fields(cls: type[Command], given: Mapping[str, object]) -> None:
    known = cls.__struct_fields__
    fields = f"{cls.__name__} has {', '.join(known)}."
    for name in given:
        if name not in known:
            close = difflib.get_close_matches(name[:80], known, n=1)
            meant = f"Did you mean {close[0]}? " if close else ""
            raise Invalid(f"{shortened(name)}: no field of this command. {meant}{fields}")
    if missing := [name for name in required_fields(cls) if name not in given]:
        raise Invalid(f"{cls.__name__} lacks {', '.join(missing)}. {fields}")


def _usual_spelling(kind: inspect.Type, value: object, where: str) -> Any:
    """A UUID as 32 hex digits, an instant as ms; everything else as it is."""
    match kind, value:
        case _, str() if not _is_unicode(value):
            raise Invalid(
                f"{where} = {shortened(value)}: expected text that UTF-8 can hold. "
                "Correct it and send the command again."
            )
        case inspect.StrType(max_length=most), str() if most == ID_CHARACTERS_MAX and not (
            value.isprintable()
        ):
            raise Invalid(
                f"{where} = {shortened(value)}: a name without control characters, please. "
                "Correct it and send the command again."
            )
        case inspect.StrType(pattern=str()), str():
            try:
                return parse_id(value)
            except ValueError:
                raise Invalid(
                    f"{where} = {shortened(value)}: expected a UUID, 32 hex digits. "
                    "Correct it and send the command again."
                ) from None
        case inspect.IntType(le=most), str() if most == INSTANT_MAX:
            return _instant(value, where)
        case inspect.VarTupleType(item_type=item), list() | tuple():
            return [_usual_spelling(item, one, f"{where}[{n}]") for n, one in enumerate(value)]
        case inspect.UnionType(types=types), str():
            (some,) = (one for one in types if not isinstance(one, inspect.NoneType))
            return _usual_spelling(some, value, where)
        case _:
            return value


def _is_unicode(text: str) -> bool:
    """False where half a character is left, as from an argument in another encoding."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _instant(text: str, where: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise Invalid(
            f"{where} = {shortened(text)}: expected an instant with a time zone, such as "
            "2026-01-31T12:00:00Z, or ms since 1970. Correct it and send the command again."
        )
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def _from_text(kind: inspect.Type, text: str) -> object:
    """What a word at the command line is; left as text where it is nothing else."""
    match kind:
        case inspect.IntType() if _WHOLE_NUMBER.match(text):
            return int(text)
        case inspect.BoolType():
            return _TRUTH.get(text.lower(), text)
        case inspect.LiteralType(values=values):
            return next((value for value in values if str(value) == text), text)
        case inspect.VarTupleType(item_type=item):
            return [_from_text(item, one.strip()) for one in text.split(",")] if text else []
        case inspect.UnionType(types=types):
            (some,) = (one for one in types if not isinstance(one, inspect.NoneType))
            return _from_text(some, text)
        case _:
            return text


def _shown(default: object) -> str:
    match default:
        case "":
            return "empty"
        case None:
            return "none"
        case bool():
            return str(default).lower()
        case _:
            return str(default)
