"""The gateway's topic on an embedded log: a thread of its own, one append after the other."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from airside.log import KeyValue, Log, Traces
from schemas.record import COMMANDS_TOPIC

T = TypeVar("T")


class LogCommandsTopic:
    """Any `Log` whose appends are short. `opened` opens it, in the thread that will use it."""

    def __init__(self, opened: Callable[[], Log]) -> None:
        self._opened = opened
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="commands-topic")
        self._log: Log | None = None

    async def partitions(self) -> int:
        """How many partitions it has. Raises: NotFound, Unavailable."""
        return await self._run(lambda log: log.partitions(COMMANDS_TOPIC))

    async def append(
        self, partition: int, records: Sequence[KeyValue], traces: Traces | None = None
    ) -> None:
        """All or none of the records. Raises: TooLarge, NotFound, Unavailable."""
        await self._run(lambda log: log.append(COMMANDS_TOPIC, partition, records, traces))

    async def close(self) -> None:
        """Wait for the append under way, and close the log."""
        if self._log is not None:
            await self._run(lambda log: log.close())
        self._thread.shutdown()

    async def _run(self, work: Callable[[Log], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._do, work)

    def _do(self, work: Callable[[Log], T]) -> T:
        if self._log is None:
            self._log = self._opened()
        return work(self._log)
