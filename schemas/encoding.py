"""Encoders, generated: one expression per schema, about twice as fast as fastavro.

What it writes is what fastavro writes, byte for byte; the tests hold it to that.
"""

import struct
from binascii import unhexlify
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from schemas.registry import Schema

INSTANTS_MAX = 256  # remembered per schema: what happens together says the same ones
_LONG_MIN, _LONG_MAX = -(1 << 63), (1 << 63) - 1
_PAIRS = tuple(n & 127 | (n & ~127) << 1 | 32_896 for n in range(16_384))
"""Two varint bytes that go on, as a little-endian word: 14 bits of a number."""

_pack = struct.Struct("<3H").pack


def encoder(schema: Schema) -> Callable[[Any], bytes]:
    """A function from a message to its record.

    Raises: TypeError, ValueError or AttributeError where a field holds what its type cannot.
    """
    scope: dict[str, Any] = {
        "PREFIX": schema.prefix,
        "SHORT": _SHORT,
        "LOW": _LOW,
        "HIGH": _HIGH,
        "LENGTHS": _LENGTHS,
        "long": long_bytes,
        "instant": lru_cache(INSTANTS_MAX, typed=True)(long_bytes),
        "unhex": unhexlify,
        "no_id": no_id,
        "join": b"".join,
    }
    exec(compile(encoder_source(schema), f"<encoder of {schema.label}>", "exec"), scope)
    encode: Callable[[Any], bytes] = scope["encode"]
    return encode


def encoder_source(schema: Schema) -> str:
    """The source of that function."""
    parts = ["PREFIX"]
    for field in schema.avro["fields"]:
        parts += _bytes(field["type"], f"m.{field['name']}")
    return "def encode(m):\n    return " + _joined(parts)


def long_bytes(number: int) -> bytes:
    """A zigzag varint."""
    r = number << 1 if number >= 0 else ~(number << 1)
    # The usual lengths, unrolled: an instant of our days (six bytes), then three and four.
    if r >> 42 == 0 != r >> 35:
        return _pack(_PAIRS[r & 16_383], _PAIRS[r >> 14 & 16_383], _PAIRS[r >> 28] & 32_767)
    if r >> 21 == 0 != r >> 14:
        return bytes((r & 127 | 128, r >> 7 & 127 | 128, r >> 14))
    if r >> 28 == 0 != r >> 21:
        return bytes((r & 127 | 128, r >> 7 & 127 | 128, r >> 14 & 127 | 128, r >> 21))
    if r >> 35 == 0 != r >> 28:
        return _pack(_PAIRS[r & 16_383], _PAIRS[r >> 14 & 16_383], r >> 28)[:5]
    if not _LONG_MIN <= number <= _LONG_MAX:
        raise ValueError(f"{number} has more than 64 bits")
    return _varint(r)


def no_id(text: str) -> bytes:
    """For what is written where an id should be. Raises: ValueError."""
    raise ValueError(f"{text!r:.80} is no id of 32 hex digits")


def _varint(r: int) -> bytes:
    out = bytearray()
    while r > 127:
        out.append(r & 127 | 128)
        r >>= 7
    out.append(r)
    return bytes(out)


_SHORT = {number: long_bytes(number) for number in range(-64, 8_192)}
_LENGTHS = tuple(long_bytes(length) for length in range(8_192))
_LOW = tuple(_pack(_PAIRS[n << 1], 0, 0)[:2] for n in range(8_192))
_HIGH = {n: _varint(n) for n in range(1, 16_384)}
"""A number from 8,192 to 134 millions, such as a seq, in two parts: its lowest 13 bits are two
bytes of _LOW, what is above them is in _HIGH."""


def _bytes(avro: Any, value: str) -> list[str]:
    """Expressions, one after the other: the bytes of a value."""
    match avro:
        case "long":
            return [
                f"SHORT.get(v := {value})"
                " or ((h := HIGH.get(v >> 13)) and LOW[v & 8191] + h or long(v))"
            ]
        case {"type": "long"}:
            return [f"instant({value})"]
        case "boolean":
            return [f"b'\\1' if {value} else b'\\0'"]
        case "string":
            length = f"LENGTHS[n] if (n := len(v := {value}.encode())) < 8192 else long(n)"
            return [length, "v"]
        case "Uuid" | {"type": "fixed"}:
            return [f"unhex(v) if len(v := {value}) == 32 else no_id(v)"]
        case ["null", some]:
            written = _joined(_bytes(some, "u"))
            return [f"b'\\0' if (u := {value}) is None else b'\\2' + {written}"]
        case {"type": "array", "items": items}:
            written = f"join([{_joined(_bytes(items, 'u'))} for u in w])"
            return [f"long(len(w)) + {written} + b'\\0' if (w := {value}) else b'\\0'"]
        case _:
            raise TypeError(f"no encoder for the Avro type {avro}. Add one to encoding.py.")


def _joined(parts: list[str]) -> str:
    return f"({parts[0]})" if len(parts) == 1 else f"join(({', '.join(parts)}))"
