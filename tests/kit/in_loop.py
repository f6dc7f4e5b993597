"""Tests that are coroutines: each has an event loop of its own."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import ParamSpec

P = ParamSpec("P")


def in_loop(test: Callable[P, Awaitable[None]]) -> Callable[P, None]:
    """Run the test to its end; what it left running is cancelled."""

    @wraps(test)
    def run(*arguments: P.args, **named: P.kwargs) -> None:
        async def whole() -> None:
            await test(*arguments, **named)

        asyncio.run(whole())

    return run


async def until(condition: Callable[[], bool], seconds_max: float = 30.0) -> None:
    """Wait until it holds. Raises: TimeoutError."""
    async with asyncio.timeout(seconds_max):
        while not condition():
            await asyncio.sleep(0.002)
