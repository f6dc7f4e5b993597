"""Messages to bytes and back: Avro single-object encoding, every version ever written.

    C3 01 | 8-byte CRC-64-AVRO fingerprint of the writer's schema, little-endian | body

Bytes name the schema they were written by, so no registry is needed. What a writer did not know
yet takes the default of today's class; what today's class no longer has is stepped over; what
has changed its meaning is upcast.
"""

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from schemas import upcasts
from schemas.allowed import allowed
from schemas.decoding import decoder
from schemas.encoding import encoder
from schemas.envelope import Command, Event
from schemas.errors import Invalid, Unreadable
from schemas.invalid import explained, field_types
from schemas.reading import varint_at
from schemas.registry import (
    BODY_AT,
    COMMAND_TYPES,
    EVENT_TYPES,
    MARKER,
    Kind,
    Schema,
    load_schemas,
    newest_of,
)

Decode = Callable[[bytes], Any]


class Codec:
    """Encodes by the newest schema, decodes by any. Functions are generated at first use."""

    def __init__(self, schemas: Collection[Schema]) -> None:
        self._schemas = {schema.prefix: schema for schema in schemas}
        self._newest = newest_of(schemas)
        self._encoders: dict[type, Callable[[Any], bytes]] = {}
        self._decoders: dict[Kind, dict[bytes, Decode]] = {"command": {}, "event": {}}
        self._parts: dict[
            tuple[frozenset[type[Event]], frozenset[str] | None],
            Mapping[bytes, tuple[Decode, type[Event]]],
        ] = {}

    def encode(self, message: Command | Event) -> bytes:
        """The record of a message, by the newest schema of its type. It is not validated.

        Raises: Invalid if a field holds what its schema cannot.
        """
        encode = self._encoders.get(type(message)) or self._new_encoder(type(message))
        try:
            return encode(message)
        except (ValueError, TypeError, AttributeError) as error:
            raise Invalid(
                f"{message!r:.300}: cannot be written, {error}. Give its fields their types."
            ) from error

    def decode_command(self, data: bytes) -> Command:
        """The command, valid by its class: lengths, ranges, patterns.

        Raises: Unreadable if the bytes are no command that this code knows; Invalid if they
        are one that asks for what its class does not allow.
        """
        decode = self._decoders["command"].get(data[:BODY_AT])
        return (decode or self._new_decoder("command", data))(data)  # type: ignore[no-any-return]

    def decode_event(self, data: bytes) -> Event:
        """The event, in today's words.

        Raises: Unreadable if the bytes are no event that this code knows.
        """
        decode = self._decoders["event"].get(data[:BODY_AT])
        return (decode or self._new_decoder("event", data))(data)  # type: ignore[no-any-return]

    def event_decoder(
        self, events: Collection[type[Event]], fields: Collection[str] | None = None
    ) -> Callable[[bytes], Any]:
        """A decoder of these event types that reads only these fields of them (None: all).

        Of an event of another type it returns the seq alone, an int. With `fields`, what it
        returns has exactly those of them that its type has, and always `seq` and `event_type`;
        bytes behind the last of them are not looked at. Raises, then and there: Unreadable.
        """
        decoders = self.event_decoders(events, fields)
        header = slice(BODY_AT)

        def decode(data: bytes) -> Any:
            try:
                decode_one, _ = decoders[data[header]]
            except KeyError:
                raise self._unreadable("event", data) from None
            return decode_one(data)

        return decode

    def event_decoders(
        self, events: Collection[type[Event]], fields: Collection[str] | None = None
    ) -> Mapping[bytes, tuple[Decode, type[Event]]]:
        """The same, one for each schema, for loops that look for them on their own.

        By the first BODY_AT bytes of a record: its decoder, and the type of the event in it.
        """
        known = {name for cls in events for name in cls.__struct_fields__}
        if unknown := sorted(set(fields or ()) - known):
            raise Invalid(
                f"{', '.join(unknown)}: no such field in any of "
                f"{', '.join(sorted(cls.__name__ for cls in events))}. Correct the name."
            )
        wanted = (frozenset(events), None if fields is None else frozenset(fields))
        if wanted not in self._parts:  # as many as there are projections
            self._parts[wanted] = {
                prefix: (_event_decoder(schema, *wanted), _type_today(schema))
                for prefix, schema in self._schemas.items()
                if schema.kind == "event"
            }
        return self._parts[wanted]

    def seq_of(self, data: bytes) -> int | None:
        """The seq of an event's record, of an unknown schema too; None where it is none."""
        schema = self._schemas.get(data[:BODY_AT])
        if not data.startswith(MARKER) or (schema is not None and schema.kind != "event"):
            return None
        try:
            varint, _ = varint_at(data, BODY_AT)
        except (IndexError, ValueError):
            return None
        return None if varint & 1 else varint >> 1

    def at_of(self, data: bytes) -> int | None:
        """The `at` of an event's record, the third of its envelope; else like `seq_of`."""
        if self.seq_of(data) is None:
            return None
        try:
            _, offset = varint_at(data, BODY_AT)
            _, offset = varint_at(data, offset)
            varint, _ = varint_at(data, offset)
        except (IndexError, ValueError):
            return None
        return None if varint & 1 else varint >> 1

    def fingerprint(self) -> str:
        """A digest of everything that decides what an event's bytes mean."""
        digest = hashlib.sha256(Path(upcasts.__file__).read_bytes())
        for prefix in sorted(self._schemas):
            digest.update(self._schemas[prefix].text)
        return digest.hexdigest()[:16]

    def _new_encoder(self, cls: type[Command | Event]) -> Callable[[Any], bytes]:
        schema = self._newest.get(cls.__name__)
        if schema is None or cls not in (*COMMAND_TYPES.values(), *EVENT_TYPES.values()):
            raise Invalid(
                f"{cls.__name__}: is no message of today with a schema. "
                f"Draft one: python -m schemas.draft {cls.__name__}."
            )
        return self._encoders.setdefault(cls, encoder(schema))

    def _new_decoder(self, kind: Kind, data: bytes) -> Decode:
        schema = self._schemas.get(data[:BODY_AT])
        if schema is None or schema.kind != kind:
            raise self._unreadable(kind, data)
        decode = _command(schema) if kind == "command" else _whole_event(schema)
        return self._decoders[kind].setdefault(schema.prefix, decode)

    def _unreadable(self, kind: Kind, data: bytes) -> Unreadable:
        """Why no decoder fits these bytes."""
        schema = self._schemas.get(data[:BODY_AT])
        if schema is not None:
            fact = f"{schema.label}: is {schema.kind}, not {kind}. Send it to the other topic."
        elif not data.startswith(MARKER):
            fact = (
                f"no C3 01 marker: {len(data)} bytes that begin with {data[:8].hex(' ')!r}. "
                "Only Avro single-object encoding is read here; find out who wrote it."
            )
        elif len(data) < BODY_AT:
            fact = (
                f"cut off: {len(data)} bytes of a {BODY_AT}-byte header. Find out who wrote it."
            )
        else:
            fact = (
                f"unknown schema fingerprint {data[len(MARKER) : BODY_AT].hex()}: written by "
                "newer code? Upgrade this worker, then redrive."
            )
        return Unreadable(fact)


