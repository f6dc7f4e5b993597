"""The query service on the small history of tests/kit/sample.py, in memory."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast

import httpx

from airside.documents.document import Documents
from airside.documents.keys import signing_keys
from airside.serving.app import query_app
from airside.serving.reads import Reads
from airside.serving.service import Service
from airside.web.handler import Edge
from airside.web.health import Health
from airside.web.threads import Threads
from airside.wiring import Deployment
from tests.kit.in_loop import in_loop
from tests.kit.looks import MemoryLooks
from tests.kit.sample import Sample

KEY = {
    "kty": "OKP",
    "crv": "Ed25519",
    "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
    "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
}
"""The key of RFC 8037, appendix A: known to everybody."""


@asynccontextmanager
async def service_on(sample: Sample) -> AsyncIterator[Service]:
    """What the resources are answered from."""
    stopping = asyncio.Event()
    reads, threads = Reads(MemoryLooks(sample.views), sample.shards), Threads("the sample")
    service = Service(
        reads=lambda: reads,
        deployment=lambda: cast("Deployment", sample),
        threads=threads,
        health=Health({}, stopping, time.monotonic),
        clock=sample.clock,
        stopping=stopping,
    )
    service.documents = Documents(signing_keys([KEY]), sample.clock)
    try:
        yield service
    finally:
        threads.close()
        reads.close()


@asynccontextmanager
async def client_on(
    sample: Sample, edge: Edge | None = None
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the whole service."""
    async with service_on(sample) as service:
        transport = httpx.ASGITransport(query_app(service, edge or Edge()))
        async with httpx.AsyncClient(
            transport=transport, base_url="http://localhost"
        ) as client:
            yield client


def asked(
    sample: Sample, *paths: str, edge: Edge | None = None, **headers: str
) -> Sequence[httpx.Response]:
    """The answers, one after the other; in the names of headers _ stands for -."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    found: list[httpx.Response] = []

    @in_loop
    async def ask() -> None:
        async with client_on(sample, edge) as client:
            for path in paths:
                found.append(await client.get(path, headers=named))

    ask()
    return found


def answer(sample: Sample, path: str) -> Any:
    """The JSON of one good answer."""
    (found,) = asked(sample, path)
    assert found.status_code == 200, found.text
    return found.json()
