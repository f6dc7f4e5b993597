"""The plain Avro reader: walks the schema for every record, and says what is wrong where.

`decoding.py` generates faster functions for the usual record and comes here with every other
one. It allocates no more than a small multiple of the record's length, whatever the record
claims.
"""

from collections.abc import Callable, Sequence
from typing import Any

from schemas.errors import Unreadable
from schemas.registry import BODY_AT, Schema

_VARINT_BITS_MAX = 64


def reader(
    schema: Schema, wanted: Sequence[str], *, whole: bool
) -> Callable[[bytes], tuple[Any, ...]]:
    """A function from a record to its wanted fields, in the order in which they were written.

    It stops behind the last one; `whole`: it reads on, and nothing may follow. Raises, then and
    there: Unreadable.
    """
    fields = [(field["name"], field["type"]) for field in schema.avro["fields"]]
    while fields and not whole and fields[-1][0] not in wanted:
        fields.pop()

    def read(data: bytes) -> tuple[Any, ...]:
        values, offset = [], BODY_AT
        for name, avro in fields:
            try:
                value, offset = value_at(avro, data, offset)
            except IndexError:
                raise _damaged(schema, data, f"cut off in {name}") from None
            except ValueError as error:
                raise _damaged(schema, data, f"{name} holds {error}") from None
            if name in wanted:
                values.append(value)
        if whole and offset < len(data):
            raise _damaged(schema, data, f"{len(data) - offset} bytes follow its end")
        return tuple(values)

    return read


def value_at(avro: Any, data: bytes, offset: int) -> tuple[Any, int]:
    """A value of an Avro type, and the offset behind it. Raises: IndexError, ValueError."""
    match avro:
        case "long" | {"type": "long"}:
            varint, offset = varint_at(data, offset)
            return (varint >> 1) ^ -(varint & 1), offset
        case "boolean":
            if data[offset] > 1:
                raise ValueError(f"a truth value of {data[offset]}")
            return data[offset] == 1, offset + 1
        case "string":
            length, offset = value_at("long", data, offset)
            if length < 0:
                raise ValueError(f"a text of {length} bytes")
            return _slice(data, offset, length).decode(), offset + length
        case "Uuid" | {"type": "fixed"}:
            return _slice(data, offset, 16).hex(), offset + 16
        case ["null", some]:
            branch, offset = value_at("long", data, offset)
            if branch not in (0, 1):
                raise ValueError(f"branch {branch} of a choice of two")
            return value_at(some, data, offset) if branch else (None, offset)
        case {"type": "array", "items": items}:
            return _items_at(items, data, offset)
        case _:
            raise TypeError(f"no reader for the Avro type {avro}. Add one to reading.py.")


def varint_at(data: bytes, offset: int) -> tuple[int, int]:
    """An unsigned varint of up to 64 bits, and the offset behind it."""
    value = shift = 0
    while (byte := data[offset]) > 127:
        value |= (byte & 127) << shift
        offset += 1
        shift += 7
        if shift >= _VARINT_BITS_MAX:
            raise ValueError("a number of more than 64 bits")
    value |= byte << shift
    if value >> _VARINT_BITS_MAX:
        raise ValueError("a number of more than 64 bits")
    return value, offset + 1


def _items_at(items: Any, data: bytes, offset: int) -> tuple[tuple[Any, ...], int]:
    """An array: blocks of items, each with its count; an empty block ends it.

    Every item takes a byte or more, so that a count above the bytes left is a lie.
    """
    values: list[Any] = []
    while True:
        count, offset = value_at("long", data, offset)
        if count == 0:
            return tuple(values), offset
        if count < 0:  # then the block's size in bytes follows, for those who skip it
            count = -count
            _, offset = value_at("long", data, offset)
        if count > len(data) - offset:
            raise ValueError(f"{count} items where {len(data) - offset} bytes are left")
        for _ in range(count):
            value, offset = value_at(items, data, offset)
            values.append(value)


def _slice(data: bytes, offset: int, length: int) -> bytes:
    if length > len(data) - offset:
        raise IndexError
    return data[offset : offset + length]


def _damaged(schema: Schema, data: bytes, what: str) -> Unreadable:
    return Unreadable(
        f"{schema.label}: damaged record of {len(data)} bytes: {what}. "
        "Find out who wrote it; it can only be written again."
    )
