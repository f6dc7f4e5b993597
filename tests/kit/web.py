"""A small service that knows nothing of licenses, and a client that calls it in process."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Annotated

import httpx
import msgspec
from msgspec import Meta, Struct

from airside.web.app import make_app
from airside.web.handler import Edge
from airside.web.resource import Answer, Call, Resource
from schemas.errors import AirsideError


class Boxes:
    """What the endpoints are answered from."""

    def __init__(self) -> None:
        self.content = b'{"apples":7}'
        self.failure: Exception | None = None
        self.open = asyncio.Event()  # `slow` waits for it
        self.entered = asyncio.Event()
        self.paid = 0


class OfBox(Struct, frozen=True):
    box: Annotated[str, Meta(min_length=1, max_length=20, examples=["a1"])]


class Wanted(Struct, frozen=True):
    limit: Annotated[int, Meta(ge=1, le=10, description="At most.")] = 5
    color: Annotated[str, Meta(extra={"header": "X-Color"})] | None = None
    weight: float | None = None


class Found(Struct, frozen=True):
    box: str
    limit: int
    color: str | None


async def look(boxes: Boxes, call: Call) -> Answer:
    if boxes.failure is not None:
        raise boxes.failure
    box, wanted = call.of(OfBox).box, call.of(Wanted)
    return Answer(msgspec.json.encode(Found(box, wanted.limit, wanted.color)))


async def content(boxes: Boxes, _call: Call) -> Answer:
    return Answer(boxes.content, etag=f'W/"{len(boxes.content)}"')


async def fill(_boxes: Boxes, call: Call) -> Answer:
    return Answer(await call.body(8), status=202)


async def slow(boxes: Boxes, _call: Call) -> Answer:
    boxes.entered.set()
    await boxes.open.wait()
    return Answer(b'"at last"')


async def patient(boxes: Boxes, call: Call) -> Answer:
    return await slow(boxes, call)


RESOURCES: tuple[Resource[Boxes], ...] = (
    Resource(
        "/boxes/{box}",
        look,
        "One box.",
        scope="member",
        owner="box",
        parameters=(OfBox, Wanted),
        answer=Found,
        example={"box": "a1"},
    ),
    Resource("/content", content, "All.", scope="support", answer=dict[str, int], etag=True),
    Resource("/fill", fill, "Fill it.", scope="operator", method="POST", answer=str),
    Resource("/slow", slow, "Slow.", scope=None, answer=str, seconds=lambda _: 0.05),
    Resource("/patient", patient, "Slow too.", scope=None, answer=str),
)


@asynccontextmanager
async def client_of(
    boxes: Boxes, edge: Edge | None = None, more: Sequence[Resource[Boxes]] = ()
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the service."""
    app = make_app([*RESOURCES, *more], boxes, edge or Edge())
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        yield client


def problem(response: httpx.Response) -> tuple[int, str, str]:
    """Status, type and detail of a problem document."""
    assert response.headers["content-type"] == "application/problem+json"
    document = response.json()
    assert document["status"] == response.status_code
    assert document["instance"].endswith(response.headers["x-request-id"])
    return document["status"], document["type"].rpartition(":")[2], document.get("detail", "")


def failing(error: AirsideError) -> Boxes:
    """Boxes that cannot be looked into."""
    boxes = Boxes()
    boxes.failure = error
    return boxes
