"""The examples of the OpenAPI document: what the resources answer about a small history.

`python -m tests.kit.examples` writes them anew; a test compares what is written.
"""

import asyncio
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import httpx

import airside.serving
from airside.serving.app import EXAMPLES
from airside.serving.resources import RESOURCES
from airside.web.openapi import Json
from airside.web.parameters import path_names
from airside.web.resource import Resource
from tests.kit.query_service import client_on
from tests.kit.sample import Sample

FILE = Path(airside.serving.__file__).parent / EXAMPLES


def written(found: Json) -> bytes:
    """As the file has it: one line each, so that a change can be reviewed."""
    lines = [f"{json.dumps(name)}: {json.dumps(value)}" for name, value in found.items()]
    return ("{\n" + ",\n".join(lines) + "\n}\n").encode()


def examples() -> Json:
    """Answers by the name of their resource. Not for a thread that runs an event loop."""
    return asyncio.run(_ask_all())


async def _ask_all() -> Json:
    asked = [one for one in RESOURCES if _has_answer(one)]
    async with client_on(Sample()) as client:
        return {one.name: await _ask(client, one) for one in asked}


def _has_answer(one: Resource[Any]) -> bool:
    return one.method == "GET" and one.media_type.endswith("json")


async def _ask(client: httpx.AsyncClient, one: Resource[Any]) -> Any:
    response = await client.get(address(one))
    assert response.status_code == 200, f"{one.path}: {response.text}"
    return response.json()


def address(one: Resource[Any]) -> str:
    """Where the example is asked for."""
    path, query = one.path, dict(one.example)
    for name in path_names(one.path):
        path = path.replace(f"{{{name}}}", quote(query.pop(name), safe=""))
    return f"{path}?{urlencode(query)}" if query else path


if __name__ == "__main__":
    FILE.write_bytes(written(examples()))
