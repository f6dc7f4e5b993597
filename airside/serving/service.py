"""The query service of one process: what its resources are answered from."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from airside.serving.live import Live
from airside.serving.opening import Opening
from airside.serving.reads import Reads
from airside.web.health import Health
from airside.web.threads import Threads
from airside.wiring import Deployment
from projectors.all import PROJECTIONS

if TYPE_CHECKING:
    from airside.documents.document import Documents

T = TypeVar("T")

DEPLOYMENT_SECONDS = 8.0  # that a question to the write side, or to all shards, may take


class Service:
    """Made by `opened`."""

    documents: "Documents | None" = None  # without a signing key there are none

    def __init__(
        self,
        reads: Callable[[], Reads],
        deployment: Callable[[], Deployment],
        threads: Threads,
        health: Health,
        clock: Callable[[], int],
        stopping: asyncio.Event,
    ) -> None:
        """`clock` tells ms."""
        self._reads, self._deployment, self._threads = reads, deployment, threads
        self.health, self.clock, self.stopping = health, clock, stopping
        self.live = Live(reads, clock)

    @property
    def reads(self) -> Reads:
        """The read models. Raises: Unavailable as long as they were never reached."""
        return self._reads()

    async def of_deployment(self, question: Callable[[Deployment], T]) -> T:
        """What is asked of other engines than the read models, or of all shards at once.

        Raises: what it raises; Unavailable if it is late.
        """
        asked = partial(question, self._deployment())
        return await self._threads.run(asked, seconds=DEPLOYMENT_SECONDS)


@asynccontextmanager
async def opened(deployment: Deployment, stopping: asyncio.Event) -> AsyncIterator[Service]:
    """The service; it answers as soon as its read models do, however late that is."""
    threads = Threads("the deployment")
    opening = Opening(deployment)
    checks = {"read models": opening.check} | {
        one.name: partial(opening.serves, one.name) for one in PROJECTIONS
    }
    service = Service(
        reads=lambda: opening.reads,
        deployment=lambda: deployment,
        threads=threads,
        health=Health(checks, stopping, time.monotonic),
        clock=deployment.clock,
        stopping=stopping,
    )
    ending = asyncio.create_task(_ending(service))
    try:
        async with opening:
            yield service
    finally:
        ending.cancel()
        threads.close()


async def _ending(service: Service) -> None:
    await service.stopping.wait()
    service.live.stop()  # or the server would wait for streams that do not end
