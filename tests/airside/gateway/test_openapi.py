"""The gateway's OpenAPI document: valid, and every request that it allows is answered by it."""

from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from openapi_spec_validator import validate
from schemathesis import Case
from schemathesis.generation import GenerationMode

from airside.gateway.describing import document_of_gateway
from airside.gateway.keys import HEADER
from airside.http_client.keys import Keys
from airside.web.handler import Edge
from schemas.registry import COMMAND_TYPES
from tests.kit.cli import Shell
from tests.kit.gateway import House
from tests.kit.tokens import Issuer, bearer

EXAMPLES = 25  # generated for each path and mode
DOCUMENT = document_of_gateway()
PATHS = sorted(DOCUMENT["paths"])


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Issuer:
    return Issuer(tmp_path_factory.mktemp("issuer"))


def check_requests(path: str, mode: GenerationMode, issuer: Issuer) -> int:
    """Call the path with what schemathesis makes up; how often. Raises: what it finds."""
    house = House(Edge(tokens=issuer.tokens()))
    # ASCII alone: which other characters a name may have is a matter of Unicode's categories.
    config = schemathesis.Config.from_dict({"generation": {"codec": "ascii"}})
    api = schemathesis.openapi.from_asgi("/openapi.json", house.app, config=config)
    operation = next(iter(api[path].values()))
    headers = bearer(issuer.token(sub="bo", scope="operator"))
    calls, keys = 0, Keys()

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode))
    def call(case: Case[Any]) -> None:
        nonlocal calls
        calls += 1
        if mode is GenerationMode.POSITIVE:
            # A key without a time needs an `issued_at` in the body: no schema can say that of
            # a header and a body together. And a key that comes again means the same command.
            case.headers = type(case.headers)({**case.headers, HEADER: keys.new()})
        case.call_and_validate(headers=headers)

    call()
    return calls


@pytest.mark.parametrize("path", PATHS)
def test_schemathesis_finds_nothing_with_requests_that_are_right(
    path: str, issuer: Issuer
) -> None:
    assert check_requests(path, GenerationMode.POSITIVE, issuer) > 0


@pytest.mark.parametrize("path", [path for path in PATHS if path.startswith("/v1")])
def test_schemathesis_finds_nothing_with_requests_that_are_wrong(
    path: str, issuer: Issuer
) -> None:
    assert check_requests(path, GenerationMode.NEGATIVE, issuer) > 0


def test_it_is_valid() -> None:
    validate(DOCUMENT)
    assert DOCUMENT["openapi"] == "3.1.0"


def test_it_has_every_command_with_what_key_and_path_do_not_say() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    assert set(COMMAND_TYPES) <= set(schemas)
    assert schemas["AcquireLicense"]["required"] == ["type", "device_id", "title_id"]
    assert "command_id" not in schemas["AcquireLicense"]["properties"]


@pytest.mark.parametrize("path", ["commands", "commands:batch"])
def test_its_examples_fit_their_schemas(path: str) -> None:
    body = DOCUMENT["paths"][f"/v1/accounts/{{account_id}}/{path}"]["post"]["requestBody"]
    content = body["content"]["application/json"]
    checker = Draft202012Validator({**content["schema"], "components": DOCUMENT["components"]})
    assert content["examples"]
    assert [
        list(checker.iter_errors(one["value"])) for one in content["examples"].values()
    ] == [[] for _ in content["examples"]]


def test_the_command_line_prints_it(tmp_path: Path) -> None:
    ran = Shell(tmp_path / "data")("gateway", "--openapi")
    assert (ran.code, ran.json) == (0, DOCUMENT)
