"""How far accounts have come that somebody watches: one poller for all of them.

While somebody waits, every POLL_SECONDS one request asks how far the shards are, and a second
one for those accounts whose shard has moved. Only who waits is asked for: a watcher that is
busy with its client costs nothing.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import msgspec
from msgspec import Struct

from projectors.timeline import HEAD, PROJECTION
from projectors.view_store import Checkpoint
from queries.finding import Found, Need
from schemas.errors import AirsideError
from schemas.record import shard_of

POLL_SECONDS = 0.05
PAUSE_SECONDS = 1.0  # after the read models could not be asked

Find = Callable[[Need], Awaitable[Found]]


class Head(Struct, frozen=True, gc=False):
    """Where an account has come."""

    version: int = 0


GONE = Head(-1)  # erased
LATER = Head(0)  # nothing new in time, or no more


@dataclass(eq=False, slots=True)
class _Watcher:
    account_id: str
    version: int
    seq: int  # of the shard, as far as this watcher knows
    woken: "asyncio.Future[tuple[Head, int]]"


class Heads:
    """Wakes who watches an account. For one event loop."""

    def __init__(self, find: Find, *, poll_seconds: float = POLL_SECONDS) -> None:
        self._find = find
        self._poll_seconds = poll_seconds
        self._watchers: dict[int, set[_Watcher]] = {}  # by shard
        self._seen: dict[int, tuple[str, Checkpoint]] = {}  # when heads were read last
        self._poller: asyncio.Task[None] | None = None

    @property
    def watching(self) -> int:
        """How many wait."""
        return sum(map(len, self._watchers.values()))

    async def beyond(
        self, account_id: str, version: int, seq: int, *, shards: int, seconds: float
    ) -> tuple[Head, int]:
        """The account's head when it is beyond `version`, and its shard's seq.

        GONE where the account is not there although its shard holds event `seq`; LATER where
        time is over, or `wake` was called.
        """
        loop = asyncio.get_running_loop()
        watcher = _Watcher(account_id, version, seq, loop.create_future())
        shard = shard_of(account_id, shards)
        self._watchers.setdefault(shard, set()).add(watcher)
        self._seen.pop(shard, None)  # its account was not among those that were asked for
        timer = loop.call_later(seconds, _wake, watcher, LATER, seq)
        if self._poller is None or self._poller.done():
            self._poller = loop.create_task(self._poll())
        try:
            return await watcher.woken
        finally:
            timer.cancel()
            self._watchers[shard].discard(watcher)

    def wake(self) -> None:
        """Everybody."""
        for some in self._watchers.values():
            for watcher in list(some):
                _wake(watcher, LATER, watcher.seq)

    async def _poll(self) -> None:
        """Until nobody watches any more."""
        while self.watching:
            await asyncio.sleep(self._poll_seconds)
            shards = [shard for shard, some in self._watchers.items() if some]
            try:
                await asyncio.gather(*map(self._look, shards))
            except AirsideError:
                await asyncio.sleep(PAUSE_SECONDS)

    async def _look(self, shard: int) -> None:
        found = await self._find(Need(PROJECTION.name, (), shard))
        if self._seen.get(shard) == (found.generation.name, found.parts[0].checkpoint):
            return
        some = list(self._watchers[shard])
        names = {watcher.account_id: f"{watcher.account_id}/{HEAD}" for watcher in some}
        self._seen[shard] = ("", Checkpoint())  # who comes from here on will take it away
        found = await self._find(Need(PROJECTION.name, tuple(names.values()), shard))
        rows = found.parts[0]
        if shard in self._seen:
            self._seen[shard] = found.generation.name, rows.checkpoint
        for watcher in some:
            row = rows.rows[names[watcher.account_id]]
            if row is not None:
                head = _decode(row)
                if head.version > watcher.version:
                    _wake(watcher, head, rows.checkpoint.seq)
            elif rows.checkpoint.seq >= watcher.seq:
                _wake(watcher, GONE, rows.checkpoint.seq)


_decode = msgspec.json.Decoder(Head).decode


def _wake(watcher: _Watcher, head: Head, seq: int) -> None:
    if not watcher.woken.done():
        watcher.woken.set_result((head, seq))
