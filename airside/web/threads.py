"""Work that blocks, in few threads, with a bound on how much of it may wait."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from schemas.errors import Unavailable

T = TypeVar("T")

THREADS = 4
WAITING_MAX = 64  # beyond them: told at once, instead of in a long while


class Threads:
    """Runs functions for one event loop. What is late goes on, and is not awaited."""

    def __init__(
        self, name: str, *, threads: int = THREADS, waiting_max: int = WAITING_MAX
    ) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._name, self._most = name, threads + waiting_max
        self.under_way = 0  # functions that run or wait

    async def run(self, function: Callable[[], T], *, seconds: float) -> T:
        """What it returns. Raises: what it raises; Unavailable if it is late, or many wait."""
        if self.under_way >= self._most:
            raise Unavailable(f"{self.under_way} questions to {self._name} wait. Ask again.")
        self.under_way += 1
        task = asyncio.get_running_loop().run_in_executor(self._pool, function)
        task.add_done_callback(self._done)
        try:
            return await asyncio.wait_for(asyncio.shield(task), seconds)
        except TimeoutError:
            raise Unavailable(
                f"{self._name}: no answer within {seconds:g} s. Ask again."
            ) from None

    def close(self) -> None:
        """Begin no more; what is under way is not awaited."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _done(self, task: "asyncio.Future[T]") -> None:
        self.under_way -= 1
        if not task.cancelled():
            task.exception()  # seen: whoever asked may be gone
