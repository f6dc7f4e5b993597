"""The read models, as soon as they can be reached; an embedded server is kept alive."""

import asyncio
import logging
from contextlib import ExitStack, suppress
from types import TracebackType

from airside.serving.reads import Reads
from airside.wiring import Deployment
from projectors.all import PROJECTIONS
from schemas.errors import AirsideError, NotFound, Transient, Unavailable

RETRY_SECONDS = 0.5
REVIVE_SECONDS = 1.0  # between two looks at the embedded server

log = logging.getLogger("airside.serving")


class Opening:
    """Opens the read models in the background and holds them until it is left."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._held = ExitStack()
        self._reads: Reads | None = None
        self._why: AirsideError = Unavailable(
            "the read models were not reached yet. Ask again."
        )
        self._task: asyncio.Task[None] | None = None
        self._entering: asyncio.Future[Reads] | None = None  # in a thread

    async def __aenter__(self) -> "Opening":
        self._task = asyncio.create_task(self._open())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._task is not None
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task
        if self._entering is not None:
            await asyncio.wait([self._entering])  # a thread cannot be told to stop
        self._held.close()

    @property
    def is_open(self) -> bool:
        """They were reached once."""
        return self._reads is not None

    @property
    def reads(self) -> Reads:
        """Raises: Unavailable, with the reason, until they were reached for the first time."""
        if self._reads is None:
            raise Unavailable(f"{self._why}")
        return self._reads

    async def check(self) -> None:
        """Raises: Unavailable unless they answer now."""
        await self.reads.rows.registry(PROJECTIONS[0].name)

    async def serves(self, projection: str) -> None:
        """Raises: NotFound if the read models answer and this one serves no generation."""
        if self._reads is None:
            return
        with suppress(Transient):
            found = await self._reads.rows.registry(projection)
            if found.serving is None:
                raise NotFound("no generation is served. Start a projector: `airside project`.")

    async def _open(self) -> None:
        while self._reads is None:
            try:
                loop = asyncio.get_running_loop()
                self._entering = loop.run_in_executor(None, self._enter)
                self._reads = await asyncio.shield(self._entering)
            except AirsideError as error:
                if str(error) != str(self._why):
                    log.warning("read models not reached because %s", error)
                self._why = error
                await asyncio.sleep(RETRY_SECONDS)
        await self._keep_alive()

    def _enter(self) -> Reads:
        return self._held.enter_context(self._deployment.reads())

    async def _keep_alive(self) -> None:
        """Somebody has to start an embedded server again if it was killed."""
        while self._deployment.settings.views is None:
            await asyncio.sleep(REVIVE_SECONDS)
            try:
                await self.check()
            except Transient:
                with suppress(Transient):
                    await asyncio.to_thread(self._deployment.revive)
