"""Golden bytes: records of every schema ever released, and what they meant when written.

`python -m tests.kit.golden` writes the files of schemas that have none yet, by fastavro. A file
is never written again: it stands for the bytes that are stored somewhere.
"""

import hashlib
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from schemas.codec import CODEC
from schemas.registry import Schema, load_schemas
from tests.kit.avro import written
from tests.kit.messages import as_json

FOLDER = Path(__file__).parent.parent / "schemas" / "golden"


class Golden(Struct, frozen=True):
    """One record, in hex, and its message in today's words as of the day it was written."""

    record: str
    means: dict[str, Any]


def golden(label: str) -> list[Golden]:
    """The golden records of a schema: one with everything in it, one as empty as may be."""
    return msgspec.json.decode((FOLDER / f"{label}.json").read_bytes(), type=list[Golden])


def write_missing() -> list[Path]:
    """Write the files of schemas that have none."""
    missing = [s for s in load_schemas() if not (FOLDER / f"{s.label}.json").exists()]
    return [_write(schema) for schema in missing]


def _write(schema: Schema) -> Path:
    decode = CODEC.decode_command if schema.kind == "command" else CODEC.decode_event
    examples = [
        {field["name"]: _example(field, full=full) for field in schema.avro["fields"]}
        for full in (True, False)
    ]
    data = [written(schema, example) for example in examples]
    goldens = [Golden(record.hex(), as_json(decode(record))) for record in data]
    path = FOLDER / f"{schema.label}.json"
    path.write_bytes(msgspec.json.format(msgspec.json.encode(goldens), indent=2) + b"\n")
    return path


_NAMED = {"drm": "fairplay", "proof": "secure", "status": "failed", "security_level": 2}


def _example(field: dict[str, Any], *, full: bool) -> Any:
    """A value that looks like one of its kind, and differs from field to field."""
    name = field["name"]
    seed = hashlib.sha256(name.encode()).digest()
    match field["type"]:
        case _ if name in _NAMED and not (isinstance(field["type"], list) and not full):
            return _NAMED[name]
        case "long":
            return int.from_bytes(seed[:3]) if full else 0
        case {"type": "long"}:
            return 1_767_225_600_000 + int.from_bytes(seed[:4]) if full else 0
        case "boolean":
            return full
        case "string":
            return f"{name} – é 東 {seed[:2].hex()}" if full else name[:1]
        case "Uuid" | {"type": "fixed"}:
            return seed[:16]
        case ["null", some]:
            return _example({"name": name, "type": some}, full=True) if full else None
        case {"type": "array", "items": items}:
            return (
                [_example({"name": n, "type": items}, full=True) for n in "ab"] if full else []
            )
        case _:
            raise TypeError(f"{field} has no example yet")


if __name__ == "__main__":
    write_missing()
