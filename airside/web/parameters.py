"""Groups of parameters: a struct each, whose fields come from path, query and headers.

A field that the path names comes from there, one with `Meta(extra={"header": NAME})` from that
header, every other from the query. Types, bounds, words and examples are said once, in the
field's annotation: the check of a request and the OpenAPI document are both made of it.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import parse_qsl, unquote

import msgspec
from msgspec import Struct, inspect
from starlette.datastructures import Headers

from airside.web.problems import INVALID, rejected

QUERY_FIELDS_MAX = 32
VALUE_CHARACTERS_SHOWN = 80

Place = Literal["path", "query", "header"]

_FIELD = re.compile(r"^(.*) - at `\$\.(\w+)`$")
_IN_WORDS = (("`int`", "a whole number"), ("`float`", "a number"), ("`str`", "text"))


@dataclass(frozen=True, slots=True)
class Parameter:
    """One field of a group, and where it comes from."""

    field: str
    name: str  # as the request has it
    place: Place
    required: bool
    words: str  # what it is, in a sentence or two; empty where nobody says
    choices: tuple[Any, ...]  # the only values that there are; empty: it is no choice


@dataclass(frozen=True, slots=True)
class Group:
    """One struct, taken apart once."""

    type: type[Struct]
    parameters: tuple[Parameter, ...]


def path_names(path: str) -> tuple[str, ...]:
    """The parameters that a path template names."""
    return tuple(re.findall(r"\{(\w+)\}", path))


def group_of(cls: type[Struct], path: str) -> Group:
    """Where each field of a group comes from, at this path."""
    info = inspect.type_info(cls)
    assert isinstance(info, inspect.StructType)
    return Group(cls, tuple(_parameter(field, path) for field in info.fields))


def query_of(query_string: bytes, known: Iterable[str]) -> dict[str, str]:
    """The query's fields. Raises: Rejected where one is unknown, or is there twice."""
    if not query_string:
        return {}
    try:
        pairs = parse_qsl(
            query_string.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=QUERY_FIELDS_MAX,
        )
    except ValueError:
        raise rejected(
            INVALID, f"the query is no UTF-8, or has over {QUERY_FIELDS_MAX} fields."
        ) from None
    found: dict[str, str] = {}
    names = tuple(known)
    for name, value in pairs:
        if name not in names:
            there = ", ".join(sorted(names)) or "none"
            raise rejected(
                INVALID, f"query parameter {name!r:.80} is unknown. There is: {there}."
            )
        if name in found:
            raise rejected(INVALID, f"query parameter {name} is there twice: give it once.")
        found[name] = value
    return found


def segment(raw: str) -> str:
    """One segment of the path, decoded. Raises: Rejected."""
    if "%" not in raw:
        return raw
    try:
        return unquote(raw, errors="strict")
    except UnicodeDecodeError:
        raise rejected(INVALID, f"the path's {raw:.80} is no UTF-8.") from None


def taken(
    group: Group, path: Mapping[str, str], query: Mapping[str, str], headers: Headers
) -> Struct:
    """The group's struct of this request. Raises: Rejected, with name and value."""
    values: dict[str, str] = {}
    for one in group.parameters:
        match one.place:
            case "path":
                value = path.get(one.name)
            case "query":
                value = query.get(one.name)
            case "header":
                lines = headers.getlist(one.name)
                value = ", ".join(lines) if lines else None  # RFC 9110, section 5.3
        if value is not None:
            values[one.field] = value
        elif one.required:
            raise rejected(
                INVALID,
                f"the {one.place} lacks {one.name}: it must be given. {one.words}".strip(),
            )
    try:
        found = msgspec.convert(values, group.type, strict=False)
    except msgspec.ValidationError as error:
        raise _explained(error, group, values) from None
    for name, value in values.items():
        if getattr(found, name) is None:  # the word null is no number
            raise rejected(INVALID, f"parameter {name} = {value!r}: leave it out instead.")
    return found


def _parameter(field: inspect.Field, path: str) -> Parameter:
    kinds = tuple(_kinds(field.type))
    header = _said(kinds, "header")
    place: Place = "query"
    if field.name in path_names(path):
        place = "path"
    elif header:
        place = "header"
    choices = tuple(
        value
        for kind in kinds
        if isinstance(kind, inspect.LiteralType)
        for value in kind.values
    )
    words = _said(kinds, "description")
    return Parameter(
        field.name, header or field.encode_name, place, field.required, words, choices
    )


def _kinds(kind: inspect.Type) -> Iterator[inspect.Type]:
    """A type, and all that it is made of."""
    yield kind
    if isinstance(kind, inspect.UnionType):
        for one in kind.types:
            yield from _kinds(one)
    elif isinstance(kind, inspect.Metadata):
        yield from _kinds(kind.type)


def _said(kinds: Iterable[inspect.Type], name: str) -> str:
    """What `Meta` says under this name, in its own words or in its extra."""
    for kind in kinds:
        if isinstance(kind, inspect.Metadata):
            said = {**(kind.extra_json_schema or {}), **(kind.extra or {})}
            if name in said:
                return str(said[name])
    return ""


def _explained(
    error: msgspec.ValidationError, group: Group, values: Mapping[str, Any]
) -> Exception:
    found = _FIELD.match(str(error))
    named = {one.field: one for one in group.parameters}
    if found is None or found[2] not in named:
        return rejected(INVALID, f"the parameters are not allowed: {error}.")
    one = named[found[2]]
    value = repr(values[one.field])[:VALUE_CHARACTERS_SHOWN]
    reason = _reason(found[1], one)
    return rejected(INVALID, f"{one.place} parameter {one.name} = {value}: {reason}")


def _reason(told: str, one: Parameter) -> str:
    """Why a value is not allowed and what would be, without the library's jargon."""
    if one.choices:
        return f"it must be one of {', '.join(map(str, one.choices))}."
    if "regex" in told and one.words:
        return f"it is not written as it must be. {one.words}"
    for jargon, words in _IN_WORDS:
        told = told.replace(jargon, words)
    return f"{told[0].lower()}{told[1:]}."
