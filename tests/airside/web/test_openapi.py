"""The OpenAPI document of a table of resources."""

from typing import Any

import pytest
from openapi_spec_validator import validate

from airside.web.openapi import About, document, openapi
from tests.kit.in_loop import in_loop
from tests.kit.web import RESOURCES, Boxes, client_of

ABOUT = About("boxes", "1", "Boxes.", {"boxes": "All of them."})


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    examples = {"look": {"box": "a1", "limit": 5, "color": None}}
    return document([*RESOURCES, openapi(dict)], ABOUT, examples)


def test_it_is_valid(found: dict[str, Any]) -> None:
    validate(found)

    assert found["openapi"] == "3.1.0"


def test_parameters_come_from_where_the_resource_says(found: dict[str, Any]) -> None:
    parameters = found["paths"]["/boxes/{box}"]["get"]["parameters"]

    places = [(one["name"], one["in"], one["required"]) for one in parameters]
    assert places == [
        ("box", "path", True),
        ("limit", "query", False),
        ("X-Color", "header", False),
        ("weight", "query", False),
    ]
    assert parameters[0]["example"] == "a1"
    assert parameters[1]["schema"] == {
        "type": "integer",
        "minimum": 1,
        "maximum": 10,
        "default": 5,
    }
    assert parameters[2]["schema"] == {"type": "string"}


def test_an_answer_has_its_schema_and_example(found: dict[str, Any]) -> None:
    answers = found["paths"]["/boxes/{box}"]["get"]["responses"]

    media = answers["200"]["content"]["application/json"]
    assert media["schema"] == {"$ref": "#/components/schemas/Found"}
    assert media["examples"]["example"]["value"] == {"box": "a1", "limit": 5, "color": None}


def test_every_problem_that_may_come_is_named(found: dict[str, Any]) -> None:
    closed = found["paths"]["/boxes/{box}"]["get"]["responses"]
    free = found["paths"]["/slow"]["get"]["responses"]

    expected = {"200", "400", "401", "403", "404", "406", "421", "429", "500", "503"}
    assert set(closed) == expected
    assert set(free) == {"200", "400", "406", "500", "503"}


def test_an_answer_with_an_entity_tag_may_be_known_already(found: dict[str, Any]) -> None:
    operation = found["paths"]["/content"]["get"]

    assert "304" in operation["responses"]
    assert operation["parameters"][0]["name"] == "If-None-Match"


def test_it_says_which_resources_need_a_token(found: dict[str, Any]) -> None:
    assert found["paths"]["/slow"]["get"]["security"] == []
    assert found["paths"]["/boxes/{box}"]["get"]["security"] == [{"bearer": []}]
    assert "a member where box is" in found["paths"]["/boxes/{box}"]["get"]["description"]


@in_loop
async def test_it_is_served_and_made_once() -> None:
    made: list[int] = []

    def make() -> dict[str, Any]:
        made.append(1)
        return {"openapi": "3.1.0"}

    async with client_of(Boxes(), more=(openapi(make),)) as client:
        first = await client.get("/openapi.json")
        again = await client.get(
            "/openapi.json", headers={"If-None-Match": first.headers["etag"]}
        )

    assert (first.json(), again.status_code, made) == ({"openapi": "3.1.0"}, 304, [1])
