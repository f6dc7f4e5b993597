"""A gateway on memory: its topic, its read models, and a client that calls it in process."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import httpx
import msgspec

from airside.gateway.describing import document_of_gateway
from airside.gateway.gate import Gate
from airside.gateway.resources import RESOURCES, Service
from airside.log import KeyValue, Traces
from airside.web.app import make_app
from airside.web.handler import Edge
from airside.web.health import Health
from airside.web.openapi import openapi
from airside.web.resource import Resource
from queries.reader import Reader
from schemas.codec import CODEC
from schemas.envelope import Command, Event
from schemas.errors import AirsideError
from schemas.events import CommandRefused, DeviceRemoved
from tests.kit.served import Served

T = TypeVar("T")

SHARDS = 4
ISSUED_AT = 1_732_456_800_000
KEY = "01935e5a-5480-7000-8000-000000000001"  # version 7


class HeldTopic:
    """Keeps what is appended; fails as long as `failure` says so, waits until `open`."""

    def __init__(self, partitions: int = SHARDS) -> None:
        self.records: list[tuple[int, KeyValue]] = []
        self.appends = 0
        self.failure: AirsideError | None = None
        self.kept_before_failing = 0  # records of an append that arrive all the same
        self.open = asyncio.Event()
        self.open.set()
        self.after_append: Callable[[], object] = lambda: None
        self._partitions = partitions

    async def partitions(self) -> int:
        return self._partitions

    async def append(
        self, partition: int, records: Sequence[KeyValue], traces: Traces | None = None
    ) -> None:
        self.appends += 1
        await self.open.wait()
        if self.failure is not None:
            kept = records[: self.kept_before_failing]
            self.records += [(partition, one) for one in kept]
            raise self.failure
        self.records += [(partition, one) for one in records]
        self.after_append()

    async def close(self) -> None:
        return None

    @property
    def commands(self) -> list[Command]:
        """What is on it, in order."""
        return [CODEC.decode_command(value or b"") for _, (_, value) in self.records]


class ServedReads:
    """The questions of `Served`, asked one after the other."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self.asked = 0
        self.failure: AirsideError | None = None

    async def ask(self, question: Callable[[Reader], T]) -> T:
        self.asked += 1
        await asyncio.sleep(0)
        if self.failure is not None:
            raise self.failure
        return question(self._served.reader)


class House:
    """All of it, and what its client is told."""

    def __init__(
        self, edge: Edge | None = None, served: Served | None = None, **bounds: int
    ) -> None:
        self.topic = HeldTopic()
        self.served = served or Served(SHARDS)
        self.reads = ServedReads(self.served)
        self.gate = Gate(self.topic, self.reads, **bounds)
        health = Health({"commands topic": self._look}, asyncio.Event(), lambda: 0.0)
        self.service = Service(self.gate, health)
        resources: list[Resource[Service]] = [*RESOURCES, openapi(document_of_gateway)]
        self.app = make_app(resources, self.service, edge or Edge())

    @asynccontextmanager
    async def client(self) -> AsyncIterator[httpx.AsyncClient]:
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://localhost"
        ) as client:
            yield client

    async def send(
        self,
        body: Any,
        *,
        account: str = "a1",
        key: str | None = KEY,
        path: str = "commands",
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """One POST."""
        named = {} if key is None else {"Idempotency-Key": key}
        content = {"content": body} if isinstance(body, bytes) else {"json": body}
        async with self.client() as client:
            return await client.post(
                f"/v1/accounts/{account}/{path}",
                headers={**named, **(headers or {})},
                **content,
            )

    async def _look(self) -> None:
        if self.topic.failure is not None:
            raise self.topic.failure


def acquire(**fields: object) -> dict[str, object]:
    """The body of a command that a member sends."""
    return {"type": "AcquireLicense", "device_id": "d1", "title_id": "t1", **fields}


def decided(house: House, refused: str = "") -> None:
    """What handler and projectors would make of what is on the topic: an event each."""
    events: list[Event] = []
    for version, command in enumerate(house.topic.commands, 1):
        said: Event = (
            CommandRefused(command_type=type(command).__name__, code=refused, rule="R03")
            if refused
            else DeviceRemoved(device_id="d1")
        )
        events.append(
            msgspec.structs.replace(
                said,
                version=version,
                at=ISSUED_AT,
                command_id=command.command_id,
                account_id=command.account_id,
            )
        )
    house.served.happened(events)
