"""Every schema file ever released, by name and version: what bytes may be written in.

One self-contained file per message and version: `avro/<command|event>/<Name>.v<N>.avsc`. Files
are frozen once released; `avro/frozen.json` holds their digests.
"""

import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Literal, get_args

import msgspec
from fastavro.schema import fingerprint, to_parsing_canonical_form
from msgspec import Struct

from schemas.commands import AnyCommand, OperatorCommand
from schemas.envelope import Command, Event
from schemas.errors import Contradiction
from schemas.events import AnyEvent

AVRO = Path(__file__).parent / "avro"
MARKER = b"\xc3\x01"  # of Avro's single-object encoding, version 1
BODY_AT = 10  # behind the marker and the fingerprint

Kind = Literal["command", "event"]

COMMAND_TYPES: Mapping[str, type[Command]] = {
    cls.__name__: cls for cls in (*get_args(AnyCommand), *get_args(OperatorCommand))
}
EVENT_TYPES: Mapping[str, type[Event]] = {cls.__name__: cls for cls in get_args(AnyEvent)}

_FILE_NAME = re.compile(r"^([A-Z][A-Za-z]*)\.v([1-9][0-9]*)\.avsc$")


class Schema(Struct, frozen=True):
    """One released schema: of one message, in one version."""

    kind: Kind
    name: str
    version: int
    text: bytes  # of its file
    avro: dict[str, Any]
    fingerprint: bytes  # CRC-64-AVRO of the parsing canonical form, little-endian

    @property
    def label(self) -> str:
        """`LicenseIssued.v2`, as files and messages spell it."""
        return f"{self.name}.v{self.version}"

    @property
    def path(self) -> str:
        """`event/LicenseIssued.v2.avsc`, below the folder of schemas."""
        return f"{self.kind}/{self.label}.avsc"

    @property
    def prefix(self) -> bytes:
        """What every record written by this schema begins with."""
        return MARKER + self.fingerprint


def load_schemas(folder: Path = AVRO) -> list[Schema]:
    """Every schema file, by kind, name and version."""
    schemas = [
        _load(kind, path) for kind in get_args(Kind) for path in (folder / kind).glob("*.avsc")
    ]
    return sorted(schemas, key=lambda schema: (schema.kind, schema.name, schema.version))


def newest_of(schemas: Collection[Schema]) -> dict[str, Schema]:
    """The newest version of each message, by name."""
    return {schema.name: schema for schema in sorted(schemas, key=lambda s: s.version)}


def avro_fingerprint(avro: str | list[Any] | dict[str, Any]) -> bytes:
    """The CRC-64-AVRO of a schema's parsing canonical form, in the byte order of the wire."""
    return bytes.fromhex(fingerprint(to_parsing_canonical_form(avro), "CRC-64-AVRO"))


def _load(kind: Kind, path: Path) -> Schema:
    found = _FILE_NAME.match(path.name)
    if found is None:
        raise Contradiction(f"{path}: no name of a schema file. Call it <Name>.v<N>.avsc.")
    text = path.read_bytes()
    avro = msgspec.json.decode(text)
    if avro["name"] != found[1] or avro["namespace"] != f"airside.{kind}":
        raise Contradiction(
            f"{path}: holds {avro['namespace']}.{avro['name']}. Rename the file or the record."
        )
    return Schema(
        kind=kind,
        name=found[1],
        version=int(found[2]),
        text=text,
        avro=avro,
        fingerprint=avro_fingerprint(avro),
    )
