"""One poller for all who watch accounts."""

import asyncio
from collections.abc import Iterator
from contextlib import closing

import pytest

from airside.serving.heads import Heads
from airside.serving.reads import Reads
from schemas import events
from tests.kit.happenings import happened, history, issued
from tests.kit.in_loop import in_loop, until
from tests.kit.looks import MemoryLooks
from tests.kit.served import Served


@pytest.fixture
def served() -> Served:
    served = Served()
    served.happened(history(happened(events.AccountOpened), issued(1), issued(2)))
    return served


@pytest.fixture
def looks(served: Served) -> MemoryLooks:
    return MemoryLooks(served.store)


@pytest.fixture
def heads(looks: MemoryLooks) -> Iterator[Heads]:
    with closing(Reads(looks, 4)) as reads:
        yield Heads(reads.find, poll_seconds=0.001)


@in_loop
async def test_many_who_watch_are_one_request(
    served: Served, looks: MemoryLooks, heads: Heads
) -> None:
    watching = [
        asyncio.ensure_future(heads.beyond("a1", 3, 3, shards=4, seconds=60.0))
        for _ in range(200)
    ]
    await until(lambda: heads.watching == 200)
    looks.asked.clear()
    await until(lambda: len(looks.asked) > 3)
    served.happened([issued(3, version=4)])
    found = await asyncio.gather(*watching)
    assert {head.version for head, _ in found} == {4}
    assert {len(asked) for asked in looks.asked} <= {0, 1}
    assert heads.watching == 0


@in_loop
async def test_accounts_are_not_read_while_their_shard_stands_still(
    looks: MemoryLooks, heads: Heads
) -> None:
    watching = asyncio.ensure_future(heads.beyond("a1", 3, 3, shards=4, seconds=60.0))
    await until(lambda: len(looks.asked) > 6)
    keys = [one.keys for asked in looks.asked for one in asked]
    assert keys.count(("a1/head",)) == 1
    watching.cancel()