def _command(schema: Schema) -> Decode:
    cls = COMMAND_TYPES[schema.name]
    wanted = _written(schema, cls.__struct_fields__)

    def valid(fields: dict[str, Any]) -> Command:
        try:
            return msgspec.convert(fields, cls)
        except msgspec.ValidationError as error:
            raise explained(error, fields, cls) from None

    avro = {field["name"]: field["type"] for field in schema.avro["fields"]}
    types = field_types(cls)
    check = allowed({f"f_{name}": (avro[name], types[name]) for name in wanted})
    made = f"command({', '.join(f'{name}=f_{name}' for name in wanted)})"
    checked = f"valid({{{', '.join(f'{name!r}: f_{name}' for name in wanted)}}})"
    names = {"command": cls, "valid": valid}
    return decoder(schema, wanted, f"{made} if {check} else {checked}", names, whole=True)


def _event_decoder(
    schema: Schema, events: Collection[type[Event]], fields: Collection[str] | None
) -> Decode:
    cls, today = _class_of(schema), _type_today(schema)
    if today not in events:
        return decoder(schema, ["seq"], "f_seq", {}, whole=False)
    if fields is None:
        return _whole_event(schema)
    wanted = [name for name in today.__struct_fields__ if name in fields or name == "seq"]
    part = msgspec.defstruct(
        f"PartOf{today.__name__}", wanted, namespace={"event_type": today}, gc=False
    )
    if today is not cls:
        return _part_of_upcast(_whole_event(schema), part, wanted)
    return decoder(
        schema,
        _written(schema, wanted),
        f"part({', '.join(_argument(schema, name) for name in wanted)})",
        {"part": part, **_defaults(cls)},
        whole=False,
    )


def _whole_event(schema: Schema) -> Decode:
    cls = _class_of(schema)
    wanted = _written(schema, cls.__struct_fields__)
    made = f"event({', '.join(f'{name}=f_{name}' for name in wanted)})"
    result = f"upcast({made})" if cls in upcasts.TODAY else made
    return decoder(schema, wanted, result, {"event": cls, "upcast": upcasts.upcast}, whole=True)


def _part_of_upcast(whole: Decode, part: Any, wanted: Sequence[str]) -> Decode:
    def decode(data: bytes) -> Any:
        event = whole(data)
        return part(*(getattr(event, name) for name in wanted))

    return decode


def _class_of(schema: Schema) -> type[Event]:
    retired = {cls.__name__: cls for cls in upcasts.TODAY}
    return retired[schema.name] if schema.name in retired else EVENT_TYPES[schema.name]


def _type_today(schema: Schema) -> type[Event]:
    cls = _class_of(schema)
    return upcasts.TODAY.get(cls, cls)


def _written(schema: Schema, names: Sequence[str]) -> list[str]:
    written = {field["name"] for field in schema.avro["fields"]}
    return [name for name in names if name in written]


def _argument(schema: Schema, name: str) -> str:
    return f"f_{name}" if _written(schema, [name]) else f"default_{name}"


def _defaults(cls: type[Event]) -> dict[str, Any]:
    return {f"default_{field.name}": field.default for field in msgspec.structs.fields(cls)}


CODEC = Codec(load_schemas())
"""Every released schema."""
