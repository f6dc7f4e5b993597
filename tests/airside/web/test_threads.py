"""Work that blocks, in few threads."""

import threading

import pytest

from airside.web.threads import Threads
from schemas.errors import NotFound, Unavailable
from tests.kit.in_loop import in_loop, until

LONG = 30.0


@in_loop
async def test_what_a_function_returns_or_raises_comes_back() -> None:
    threads = Threads("engine")

    def fails() -> None:
        raise NotFound("nothing")

    assert await threads.run(lambda: 7, seconds=LONG) == 7
    with pytest.raises(NotFound, match="nothing"):
        await threads.run(fails, seconds=LONG)
    threads.close()


@in_loop
async def test_what_is_late_is_not_awaited() -> None:
    threads, over = Threads("engine", threads=1), threading.Event()

    with pytest.raises(Unavailable, match="engine: no answer"):
        await threads.run(over.wait, seconds=0.01)

    over.set()
    assert await threads.run(lambda: 7, seconds=LONG) == 7
    threads.close()


@in_loop
async def test_only_so_many_wait() -> None:
    threads, over = Threads("engine", threads=1, waiting_max=0), threading.Event()
    with pytest.raises(Unavailable, match="no answer"):
        await threads.run(over.wait, seconds=0.01)

    with pytest.raises(Unavailable, match="1 questions to engine wait"):
        await threads.run(lambda: 7, seconds=LONG)

    over.set()
    await until(lambda: threads.under_way == 0)
    assert await threads.run(lambda: 7, seconds=LONG) == 7
    threads.close()
