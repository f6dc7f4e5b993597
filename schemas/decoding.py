"""Decoders, generated: one straight-line function per schema and set of wanted fields.

A generic reader walks the schema for every record. Here it is walked once, and Python source
comes out that reads exactly these fields in this order, steps over the others and stops behind
the last one wanted. It is written for the *usual* record: texts of at most 63 bytes, instants
between July 1970 and September 2039 (six bytes), nothing damaged. Whatever surprises it makes
it start over with the plain reader of `reading.py`, which is slower and right about everything.
Rates and what else was tried: docs/decisions.
"""

import struct
from collections.abc import Callable, Sequence
from typing import Any

from schemas.reading import reader, value_at, varint_at
from schemas.registry import BODY_AT, Schema

_SURPRISES = (IndexError, ValueError, struct.error)
_FAR = 1 << 40  # past the end of every record: whatever is read there raises IndexError
_NONE = -1 << 60  # so far below zero that no share of an instant lifts it above

_LENGTHS = tuple(_FAR if byte & 129 else byte >> 1 for byte in range(256))
"""The length that one byte says; _FAR where it goes on, or is below zero."""

_SMALL = tuple((byte >> 1) ^ -(byte & 1) for byte in range(128))
"""The number that one byte says."""

_HALVES = tuple((byte & 127) >> 1 for byte in range(256))
"""What a first byte of several contributes: six bits; the lowest one is the sign."""


def decoder(
    schema: Schema, wanted: Sequence[str], result: str, names: dict[str, Any], *, whole: bool
) -> Callable[[bytes], Any]:
    """A function from a record's bytes to `result`, an expression over its wanted fields.

    A field is `f_<name>` in it; `names` are what it may refer to besides. `whole`: nothing may
    follow the last field. Raises, then and there: Unreadable.
    """
    scope = {
        **names,
        "careful": reader(schema, wanted, whole=whole),
        "value_at": value_at,
        "varint_at": varint_at,
        "unpack_1": struct.Struct("<3H").unpack_from,
        "unpack_2": struct.Struct("<6H").unpack_from,
        "LOW": _LOW,
        "MIDDLE": _MIDDLE,
        "HIGH": _HIGH,
        "LENGTHS": _LENGTHS,
        "SMALL": _SMALL,
        "HALVES": _HALVES,
        "BOOLEANS": (False, True),
        "SURPRISES": _SURPRISES,
    }
    source = decoder_source(schema, wanted, result, whole=whole)
    exec(compile(source, f"<decoder of {schema.label}>", "exec"), scope)
    decode: Callable[[bytes], Any] = scope["decode"]
    return decode


def decoder_source(schema: Schema, wanted: Sequence[str], result: str, *, whole: bool) -> str:
    """The source of that function."""
    fields = list(schema.avro["fields"])
    while fields and not whole and fields[-1]["name"] not in wanted:
        fields.pop()
    written = [f"f_{field['name']}," for field in fields if field["name"] in wanted]
    lines = _Lines()
    lines.fields(
        [(f["type"], f"f_{f['name']}" if f["name"] in wanted else None) for f in fields]
    )
    lines.end(fields[-1]["type"] if fields else None, whole=whole)
    return "\n".join(
        (
            "def decode(data):",
            "    try:",
            f"        o = {BODY_AT}",
            *lines.lines,
            "    except SURPRISES:",
            f"        {' '.join(written)} = careful(data)"
            if written
            else "        careful(data)",
            f"    return {result}",
        )
    )


_LONG = """\
a = data[{o0}]
if a < 128: {into} = SMALL[a]; o = {o1}
else:
    b = data[{o1}]
    if b < 128: {into} = HALVES[a] + b * 64; o = {o2}
    else:
        c = data[{o2}]
        if c < 128: {into} = HALVES[a] + b * 64 + c * 8192 - 8192; o = {o3}
        else:
            d = data[{o3}]
            if d < 128: {into} = HALVES[a] + b * 64 + c * 8192 + d * 1048576 - 1056768; o = {o4}
            else:
                {into}, o = varint_at(data, {o0})
                {into} >>= 1
    if a & 1: {into} = ~{into}
"""


