"""The gateway put together: topic, read models and resources of one process."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TypeVar

from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from airside.gateway.describing import document_of_gateway
from airside.gateway.gate import Gate
from airside.gateway.resources import RESOURCES, Service
from airside.gateway.topic import CommandsTopic
from airside.serving.opening import Opening
from airside.web.app import make_app
from airside.web.handler import Edge
from airside.web.health import Health
from airside.web.openapi import openapi
from airside.wiring import Deployment
from queries.reader import Reader

T = TypeVar("T")


class OpenedReads:
    """The read models as soon as they are reached: commands can be taken without them."""

    def __init__(self, opening: Opening) -> None:
        self._opening = opening

    async def ask(self, question: Callable[[Reader], T]) -> T:
        """What the question answers. Raises: what it raises; Unavailable."""
        return await self._opening.reads.ask(question)


@asynccontextmanager
async def open_app(
    deployment: Deployment,
    edge: Edge,
    stopping: asyncio.Event,
    *,
    watched: Callable[[CommandsTopic], CommandsTopic] = lambda topic: topic,
    more: Sequence[BaseRoute] = (),
) -> AsyncIterator[ASGIApp]:
    """The application, for the event loop that opens it; `more` are routes besides.

    `watched` may put something between, to see what is appended.
    """
    async with AsyncExitStack() as opened:
        topic = watched(deployment.commands_topic())
        opened.push_async_callback(topic.close)
        opening = await opened.enter_async_context(Opening(deployment))

        async def commands_topic() -> None:
            await topic.partitions()

        health = Health({"commands topic": commands_topic}, stopping, time.monotonic)
        service = Service(Gate(topic, OpenedReads(opening)), health)
        yield make_app((*RESOURCES, openapi(document_of_gateway)), service, edge, more=more)
