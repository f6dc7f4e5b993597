"""The OpenAPI document of the query service."""

from typing import Any

import pytest
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import validate

from airside.serving.app import query_document
from airside.serving.resources import RESOURCES
from tests.kit.examples import FILE, examples, written


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    return query_document()


def test_it_is_valid(found: dict[str, Any]) -> None:
    validate(found)

    assert len(found["paths"]) == len(RESOURCES) + 1


def test_its_examples_are_what_the_resources_answer() -> None:
    written_now = written(examples())

    assert FILE.read_bytes() == written_now, "run: python -m tests.kit.examples"


@pytest.mark.parametrize("name", sorted(one.name for one in RESOURCES if one.answer))
def test_an_example_fits_its_schema(found: dict[str, Any], name: str) -> None:
    media = next(
        operation["responses"]["200"]["content"]
        for path in found["paths"].values()
        for operation in path.values()
        if operation["operationId"] == name
    )
    (one,) = media.values()
    schema = {**one["schema"], "components": found["components"]}

    faults = list(OAS31Validator(schema).iter_errors(one["examples"]["example"]["value"]))

    assert faults == []
