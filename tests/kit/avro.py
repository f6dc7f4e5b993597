"""fastavro as the oracle: what it writes we must read, what we write it must read."""

import io
from typing import Any

import fastavro
from hypothesis import strategies as st

from schemas.registry import BODY_AT, Schema, load_schemas, newest_of
from tests.kit.messages import INSTANTS, longs, texts

SCHEMAS = {schema.label: schema for schema in load_schemas()}
NEWEST = newest_of(SCHEMAS.values())


def records(schema: Schema) -> st.SearchStrategy[dict[str, Any]]:
    """Any record that a writer of this schema may write, as fastavro takes it."""
    fields = schema.avro["fields"]
    return st.fixed_dictionaries({field["name"]: _values(field["type"]) for field in fields})


def written(schema: Schema, record: dict[str, Any]) -> bytes:
    """A record as fastavro writes it, framed."""
    out = io.BytesIO()
    fastavro.schemaless_writer(out, _PARSED[schema.label], record)
    return schema.prefix + out.getvalue()


def resolved(data: bytes, writer: Schema, reader: Schema) -> dict[str, Any]:
    """What fastavro reads by the reader's schema, as our messages have it."""
    body = io.BytesIO(data[BODY_AT:])
    record = fastavro.schemaless_reader(body, _PARSED[writer.label], _PARSED[reader.label])
    assert isinstance(record, dict)
    return {name: _ours(value) for name, value in record.items()}


def _ours(value: Any) -> Any:
    match value:
        case bytes():
            return value.hex()
        case list():
            return tuple(_ours(item) for item in value)
        case _:
            return value


def _values(avro: Any) -> st.SearchStrategy[Any]:
    match avro:
        case "long":
            return longs()
        case {"type": "long"}:
            return st.one_of(INSTANTS, longs())
        case "boolean":
            return st.booleans()
        case "string":
            return texts()
        case "Uuid" | {"type": "fixed"}:
            return st.binary(min_size=16, max_size=16)
        case ["null", some]:
            return st.one_of(st.none(), _values(some))
        case {"type": "array", "items": items}:
            return st.lists(_values(items), max_size=5)
        case _:
            raise TypeError(f"{avro} has no strategy yet")


def _without_logical_types(avro: Any) -> Any:
    """Ids stay bytes and instants stay whole numbers."""
    match avro:
        case dict():
            kept = {key: value for key, value in avro.items() if key != "logicalType"}
            return {key: _without_logical_types(value) for key, value in kept.items()}
        case list():
            return [_without_logical_types(item) for item in avro]
        case _:
            return avro


_PARSED = {
    label: fastavro.parse_schema(_without_logical_types(schema.avro))
    for label, schema in SCHEMAS.items()
}
