"""Stored bytes of every schema version ever released, read by the newest code."""

from typing import Any

import pytest

from schemas.codec import CODEC
from schemas.registry import Schema, load_schemas
from tests.kit.golden import FOLDER, Golden, golden
from tests.kit.messages import as_json

SCHEMAS = {schema.label: schema for schema in load_schemas()}
GOLDENS = [(SCHEMAS[label], one) for label in SCHEMAS for one in golden(label)]


@pytest.mark.parametrize(
    ("schema", "one"),
    GOLDENS,
    ids=[f"{schema.label}-{n % 2}" for n, (schema, _) in enumerate(GOLDENS)],
)
def test_stored_bytes_mean_what_they_meant(schema: Schema, one: Golden) -> None:
    means_today = as_json(decode(schema, bytes.fromhex(one.record)))

    assert of_that_day(means_today, one) == one.means


def test_every_schema_has_golden_bytes_and_nothing_else_has() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == set(SCHEMAS), (
        "golden bytes are missing: python -m tests.kit.golden"
    )


@pytest.mark.parametrize(
    ("schema", "one"),
    GOLDENS,
    ids=[f"{schema.label}-{n % 2}" for n, (schema, _) in enumerate(GOLDENS)],
)
def test_golden_bytes_are_of_the_schema_that_they_stand_for(
    schema: Schema, one: Golden
) -> None:
    assert bytes.fromhex(one.record).startswith(schema.prefix)


def decode(schema: Schema, record: bytes) -> Any:
    if schema.kind == "command":
        return CODEC.decode_command(record)
    return CODEC.decode_event(record)


def of_that_day(means_today: dict[str, Any], one: Golden) -> dict[str, Any]:
    """Without the fields that came later."""
    return {name: value for name, value in means_today.items() if name in one.means}
