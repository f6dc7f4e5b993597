"""The OpenAPI 3.1 document, made of the same table as the routes."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import xxhash
from msgspec import Struct

from airside.web.parameters import Group, group_of
from airside.web.problems import (
    FORBIDDEN,
    INTERNAL,
    INVALID,
    MEDIA_TYPE,
    MISDIRECTED,
    NO_TOKEN,
    NOT_ACCEPTABLE,
    NOT_FOUND,
    TOO_MANY,
    UNAVAILABLE,
    Document,
    Kind,
)
from airside.web.resource import Answer, Call, Resource

REF = "#/components/schemas/{name}"
PATH = "/openapi.json"

Json = dict[str, Any]
Examples = Mapping[str, Any]
"""Answers by the name of their resource."""


@dataclass(frozen=True, slots=True)
class About:
    """What the document says of the service as a whole."""

    title: str
    version: str
    description: str
    tags: Mapping[str, str]  # in words


def document(resources: Sequence[Resource[Any]], about: About, examples: Examples) -> Json:
    """The document."""
    types = [one.answer for one in resources if one.answer is not None]
    schemas, components = _schemas([*types, Document])
    by_type = dict(zip(map(id, [*types, Document]), schemas, strict=True))
    paths: Json = {}
    kinds: dict[str, Kind] = {}
    for one in resources:
        answer = by_type.get(id(one.answer))
        problems = _problems(one)
        kinds |= {kind.name: kind for kind in problems}
        operation = _operation(one, answer, examples, problems)
        paths.setdefault(one.path, {})[one.method.lower()] = operation
        components |= dict(one.body.components) if one.body is not None else {}
    made = {
        "openapi": "3.1.0",
        "info": {
            "title": about.title,
            "version": about.version,
            "description": about.description,
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": text} for name, text in about.tags.items()],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
            },
            "responses": {name: _problem(kind) for name, kind in sorted(kinds.items())},
            "schemas": dict(sorted(components.items())),
        },
    }
    found: Json = msgspec.json.decode(msgspec.json.encode(made))  # as whoever reads it has it
    return found


def openapi(made: Callable[[], Json]) -> Resource[object]:
    """The resource that serves the document; it is made at the first request."""
    kept: list[Answer] = []

    async def openapi_document(_service: object, _call: Call) -> Answer:
        if not kept:
            body = msgspec.json.encode(await asyncio.to_thread(made))
            kept.append(Answer(body, etag=f'W/"{xxhash.xxh3_64_hexdigest(body)}"'))
        return kept[0]

    return Resource(
        PATH,
        openapi_document,
        summary="This document.",
        scope=None,
        answer=dict[str, Any],
        etag=True,
        tag="about",
    )


def _operation(
    one: Resource[Any], answer: Json | None, examples: Examples, problems: Sequence[Kind]
) -> Json:
    groups = [group_of(cls, one.path) for cls in one.parameters]
    parameters = [p for group in groups for p in _parameters(group, one.example)]
    found: Json = {
        "operationId": one.name,
        "summary": one.summary,
        "tags": [one.tag] if one.tag else [],
        "parameters": parameters + ([_IF_NONE_MATCH] if one.etag else []),
        "responses": _responses(one, answer, examples.get(one.name), problems),
        "security": [] if one.scope is None else [{"bearer": []}],
    }
    words = [one.description] if one.description else []
    if one.scope is not None:
        own = f", a member where {one.owner} is its `sub`" if one.owner is not None else ""
        least = "support" if one.owner is not None and one.scope == "member" else one.scope
        words.append(f"Scope: {least} or more{own}.")
    if words:
        found["description"] = " ".join(words)
    if one.body is not None:
        named = {name: {"value": value} for name, value in one.body.examples.items()}
        content = {one.body.media_type: {"schema": one.body.schema, "examples": named}}
        found["requestBody"] = {"required": True, "content": content}
    return found


def _responses(
    one: Resource[Any], answer: Json | None, example: Any, problems: Sequence[Kind]
) -> Json:
    schema = answer or {}
    if one.paged:
        schema = {"allOf": [schema, _NEXT]}
    if not one.media_type.endswith("json"):
        schema = {"type": "string"}
    media: Json = {"schema": schema}
    if example is not None:
        media["examples"] = {"example": {"value": example}}
    found: Json = {}
    for status, text in one.statuses.items():
        found[str(status)] = {"description": text, "content": {one.media_type: media}}
    if one.etag:
        found["304"] = {"description": "The client has it already (`If-None-Match`)."}
    for kind in problems:
        key = str(int(kind.status))
        if key not in found:
            found[key] = {"$ref": f"#/components/responses/{kind.name}"}
    return found


def _problems(one: Resource[Any]) -> tuple[Kind, ...]:
    """What may go wrong at a resource of this shape."""
    some = [INVALID, NOT_ACCEPTABLE, INTERNAL, UNAVAILABLE, *one.problems]
    if one.scope is not None:
        some += [NO_TOKEN, FORBIDDEN, MISDIRECTED, TOO_MANY]
    if "{" in one.path:
        some.append(NOT_FOUND)
    return tuple(sorted(set(some), key=lambda kind: (kind.status, kind.name)))


def _problem(kind: Kind) -> Json:
    example = Document(kind.urn, kind.title, int(kind.status), "What, why, and what next.")
    return {
        "description": f"{kind.title}.",
        "content": {
            MEDIA_TYPE: {
                "schema": {"$ref": REF.format(name="Document")},
                "examples": {kind.name: {"value": msgspec.to_builtins(example)}},
            }
        },
    }


def _parameters(group: Group, example: Mapping[str, str]) -> Iterator[Json]:
    _, components = _schemas([group.type])
    fields = components[group.type.__name__]["properties"]
    names = {f.name: f.encode_name for f in msgspec.structs.fields(group.type)}
    for one in group.parameters:
        schema = _without_null(dict(fields[names[one.field]]))
        description = schema.pop("description", "")
        samples = schema.pop("examples", [])
        found: Json = {
            "name": one.name,
            "in": one.place,
            "required": one.required,
            "description": description,
            "schema": schema,
        }
        if one.field in example:
            samples = [example[one.field]]
        if samples:
            found["example"] = samples[0]
        yield found


def _without_null(schema: Json) -> Json:
    """A parameter that may be left out is never null: there is no way to write that."""
    if "anyOf" in schema:
        some = [one for one in schema.pop("anyOf") if one.get("type") != "null"]
        schema |= some[0] if len(some) == 1 else {"anyOf": some}
    if schema.get("default", 0) is None:
        del schema["default"]
    return schema


def _schemas(types: Sequence[type[Struct] | Any]) -> tuple[list[Json], Json]:
    schemas, components = msgspec.json.schema_components(
        types, schema_hook=_of_anything, ref_template=REF
    )
    return list(schemas), components


def _of_anything(kind: type) -> Json:
    if kind is object:
        return {"description": "Any value."}
    raise NotImplementedError


_NEXT: Json = {
    "type": "object",
    "required": ["next"],
    "properties": {
        "next": {
            "type": ["string", "null"],
            "description": "The `cursor` of the next page; null: this is the last one.",
        }
    },
}

_IF_NONE_MATCH: Json = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "The `ETag` of the answer that the client has: 304 where it still holds.",
    "schema": {"type": "string"},
}
