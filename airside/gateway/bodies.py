"""What the bodies look like, for the OpenAPI document: made of the commands' own classes."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import msgspec

from airside.gateway.requests import BATCH_COMMANDS_MAX
from airside.web.resource import Body
from schemas.envelope import ID_CHARACTERS_MAX, INSTANT_MAX
from schemas.meanings import MEANINGS
from schemas.registry import COMMAND_TYPES

REFS = "#/components/schemas/{name}"
DATE_TIME = (  # RFC 3339, before 2100; other time zones and parts of seconds are taken too
    "^20[0-9]{2}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)"
    "|02-(0[1-9]|1[0-9]|2[0-8]))T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z$"
)
INSTANT = {
    "anyOf": [
        {"type": "integer", "minimum": 0, "maximum": INSTANT_MAX},
        {"type": "string", "pattern": DATE_TIME, "examples": ["2026-01-31T12:00:00Z"]},
    ]
}
PRINTABLE = "^[^\\x00-\\x1f\\x7f]+$"  # of a name; the parser knows of all Unicode's controls
UUID = {"type": "string", "format": "uuid"}
FROM_ELSEWHERE = ("command_id", "account_id")  # from the key and the path: need not be said

EXAMPLES: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "acquire": {"type": "AcquireLicense", "device_id": "d1", "title_id": "t1"},
        "release": {
            "type": "ReleaseLicense",
            "license_id": "5f0c1cb6e0a85c5f8ac0a4b1f3f6c1d2",
            "proof": "secure",
        },
    }
)
SYNC: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "commands": [
            {
                "type": "ReportPlayback",
                "license_id": "5f0c1cb6e0a85c5f8ac0a4b1f3f6c1d2",
                "session_id": "s1",
                "started_at": "2026-11-24T10:00:00Z",
                "stopped_at": "2026-11-24T11:30:00Z",
            },
            {
                "type": "SyncDevice",
                "device_id": "d1",
                "held_license_ids": ["5f0c1cb6e0a85c5f8ac0a4b1f3f6c1d2"],
                "device_clock": "2026-11-24T18:00:00Z",
            },
        ]
    }
)


def command_schemas() -> dict[str, Any]:
    """A JSON schema by the name of each command: `type` and its fields, as the gateway takes
    them. What comes from key and path need not be said."""
    _, schemas = msgspec.json.schema_components(COMMAND_TYPES.values(), ref_template=REFS)
    return {name: _as_taken(schema) for name, schema in schemas.items()}


def _as_taken(schema: dict[str, Any]) -> dict[str, Any]:
    properties = {
        name: {**_property(one), "description": MEANINGS.get(name, "which command")}
        for name, one in schema["properties"].items()
        if name not in FROM_ELSEWHERE
    }
    properties["actor"].pop("default")  # it depends on the token
    filled_in = (*FROM_ELSEWHERE, "issued_at")
    required = [name for name in schema["required"] if name not in filled_in]
    return {**schema, "properties": properties, "required": required}


def _property(schema: dict[str, Any]) -> dict[str, Any]:
    """Ids in any usual spelling, instants as text or as ms: the parser takes both."""
    if schema.get("maximum") == INSTANT_MAX:
        return dict(INSTANT)
    if "pattern" in schema:
        return dict(UUID)
    if schema.get("maxLength") == ID_CHARACTERS_MAX:
        return {**schema, "pattern": PRINTABLE}
    if "anyOf" in schema:
        return {**schema, "anyOf": [_property(one) for one in schema["anyOf"]]}
    if schema.get("type") == "array":
        return {**schema, "items": _property(schema["items"])}
    return schema


def _any_command() -> dict[str, Any]:
    references = {name: REFS.format(name=name) for name in COMMAND_TYPES}
    return {
        "oneOf": [{"$ref": reference} for reference in references.values()],
        "discriminator": {"propertyName": "type", "mapping": references},
    }


COMMAND_BODY = Body(_any_command(), dict(EXAMPLES), command_schemas())
BATCH_BODY = Body(
    {
        "type": "object",
        "required": ["commands"],
        "additionalProperties": False,
        "properties": {
            "commands": {
                "type": "array",
                "minItems": 1,
                "maxItems": BATCH_COMMANDS_MAX,
                "items": _any_command(),
            }
        },
    },
    {"sync": dict(SYNC)},
    command_schemas(),
)
