"""Drafts a message's next schema file from its class, and freezes what is released.

    python -m schemas.draft LicenseIssued    write its next version, to be read and corrected
    python -m schemas.draft --freeze         take every new file's digest into frozen.json

Until it is frozen a draft may be drafted again; afterwards the file never changes.
"""

import difflib
import hashlib
import inspect
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from schemas.envelope import INSTANT_MAX, Command, Event
from schemas.errors import AirsideError, Invalid, NotFound
from schemas.registry import (
    AVRO,
    COMMAND_TYPES,
    EVENT_TYPES,
    avro_fingerprint,
    load_schemas,
    newest_of,
)

ENVELOPES: Mapping[type[Command] | type[Event], tuple[str, ...]] = {
    Command: ("command_id", "issued_at", "account_id", "actor"),
    Event: Event.__struct_fields__,
}
UUID = {"type": "fixed", "name": "Uuid", "size": 16, "logicalType": "uuid"}
INSTANT = {"type": "long", "logicalType": "timestamp-millis"}

_COMMENTED_FIELD = re.compile(r"^    (\w+): .*?  # (.+)$", re.MULTILINE)


def draft(cls: type[Command] | type[Event]) -> dict[str, Any]:
    """The Avro schema that a message's class asks for, envelope first."""
    base = Command if issubclass(cls, Command) else Event
    info = msgspec.inspect.type_info(cls)
    assert isinstance(info, msgspec.inspect.StructType)
    fields = {field.name: field for field in info.fields}
    order = [*ENVELOPES[base], *(name for name in fields if name not in ENVELOPES[base])]
    docs = field_comments(base) | field_comments(cls)
    drafted = [_field(fields[name], docs.get(name), stamped=base is Event) for name in order]
    return {
        "type": "record",
        "name": cls.__name__,
        "namespace": f"airside.{base.__name__.lower()}",
        "doc": inspect.getdoc(cls),
        "fields": _naming_uuid_once(drafted),
    }


def field_comments(cls: type) -> dict[str, str]:
    """The comment beside each field, as the class's source has it."""
    return dict(_COMMENTED_FIELD.findall(inspect.getsource(cls)))


def is_instant(kind: msgspec.inspect.IntType, name: str) -> bool:
    """Whether a number is ms since 1970: by its bound in a command, by its name in an event."""
    return kind.le == INSTANT_MAX or name == "at" or name.endswith(("_at", "_until"))


def write_draft(name: str, folder: Path = AVRO) -> Path:
    """Writes the next version's file and returns its path; an unfrozen draft is replaced.

    Raises: NotFound for an unknown class; Invalid where the newest version says it all.
    """
    classes: dict[str, type[Command] | type[Event]] = {**COMMAND_TYPES, **EVENT_TYPES}
    if name not in classes:
        close = difflib.get_close_matches(name, classes) or sorted(classes)
        raise NotFound(f"{name}: no command or event class. Known are {', '.join(close)}.")
    drafted = draft(classes[name])
    newest = newest_of(load_schemas(folder)).get(name)
    version = 1
    if newest is not None:
        if newest.fingerprint == avro_fingerprint(drafted):
            raise Invalid(
                f"{newest.label}: has these fields already. "
                "A changed default, unit or meaning needs a new field or a new event."
            )
        version = newest.version + (newest.path in frozen(folder))
    path: Path = (
        folder / drafted["namespace"].removeprefix("airside.") / f"{name}.v{version}.avsc"
    )
    path.write_bytes(pretty(drafted))
    return path


def frozen(folder: Path = AVRO) -> dict[str, str]:
    """The SHA-256 of every released file, by its path below the folder."""
    digests: dict[str, str] = msgspec.json.decode((folder / "frozen.json").read_bytes())
    return digests


def freeze(folder: Path = AVRO) -> list[str]:
    """Takes files that are not frozen yet into frozen.json; returns their paths."""
    digests = frozen(folder)
    new = [schema for schema in load_schemas(folder) if schema.path not in digests]
    digests.update({schema.path: hashlib.sha256(schema.text).hexdigest() for schema in new})
    (folder / "frozen.json").write_bytes(pretty(dict(sorted(digests.items()))))
    return [schema.path for schema in new]


def main(arguments: list[str]) -> str:
    """What to tell who asked."""
    try:
        if arguments == ["--freeze"]:
            return "\n".join(["frozen:", *freeze()])
        return "\n".join(str(write_draft(name)) for name in arguments) or str(__doc__)
    except AirsideError as error:
        return str(error)


def pretty(schema: dict[str, Any]) -> bytes:
    """A schema file's bytes: indented JSON and a line feed."""
    return msgspec.json.format(msgspec.json.encode(schema), indent=2) + b"\n"


def _field(field: msgspec.inspect.Field, doc: str | None, *, stamped: bool) -> dict[str, Any]:
    drafted: dict[str, Any] = {"name": field.name, "type": _type(field.type, field.name)}
    if isinstance(drafted["type"], list):
        drafted["default"] = None
    elif not field.required and not (stamped and field.name in Event.__struct_fields__):
        default = field.default
        drafted["default"] = list(default) if isinstance(default, tuple) else default
    if doc is not None:
        drafted["doc"] = doc
    return drafted


def _type(kind: msgspec.inspect.Type, name: str) -> Any:
    match kind:
        case msgspec.inspect.StrType(pattern=pattern):
            return dict(UUID) if pattern else "string"
        case msgspec.inspect.IntType():
            return dict(INSTANT) if is_instant(kind, name) else "long"
        case msgspec.inspect.BoolType():
            return "boolean"
        case msgspec.inspect.LiteralType(values=values):
            return "string" if isinstance(values[0], str) else "long"
        case msgspec.inspect.VarTupleType(item_type=item):
            return {"type": "array", "items": _type(item, "")}
        case msgspec.inspect.UnionType(types=types):
            (some,) = (t for t in types if not isinstance(t, msgspec.inspect.NoneType))
            return ["null", _type(some, name)]
        case _:
            raise TypeError(f"{name}: {kind} has no Avro type here. Add one to draft.py.")


def _naming_uuid_once(avro: Any, seen: list[str] | None = None) -> Any:
    """A named type is defined where it is first used and named from there on."""
    seen = [] if seen is None else seen
    match avro:
        case {"type": "fixed", "name": str(name)} if name in seen:
            return name
        case {"type": "fixed", "name": str(name)}:
            seen.append(name)
            return avro
        case dict():
            return {key: _naming_uuid_once(value, seen) for key, value in avro.items()}
        case list():
            return [_naming_uuid_once(item, seen) for item in avro]
        case _:
            return avro


if __name__ == "__main__":
    sys.stdout.write(f"{main(sys.argv[1:])}\n")
