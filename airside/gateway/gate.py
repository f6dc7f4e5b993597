"""The gate: puts checked commands onto the topic, and looks in the read models what became of
them. It decides nothing, and reads nothing of the write side.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol, TypeVar

from airside.gateway.topic import CommandsTopic
from airside.log import Traces
from projectors.outcomes import PROJECTION, Outcome, row_key
from queries.reader import AtLeast, Reader, Reading
from schemas.codec import CODEC
from schemas.envelope import Command
from schemas.errors import Transient, Unavailable
from schemas.record import shard_of

T = TypeVar("T")

IN_FLIGHT_MAX = 2_000  # commands on their way to the topic
WAITING_MAX = 2_000  # requests that wait for an outcome; those beyond are answered without one
PAUSE_SECONDS = 0.1  # between two questions while the read models are away

Question = Callable[[Reader], T]


class Busy(Transient):
    """As much is under way as may be: nothing was sent. Try again in a moment."""


class Reads(Protocol):
    """The read models, for many who ask at once."""

    async def ask(self, question: Question[T]) -> T:
        """The answer of a query. Raises: what it raises; Unavailable."""


class Gate:
    """For one event loop."""

    def __init__(
        self,
        topic: CommandsTopic,
        reads: Reads,
        *,
        in_flight_max: int = IN_FLIGHT_MAX,
        waiting_max: int = WAITING_MAX,
    ) -> None:
        self._topic, self._reads = topic, reads
        self._in_flight_max, self._waiting_max = in_flight_max, waiting_max
        self._in_flight = self._waiting = 0
        self._shards: int | None = None

    async def accept(self, commands: Sequence[Command], traces: Traces | None = None) -> None:
        """Put commands of one account onto the topic, in order; surely there when it returns.

        Raises: Busy, where nothing was sent; Unavailable, and then the first ones may be on the
        topic: the same again is safe, since each takes effect once.
        """
        with self._admitted(len(commands)):
            shards = await self.shards()
            records = [(c.account_id.encode(), CODEC.encode(c)) for c in commands]
            shard = shard_of(commands[0].account_id, shards)
            await self._topic.append(shard, records, traces)

    async def shards(self) -> int:
        """How many shards there are. Raises: NotFound, Unavailable."""
        if self._shards is None:
            self._shards = await self._topic.partitions()
        return self._shards

    async def outcomes(
        self, commands: Sequence[Command], wait_seconds: float
    ) -> dict[str, Outcome]:
        """By command id, those that came in time; the commands are of one account.

        Each time the shard's read model has moved it is looked at again. While it is away
        nothing comes; that is no error, since the commands are on the topic.
        """
        if self._waiting >= self._waiting_max:
            return {}
        self._waiting += 1
        try:
            return await self._await_outcomes(commands, wait_seconds)
        finally:
            self._waiting -= 1

    async def _await_outcomes(
        self, commands: Sequence[Command], wait_seconds: float
    ) -> dict[str, Outcome]:
        now = asyncio.get_running_loop().time
        deadline = now() + wait_seconds
        account_id = commands[0].account_id
        missing = {row_key(c.account_id, c.command_id): c.command_id for c in commands}
        found: dict[str, Outcome] = {}
        wanted = AtLeast(0, None, 0.0)
        while True:
            try:
                reading = await self._reads.ask(_rows(account_id, tuple(missing), wanted))
            except Unavailable:
                await asyncio.sleep(min(PAUSE_SECONDS, max(0.0, deadline - now())))
            else:
                for key, row in reading.rows.items():
                    found[missing.pop(key)] = row
                seq = reading.standing.version + 1
                wanted = AtLeast(seq, None, max(0.0, deadline - now()))
            if not missing or now() >= deadline:
                return found

    @contextmanager
    def _admitted(self, count: int) -> Iterator[None]:
        if self._in_flight + count > self._in_flight_max:
            raise Busy(
                f"{self._in_flight} commands are on their way to the topic, "
                f"{self._in_flight_max} at most. Nothing was sent: send it again in a moment."
            )
        self._in_flight += count
        try:
            yield
        finally:
            self._in_flight -= count


def _rows(
    account_id: str, keys: Sequence[str], wanted: AtLeast
) -> Callable[[Reader], Reading[Outcome]]:
    return lambda reader: reader.of_account(PROJECTION, account_id, keys, wanted)
