"""Reads of many askers at once: what was asked for in the same moment is one round trip.

Who asks gets a future. What was asked for until the event loop comes around again is sent
together; what is asked for meanwhile waits for the next round. A server has at most
ROUNDS_MAX under way, each in a thread of a small pool, since the store is synchronous: a server
that does not answer holds up those who ask it, and nobody else.
"""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import Future as Round
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from airside.serving.looks import Looked, Looks
from projectors.view_store import Checkpoint, Generation, Registry, Rows
from queries.finding import RowsOf
from schemas.errors import AirsideError, Unavailable

READS_MAX = 10_000  # that wait for an answer
READ_SECONDS_MAX = 3.0  # until an asker hears that there is none
ROUNDS_MAX = 1  # under way to one server
THREADS_MAX = 16  # servers that are asked at the same time

RowsAndRegistry = tuple[Rows, Registry | None]


@dataclass(slots=True)
class _Shard:
    """What is wanted of one shard of one generation, and by whom."""

    generation: Generation
    shard: int
    keys: dict[str, None]
    askers: list["asyncio.Future[RowsAndRegistry]"]


@dataclass(slots=True)
class _Wanted:
    """What the next round is for."""

    shards: dict[tuple[str, int, int, int], _Shard] = field(default_factory=dict)
    registries: dict[str, list["asyncio.Future[Registry]"]] = field(default_factory=dict)
    timer: asyncio.TimerHandle | None = None

    def askers(self) -> "list[asyncio.Future[Any]]":
        """Everybody who waits for it."""
        of_rows = (asker for shard in self.shards.values() for asker in shard.askers)
        return [*of_rows, *(a for askers in self.registries.values() for a in askers)]


@dataclass(slots=True)
class _Lane:
    """The way to one server."""

    wanted: _Wanted = field(default_factory=_Wanted)
    rounds: int = 0
    is_scheduled: bool = False


