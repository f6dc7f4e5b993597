"""Questions to the read models, of many askers at once, by the rules of queries/finding.py.

reads = Reads(store, shards)
await reads.ask(lambda reader: devices(reader, "a1", at=now))    what the query answers
await reads.row("devices", "a1", "a1")                           the row's JSON, as it is stored
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

from airside.serving.coalescing import READ_SECONDS_MAX, Coalescing, RowsAndRegistry
from airside.serving.looks import Looks
from airside.serving.pulse import Pulse
from projectors.view_store import Generation, Rows
from queries.finding import Each, Finding, Found, Need, Pause, RegistryOf, RowsOf
from queries.reader import (
    ANYTHING,
    AtLeast,
    Reader,
    Standing,
    need_of_account,
    standing_of,
)
from schemas.errors import AirsideError, Invalid

T = TypeVar("T")

NEEDS_MAX = 100  # of one question
TIMEOUT_SECONDS = 2.0  # of one request to the view store


class _Lacking(Exception):
    """A question needs rows that are not at hand."""

    def __init__(self, need: Need) -> None:
        super().__init__(need)
        self.need = need


class _AtHand:
    """The rows that one question has been given so far: a reader's source."""

    def __init__(self) -> None:
        self.found: dict[Need, Found] = {}

    def find(self, need: Need) -> Found:
        """What is at hand. Raises: _Lacking."""
        found = self.found.get(need)
        if found is None:
            raise _Lacking(need)
        return found

    def moment(self, projection: str, now_at: int) -> int:
        """Now: what is served is always up to date."""
        return now_at

    def keys(self, projection: str) -> set[str]:
        """Not offered. Raises: Invalid."""
        raise Invalid(f"{projection}: a service does not read every key. Ask for some.")


class Reads:
    """Reads of one process, for one event loop. Close it at the end."""

    def __init__(
        self,
        store: Looks,
        shards: int,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        seconds_max: float = READ_SECONDS_MAX,
    ) -> None:
        self.shards = shards
        self.rows = Coalescing(store, seconds_max=seconds_max)
        self.pulse = Pulse(self.rows.rows)
        self._finding = Finding(shards, monotonic=monotonic)

    async def ask(self, question: Callable[[Reader], T]) -> T:
        """What the question answers; it is asked again for as long as it lacks rows.

        It does nothing but ask, since it may be run several times. Raises: what it raises;
        Unavailable where the read models do not answer in time.
        """
        at_hand = _AtHand()
        reader = Reader(at_hand, self.shards)
        for _ in range(NEEDS_MAX):
            try:
                return question(reader)
            except _Lacking as lacking:
                need = lacking.need
            at_hand.found[need] = await self.find(need)
        raise Invalid(f"a question that needs more than {NEEDS_MAX} reads: ask for less.")

    async def row(
        self, projection: str, account_id: str, key: str, wanted: AtLeast = ANYTHING
    ) -> tuple[bytes | None, Standing]:
        """The stored JSON of a row in the account's shard; None: there is no such row.

        Raises: Unavailable; Invalid if `wanted` is of another shard.
        """
        need = need_of_account(projection, account_id, (key,), wanted, self.shards)
        found = await self.find(need)
        return found.parts[0].rows.get(key), standing_of(need, found)

    def at_once(self, need: Need, done: Callable[[Found | None], None]) -> None:
        """Call `done` with what one look finds, now or later; None: it takes more than that."""
        registry = self.rows.registries.get(need.projection)
        if registry is None:
            done(None)
            return
        assert need.shard is not None, "one row"
        assert not need.seq, "who waits has more to do"
        try:
            generation = self._finding.generation_of(registry, need.projection)
            rows = self.rows.rows(generation, need.shard, need.keys)
        except AirsideError:
            done(None)
        else:
            rows.add_done_callback(partial(self._after_one_look, generation, need.shard, done))

    def _after_one_look(
        self,
        generation: Generation,
        shard: int,
        done: Callable[[Found | None], None],
        answer: "asyncio.Future[RowsAndRegistry]",
    ) -> None:
        found = None
        if not answer.cancelled() and answer.exception() is None:
            rows, seen = answer.result()
            with suppress(AirsideError):
                if self._finding.settled(generation, shard, rows, seen):
                    found = Found(generation, (rows,))
        done(found)

    async def find(self, need: Need) -> Found:
        """What is needed. Raises: Unavailable."""
        found: Found = await self._drive(self._finding.search(need))
        return found

    def close(self) -> None:
        """Whoever still waits is told so; returns when no request is under way."""
        self.pulse.close()
        self.rows.close()

    async def _rows_of(self, step: RowsOf) -> RowsAndRegistry:
        """Its own rows, of those that all askers together asked for."""
        found, registry = await self.rows.rows(step.generation, step.shard, step.keys)
        own = {key: found.rows[key] for key in step.keys}
        return Rows(found.checkpoint, own, found.row_count), registry

    async def _drive(self, search: Any) -> Any:
        answer: Any = None
        while True:
            try:
                step = search.send(answer)
            except StopIteration as end:
                return end.value
            match step:
                case RowsOf():
                    answer = await self._rows_of(step)
                case RegistryOf():
                    seen = None if step.is_fresh else self.rows.registries.get(step.projection)
                    if seen is None or seen.serving is None:  # some day one is served
                        seen = await self.rows.registry(step.projection)
                    answer = seen
                case Pause():
                    await self.pulse.wait(step.generation, step.shard, step.seq, step.seconds)
                    answer = None
                case Each():
                    answer = await asyncio.gather(*map(self._drive, step.searches))
