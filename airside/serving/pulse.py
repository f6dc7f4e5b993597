"""Waiting for an event to be in the read models: one poller for all who wait, and none else.

While somebody waits, every POLL_SECONDS one request asks for the checkpoints of all shards that
are waited for; each waiter is woken when its shard has come far enough.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from projectors.view_store import Generation, Registry, Rows
from schemas.errors import Unavailable

POLL_SECONDS = 0.002
WAITERS_MAX = 10_000

Ask = Callable[[Generation, int, Sequence[str]], Awaitable[tuple[Rows, Registry | None]]]


@dataclass(eq=False, slots=True)
class _Waiter:
    generation: Generation
    shard: int
    seq: int
    woken: "asyncio.Future[None]"


class Pulse:
    """Wakes who waits. For one event loop."""

    def __init__(self, ask: Ask, *, poll_seconds: float = POLL_SECONDS) -> None:
        """`ask` is how checkpoints are read; many are asked for in the same moment."""
        self._ask = ask
        self._poll_seconds = poll_seconds
        self._waiters: set[_Waiter] = set()
        self._poller: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._waiters)

    async def wait(self, generation: Generation, shard: int, seq: int, seconds: float) -> None:
        """Return when the shard has come to `seq`, or when there is reason to look again.

        That is: another generation is served, the store cannot be asked, or time is over.
        Raises: Unavailable where WAITERS_MAX wait already.
        """
        if len(self._waiters) >= WAITERS_MAX:
            raise Unavailable(f"{WAITERS_MAX} requests wait for a version already. Ask again.")
        loop = asyncio.get_running_loop()
        waiter = _Waiter(generation, shard, seq, loop.create_future())
        self._waiters.add(waiter)
        timer = loop.call_later(seconds, _wake, waiter)
        if self._poller is None or self._poller.done():
            self._poller = loop.create_task(self._poll())
        try:
            await waiter.woken
        finally:
            timer.cancel()
            self._waiters.discard(waiter)

    def close(self) -> None:
        """Wake everybody."""
        for waiter in list(self._waiters):
            _wake(waiter)

    async def _poll(self) -> None:
        """Until nobody waits any more."""
        while self._waiters:
            await asyncio.sleep(self._poll_seconds)
            shards: dict[tuple[Generation, int], list[_Waiter]] = {}
            for waiter in self._waiters:
                shards.setdefault((waiter.generation, waiter.shard), []).append(waiter)
            await asyncio.gather(*(self._look(*of, some) for of, some in shards.items()))

    async def _look(self, generation: Generation, shard: int, some: list[_Waiter]) -> None:
        try:
            rows, registry = await self._ask(generation, shard, ())
        except Unavailable:
            rows, registry = None, None
        is_other = registry is not None and registry.serving != generation.number
        for waiter in some:
            if rows is None or is_other or rows.checkpoint.seq >= waiter.seq:
                _wake(waiter)


def _wake(waiter: _Waiter) -> None:
    if not waiter.woken.done():
        waiter.woken.set_result(None)