class Coalescing:
    """Reads rows for one event loop."""

    def __init__(self, store: Looks, *, seconds_max: float = READ_SECONDS_MAX) -> None:
        self.registries: dict[str, Registry] = {}  # as they were seen last
        self.rounds = 0  # so far, for those who measure
        self._store = store
        self._seconds_max = seconds_max
        self._lanes: defaultdict[str, _Lane] = defaultdict(_Lane)
        self._threads = ThreadPoolExecutor(THREADS_MAX, thread_name_prefix="views")
        self._waiting = 0
        self._is_closed = False

    @property
    def waiting(self) -> int:
        """How many reads wait for an answer."""
        return self._waiting

    def rows(
        self, generation: Generation, shard: int, keys: Sequence[str]
    ) -> "asyncio.Future[RowsAndRegistry]":
        """Rows of a shard, perhaps among others, and the registry; see RowsOf.

        Raises: Unavailable; so does the future.
        """
        loop, lane = self._lane_of(self._store.lane(generation, shard))
        place = generation.projection, generation.number, generation.created_at, shard
        wanted = lane.wanted.shards.get(place)
        if wanted is None:
            wanted = lane.wanted.shards[place] = _Shard(generation, shard, {}, [])
        for key in keys:
            wanted.keys[key] = None
        asker: asyncio.Future[RowsAndRegistry] = loop.create_future()
        wanted.askers.append(asker)
        return asker

    def registry(self, projection: str) -> "asyncio.Future[Registry]":
        """The registry as it is now. Raises: Unavailable; so does the future."""
        loop, lane = self._lane_of("")
        asker: asyncio.Future[Registry] = loop.create_future()
        lane.wanted.registries.setdefault(projection, []).append(asker)
        return asker

    def close(self) -> None:
        """Whoever still waits is told; returns when no round is under way."""
        self._is_closed = True
        for lane in self._lanes.values():
            _settle(lane.wanted.askers(), _closed())
            if lane.wanted.timer is not None:
                lane.wanted.timer.cancel()
        self._threads.shutdown(cancel_futures=True)

    def _lane_of(self, name: str) -> tuple[asyncio.AbstractEventLoop, _Lane]:
        """The way to a server, with a round to come. Raises: Unavailable."""
        if self._is_closed:
            raise _closed()
        if self._waiting >= READS_MAX:
            raise Unavailable(
                f"{READS_MAX} reads wait for the read models already. Ask again a little later."
            )
        self._waiting += 1
        loop, lane = asyncio.get_running_loop(), self._lanes[name]
        if lane.wanted.timer is None:
            lane.wanted.timer = loop.call_later(
                self._seconds_max, self._late, lane, lane.wanted
            )
        if not lane.is_scheduled and lane.rounds < ROUNDS_MAX:
            lane.is_scheduled = True
            loop.call_soon(self._begin, loop, lane)
        return loop, lane

    def _begin(self, loop: asyncio.AbstractEventLoop, lane: _Lane) -> None:
        """Send a round: all that is wanted now."""
        lane.is_scheduled = False
        wanted, lane.wanted = lane.wanted, _Wanted()
        asked = [RowsOf(s.generation, s.shard, tuple(s.keys)) for s in wanted.shards.values()]
        projections = {one.generation.projection for one in asked} | set(wanted.registries)
        if self._is_closed or not projections:
            return
        lane.rounds += 1
        self.rounds += 1
        under_way = self._threads.submit(self._store.look, asked, sorted(projections))

        def arrived(done: Round[Looked]) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._arrived, loop, lane, wanted, done)

        under_way.add_done_callback(arrived)

    def _arrived(
        self,
        loop: asyncio.AbstractEventLoop,
        lane: _Lane,
        wanted: _Wanted,
        done: Round[Looked],
    ) -> None:
        """A round is over: the next one begins, and everybody is told."""
        lane.rounds -= 1
        if wanted.timer is not None:
            wanted.timer.cancel()
        if lane.wanted.timer is not None and not lane.is_scheduled and not self._is_closed:
            lane.is_scheduled = True
            loop.call_soon(self._begin, loop, lane)
        askers = wanted.askers()
        self._waiting -= len(askers)
        if done.cancelled():
            _settle(askers, _closed())
        elif (error := done.exception()) is not None:
            _settle(askers, error)
        else:
            self._tell(wanted, *done.result())

    def _tell(
        self,
        wanted: _Wanted,
        rows: Sequence[Rows | AirsideError],
        registries: dict[str, Registry | AirsideError],
    ) -> None:
        for name, registry in registries.items():
            if isinstance(registry, Registry):
                self.registries[name] = registry
            _settle(wanted.registries.get(name, ()), registry)
        for shard, part in zip(wanted.shards.values(), rows, strict=True):
            registry = registries[shard.generation.projection]
            answer: Any = part
            if isinstance(registry, AirsideError):
                answer = registry
            elif isinstance(part, Rows):
                # a registry that another server has may have been read before the rows were
                answer = part, None if part.checkpoint == _NOTHING else registry
            _settle(shard.askers, answer)

    def _late(self, lane: _Lane, wanted: _Wanted) -> None:
        """Nobody waits longer; who asks from now on waits anew."""
        askers = wanted.askers()
        if lane.wanted is wanted:  # not sent: the round before is not over
            lane.wanted = _Wanted()
            self._waiting -= len(askers)
        late = f"the read models did not answer within {self._seconds_max:g} s. Ask again."
        _settle(askers, Unavailable(late))


def _settle(askers: "Sequence[asyncio.Future[Any]]", answer: Any) -> None:
    """Give it to everybody who still waits; raise it where it is an error."""
    for asker in askers:
        if asker.done():  # gone, or told before
            continue
        if isinstance(answer, BaseException):
            asker.set_exception(answer)
        else:
            asker.set_result(answer)


def _closed() -> Unavailable:
    return Unavailable("this process is stopping. Ask another one, or ask again.")


_NOTHING = Checkpoint()