class _Lines:
    """The lines that read a record. The next byte is at `o`, plus what is known to be `ahead`.

    A field is read into a variable, or stepped over where that is None.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.ahead = 0
        self.indent = " " * 8

    def fields(self, fields: list[tuple[Any, str | None]]) -> None:
        """All fields, in order. Two instants in a row are unpacked in one call."""
        while fields:
            avro, into = fields.pop(0)
            if _is_instant(avro):
                both = (
                    [into, fields.pop(0)[1]] if fields and _is_instant(fields[0][0]) else [into]
                )
                self._instants(both)
            else:
                self._field(avro, into)

    def end(self, last: Any, *, whole: bool) -> None:
        """The check that what was read was there. Reading a byte past the end raises anyway."""
        if whole:
            self._put(f"if {self._next()} != len(data): raise IndexError")
        elif last not in ("long", "boolean") and not _is_instant(last):
            self._put(f"if {self._next()} > len(data): raise IndexError")

    def _field(self, avro: Any, into: str | None) -> None:
        match avro:
            case "long":
                self._long(into)
            case "boolean":
                if into:
                    self._put(f"{into} = BOOLEANS[data[{self._next()}]]")
                self.ahead += 1
            case "string":
                self._text(into)
            case "Uuid" | {"type": "fixed"}:
                if into:
                    self._put(f"{into} = data[{self._next()}:{self._next(16)}].hex()")
                self.ahead += 16
            case ["null", some]:
                self._optional(some, into)
            case {"type": "array", "items": _}:
                self._array(avro, into)
            case {"type": "long"}:
                self._instants([into])
            case _:
                raise TypeError(f"no decoder for the Avro type {avro}. Add one to decoding.py.")

    def _instants(self, into: list[str | None]) -> None:
        """Six bytes each, as three 16-bit words: five bytes that go on, and one that ends."""
        words = [f"{word}{n}" for n in range(len(into)) for word in "abc"]
        self._put(f"{', '.join(words)} = unpack_{len(into)}(data, {self._next()})")
        sums = [f"LOW[a{n}] + MIDDLE[b{n}] + HIGH[c{n}]" for n in range(len(into))]
        for n, name in enumerate(into):
            if name:
                self._put(f"{name} = {sums[n]}")
                sums[n] = name
        for total in sums:
            self._put(f"if {total} < 0: raise IndexError")
        self.ahead += 6 * len(into)

    def _long(self, into: str | None) -> None:
        if into is None:
            self._put(f"while data[{self._next()}] > 127: o += 1")
            self.ahead += 1
            return
        lines = _LONG.format(into=into, **{f"o{n}": self._next(n) for n in range(5)})
        for line in lines.splitlines():
            self._put(line)
        self.ahead = 0

    def _text(self, into: str | None) -> None:
        if into is None:
            self._put(f"o += LENGTHS[data[{self._next()}]]")
            self.ahead += 1
            return
        self._put(f"b = {self._next(1)}")
        self._put(f"o = b + LENGTHS[data[{self._next()}]]")
        self._put(f"{into} = data[b:o].decode()")
        self.ahead = 0

    def _optional(self, some: Any, into: str | None) -> None:
        self._put(f"n = data[{self._next()}]")
        self.ahead += 1
        self._settle()
        self._put("if n == 2:")
        self.indent += "    "
        self._field(some, into)
        self._settle()
        self.indent = self.indent[4:]
        self._put(f"elif n == 0: {into} = None" if into else "elif n == 0: pass")
        self._put("else: raise IndexError")

    def _array(self, avro: Any, into: str | None) -> None:
        self._settle()
        self._put(f"if data[o] == 0: {into or '_'} = (); o += 1")
        self._put(f"else: {into or '_'}, o = value_at({avro!r}, data, o)")

    def _put(self, line: str) -> None:
        self.lines.append(self.indent + line)

    def _next(self, more: int = 0) -> str:
        return f"o + {self.ahead + more}" if self.ahead + more else "o"

    def _settle(self) -> None:
        if self.ahead:
            self._put(f"o += {self.ahead}")
            self.ahead = 0


def _is_instant(avro: Any) -> bool:
    return isinstance(avro, dict) and avro.get("logicalType") == "timestamp-millis"


def _words(step: int, *, ends: bool) -> tuple[int, ...]:
    """For each 16-bit word of two varint bytes, its share of the number, in halves of `step`.

    Below zero where the word is none of a six-byte varint: its first byte must go on, its
    second too, unless it `ends` the number.
    """
    shares = [_NONE] * 65_536
    for high in range(128):
        word = high * 256 + 128 + (0 if ends else 32_768)
        shares[word : word + 128] = [(high * 128 + low) * step >> 1 for low in range(128)]
    if step == 1:  # an odd varint is a number below zero
        shares[1::2] = [_NONE] * 32_768
    return tuple(shares)


_LOW, _MIDDLE, _HIGH = (
    _words(1, ends=False),
    _words(1 << 14, ends=False),
    _words(1 << 28, ends=True),
)
"""Together they make an instant: 2 x 7 bits each, halved since a varint is twice its number."""
